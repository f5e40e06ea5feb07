"""A dispatch passes a gate before its first byte; "not found" is counted; a contradiction is kept; a rail has a bank account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def _as_owner(table: str, statement: str) -> None:
    """Change rows of every factory: row-level security is forced on the owner too, except for this statement."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    """Go forward."""
    op.alter_column('dispatches', 'answered_at', new_column_name='sent_at')
    op.drop_constraint(op.f('ck_dispatches_state'), 'dispatches', type_='check')
    # Whatever was not closed may have been sent: the old version had no gate.
    _as_owner('dispatches', "UPDATE dispatches SET state = 'open', sent_at = coalesce(sent_at, created_at) WHERE state <> 'closed'")
    op.create_check_constraint(op.f('ck_dispatches_state'), 'dispatches', "state in ('intent', 'sending', 'open', 'closed')")
    op.add_column('attempts', sa.Column('absent_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('attempts', sa.Column('absent_answers', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('attempts', sa.Column('contradicted_by', sa.Text(), nullable=True))
    op.drop_constraint('uq_ledger_transfers_once', 'ledger_transfers', type_='unique')
    op.create_index(
        'uq_ledger_transfers_once', 'ledger_transfers', ['factory_id', 'payment_id', 'attempt', 'cause'], unique=True,
        postgresql_where=sa.text("cause not in ('uncertain', 'certain')"),
    )
    # The account was called `paid`: what left a rail. With funding and fees on it, it is what the rail holds. Only its name changes.
    op.execute("ALTER TABLE ledger_transfers DISABLE TRIGGER ledger_transfers_append_only")
    _as_owner(
        'ledger_transfers',
        "UPDATE ledger_transfers SET debit = regexp_replace(debit, '^paid:', 'bank:'), credit = regexp_replace(credit, '^paid:', 'bank:')"
        " WHERE debit LIKE 'paid:%' OR credit LIKE 'paid:%'",
    )
    op.execute("ALTER TABLE ledger_transfers ENABLE TRIGGER ledger_transfers_append_only")


def downgrade() -> None:
    """Money that moved under the newer rules cannot be told by the older ones."""
    raise RuntimeError("This version cannot be taken back: restore the backup that was made before it.")
