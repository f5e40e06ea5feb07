"""Proposals that a second person confirms, and stops that two people lift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import as_owner, grant, protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _ledger() -> None:
    """What may happen to an attempt more than once has turns; the index then finds all bookings of a payment."""
    op.drop_index('uq_ledger_transfers_once', 'ledger_transfers')
    op.add_column('ledger_transfers', sa.Column('turn', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    # What had happened more than once already keeps its order.
    turns = (
        "update ledger_transfers t set turn = n.turn from (select factory_id, id, row_number() over (partition by factory_id, payment_id,"
        " attempt, cause order by posted_at, id) - 1 as turn from ledger_transfers) n"
        " where n.turn > 0 and n.factory_id = t.factory_id and n.id = t.id"
    )
    op.execute('ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_append_only')
    for statement in as_owner('ledger_transfers', turns):
        op.execute(statement)
    op.execute('ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_append_only')
    op.create_unique_constraint(
        'uq_ledger_transfers_once', 'ledger_transfers', ['factory_id', 'payment_id', 'attempt', 'cause', 'turn']
    )


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        'proposals',
        sa.Column('factory_id', sa.UUID(), nullable=False),
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('content', postgresql.JSONB(), nullable=False),
        sa.Column('content_hash', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('proposed_by', sa.Text(), nullable=False),
        sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('decided_by', sa.Text(), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_reason', sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('finding', 'repay', 'correction', 'lift')", name=op.f('ck_proposals_kind')),
        sa.CheckConstraint("state in ('proposed', 'confirmed', 'refused')", name=op.f('ck_proposals_state')),
        sa.CheckConstraint("(state = 'proposed') = (decided_by is null)", name=op.f('ck_proposals_decided')),
        sa.CheckConstraint("state <> 'confirmed' or decided_by <> proposed_by", name=op.f('ck_proposals_four_eyes')),
        sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_proposals')),
    )
    op.create_index('ix_proposals_open', 'proposals', ['factory_id', 'id'], postgresql_where=sa.text("state = 'proposed'"))
    op.create_table(
        'stops',
        sa.Column('factory_id', sa.UUID(), nullable=False),
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('run_id', sa.UUID(), nullable=True),
        sa.Column('provider_account_id', sa.UUID(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('pressed_by', sa.Text(), nullable=False),
        sa.Column('pressed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('handed_over', sa.BigInteger(), nullable=False),
        sa.Column('lifted_by', sa.Text(), nullable=True),
        sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint('(lifted_by is null) = (lifted_at is null)', name=op.f('ck_stops_lifted')),
        sa.CheckConstraint('run_id is null or provider_account_id is null', name=op.f('ck_stops_one_scope')),
        sa.ForeignKeyConstraint(['factory_id', 'run_id'], ['pay_runs.factory_id', 'pay_runs.id'], name=op.f('fk_stops_factory_id_run_id')),
        sa.ForeignKeyConstraint(
            ['factory_id', 'provider_account_id'], ['provider_accounts.factory_id', 'provider_accounts.id'],
            name=op.f('fk_stops_factory_id_provider_account_id'),
        ),
        sa.PrimaryKeyConstraint('factory_id', 'id', name=op.f('pk_stops')),
    )
    op.create_index('ix_stops_pressed', 'stops', ['factory_id', 'id'], postgresql_where=sa.text('lifted_at is null'))
    op.add_column('payments', sa.Column('decision_id', sa.UUID(), nullable=True))
    op.add_column('payments', sa.Column('corrects', sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f('fk_payments_factory_id_decision_id'), 'payments', 'proposals', ['factory_id', 'decision_id'], ['factory_id', 'id']
    )
    op.create_foreign_key(op.f('fk_payments_factory_id_corrects'), 'payments', 'payments', ['factory_id', 'corrects'], ['factory_id', 'id'])
    op.create_check_constraint(
        op.f('ck_payments_correction'), 'payments', "corrects is null or (kind = 'correction' and decision_id is not null)"
    )
    op.create_index('ix_payments_changed', 'payments', ['factory_id', 'state_since'])
    _ledger()
    for table in ('proposals', 'stops'):
        for statement in (*protect(table), grant(table, 'SELECT, INSERT, UPDATE')):
            op.execute(statement)


def downgrade() -> None:
    """What two people decided cannot be forgotten."""
    raise RuntimeError("This version cannot be taken back: restore the backup that was made before it.")
