"""`payroll connectors try`: send real orders through a connector to an address, listen or poll, and print what became of each."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from connectors import http
from connectors.payouts.callback_listener import CallbackListener
from connectors.payouts.contract import DestinationCheck, PayoutOutcome, PayoutStatus, ProviderEvent
from connectors.payouts.trial import Fate, Heard, Means, Trial
from connectors.wire_trace import WireTrace, secrets_in
from payroll_api import wiring
from payroll_api.clock import pay_day, system_clock
from payroll_api.commands.try_orders import Orders, batches, read_orders, schema
from payroll_api.errors import ConfigurationError

PAID, FAILED, REFUSED, OPEN = 0, 1, 2, 3


async def try_(given: argparse.Namespace) -> int:
    """Run one trial; 0 all paid, 1 one was rejected or returned, 2 nothing was sent: an option is wrong, 3 one is still open."""
    if given.schema:
        sys.stdout.write(f"{schema()}\n")
        return PAID
    try:
        return await _try(given)
    except ConfigurationError as error:
        if given.json:
            _print({"refused": str(error)})
        else:
            sys.stderr.write(f"payroll: {error}\n")
        return REFUSED


async def _try(given: argparse.Namespace) -> int:
    if given.name is None or given.config is None or given.orders is None:
        raise ConfigurationError("Write `payroll connectors try NAME --config FILE --orders orders.json`; --schema prints what orders are.")
    config, orders, listener = _read_config(given.config), read_orders(given.orders), CallbackListener()
    host, port = _listen_at(given.listen)
    with _trace(given.trace, [*secrets_in(config), *_people(orders)]) as trace:
        token = http.WATCHER.set(trace.exchange if trace else None)
        try:
            async with listener.listening(host=host, port=port, public_url=given.callback_url):
                return await _run(given, _with_address(config, listener), orders, listener, trace)
        except OSError as error:
            raise ConfigurationError(f"--listen {given.listen}: {error.strerror or error}. Choose another address or port.") from None
        finally:
            http.WATCHER.reset(token)


async def _run(
    given: argparse.Namespace, config: Mapping[str, object], orders: Orders, listener: CallbackListener, trace: WireTrace | None
) -> int:
    connector = wiring.payout_connector(given.name, config)

    def told(heard: Heard) -> None:
        if trace is not None:
            request = heard.request
            trace.callback(request.method, request.path, request.headers, request.body, heard.verdict)

    try:
        trial = Trial(
            connector=connector,
            batches=batches(orders, connector.profile, pay_day(system_clock())),
            listener=listener,
            means=Means(given.by),
            wait_seconds=given.wait,
            poll_seconds=given.poll,
            on_callback=told,
        )
        checks = await trial.check([account.destination() for account in orders.checks])
        await trial.run()
    finally:
        await connector.aclose()
    status = _status(trial)
    if given.json:
        _print(_report(given.name, trial, checks, status))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _told(trial, checks)))
    return status


def _read_config(path: Path) -> Mapping[str, object]:
    """The connector's configuration, JSON or TOML. Raises ConfigurationError; never tells what stands in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--config {path}: it cannot be read ({error.strerror}). Name a JSON or TOML file.") from None
    try:
        found: object = tomllib.loads(content.decode()) if path.suffix.lower() == ".toml" else json.loads(content)
    except (ValueError, RecursionError) as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigurationError(f"--config {path}: it is not valid {path.suffix.lstrip('.').upper() or 'JSON'}{place}.") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f'--config {path}: it must hold one object of settings, such as {{"base_url": "http://127.0.0.1:3000"}}.')
    return found


def _with_address(config: Mapping[str, object], listener: CallbackListener) -> dict[str, object]:
    """The placeholder of the service's own configurations, filled in with where this trial listens."""
    address = listener.address("callback")
    return {name: value.replace(wiring.CALLBACK, address) if isinstance(value, str) else value for name, value in config.items()}


def _listen_at(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ConfigurationError(f"--listen {text}: write an address and a port, such as 0.0.0.0:8080 (port 0: a free one).")
    return host, port or 0


@contextlib.contextmanager
def _trace(path: Path | None, hidden: list[str]) -> Iterator[WireTrace | None]:
    if path is None:
        yield None
        return
    try:
        file: IO[str] = path.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--trace {path}: it cannot be written ({error.strerror}).") from None
    with file:
        yield WireTrace(file, hidden)


def _people(orders: Orders) -> Iterator[str]:
    for account in [*orders.orders, *orders.checks]:
        yield account.account
        yield account.account.removeprefix("+")
        yield account.holder


def _status(trial: Trial) -> int:
    words = {fate.last.status for fate in trial.fates.values()}
    if words & {PayoutStatus.REJECTED, PayoutStatus.RETURNED}:
        return FAILED
    return PAID if words <= {PayoutStatus.PAID} else OPEN


def _print(report: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def _report(name: str, trial: Trial, checks: list[DestinationCheck], status: int) -> dict[str, Any]:
    return {
        "connector": name,
        "exit": status,
        "batches": [batch.reference for batch in trial.batches],
        "orders": [_fate(fate) for fate in trial.fates.values()],
        # The holder's name as the provider tells it is personal, so it is not among these.
        "checks": [{"exists": check.exists, "name_match": check.name_match.value, "detail": check.detail} for check in checks],
        "callbacks": [{"verdict": heard.verdict, **(_event(heard.event) if heard.event else {})} for heard in trial.heard],
    }


def _fate(fate: Fate) -> dict[str, Any]:
    return {
        "reference": fate.reference,
        "batch": fate.batch,
        "status": fate.last.status.value,
        "words": fate.words,
        "seconds": round(fate.seconds, 3),
        "submitted": _outcome(fate.submitted),
        "last": _outcome(fate.last),
    }


def _outcome(outcome: PayoutOutcome) -> dict[str, Any]:
    return {
        "status": outcome.status.value,
        "code": outcome.code,
        "detail": outcome.detail,
        "provider_reference": outcome.provider_reference,
        "amount": None if outcome.amount is None else {"value": str(outcome.amount.amount), "currency": outcome.amount.currency.code},
        "happened_at": None if outcome.happened_at is None else outcome.happened_at.isoformat(),
    }


def _event(event: ProviderEvent) -> dict[str, Any]:
    outcomes = [{"reference": outcome.reference, "status": outcome.status.value} for outcome in event.outcomes]
    return {"event_id": event.event_id, "kind": event.kind, "batch": event.batch_reference, "outcomes": outcomes}


def _told(trial: Trial, checks: list[DestinationCheck]) -> Iterator[str]:
    for place, check in enumerate(checks, start=1):
        exists = {True: "exists", False: "does not exist", None: "cannot tell"}[check.exists]
        yield f"check {place}: {exists}, name {check.name_match.value}{f' ({check.detail})' if check.detail else ''}"
    for fate in trial.fates.values():
        why = " ".join(part for part in (fate.last.code or "", fate.last.detail) if part)
        yield f"{fate.reference}  {' > '.join(fate.words)}  after {fate.seconds:.1f} s{f'  {why}' if why else ''}"
    if trial.heard:
        verdicts = [heard.verdict for heard in trial.heard]
        yield "callbacks: " + ", ".join(f"{verdicts.count(word)} {word}" for word in dict.fromkeys(verdicts))
