"""One event of a provider has one content, whichever process it reaches; messages in the order they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from payroll_api.db.tenancy import as_owner

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. Of two contents that were both taken in before, the later one is put aside."""
    for statement in as_owner(
        "provider_messages",
        "update provider_messages m set state = 'quarantined', detail = 'the same event came before with another content'"
        " where state <> 'quarantined' and exists (select from provider_messages o where o.factory_id = m.factory_id"
        " and o.provider_account_id = m.provider_account_id and o.event_id = m.event_id and o.state <> 'quarantined'"
        " and (o.received_at, o.id) < (m.received_at, m.id))",
    ):
        op.execute(statement)
    op.create_index(
        "uq_provider_messages_one_content",
        "provider_messages",
        ["factory_id", "provider_account_id", "event_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'quarantined'"),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index("uq_provider_messages_one_content", "provider_messages")
