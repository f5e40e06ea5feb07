"""The restore guard: how far the database has come with sending, checks after a restore, and orders sent that it did not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import grant, protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("send_guards", "restore_checks", "sent_outside")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "send_guards",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.UUID(), nullable=False),
        sa.Column("journaled", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("factory_id", name=op.f("pk_send_guards")),
    )
    op.create_table(
        "restore_checks",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("epoch_inside", sa.BigInteger(), nullable=False),
        sa.Column("epoch_outside", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found", postgresql.JSONB(), nullable=False),
        sa.Column("asked_to_open_by", sa.Text(), nullable=True),
        sa.Column("asked_to_open_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason in ('database_older', 'journal_missing', 'journal_other', 'journal_cut')", name=op.f("ck_restore_checks_reason")
        ),
        sa.CheckConstraint("closed_by is null or closed_by <> asked_to_open_by", name=op.f("ck_restore_checks_four_eyes")),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_restore_checks")),
    )
    op.create_index(
        "uq_restore_checks_open", "restore_checks", ["factory_id"], unique=True, postgresql_where=sa.text("closed_at is null")
    )
    op.create_table(
        "sent_outside",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("dispatch_id", sa.UUID(), nullable=False),
        sa.Column("dispatch_reference", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("payment_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("worker_code", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("payload_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("on_statement", sa.Boolean(), nullable=False),
        sa.Column("adopted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("factory_id", "reference", name=op.f("pk_sent_outside")),
        sa.UniqueConstraint("factory_id", "payment_id", "number", name=op.f("uq_sent_outside_factory_id_payment_id_number")),
    )
    op.create_index("ix_sent_outside_worker", "sent_outside", ["factory_id", "worker_code", "period", "kind"], unique=False)
    for table in _TABLES:
        for statement in (*protect(table), grant(table)):
            op.execute(statement)


def downgrade() -> None:
    """Go back. The journal outside stays where it is."""
    for table in reversed(_TABLES):
        op.drop_table(table)
