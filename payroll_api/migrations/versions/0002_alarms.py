"""Alarms: what waits for a person, once for each kind and subject while it lasts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import grant, protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "alarms",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("sounded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(acknowledged_by is null) = (acknowledged_at is null)", name=op.f("ck_alarms_acknowledged")),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_alarms")),
    )
    is_open = sa.text("cleared_at is null")
    op.create_index("uq_alarms_open", "alarms", ["factory_id", "kind", "subject"], unique=True, postgresql_where=is_open)
    op.create_index("ix_alarms_due", "alarms", ["factory_id", "due_at"], unique=False, postgresql_where=is_open)
    for statement in (*protect("alarms"), grant("alarms")):
        op.execute(statement)


def downgrade() -> None:
    """Go back. The audit trail keeps what was sounded and by whom it was taken on."""
    op.drop_table("alarms")
