"""Who is asking: a person or a key, of which factory, and what that one may do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID

from payroll_api.errors import NotAllowedError


class Role(enum.StrEnum):
    """What a person is in the factory's payday. One person may hold several, but never makes and approves the same run."""

    PREPARER = "preparer"  # HR: uploads, resolves, submits
    APPROVER = "approver"  # finance: approves, rejects, releases
    FINANCE = "finance"  # statements, breaks
    AUDITOR = "auditor"  # reads everything masked, exports proofs
    ADMINISTRATOR = "administrator"  # people, keys, provider accounts, policies


class Permission(enum.StrEnum):
    """What a route or a step asks for."""

    READ = "read"
    PREPARE = "prepare"
    APPROVE = "approve"
    RELEASE = "release"
    SETTLE = "settle"
    READ_PERSONAL = "read_personal"  # see names, phones and accounts unmasked
    AUDIT = "audit"
    ADMINISTER = "administer"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PREPARER: frozenset({Permission.READ, Permission.PREPARE, Permission.READ_PERSONAL}),
    Role.APPROVER: frozenset({Permission.READ, Permission.APPROVE, Permission.RELEASE, Permission.READ_PERSONAL}),
    Role.FINANCE: frozenset({Permission.READ, Permission.SETTLE, Permission.RELEASE}),
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
    Role.ADMINISTRATOR: frozenset({Permission.READ, Permission.ADMINISTER, Permission.AUDIT}),
}
# A key acts for a system, not for a person: it prepares and reads, and can never be one of the four eyes.
KEY_PERMISSIONS = frozenset({Permission.READ, Permission.PREPARE, Permission.SETTLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one who acts in a request. `name` is how audit events and records call it: `user:<id>` or `key:<id>`."""

    factory_id: UUID
    name: str
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    language: str = "en"

    def require(self, permission: Permission) -> None:
        """Raises NotAllowedError when this one may not."""
        if permission not in self.permissions:
            raise NotAllowedError(f"Your account may not {permission.value.replace('_', ' ')} here. Ask your administrator for the role.")
