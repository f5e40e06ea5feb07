"""A gateway says what became of slips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from connectors.sms.contract import ReceiptRefusedError, SmsOutcome
from payroll_api import logs
from payroll_api.db.bulk import in_turn
from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.factories.addresses import by_factory
from payroll_api.payments.receive import Incoming, refused
from payroll_api.payslips.send import record_deliveries
from payroll_api.services import Services

log = logs.get(__name__)


async def receive_receipts(services: Services, incoming: Sequence[Incoming]) -> list[ProblemError | None]:
    """Take delivery receipts that came together; for each, None once it is recorded and committed, or the refusal that is its answer."""
    answers: list[ProblemError | None] = [refused() for _ in incoming]
    for factory_id, accounts in (await by_factory(services, [item.key for item in incoming])).items():
        async with services.database.factory(factory_id) as session:
            for account_id in sorted(set(accounts.values())):
                receipts = {position: incoming[position] for position, account in accounts.items() if account == account_id}
                proven = await _take(session, services, account_id, receipts)
                answers = [None if position in proven else answer for position, answer in enumerate(answers)]
    return answers


async def _take(session: AsyncSession, services: Services, account_id: UUID, receipts: Mapping[int, Incoming]) -> set[int]:
    """Record what one gateway account says; gives the positions of the receipts that were proven."""
    try:
        gateway = await services.connectors.gateway(session, account_id)
    except (NotFoundError, ProblemError) as error:
        log.error("webhook_connector_refused", provider_account=str(account_id), code=error.code)  # noqa: TRY400 no values
        return set()
    if gateway is None:
        return set()
    outcomes: list[SmsOutcome] = []
    proven = set()
    for position, item in receipts.items():
        request = item.request
        try:
            outcomes += gateway.read_receipt(request.headers, request.body, request.received_at, path=request.path)
        except ReceiptRefusedError:
            continue
        except Exception as error:  # noqa: BLE001 a gateway's own mistake proves nothing, and must not cost the others their answer
            log.error("webhook_connector_failed", connector=gateway.profile.name, error=type(error).__name__, at=logs.places(error))  # noqa: TRY400 no values
            continue
        proven.add(position)
    for some in in_turn(outcomes, lambda outcome: outcome.reference):
        await record_deliveries(session, some, actor=f"provider:{gateway.profile.name}", at=services.clock())
    return proven
