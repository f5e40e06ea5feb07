"""What the factory's accounts hold: as providers tell it, as people state it, or as a releaser answers for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payroll_api.db.tenancy import grant, protect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "rail_balances",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("holds_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source in ('told', 'stated', 'assumed')", name=op.f("ck_rail_balances_source")),
        sa.CheckConstraint("(source = 'assumed') = (amount_minor is null)", name=op.f("ck_rail_balances_amount")),
        sa.ForeignKeyConstraint(
            ["factory_id", "provider_account_id"],
            ["provider_accounts.factory_id", "provider_accounts.id"],
            name=op.f("fk_rail_balances_factory_id_provider_accounts"),
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_rail_balances")),
    )
    op.create_index("ix_rail_balances_newest", "rail_balances", ["factory_id", "provider_account_id", "currency", "at"])
    for statement in (*protect("rail_balances"), grant("rail_balances", "SELECT, INSERT")):
        op.execute(statement)


def downgrade() -> None:
    """Go back. The audit trail keeps who said what."""
    op.drop_table("rail_balances")
