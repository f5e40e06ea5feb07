"""What came back and what was charged are found without reading years of paydays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index(
        "ix_statement_lines_returned",
        "statement_lines",
        ["factory_id", "booked_on"],
        postgresql_where=sa.text("kind in ('returned', 'partial_return')"),
    )
    op.create_index(
        "ix_ledger_transfers_fees", "ledger_transfers", ["factory_id", "booked_on"], postgresql_where=sa.text("debit = 'fees'")
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_ledger_transfers_fees", "ledger_transfers")
    op.drop_index("ix_statement_lines_returned", "statement_lines")
