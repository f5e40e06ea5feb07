"""Which columns stand where in a bank's CSV or workbook, by account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import grant, protect

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "statement_layouts",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("layout", postgresql.JSONB(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "provider_account_id"],
            ["provider_accounts.factory_id", "provider_accounts.id"],
            name=op.f("fk_statement_layouts_factory_id_provider_account_id"),
        ),
        sa.PrimaryKeyConstraint("factory_id", "provider_account_id", name=op.f("pk_statement_layouts")),
    )
    for statement in (*protect("statement_layouts"), grant("statement_layouts")):
        op.execute(statement)


def downgrade() -> None:
    """Go back. The audit trail keeps every layout."""
    op.drop_table("statement_layouts")
