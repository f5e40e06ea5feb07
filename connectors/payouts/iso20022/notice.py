"""A camt.054 that the bank sends by itself: bookings of the factory's account, told as they happen."""

from __future__ import annotations

from connectors.payouts.contract import ProviderEvent, WebhookUnreadableError
from connectors.payouts.names import same_account
from importers.statements.contract import StatementError
from importers.statements.messages import read_message

_HEAD = 2048
_MARK = b"BkToCstmrDbtCdtNtfctn"


def notice_of(content: bytes, identification: str, account: str) -> ProviderEvent | None:
    """The notification as an event of this name; None for what is none.

    Raises WebhookUnreadableError where it cannot be read, or speaks of another account than the factory's: a person looks at it.
    """
    if _MARK not in content[:_HEAD]:
        return None
    try:
        statements = read_message(content, file_name=identification)
    except StatementError:
        raise WebhookUnreadableError(f"event {identification}: the notification cannot be read") from None
    if any(statement.account and not same_account(statement.account, account) for statement in statements):
        raise WebhookUnreadableError(f"event {identification}: the notification is about another account")
    return ProviderEvent(event_id=identification, kind="camt.054", is_statement=True)
