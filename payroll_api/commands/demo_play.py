"""The payday as people live it, through the public HTTP API only: each does her part, signed in as herself."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from importers.period import PayPeriod
from payroll_api.commands.demo_client import Person, RefusedError
from payroll_api.commands.demo_folder import Folder, Memory
from payroll_api.commands.demo_folder import Payday as Remembered
from payroll_api.commands.demo_stages import Stages
from payroll_api.errors import ConfigurationError

# A stage in which nothing moves for this long has a fault that somebody must look at.
_PATIENCE_SECONDS = 360  # a slip whose sender was killed is given up after five minutes; till then it may still be on its way
_PAUSE_SECONDS = 0.15
_AT_ONCE = 200
# What the demo's HR decides, the first that a difference allows. Real people look at each: the pages show how.
_DECISIONS = (
    ("pay_law", "Checked against the attendance sheets: the law's figure is right."),
    ("hold_worker", "Kept back until the worker has been asked."),
    ("pay_sheet", "Checked against the personnel file: the sheet is right."),
)
_WARNED = (("pay_sheet", "Checked against the personnel file: the sheet is right."), *_DECISIONS[:2])
AT_REST = frozenset({"paid", "rejected", "returned", "held", "cancelled"})

Statements = Callable[[date], Awaitable[Sequence[tuple[str, str, bytes]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The people of the sample factory, each signed in."""

    hr: Person
    approver: Person
    finance: Person
    auditor: Person

    async def close(self) -> None:
        """Sign all out."""
        for person in (self.hr, self.approver, self.finance, self.auditor):
            await person.close()


