"""What this package needs of the service: settings, the database, keys and a clock. `services.Services` has all of them."""

from __future__ import annotations

from typing import Protocol

from payroll_api.clock import Clock
from payroll_api.db.session import Database
from payroll_api.encryption.vault import Keys
from payroll_api.settings import Settings


class Means(Protocol):
    """The part of `Services` that access works with; access lies below `services` and so cannot name it."""

    @property
    def settings(self) -> Settings:
        """Time-outs and the public address."""

    @property
    def database(self) -> Database:
        """Transactions of one factory, or of nobody."""

    @property
    def keys(self) -> Keys:
        """Vaults and the index of logins."""

    @property
    def clock(self) -> Clock:
        """The time now."""
