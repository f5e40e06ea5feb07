"""Every kind of alarm and the role that sees to it. `docs/operations.md` says what to do about each; a test keeps both alike."""

from __future__ import annotations

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "payment_unknown": "finance",  # money may have moved, and nobody has said yet
    "dispatch_needs_a_person": "finance",  # the provider never saw a message, and repeating it is not provably safe
    "provider_contradicts": "finance",  # it says that money moved where it had refused for good, or the other way round
    "paid_twice": "finance",  # the bank booked a wage a second time: the money must come back
    "break_overdue": "finance",  # something in a statement is not explained, and its day has passed
    "run_unsubmitted": "preparer",  # a payday comes, and its run was not sent for approval
    "run_unapproved": "approver",
    "run_unreleased": "approver",
    "funds_short": "finance",  # the provider refused orders because the account is empty: the rail is stopped
    "run_unpaid": "finance",  # the pay day is over, and not everybody has her money
    "payments_held": "preparer",  # workers who are kept back, until somebody decides
    "change_unconfirmed": "approver",  # a changed account or phone waits for another person's word
    "account_elsewhere": "approver",  # another factory pays into this worker's account too
    "sending_locked": "administrator",  # the database is older than what was sent: nothing is sent until it is reconciled
    "message_unmatched": "finance",  # a provider speaks of a payment that was never sent from here
    "message_quarantined": "finance",  # a provider's message contradicts an earlier one, or cannot be read
    "job_failing": "administrator",  # a piece of work fails again and again, and what follows it waits
    "invariant_broken": "administrator",  # something that must always hold does not
}
