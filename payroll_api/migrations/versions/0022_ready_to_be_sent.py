"""An index of the payments that wait to be sent, in the order in which they are sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_payments_ready", "payments", ["factory_id", "run_id", "worker_code"], postgresql_where=sa.text("state = 'ready'")
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_payments_ready", "payments")
