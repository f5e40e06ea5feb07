"""Files for banks' portals and the result files that come back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import grant, protect

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "bank_files",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("provider_account_id", sa.UUID(), nullable=False),
        sa.Column("dispatch_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('made', 'released', 'answered')", name=op.f("ck_bank_files_state")),
        sa.CheckConstraint("released_by is distinct from made_by", name=op.f("ck_bank_files_two_people")),
        sa.CheckConstraint("(state = 'made') = (released_by is null)", name=op.f("ck_bank_files_released")),
        sa.ForeignKeyConstraint(
            ["factory_id", "dispatch_id"], ["dispatches.factory_id", "dispatches.id"], name=op.f("fk_bank_files_factory_id_dispatches")
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_bank_files")),
        sa.UniqueConstraint("factory_id", "dispatch_id", name="uq_bank_files_once"),
        sa.UniqueConstraint("factory_id", "content_hash", name="uq_bank_files_content"),
    )
    op.create_table(
        "bank_file_results",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("bank_file_id", sa.UUID(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("named", sa.BigInteger(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "bank_file_id"],
            ["bank_files.factory_id", "bank_files.id"],
            name=op.f("fk_bank_file_results_factory_id_bank_files"),
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_bank_file_results")),
        sa.UniqueConstraint("factory_id", "bank_file_id", "content_hash", name="uq_bank_file_results_content"),
    )
    for table in ("bank_files", "bank_file_results"):
        for statement in (*protect(table), grant(table)):
            op.execute(statement)


def downgrade() -> None:
    """Go back. The audit trail keeps who made, released and downloaded which content."""
    op.drop_table("bank_file_results")
    op.drop_table("bank_files")
