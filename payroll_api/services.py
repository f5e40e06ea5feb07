"""What a step may be handed: the database, keys, connectors, the law, and the clock. Steps make none of these themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts.contract import ChecksInBulk, Connector, ReadsReports, WritesFiles
from connectors.sms.contract import SmsGateway
from importers.money import Money
from payroll_api.audit.signing import Signer
from payroll_api.clock import Clock, uptime
from payroll_api.db.session import Database
from payroll_api.encryption.vault import Keys
from payroll_api.settings import Settings
from reconciliation.law.book import LawBook


class PayoutConnector(Connector, ChecksInBulk, ReadsReports, Protocol):
    """A connector behind its observer: it checks any number of destinations, however its provider takes them."""

    @property
    def files(self) -> WritesFiles | None:
        """What writes its files, where people carry its orders to the provider."""

    async def balance(self) -> Money | None:
        """What the factory's account can pay now; None where the provider does not tell, or not at this moment."""


class Connectors(Protocol):
    """Gives the connector of a factory's provider account, built once from its sealed configuration."""

    async def payout(self, session: AsyncSession, provider_account_id: UUID) -> PayoutConnector:
        """The payout connector of an account. Raises ProblemError when it is disabled or its configuration is refused."""

    async def gateway(self, session: AsyncSession, account_id: UUID | None = None) -> SmsGateway | None:
        """The factory's SMS gateway, or the one of an account; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything outside the code that a step works with."""

    settings: Settings
    database: Database
    keys: Keys
    signer: Signer
    clock: Clock
    connectors: Connectors
    law: LawBook
    uptime: Callable[[], timedelta] = uptime
