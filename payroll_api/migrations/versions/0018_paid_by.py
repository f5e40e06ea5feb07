"""An earlier attempt that was found to have paid, and the few attempts whose provider contradicts itself, found without a search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("payments", sa.Column("paid_by", sa.BigInteger(), nullable=True))
    contradicted = sa.text("contradicted_by is not null")
    op.create_index("ix_attempts_contradicted", "attempts", ["factory_id", "payment_id"], postgresql_where=contradicted)


def downgrade() -> None:
    """What two people found out cannot be forgotten."""
    raise RuntimeError("This version cannot be taken back: restore the backup that was made before it.")
