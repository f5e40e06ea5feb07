"""The next slips to send are found in their order, without walking past those that were sent."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_index("ix_slips_run_state", "slips")
    op.create_index("ix_slips_run_state", "slips", ["factory_id", "run_id", "state", "id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_slips_run_state", "slips")
    op.create_index("ix_slips_run_state", "slips", ["factory_id", "run_id", "state"])
