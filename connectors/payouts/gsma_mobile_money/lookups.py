"""What became of orders: by our correlation id to the provider's resource, and from there to each order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from connectors.json_http import Answer, NoAnswer
from connectors.payouts.contract import PayoutOutcome, PayoutStatus
from connectors.payouts.gsma_mobile_money import mapping
from connectors.payouts.gsma_mobile_money.client import GsmaClient
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.gsma_mobile_money.told import Known, Told

_MOST_PAGES = 10_000
_MOST_FOLLOWED = 100  # transactions asked one by one where a list does not name our reference
_NOT_FOUND = PayoutOutcome(reference="", status=PayoutStatus.NOT_FOUND, detail="the provider does not know this reference")


@dataclass(slots=True)
class _Listing:
    """What the two lists of a batch say. `strange` counts entries that could not be tied to a reference of ours."""

    outcomes: dict[str, PayoutOutcome] = field(default_factory=dict)
    strange: int = 0
    entries: int = 0


def text_or_none(value: object) -> str | None:
    """A provider's identification, or None where it sends none or something else."""
    return value if isinstance(value, str) and 0 < len(value) <= 256 else None  # noqa: PLR2004 the API's longest text


async def find_batch(client: GsmaClient, known: Known, batch_reference: str) -> str | PayoutOutcome:
    """The provider's id of our batch, or what every order of it must be told."""
    return await _find(client, known, mapping.correlation_id(batch_reference), "batchtransactions")


async def approve(client: GsmaClient, known: Known, batch_reference: str, identification: str) -> bool:
    """Approve a two-step batch. The correlation id stays the same, so that a repeat approves nothing twice."""
    body = mapping.compact([{"op": "replace", "path": "/batchStatus", "value": "approved"}])
    step = mapping.correlation_id(batch_reference, "approve")
    path = f"/batchtransactions/{quote(identification, safe='')}"
    answer = await client.write("PATCH", path, body, correlation_id=step, callback_url=known.callback_url)
    known.approved = isinstance(answer, Answer) and answer.status in {200, 202, 204} and mapping.error_of(answer.body) is None
    return known.approved


async def look_up_batch(
    client: GsmaClient, config: GsmaConfig, told: Told, batch_reference: str, references: Sequence[str]
) -> Mapping[str, PayoutOutcome]:
    """One outcome for each reference of a bulk batch."""
    known = told.of(batch_reference)
    identification = await find_batch(client, known, batch_reference)
    if isinstance(identification, PayoutOutcome):
        return {reference: _of(reference, identification) for reference in references}
    path = f"/batchtransactions/{quote(identification, safe='')}"
    # The state is asked before the lists: what a finished batch does not list was not in it.
    state = await client.get(path)
    batch = state.body if isinstance(state, Answer) and state.status == 200 and isinstance(state.body, Mapping) else None  # noqa: PLR2004 found
    if batch is not None and batch.get("batchTitle") not in {None, "", batch_reference}:
        strange = PayoutOutcome(
            reference="", status=PayoutStatus.UNKNOWN, code="other", detail="the provider shows another batch than was asked for"
        )
        return {reference: _of(reference, strange) for reference in references}
    completions, rejections = await asyncio.gather(
        _pages(client, f"{path}/completions", config), _pages(client, f"{path}/rejections", config)
    )
    status = str(batch.get("batchStatus", "")).lower() if batch is not None else ""
    if config.two_step and not known.approved and _waits(status, completions, rejections):
        await approve(client, known, batch_reference, identification)
    if isinstance(completions, PayoutOutcome) or isinstance(rejections, PayoutOutcome):
        missing = completions if isinstance(completions, PayoutOutcome) else rejections
        return {reference: _of(reference, missing) for reference in references if isinstance(missing, PayoutOutcome)}
    listing = await _read_lists(client, completions, rejections)
    absent = _trouble(state) if batch is None else _absent(batch, status, listing)
    return {reference: listing.outcomes.get(reference) or _of(reference, absent) for reference in references}


def _waits(status: str, completions: list[Any] | PayoutOutcome, rejections: list[Any] | PayoutOutcome) -> bool:
    """Whether a two-step batch still waits for its approval. The published cases call one "completed" that was only read."""
    done = any(isinstance(entries, list) and entries for entries in (completions, rejections))
    return status in {"created", "completed", ""} and not done


