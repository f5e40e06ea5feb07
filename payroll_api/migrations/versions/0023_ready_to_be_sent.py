"""An index of the payments that wait to be sent, in the order in which they are sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index("ix_payments_ready", "payments", ["factory_id", "run_id", "worker_code"], postgresql_where=sa.text("state = 'ready'"))


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_payments_ready", "payments")
