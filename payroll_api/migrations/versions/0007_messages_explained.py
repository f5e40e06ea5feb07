"""A person may close a provider's message that was put aside, with what the provider said of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payroll_api.db.tenancy import as_owner

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME = "uq_provider_messages_one_content"
_KEY = ["factory_id", "provider_account_id", "event_id"]


def upgrade() -> None:
    """Go forward."""
    _allow("'stored', 'handled', 'quarantined', 'unmatched', 'explained'")
    op.drop_index(_NAME, "provider_messages")
    open_ = sa.text("state not in ('quarantined', 'explained')")
    op.create_index(_NAME, "provider_messages", _KEY, unique=True, postgresql_where=open_)


def downgrade() -> None:
    """Go back. What was explained is put aside again."""
    for statement in as_owner("provider_messages", "update provider_messages set state = 'quarantined' where state = 'explained'"):
        op.execute(statement)
    _allow("'stored', 'handled', 'quarantined', 'unmatched'")
    op.drop_index(_NAME, "provider_messages")
    op.create_index(_NAME, "provider_messages", _KEY, unique=True, postgresql_where=sa.text("state <> 'quarantined'"))


def _allow(states: str) -> None:
    op.drop_constraint(op.f("ck_provider_messages_state"), "provider_messages", type_="check")
    op.create_check_constraint(op.f("ck_provider_messages_state"), "provider_messages", f"state in ({states})")