async def sign_in(base_url: str, memory: Memory) -> Staff:
    """Sign the staff in. Raises RefusedError."""
    logins = {"hr": "sokha", "approver": "dara", "finance": "chanthy", "auditor": "sreymom"}
    people = {part: await Person.sign_in(base_url, login, memory.passwords[login]) for part, login in logins.items()}
    return Staff(**people)


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One payday under way."""

    staff: Staff
    folder: Folder
    memory: Memory
    stages: Stages
    sheet: Path
    period: PayPeriod
    statements: Statements  # (provider account, file name, content) of one day, as the providers write them
    today: Callable[[], date]

    async def run(self) -> Remembered:
        """Play what has not been played yet, and give the payday."""
        content = await asyncio.to_thread(self.sheet.read_bytes)
        digest = hashlib.sha256(content).hexdigest()
        payday = self.known()
        if payday is not None and payday.is_done:
            return payday
        payday = payday or await self._upload(content, digest)
        await self._check(payday)
        payday = await self._decide(payday)
        await self._pay(payday)
        await self._settle()
        await self._tell(payday)
        return self._remember(replace(payday, is_done=True))

    def known(self) -> Remembered | None:
        """The payday of this sheet and period, if it began in this folder before."""
        return self.memory.payday(hashlib.sha256(self.sheet.read_bytes()).hexdigest(), str(self.period))

    def _remember(self, payday: Remembered) -> Remembered:
        self.memory.remember(payday)
        self.folder.save(self.memory)
        return payday

    async def _upload(self, content: bytes, digest: str) -> Remembered:
        fields = {"pay_period": str(self.period), "kind": "balance"}
        try:
            file = await self.staff.hr.upload("/payroll-files", content, self.sheet.name, fields, key=f"demo-{digest[:32]}-{self.period}")
            file_id = file["id"]
        except RefusedError as error:
            if error.code != "file_already_uploaded" or "file_id" not in error.extra:
                raise
            file_id = error.extra["file_id"]
        return self._remember(Remembered(sheet=digest, period=str(self.period), file_id=UUID(str(file_id))))

    async def _check(self, payday: Remembered) -> None:
        """Rows are read, the columns confirmed, and the law's figures computed."""
        path = f"/payroll-files/{payday.file_id}"
        file = await self._until(path, "Reading the spreadsheet", lambda file: file["state"] not in {"received", "reading"}, _rows)
        if file["state"] == "refused":
            raise ConfigurationError(await self._why_refused(path))
        if file["state"] == "read":
            with self.stages.stage("Confirming the columns") as stage:
                await self.staff.hr.post(f"{path}/layout", {"columns": {}}, key=f"demo-layout-{payday.file_id}")
                stage.done(1, 1)
            file = await self._until(path, "Computing what the law owes", lambda file: file["state"] in {"reconciled", "refused"}, _rows)

    async def _why_refused(self, path: str) -> str:
        async for problem in self.staff.hr.all(f"{path}/problems"):
            if problem["severity"] == "stops_file":
                return f"The sheet was refused: {problem['message']} {problem['remedy']}"
        return "The sheet was refused. Look at it with `payroll check`."

    async def _decide(self, payday: Remembered) -> Remembered:
        """A run is made, HR decides about each difference, another person approves and releases."""
        if payday.run_id is None:
            try:
                made = await self.staff.hr.post("/pay-runs", {"file_id": str(payday.file_id)}, key=f"demo-run-{payday.file_id}")
                run_id = made["id"]
            except RefusedError as error:
                if error.code != "run_exists" or "run_id" not in error.extra:
                    raise
                run_id = error.extra["run_id"]
            payday = self._remember(replace(payday, run_id=UUID(str(run_id))))
        path = f"/pay-runs/{payday.run_id}"
        run = await self.staff.hr.get(path)
        if run["state"] == "draft":
            await self._resolve(path)
            await self._submit(path)
            run = await self.staff.hr.get(path)
        with self.stages.stage("Sent by Sokha, approved and released by Dara") as stage:
            if run["state"] == "submitted":
                await self.staff.approver.post(f"{path}/approve", {"content_hash": run["content_hash"]})
                run = await self.staff.hr.get(path)
            if run["state"] == "approved":
                await self.staff.approver.post(f"{path}/release")
            stage.done(1, 1)
        return payday

    async def _resolve(self, path: str) -> None:
        with self.stages.stage("Deciding about differences") as stage:
            chosen: dict[tuple[str, str], list[str]] = {}
            async for one in self.staff.hr.all(f"{path}/discrepancies"):
                if one["severity"] == "informs" or one.get("resolution"):
                    continue
                wishes = _WARNED if one["severity"] == "warns" else _DECISIONS
                decision = next((wish for wish in wishes if wish[0] in one["resolutions"] or not one["resolutions"]), None)
                if decision is None:
                    raise ConfigurationError(
                        f"Row {one['row']}: {one['message']} This needs a corrected sheet: mend it and play it with --sheet."
                    )
                chosen.setdefault(decision, []).append(str(one["id"]))
            total = sum(len(ids) for ids in chosen.values())
            decided = 0
            for (resolution, reason), ids in chosen.items():
                for start in range(0, len(ids), _AT_ONCE):
                    some = ids[start : start + _AT_ONCE]
                    body = {"discrepancy_ids": some, "resolution": resolution, "reason": reason}
                    await self.staff.hr.post(f"{path}/discrepancies/resolve", body, key=_key("resolve", *some))
                    stage.done(decided := decided + len(some), total)
            stage.done(total, total)

    async def _submit(self, path: str) -> None:
        """Accounts are checked with bank and wallet first; until that is done the run is not taken."""
        with self.stages.stage("Checking accounts with bank and wallet") as stage:
            most, last, moved = 0, -1, time.monotonic()
            while True:
                asked = time.monotonic()
                try:
                    await self.staff.hr.post(f"{path}/submit")
                except RefusedError as error:
                    if error.code != "destinations_unchecked":
                        raise
                    waiting = int(error.extra["waiting"])
                    most = max(most, waiting)
                    stage.done(most - waiting, most)
                    if waiting != last:
                        last, moved = waiting, time.monotonic()
                    if time.monotonic() - moved > _PATIENCE_SECONDS:
                        raise ConfigurationError(f"No account was checked for {_PATIENCE_SECONDS} s. See {self.folder.logs}.") from None
                    await _pause(asked)
                else:
                    stage.done(most, most)
                    return

    async def _pay(self, payday: Remembered) -> None:
        """Bank and wallet pay; the envelopes are confirmed by hand when the list is signed."""
        path = f"/pay-runs/{payday.run_id}"
        signed = 0.0

        async def arrived(progress: Mapping[str, Any]) -> bool:
            nonlocal signed
            if not progress["payments"].keys() & {"ready", "submitting"} and time.monotonic() - signed > 1:
                await self.staff.finance.post(f"{path}/cash-confirmations", {"worker_codes": None}, key=_key("cash", str(time.time_ns())))
                signed = time.monotonic()
            return bool(progress["state"] == "completed")

        with self.stages.stage("Paying by bank and wallet, cash by hand") as stage:
            await self._follow(path, stage, "confirm", arrived)

    async def _settle(self) -> None:
        """The providers' own statements of the day are fetched and matched."""
        with self.stages.stage("Matching the statements of bank and wallet") as stage:
            found = await self.statements(self.today())
            for done, (account, name, content) in enumerate(found, start=1):
                digest = hashlib.sha256(content).hexdigest()
                fields = {"provider_account": account}
                statement = await self.staff.finance.upload("/statements", content, name, fields, key=f"demo-{digest[:48]}")
                await self._wait(f"/statements/{statement['id']}", self.staff.finance, lambda file: file["state"] != "received")
                stage.done(done, len(found))

    async def _tell(self, payday: Remembered) -> None:
        async def told(progress: Mapping[str, Any]) -> bool:
            done, total = _stage(progress, "slips")
            return done >= total

        with self.stages.stage("Sending pay slips by SMS") as stage:
            await self._follow(f"/pay-runs/{payday.run_id}", stage, "slips", told)

    async def _follow(self, path: str, stage: Any, name: str, enough: Callable[[Mapping[str, Any]], Awaitable[bool]]) -> None:  # noqa: ANN401  a bar of any kind
        """Follow the run's progress until `enough`. Raises ConfigurationError when nothing moves any more."""
        last, moved = None, time.monotonic()
        while True:
            asked = time.monotonic()
            progress = await self.staff.hr.get(f"{path}/progress")
            stage.done(*_stage(progress, name))
            if await enough(progress):
                return
            if (now := (progress["stages"], progress.get("payments"), progress.get("slips"))) != last:
                last, moved = now, time.monotonic()
            if time.monotonic() - moved > _PATIENCE_SECONDS:
                raise ConfigurationError(f"Nothing has moved for {_PATIENCE_SECONDS} s in {name!r}. See worker.log in {self.folder.logs}.")
            await _pause(asked)

    async def _until(
        self, path: str, title: str, enough: Callable[[Mapping[str, Any]], bool], count: Callable[[Mapping[str, Any]], tuple[int, int]]
    ) -> Mapping[str, Any]:
        with self.stages.stage(title) as stage:
            return await self._wait(path, self.staff.hr, enough, lambda file: stage.done(*count(file)))

    async def _wait(
        self,
        path: str,
        person: Person,
        enough: Callable[[Mapping[str, Any]], bool],
        show: Callable[[Mapping[str, Any]], None] = lambda _found: None,
    ) -> Mapping[str, Any]:
        deadline = time.monotonic() + 4 * _PATIENCE_SECONDS
        while (asked := time.monotonic()) < deadline:
            found: Mapping[str, Any] = await person.get(path)
            show(found)
            if enough(found):
                return found
            await _pause(asked)
        raise ConfigurationError(f"{path} took longer than {4 * _PATIENCE_SECONDS} s. See worker.log in {self.folder.logs}.")


async def _pause(asked: float) -> None:
    """Wait before asking again: what took the service a while to find out leaves it twice as long to do something else."""
    await asyncio.sleep(max(_PAUSE_SECONDS, 2 * (time.monotonic() - asked)))


def _rows(file: Mapping[str, Any]) -> tuple[int, int]:
    return file.get("rows_done") or 0, file.get("rows_total") or 0


def _stage(progress: Mapping[str, Any], name: str) -> tuple[int, int]:
    found = next(stage for stage in progress["stages"] if stage["name"] == name)
    return found["done"], found["total"]


def _key(what: str, *parts: str) -> str:
    return f"demo-{what}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:32]}"
