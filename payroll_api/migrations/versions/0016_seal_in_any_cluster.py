"""Audit blocks know where a newer cluster begins: transaction ids begin anew when a dump is restored into another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. Blocks that are there are of the first cluster; what they last sealed is looked up when it is needed."""
    for name in ("after_id", "last_id"):
        op.add_column("audit_blocks", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
        op.alter_column("audit_blocks", name, server_default=None)


def downgrade() -> None:
    """Go back."""
    for name in ("last_id", "after_id"):
        op.drop_column("audit_blocks", name)
