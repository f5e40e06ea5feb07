"""Whether a statement is of the account that it was given for: nobody else's bookings are taken for ours."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from connectors.payouts.names import same_account
from importers.statements.contract import Statement, StatementError

_TAIL, _LEAST_HIDDEN = 3, 3


def refuse_of_others(statements: Sequence[Statement], own: str | None, provider_account_id: UUID) -> None:
    """Raise StatementError where a statement names another account than `own`, what the provider account pays from.

    A statement that names none is not compared, nor is anything where `own` is unknown. The sentence writes neither out in full.
    """
    if own is None:
        return
    # MT940 writes the account behind a bank's code and a stroke, of which the reader keeps the last part. A table names none, and bears
    # the id of the account whose layout it was read by.
    writings = (own, own.rpartition("/")[2], str(provider_account_id))
    for statement in statements:
        if statement.account and not any(same_account(one, statement.account) for one in writings):
            raise StatementError(
                f"This statement is of the account {_ending(statement.account)}, and it was given for the one {_ending(own)}. "
                "Give it for the account that it is of; a file of several accounts is asked of the bank for each alone. If the account "
                "is the right one, correct its number in the settings of the bank's connection, and upload the file again."
            )


def _ending(account: str) -> str:
    """The last digits, which tell two accounts of a factory apart; of a short number nothing, or little would be hidden."""
    return f"ending in {account[-_TAIL:]}" if len(account) >= _TAIL + _LEAST_HIDDEN else "of another number"
