"""Values of the law that a factory adds or agrees, its choices by month, and differences that two people decide."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from payroll_api.db.tenancy import grant, protect
from payroll_api.encryption.column import Encrypted

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLES = ("law_values", "policy_choices")
_DISCREPANCIES = (
    ("asked", sa.Text()),
    ("asked_by", sa.Text()),
    ("asked_at", sa.DateTime(timezone=True)),
    ("agreed_by", sa.Text()),
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "law_values",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("given", postgresql.JSONB(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("published", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_off_by", Encrypted(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("second_person", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('law', 'agreement')", name=op.f("ck_law_values_kind")),
        sa.CheckConstraint("state in ('proposed', 'in_force', 'withdrawn')", name=op.f("ck_law_values_state")),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_law_values")),
    )
    op.create_index("ix_law_values_kind", "law_values", ["factory_id", "kind", "name"], unique=False)
    op.create_table(
        "policy_choices",
        sa.Column("factory_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_policy_choices")),
    )
    op.create_index("ix_policy_choices_since", "policy_choices", ["factory_id", "since"], unique=False)
    for table in _TABLES:
        for statement in protect(table):
            op.execute(statement)
    # Nothing is ever deleted from either: an old result must be had again. A choice is not even changed.
    op.execute(grant("law_values", "SELECT, INSERT, UPDATE"))
    op.execute(grant("policy_choices", "SELECT, INSERT"))
    for name, kind in _DISCREPANCIES:
        op.add_column("discrepancies", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Go back. The audit trail keeps what was entered and chosen."""
    for name, _ in _DISCREPANCIES:
        op.drop_column("discrepancies", name)
    for table in _TABLES:
        op.drop_table(table)
