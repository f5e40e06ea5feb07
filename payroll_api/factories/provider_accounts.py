"""The factory's accounts with banks, wallets, the cash desk and SMS gateways. Configurations hold credentials and are sealed."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor, Permission
from payroll_api.audit import journal
from payroll_api.db.base import new_id
from payroll_api.encryption.vault import Vault
from payroll_api.errors import InvalidError, NotFoundError, ProblemError
from payroll_api.factories.models import ProviderAccount, WebhookDirectory
from payroll_api.services import Services
from payroll_api.settings import Settings

KINDS = ("bank_account", "wallet", "cash", "check", "sms")  # `check` pays nothing: it is only asked about accounts
_CONNECTOR = re.compile(r"^[a-z][a-z0-9_]{1,60}$")
_LONGEST_NAME = 80
_LARGEST_CONFIG = 32 * 1024


def webhook_hash(key: str) -> bytes:
    """Under what the key of a webhook address stands in the directory."""
    return hashlib.sha256(key.encode()).digest()


async def add_provider_account(
    session: AsyncSession, services: Services, actor: Actor, *, name: str, kind: str, connector: str, config: Mapping[str, object]
) -> ProviderAccount:
    """A new account with a provider. `config` is what the connector's `config.py` asks for; it is sealed and never shown again.

    Raises InvalidError, ProblemError `provider_account_exists`, NotAllowedError, and what the connector says of its configuration.
    """
    actor.require(Permission.ADMINISTER)
    content = json.dumps(dict(config), ensure_ascii=False, allow_nan=False)
    _check(name, kind, connector, content)
    if await session.scalar(select(ProviderAccount.id).where(ProviderAccount.name == name)) is not None:
        raise ProblemError("provider_account_exists", "There is an account of this name. Choose another name, or disable the old one.")
    account_id = new_id()
    vault = await services.keys.vault(session)
    now = services.clock()
    account = ProviderAccount(
        factory_id=actor.factory_id,
        id=account_id,
        name=name,
        kind=kind,
        connector=connector,
        config=vault.seal(content, "provider_accounts", account_id, "config"),
        webhook_key=secrets.token_urlsafe(24),
        is_enabled=True,
        created_at=now,
    )
    session.add(account)
    await session.flush()
    session.add(
        WebhookDirectory(key_hash=webhook_hash(account.webhook_key), factory_id=actor.factory_id, provider_account_id=account_id),
    )
    await session.flush()
    await _build_once(session, services, account)
    event = journal.Event(
        actor=actor.name,
        action="provider_account.added",
        subject=f"provider_account:{account_id}",
        data={"kind": kind, "connector": connector, "config_hash": hashlib.sha256(content.encode()).hexdigest()},
    )
    await journal.record(session, now, event)
    return account


def _check(name: str, kind: str, connector: str, content: str) -> None:
    wrong = []
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        wrong.append({"field": "name", "problem": f"1 to {_LONGEST_NAME} characters on one line"})
    if kind not in KINDS:
        wrong.append({"field": "kind", "problem": f"one of {', '.join(KINDS)}"})
    if _CONNECTOR.match(connector) is None:
        wrong.append({"field": "connector", "problem": "a connector's name, as `payroll connectors list` prints it"})
    if len(content) > _LARGEST_CONFIG:
        wrong.append({"field": "config", "problem": f"at most {_LARGEST_CONFIG // 1024} KiB as JSON"})
    if wrong:
        raise InvalidError("The account was not added: see fields.", fields=wrong)


async def _build_once(session: AsyncSession, services: Services, account: ProviderAccount) -> None:
    """Let the connector read its configuration now: a mistake is told to whoever made it, and not on payday."""
    if account.kind == "sms":
        await services.connectors.gateway(session)
        return
    profile = (await services.connectors.payout(session, account.id)).profile
    kinds = sorted(profile.kinds) if profile.pays else ["check"]
    if account.kind not in kinds:
        raise InvalidError(
            f"The connector {account.connector} is for accounts of the kind {' or '.join(kinds)}.",
            fields=[{"field": "kind", "problem": f"one of {', '.join(kinds)}"}],
        )


async def list_(session: AsyncSession) -> Sequence[ProviderAccount]:
    """All accounts, also disabled ones, by name."""
    return (await session.scalars(select(ProviderAccount).order_by(ProviderAccount.name))).all()


async def get_account(session: AsyncSession, account_id: UUID) -> ProviderAccount:
    """One account. Raises NotFoundError."""
    account = await session.scalar(select(ProviderAccount).where(ProviderAccount.id == account_id))
    if account is None:
        raise NotFoundError("provider account")
    return account


async def disable(session: AsyncSession, services: Services, actor: Actor, account_id: UUID) -> ProviderAccount:
    """Stop new payments through an account. What is under way is still looked up and its messages are still taken."""
    actor.require(Permission.ADMINISTER)
    account = await session.scalar(select(ProviderAccount).where(ProviderAccount.id == account_id).with_for_update())
    if account is None:
        raise NotFoundError("provider account")
    if account.is_enabled:
        account.is_enabled = False
        await session.flush()
        event = journal.Event(actor=actor.name, action="provider_account.disabled", subject=f"provider_account:{account_id}")
        await journal.record(session, services.clock(), event)
    return account


def config_of(vault: Vault, account: ProviderAccount) -> dict[str, object]:
    """The opened configuration. Raises SealBrokenError. Never log it."""
    config: dict[str, object] = json.loads(vault.open(account.config, "provider_accounts", account.id, "config"))
    return config


def callback_url(settings: Settings, account: ProviderAccount, request_key: str | None = None) -> str:
    """The address at which this account's provider calls back; with `request_key`, of one batch alone."""
    base = f"{settings.public_url.rstrip('/')}/webhooks/{account.connector}/{account.webhook_key}"
    return base if request_key is None else f"{base}/{request_key}"
