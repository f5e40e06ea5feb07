"""Put the parts together: the only place that names connectors and gateways, and that makes keys, clock and database."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from connectors.payouts import registry as payout_registry
from connectors.sms import registry as sms_registry
from connectors.sms.contract import SmsGateway
from payroll_api import periodic, pipeline
from payroll_api.audit.signing import Signer
from payroll_api.clock import Clock, system_clock
from payroll_api.db.session import Database, factory_of
from payroll_api.encryption import master
from payroll_api.encryption.vault import Keys
from payroll_api.errors import ConfigurationError, InvalidError, NotFoundError, ProblemError
from payroll_api.factories.models import ProviderAccount
from payroll_api.factories.provider_accounts import callback_url, config_of
from payroll_api.jobs.names import Job
from payroll_api.jobs.worker import Handler, Worker
from payroll_api.services import PayoutConnector, Services
from payroll_api.settings import Settings
from reconciliation.law.book import load_cambodia

# In a configuration, this stands for the account's own webhook address, which is made only when the account is.
CALLBACK = "{callback_url}"


class ConnectorPool:
    """Connectors of provider accounts, built once for each configuration and kept open."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys
        self._payouts: dict[tuple[UUID, bytes], PayoutConnector] = {}
        self._gateways: dict[tuple[UUID, bytes], SmsGateway] = {}

    async def payout(self, session: AsyncSession, provider_account_id: UUID) -> PayoutConnector:
        """The payout connector of an account. A disabled account keeps its connector: what is under way is still looked up."""
        account = await session.get(ProviderAccount, (factory_of(session), provider_account_id))
        if account is None or account.kind == "sms":
            raise NotFoundError("provider account")
        key = (account.id, hashlib.sha256(account.config).digest())
        if key not in self._payouts:
            config = await self._config(session, account)
            if key in self._payouts:  # another job built it meanwhile: a second one would have connections that nobody closes
                return self._payouts[key]
            try:
                self._payouts[key] = payout_registry.build(account.connector, config)
            except payout_registry.RegistryError as error:
                raise InvalidError(str(error), code="connector_refused") from None
        return self._payouts[key]

    async def gateway(self, session: AsyncSession, account_id: UUID | None = None) -> SmsGateway | None:
        """The factory's newest enabled SMS gateway, or the one of an account, also of a disabled one: its receipts still come."""
        gateways = select(ProviderAccount).where(ProviderAccount.kind == "sms")
        wanted = gateways.where(ProviderAccount.is_enabled) if account_id is None else gateways.where(ProviderAccount.id == account_id)
        account = await session.scalar(wanted.order_by(ProviderAccount.created_at.desc(), ProviderAccount.id.desc()).limit(1))
        if account is None:
            return None
        key = (account.id, hashlib.sha256(account.config).digest())
        if key not in self._gateways:
            config = await self._config(session, account)
            if key in self._gateways:
                return self._gateways[key]
            try:
                self._gateways[key] = sms_registry.build(account.connector, config)
            except (LookupError, ValueError, sms_registry.BrokenGatewayError) as error:
                raise ProblemError("gateway_refused", str(error), status=422) from None
        return self._gateways[key]

    async def _config(self, session: AsyncSession, account: ProviderAccount) -> Mapping[str, object]:
        address = callback_url(self._settings, account)
        config = config_of(await self._keys.vault(session), account)
        return {name: value.replace(CALLBACK, address) if isinstance(value, str) else value for name, value in config.items()}

    async def close(self) -> None:
        """Release all connections."""
        for connector in self._payouts.values():
            await connector.aclose()
        for gateway in self._gateways.values():
            await gateway.aclose()


@asynccontextmanager
async def build(settings: Settings, *, clock: Clock = system_clock) -> AsyncIterator[Services]:
    """The services of one process, closed at the end of the block. Raises ConfigurationError."""
    if settings.database_url is None:
        raise ConfigurationError("PAYROLL_DATABASE_URL is not set, and this process does not start a database of its own.")
    key = master.load(settings.master_key_file, create=False)
    keys = Keys(key)
    database = Database(settings.database_url, pool_size=settings.pool_size, frozen_seconds=settings.frozen_seconds)
    pool = ConnectorPool(settings, keys)
    try:
        yield Services(
            settings=settings, database=database, keys=keys, signer=Signer(key), clock=clock, connectors=pool, law=load_cambodia()
        )
    finally:
        await pool.close()
        await database.close()


def open_worker(services: Services, *, concurrency: int = 4) -> Worker:
    """A worker that does every step of the pipeline, and what is done periodically."""
    if services.settings.database_url is None:
        raise ConfigurationError("PAYROLL_DATABASE_URL is not set.")

    def handler(job: Job) -> Handler:
        async def run(factory_id: UUID, payload: Mapping[str, str]) -> None:
            await pipeline.STEPS[job](services, factory_id, payload)

        return run

    return Worker(
        services.settings.database_url,
        {job: handler(job) for job in pipeline.STEPS},
        periodic.tasks(services),
        concurrency=concurrency,
    )


def payout_connectors() -> Mapping[str, payout_registry.Source]:
    """The payout connectors that are installed, by name. Raises ConfigurationError when two packages bring the same name."""
    try:
        return payout_registry.available()
    except payout_registry.RegistryError as error:
        raise ConfigurationError(f"{error}.") from None


def payout_connector(name: str, config: Mapping[str, object]) -> PayoutConnector:
    """A connector outside of a factory, for a trial. Raises ConfigurationError with the settings that are wrong, never their values."""
    try:
        return payout_registry.build(name, config)
    except payout_registry.RegistryError as error:
        raise ConfigurationError(f"{error}.") from None


def sms_gateways() -> tuple[str, ...]:
    """The SMS gateways that are installed."""
    return sms_registry.available()
