"""`payroll demo`: a whole payday on this machine, with a simulated bank, wallet and SMS gateway; then the pages stay open."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from rich.console import Console

from importers.period import PayPeriod
from payroll_api import logs
from payroll_api.clock import pay_day, system_clock
from payroll_api.commands import demo_folder, demo_play, demo_summary
from payroll_api.commands.check import period_of
from payroll_api.commands.demo_accounts import accounts_of
from payroll_api.commands.demo_client import Person, RefusedError
from payroll_api.commands.demo_factory import SLUG, ensure_rates
from payroll_api.commands.demo_folder import PEOPLE, SIMULATORS, Payday
from payroll_api.commands.demo_running import Running, started
from payroll_api.commands.demo_stages import Stages
from payroll_api.commands.verify_audit import check_chains, told
from payroll_api.errors import ConfigurationError

SAMPLE = Path(__file__).resolve().parents[2] / "tests" / "sheets" / "payday_2026_11.xlsx"
_SEAL_SECONDS = 30


async def demo(given: argparse.Namespace) -> int:
    """Start everything, play what has not been played, print the summary, and stay until told to stop."""
    logs.configure("WARNING")
    console = Console(highlight=False)
    sheet = _sheet(given.sheet)
    period = period_of(sheet, given.period)
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with demo_folder.opened(given.data_dir) as folder:
        accounts: Path | None = given.accounts or _beside(sheet)
        if accounts is None:
            accounts = await asyncio.to_thread(accounts_of, sheet, period, folder)
        async with started(given, folder, accounts, console) as running:
            agrees = given.no_play or await _played(running, sheet, period, console)
            if given.once:
                return 0 if agrees else 1
            return await _stay(running, console)


def _sheet(given: Path | None) -> Path:
    if given is None and not SAMPLE.is_file():
        raise ConfigurationError("The sample sheet comes with the source code only. Give a workbook of yours: --sheet payroll.xlsx.")
    if given is not None and not given.is_file():
        raise ConfigurationError(f"There is no file {given}. Check the path given to --sheet.")
    return given or SAMPLE


def _beside(sheet: Path) -> Path | None:
    """The accounts that were made together with a synthetic sheet."""
    accounts = sheet.with_name(f"{sheet.stem}_accounts.json")
    return accounts if accounts.is_file() else None


async def _played(running: Running, sheet: Path, period: PayPeriod, console: Console) -> bool:
    """Play the payday, or what is left of it, and print what it came to. Whether everything agrees."""
    await ensure_rates(running.services, running.factory_id, period)
    stages = Stages(console)
    try:
        staff = await demo_play.sign_in(running.base_url, running.memory)
        try:
            with stages.shown():
                play = demo_play.Play(
                    staff=staff,
                    folder=running.folder,
                    memory=running.memory,
                    stages=stages,
                    sheet=sheet,
                    period=period,
                    statements=running.statements,
                    today=lambda: pay_day(system_clock()),
                )
                before = play.known()
                payday = await _watched(running, play)
                with stages.stage("Sealing and verifying the audit chain") as stage:
                    if before is None or not before.is_done:
                        await sealed(staff.auditor)
                    chain = await verified(running)
                    stage.done(1, 1)
            journals = {name: await running.journal(name) for name in SIMULATORS}
            summary = await demo_summary.collect(staff.hr, payday, journals, chain)
        finally:
            await staff.close()
    except RefusedError as error:
        raise ConfigurationError(f"The payday stopped: {error.detail} [{error.code}]") from None
    demo_summary.show(console, summary)
    return not summary.disagreements


async def _watched(running: Running, play: demo_play.Play) -> Payday:
    """Play, and stop at once when one of the processes dies."""
    playing, watching = asyncio.create_task(play.run()), asyncio.create_task(running.children.watch())
    try:
        done, _ = await asyncio.wait({playing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if playing not in done:
            await watching
        return await playing
    finally:
        for each in (playing, watching):
            each.cancel()
        await asyncio.gather(playing, watching, return_exceptions=True)


async def sealed(auditor: Person) -> None:
    """Wait until the newest event stands in a sealed block."""
    for _ in range(_SEAL_SECONDS * 5):
        newest = await auditor.get("/audit/events", limit=1)
        if newest["items"] and newest["items"][0]["block"] is not None:
            return
        await asyncio.sleep(0.2)


async def verified(running: Running) -> str:
    """What `payroll verify-audit` says of the sample factory."""
    services = running.services
    reports = await check_chains(services.database, services.signer, services.settings.checkpoint_file, SLUG)
    return told(reports[0][1])


async def _stay(running: Running, console: Console) -> int:
    """Keep the pages open until Ctrl-C, or until a process dies."""
    console.print(f"\nThe pages are open at [bold]{running.base_url}[/]. Sign in as one of:")
    for login, (_, _, does) in PEOPLE.items():
        console.print(f"  {login:8} {running.memory.passwords[login]:32} {does}")
    console.print("Ctrl-C stops everything; nothing is lost, and the next start goes on from here.")
    try:
        await running.children.watch()
    except asyncio.CancelledError:
        return 0
    return 1
