"""The accountant's own account codes of a factory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("factories", sa.Column("journal_accounts", postgresql.JSONB(), nullable=False, server_default="{}"))
    op.alter_column("factories", "journal_accounts", server_default=None)


def downgrade() -> None:
    """Go back."""
    op.drop_column("factories", "journal_accounts")
