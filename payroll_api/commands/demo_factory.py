"""The demo's sample factory: people, accounts with the simulated bank, wallet and SMS gateway, and exchange rates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from importers.period import PayPeriod
from payroll_api.access import users
from payroll_api.access.actor import PERMISSIONS, Actor, Role
from payroll_api.commands.demo_folder import PEOPLE, Memory
from payroll_api.factories.create import create_factory, factory_by_slug
from payroll_api.factories.provider_accounts import add_provider_account, list_
from payroll_api.factories.settings import NSSF, TAX, rates_of, set_rate
from payroll_api.services import Services
from payroll_api.wiring import CALLBACK

SLUG = "angkor-sample"
NAME = "Angkor Sample Garments (synthetic)"
NAME_KM = "រោងចក្រ អង្គរ គំរូ"
HOTLINE = "023 900 100"
BANK, WALLET, CASH, SMS = "Angkor Bank (simulated)", "Mekong Wallet (simulated)", "Cash desk", "PlasGate (simulated)"
# Both authorities' rates have stayed near this for years; the demo needs one, a factory enters the published one.
RATE = Decimal(4000)
# A simulator on this machine knows a message at once or never. A real provider's contract says how long it may take.
_QUIET_SECONDS = 10


async def ensure_factory(services: Services, memory: Memory) -> UUID:
    """The sample factory's id; what is missing of it is made, so that a start that was interrupted goes on."""
    factory_id = await factory_by_slug(services, SLUG)
    if factory_id is None:
        factory_id = await create_factory(services, slug=SLUG, name=NAME, name_km=NAME_KM, hotline=HOTLINE)
    administrator = await _ensure_people(services, memory, factory_id)
    await _ensure_accounts(services, memory, administrator)
    return factory_id


async def ensure_rates(services: Services, factory_id: UUID, period: PayPeriod) -> None:
    """Exchange rates of a month, if nobody has entered any."""
    actor = Actor(factory_id=factory_id, name=users.OPERATOR, permissions=PERMISSIONS[Role.ADMINISTRATOR])
    async with services.database.factory(factory_id) as session:
        known = {rate.purpose for rate in await rates_of(session, period)}
        for purpose in (TAX, NSSF):
            if purpose not in known:
                await set_rate(session, services, actor, period, purpose, RATE, "demo: 4,000 riel for a dollar, not a published rate")


async def _ensure_people(services: Services, memory: Memory, factory_id: UUID) -> Actor:
    operator = Actor(factory_id=factory_id, name=users.OPERATOR, permissions=PERMISSIONS[Role.ADMINISTRATOR])
    async with services.database.factory(factory_id) as session:
        known = {person.login for person in await users.list_users(session, services, operator)}
        for login, (name, role, _) in PEOPLE.items():
            if login not in known:
                password = memory.passwords[login]
                await users.create_user(
                    session, services, None, login=login, display_name=name, password=password, roles=[Role(role)], language="en"
                )
    return operator


async def _ensure_accounts(services: Services, memory: Memory, administrator: Actor) -> None:
    async with services.database.factory(administrator.factory_id) as session:
        known = {account.name for account in await list_(session)}
        for name, kind, connector, config in _accounts(memory):
            if name not in known:
                await add_provider_account(session, services, administrator, name=name, kind=kind, connector=connector, config=config)


def _accounts(memory: Memory) -> list[tuple[str, str, str, Mapping[str, object]]]:
    ports, secret = memory.ports, memory.secrets
    bank = {
        "title": BANK,
        "base_url": f"http://127.0.0.1:{ports['bank']}",
        "credential": secret["bank_credential"],
        "signing_secret": secret["bank_signing"],
        "webhook_secrets": [secret["bank_webhook"]],
        "debtor_name": NAME[:35],
        "debtor_account": "000100200",
        "bank_bic": "ABAAKHPP",
        "currency": "USD",
        "checks_at_once": 500,
        "tells_balance": True,
        "not_found_is_final_after_seconds": _QUIET_SECONDS,
    }
    wallet = {
        "title": WALLET,
        "base_url": f"http://127.0.0.1:{ports['wallet']}",
        "client_id": SLUG,
        "api_key": secret["wallet_key"],
        "callback_secret": secret["wallet_callback"],
        "callback_proof": "signature",
        "debit_party_value": "angkor-sample-wages",
        "balance_currency": "USD",
        "repeat": "same_result",
        "not_found_is_final_seconds": _QUIET_SECONDS,
    }
    sms = {
        "private_key": secret["sms_key"],
        "secret": secret["sms_secret"],
        "sender": "ANGKOR",
        "base_url": f"http://127.0.0.1:{ports['sms']}",
        "receipt_url": CALLBACK,
        "receipt_secret": secret["sms_receipts"],
    }
    return [
        (BANK, "bank_account", "iso20022", bank),
        (WALLET, "wallet", "gsma_mobile_money", wallet),
        (CASH, "cash", "cash", {}),
        (SMS, "sms", "plasgate", sms),
    ]


def simulators(memory: Memory, *, journals: Mapping[str, str], accounts: str | None, delay_ms: int) -> dict[str, list[str]]:
    """The command of each simulator, by name. With `accounts` (a JSON file) bank and wallet know only these."""
    ports, secret = memory.ports, memory.secrets
    known = [] if accounts is None else ["--accounts", accounts]
    delay = ["--delay-ms", str(delay_ms)]
    return {
        "bank": [
            *("-m", "connectors.payouts.iso20022.simulator", "--port", str(ports["bank"]), "--journal", journals["bank"], *known, *delay),
            *("--secret", secret["bank_signing"], "--credential", secret["bank_credential"], "--webhook-secret", secret["bank_webhook"]),
        ],
        "wallet": [
            *("-m", "connectors.payouts.gsma_mobile_money.simulator", "--port", str(ports["wallet"]), "--journal", journals["wallet"]),
            *(*known, *delay, "--api-key", secret["wallet_key"], "--callback-secret", secret["wallet_callback"]),
        ],
        "sms": [
            *("-m", "connectors.sms.plasgate.simulator", "--port", str(ports["sms"]), "--journal", journals["sms"], *delay),
            *("--private-key", secret["sms_key"], "--secret", secret["sms_secret"]),
        ],
    }
