"""Two people for every payday: whoever made something does not approve it."""

from __future__ import annotations

from payroll_api.access.actor import Actor
from payroll_api.errors import NotAllowedError


def require_person(actor: Actor) -> None:
    """Raises NotAllowedError for a key: decisions on money are people's."""
    if actor.user_id is None:
        raise NotAllowedError("An API key cannot decide on money. A person with the role signs in and does it.", code="person_required")


def require_other(actor: Actor, *makers: str | None) -> None:
    """Raises NotAllowedError when `actor` is one of the makers (as `Actor.name` calls them), or is no person."""
    require_person(actor)
    if actor.name in makers:
        raise NotAllowedError(
            "You made or sent this yourself, so another person must approve it. Ask somebody with the role of approver.",
            code="four_eyes",
        )