async def look_up_singly(client: GsmaClient, config: GsmaConfig, told: Told, references: Sequence[str]) -> Mapping[str, PayoutOutcome]:
    """One outcome for each reference where every order was sent by itself."""
    gate = asyncio.Semaphore(config.concurrency)

    async def ask(reference: str) -> PayoutOutcome:
        async with gate:
            found = await _find(client, told.of(reference), mapping.correlation_id(reference), "transactions")
            if isinstance(found, PayoutOutcome):
                return _of(reference, found)
            return _of(reference, await _read_transaction(client, found, reference))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(reference)) for reference in dict.fromkeys(references)]
    return {outcome.reference: outcome for outcome in (task.result() for task in tasks)}


async def _find(client: GsmaClient, known: Known, correlation_id: str, resource: str) -> str | PayoutOutcome:
    """The id of the resource that a request of ours made: as we were told, else by polling its state, else through /responses."""
    if known.resource is not None:
        return known.resource
    polled = await _follow_state(client, known.server_id) if known.server_id is not None else None
    if isinstance(polled, str):
        known.resource = polled
        return polled
    pending = polled is not None and polled.status is PayoutStatus.ACCEPTED
    if polled is not None and polled.status is not PayoutStatus.UNKNOWN and not (pending and resource == "batchtransactions"):
        return polled
    # A batch has its id, and can be approved, long before its request state is done.
    found = await _by_correlation(client, known, correlation_id, resource)
    return polled if pending and polled is not None and isinstance(found, PayoutOutcome) else found


async def _by_correlation(client: GsmaClient, known: Known, correlation_id: str, resource: str) -> str | PayoutOutcome:
    """Through /responses, which knows our own id of the request."""
    answer = await client.get(f"/responses/{correlation_id}")
    if isinstance(answer, NoAnswer):
        return _trouble(answer)
    if answer.status == 404 and mapping.error_of(answer.body) is not None:  # noqa: PLR2004 not found
        # A request whose answer we hold did arrive, whatever the provider says of it now.
        return _NOT_FOUND if known.server_id is None else _trouble(answer)
    link = answer.body.get("link") if isinstance(answer.body, Mapping) and answer.status == 200 else None  # noqa: PLR2004 found
    identification = _last_part(link, resource)
    if identification is not None:
        known.resource = identification
        return identification
    server_id = _last_part(link, "requeststates")
    return _trouble(answer) if server_id is None else await _follow_state(client, server_id)


async def _follow_state(client: GsmaClient, server_id: str) -> str | PayoutOutcome:
    """The id of the resource behind a request state, for providers whose /responses names that instead."""
    state = await client.get(f"/requeststates/{quote(server_id, safe='')}")
    if isinstance(state, NoAnswer) or state.status != 200 or not isinstance(state.body, Mapping):  # noqa: PLR2004 found
        return _trouble(state)
    status, code, detail = mapping.judge(state)
    if status is not PayoutStatus.ACCEPTED:
        return PayoutOutcome(reference="", status=status, code=code, detail=detail)
    known = text_or_none(state.body.get("objectReference"))
    return known or PayoutOutcome(reference="", status=PayoutStatus.ACCEPTED, detail="the provider is still reading the request")


def _last_part(link: object, resource: str) -> str | None:
    """The id behind `/<resource>/` in a link, which may be a path or a whole URL; only the id is used, never the host."""
    if not isinstance(link, str):
        return None
    parts = [unquote(part) for part in urlsplit(link).path.split("/")]
    return text_or_none(parts[parts.index(resource) + 1]) if resource in parts[:-1] else None


async def _pages(client: GsmaClient, path: str, config: GsmaConfig) -> list[Any] | PayoutOutcome:
    """All entries of a paged list, or the trouble that leaves it incomplete."""
    entries: list[Any] = []
    for _ in range(_MOST_PAGES):
        answer = await client.get(path, {"limit": str(config.page_size), "offset": str(len(entries))})
        if isinstance(answer, NoAnswer) or answer.status != 200 or not isinstance(answer.body, list):  # noqa: PLR2004 found
            return _trouble(answer)
        entries += answer.body
        available = answer.headers.get("x-records-available-count", "")
        # A provider may give less than was asked for: only an empty page or its own count ends the list.
        if not answer.body or (available.isdecimal() and len(entries) >= int(available)):
            return entries
    return PayoutOutcome(reference="", status=PayoutStatus.UNKNOWN, code="unreadable_answer", detail="the provider's list does not end")


