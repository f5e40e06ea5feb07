"""What one worker was paid and owed is found without reading everybody's."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_index("ix_payments_worker", "payments", ["factory_id", "worker_id", "id"])
    op.create_index("ix_file_entitlements_worker", "file_entitlements", ["factory_id", "worker_id", "file_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_file_entitlements_worker", "file_entitlements")
    op.drop_index("ix_payments_worker", "payments")