async def _read_lists(client: GsmaClient, completions: list[Any], rejections: list[Any]) -> _Listing:
    """The two lists as outcomes. An order in both lists, or twice in one, is UNKNOWN."""
    listing = _Listing(entries=len(completions) + len(rejections))
    followed = 0
    for entries, status in ((completions, PayoutStatus.PAID), (rejections, PayoutStatus.REJECTED)):
        for entry in entries:
            body = entry if isinstance(entry, Mapping) else {}
            reference = text_or_none(body.get("requestingOrganisationTransactionReference"))
            provider_reference = text_or_none(body.get("transactionReference"))
            if reference is None and provider_reference is not None and followed < _MOST_FOLLOWED:
                # The published cases list entries without our reference; the transaction itself has to carry it.
                followed += 1
                reference = await _reference_of(client, provider_reference)
            if reference is None:
                listing.strange += 1
                continue
            outcome = _listed(reference, status, body)
            if reference in listing.outcomes:
                outcome = PayoutOutcome(
                    reference=reference, status=PayoutStatus.UNKNOWN, code="other", detail="the provider lists this order more than once"
                )
            listing.outcomes[reference] = outcome
    return listing


def _listed(reference: str, status: PayoutStatus, body: Mapping[str, Any]) -> PayoutOutcome:
    if status is PayoutStatus.REJECTED:
        reason = body.get("rejectionReason", "")
        if "duplicaterequest" in str(reason).lower():  # its twin may have been paid
            detail = "the provider has this reference already, in another request"
            return PayoutOutcome(reference=reference, status=PayoutStatus.UNKNOWN, code="duplicate", detail=detail)
        return PayoutOutcome(
            reference=reference,
            status=status,
            provider_reference=text_or_none(body.get("transactionReference")),
            code=mapping.refusal_code(reason),
            detail=f"the provider rejected it: {mapping.safe_word(reason)}",
            happened_at=mapping.read_moment(body.get("rejectionDate") or body.get("dateRejected")),
        )
    return PayoutOutcome(
        reference=reference,
        status=status,
        provider_reference=text_or_none(body.get("transactionReference")),
        amount=mapping.read_amount(body.get("amount"), body.get("currency")),
        account=mapping.read_payee(body),
        happened_at=mapping.read_moment(body.get("completionDate") or body.get("completedDate")),
    )


async def _reference_of(client: GsmaClient, provider_reference: str) -> str | None:
    answer = await client.get(f"/transactions/{quote(provider_reference, safe='')}")
    body = answer.body if isinstance(answer, Answer) and isinstance(answer.body, Mapping) else {}
    return text_or_none(body.get("requestingOrganisationTransactionReference"))


async def _read_transaction(client: GsmaClient, identification: str, reference: str) -> PayoutOutcome:
    """One transaction. One that carries another reference than was asked for is not ours to judge."""
    answer = await client.get(f"/transactions/{quote(identification, safe='')}")
    if isinstance(answer, NoAnswer) or answer.status != 200 or not isinstance(answer.body, Mapping):  # noqa: PLR2004 found
        return _trouble(answer)
    body = answer.body
    if text_or_none(body.get("requestingOrganisationTransactionReference")) not in {None, reference}:
        return PayoutOutcome(
            reference="", status=PayoutStatus.UNKNOWN, code="other", detail="the provider shows another order's transaction"
        )
    status = mapping.transaction_state(body.get("transactionStatus"))
    return PayoutOutcome(
        reference="",
        status=status,
        provider_reference=identification,
        code=mapping.refusal_code(body.get("descriptionText", "")) if status is PayoutStatus.REJECTED else None,
        amount=mapping.read_amount(body.get("amount"), body.get("currency")),
        account=mapping.read_payee(body),
        happened_at=mapping.read_moment(body.get("modificationDate") or body.get("creationDate")),
    )


def _absent(batch: Mapping[str, Any], status: str, listing: _Listing) -> PayoutOutcome:
    """What to say of an order that neither list names. "Not found" only where the lists are known to be whole."""
    if status != "completed":
        return PayoutOutcome(reference="", status=PayoutStatus.ACCEPTED, detail="the provider has not finished the batch")
    counts = (batch.get("completedCount"), batch.get("rejectionCount"))
    whole = all(isinstance(count, int) for count in counts) and sum(counts) == listing.entries  # type: ignore[arg-type]  # checked beside it
    if listing.strange or not whole:
        detail = "the provider finished the batch, but its lists do not name every order; ask the provider"
        return PayoutOutcome(reference="", status=PayoutStatus.UNKNOWN, code="other", detail=detail)
    return _NOT_FOUND


def _trouble(answer: Answer | NoAnswer) -> PayoutOutcome:
    """A look-up that failed proves nothing about the order."""
    code = answer.code if isinstance(answer, NoAnswer) else "unreadable_answer"
    status = f"{answer.status}" if answer.status else "nothing"
    return PayoutOutcome(
        reference="", status=PayoutStatus.UNKNOWN, code=code, detail=f"the provider answered {status}; look up again later"
    )


def _of(reference: str, outcome: PayoutOutcome) -> PayoutOutcome:
    """The same outcome for this reference."""
    return dataclasses.replace(outcome, reference=reference)
