"""The `payroll` command: reads the arguments, runs one of `payroll_api.commands`, and tells trouble as a sentence."""

from __future__ import annotations

import argparse
import asyncio
import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from payroll_api.errors import ConfigurationError, ProblemError

_ABOUT = "Takes a garment factory's payroll spreadsheet to money in each worker's hand, and proves each step."
_EXAMPLES = """\
begin here:
  payroll demo                              pay a sample factory and look around at http://127.0.0.1:8000
  payroll check payroll.xlsx                what is wrong with a sheet, without a database
  payroll serve                             the service, with the PostgreSQL that comes with it in .data/
  payroll admin create --slug angkor ...    the first factory and its administrator

`payroll COMMAND --help` explains a command. Settings come from the environment: PAYROLL_DATABASE_URL, PAYROLL_DATA_DIR, ...
"""


class _Parser(argparse.ArgumentParser):
    def __init__(self, **named: Any) -> None:  # noqa: ANN401 passed on as they are
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **named)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the number is the exit status (0 well, 1 not well, 2 refused or misunderstood, 130 interrupted)."""
    given = parser().parse_args(arguments)
    try:
        result = _command(given.command)(given)
        return result if isinstance(result, int) else _run(result)
    except ConfigurationError as error:
        return _refuse(str(error))
    except ProblemError as error:
        return _refuse(error.detail)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more to say
        return 1
    except OSError as error:
        return _refuse(told(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


def _run(work: Coroutine[None, None, int]) -> int:
    """Run on uvloop where it is installed: requests and messages cost a good deal less on it."""
    factory = getattr(importlib.import_module("uvloop"), "new_event_loop", None) if importlib.util.find_spec("uvloop") else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _command(target: str) -> Callable[[argparse.Namespace], int | Coroutine[None, None, int]]:
    """A command's function, imported when it is wanted: `payroll check` needs no web server."""
    module, _, function = target.partition(":")
    found: Callable[[argparse.Namespace], int | Coroutine[None, None, int]] = getattr(
        importlib.import_module(f"payroll_api.commands.{module}"), function
    )
    return found


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"payroll: {sentence}\n")
    return 1


def told(error: OSError) -> str:
    """What an error of the operating system means, and what to do."""
    where = f" ({error.filename})" if error.filename else ""
    sentences = {
        errno.ENOSPC: f"The disk is full{where}. Free some space and start again; nothing that was confirmed is lost.",
        errno.EDQUOT: f"Your share of the disk is used up{where}. Free some space and start again.",
        errno.EROFS: f"The folder is read-only{where}. Set PAYROLL_DATA_DIR (or --data-dir) to a folder that can be written.",
        errno.EACCES: f"No permission{where}. Use a folder that belongs to you, or start as the user it belongs to.",
        errno.ENOENT: f"There is no such file or folder{where}, and it cannot be made. Check the path.",
        errno.EADDRINUSE: "The port is in use by another program. Stop that one, or choose another with --port.",
        errno.EADDRNOTAVAIL: "This machine does not have that address. Use --host 127.0.0.1, or one of its own.",
    }
    return sentences.get(error.errno or 0, f"{error.strerror or type(error).__name__}{where}")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _Parser(prog="payroll", description=_ABOUT, epilog=_EXAMPLES)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    _service(commands)
    _administration(commands)
    _demo(commands)
    _offline(commands)
    _proofs(commands)
    return top


def _add(commands: Any, name: str, target: str, short: str, *, examples: str = "") -> argparse.ArgumentParser:  # noqa: ANN401 argparse keeps the type private
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=short, description=f"{short[0].upper()}{short[1:]}.", epilog=f"examples:\n{examples}" if examples else None
    )
    command.set_defaults(command=target)
    return command


def _service(commands: Any) -> None:  # noqa: ANN401 see _add
    serve = _add(
        commands,
        "serve",
        "serve:serve",
        "run the pages and the API, and a worker beside them",
        examples="  payroll serve                          on this machine only, with the embedded PostgreSQL\n"
        "  payroll serve --host 0.0.0.0 --no-worker   behind a front; workers run elsewhere",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    serve.add_argument("--port", type=_port, default=8000, help="port to listen on (8000)")
    serve.add_argument("--no-worker", action="store_true", help="answer requests only; `payroll worker` does the jobs")
    serve.add_argument("--trust-proxy", metavar="ADDRESS", help="believe X-Forwarded-For and -Proto of this front (off by default)")
    _add(commands, "worker", "serve:work", "do the jobs: read files, pay, look up, match, send slips; start as many as you like")
    migrate = _add(
        commands,
        "migrate",
        "migrate:migrate",
        "bring the tables to the newest version",
        examples="  PAYROLL_OWNER_DATABASE_URL=postgresql://owner@db/payroll payroll migrate\n"
        "  payroll migrate --check     without that address: proves on a throwaway database that the migrations give the code's tables",
    )
    migrate.add_argument("--check", action="store_true", help="change nothing; exit 1 and say what is missing")


def _administration(commands: Any) -> None:  # noqa: ANN401 see _add
    admin = _Parser(add_help=False)
    admin.add_argument("--slug", required=True, help="the factory's short name, such as angkor-garments")
    admin.add_argument("--login", required=True, help="the name to sign in with, such as an e-mail address")
    admin.add_argument("--display-name", help="how the person is called on pages (the login, if left out)")
    both = commands.add_parser(
        "admin",
        help="make a factory and its administrator, or add a person",
        description="Make a factory and its administrator, or add a person. The password is asked for, or read from"
        " PAYROLL_PASSWORD; never give it as an argument: other users of the machine could see it.",
    ).add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    create = both.add_parser("create", parents=[admin], help="make a factory and its first administrator")
    create.add_argument("--name", required=True, help="the factory's name in Latin letters")
    create.add_argument("--name-km", help="the factory's name in Khmer (the Latin one, if left out)")
    create.add_argument("--hotline", required=True, help="the phone that workers call with questions; it stands on every pay slip")
    create.set_defaults(command="admin:create")
    add = both.add_parser("add-user", parents=[admin], help="add a person to a factory")
    add.add_argument("--role", action="append", required=True, help="preparer, approver, finance, auditor, administrator; may be repeated")
    add.set_defaults(command="admin:add_user")


def _demo(commands: Any) -> None:  # noqa: ANN401 see _add
    demo = _add(
        commands,
        "demo",
        "demo:demo",
        "pay a sample factory from its spreadsheet with a simulated bank, wallet and SMS gateway",
        examples="  payroll demo                          the sample of 300 workers\n"
        "  payroll demo --sheet payroll.xlsx      your own workbook (no real money moves)\n"
        "  payroll demo --once --data-dir /tmp/d   play, print the summary, stop: for tests",
    )
    demo.add_argument("--port", type=_port, default=8000, help="port of the pages (8000)")
    demo.add_argument("--sheet", type=Path, help="a payroll workbook of yours instead of the sample")
    demo.add_argument("--accounts", type=Path, help="JSON of the accounts that bank and wallet know; all, if left out")
    demo.add_argument("--period", help="the month that the sheet pays, YYYY-MM (from its name, or this month)")
    demo.add_argument("--data-dir", type=Path, default=Path(".data/demo"), help="folder of the demo's data (.data/demo)")
    demo.add_argument("--once", action="store_true", help="play, print the summary and stop; exit 0 if all agrees, 1 if not")
    demo.add_argument("--no-play", action="store_true", help="start everything and open the pages, but pay nobody")
    demo.add_argument("--workers", type=int, default=1, help="worker processes (1)")
    demo.add_argument("--delay-ms", type=int, default=300, help="how long the simulated bank and wallet take for a batch (300)")


def _offline(commands: Any) -> None:  # noqa: ANN401 see _add
    check = _add(
        commands,
        "check",
        "check:check",
        "read a sheet, compute what the law owes, and say what is wrong; no database, nothing is sent",
        examples="  payroll check payroll-2026-11.xlsx\n  payroll check payroll.xlsx --period 2026-11 --json > report.json\n\n"
        "exit status: 0 clean, 1 problems or differences found, 2 refused: the file, an option, or a month that no law is known for",
    )
    check.add_argument("sheet", type=Path, metavar="SHEET", help="a workbook (.xlsx, or .xlsm without macros), .csv or .tsv")
    check.add_argument(
        "--sheet",
        metavar="NAME",
        dest="sheet_name",
        action="append",
        default=[],
        help="which sheet of the workbook, where several could be meant; again for each of several departments",
    )
    check.add_argument("--period", help="the month that the sheet pays, YYYY-MM (from its name, or this month)")
    check.add_argument("--kind", default="balance", help="first_half, balance, indemnity, final_pay or correction (balance)")
    check.add_argument("--rate", default="4000", help="riel for one dollar, where the sheet's law figures need it (4000)")
    check.add_argument("--json", action="store_true", help="print JSON")
    entitlement = _add(
        commands,
        "entitlement",
        "entitlement:entitlement",
        "compute one month from facts in JSON on standard input",
        examples='  echo \'{"worker_code": "A1", "period": "2026-11"}\' | payroll entitlement --json\n  payroll entitlement --schema',
    )
    entitlement.add_argument("--schema", action="store_true", help="print the JSON Schema of the facts")
    entitlement.add_argument("--json", action="store_true", help="answer in JSON instead of a table")


def _proofs(commands: Any) -> None:  # noqa: ANN401 see _add
    audit = _add(commands, "verify-audit", "verify_audit:verify_audit", "check the audit chain; names the first broken event and exits 1")
    audit.add_argument("--factory", metavar="SLUG", help="one factory only")
    rules = _add(
        commands,
        "check-invariants",
        "check_invariants:check_invariants",
        "look at every payment for what must always hold; names what does not and exits 1",
    )
    rules.add_argument("--factory", metavar="SLUG", help="one factory only")
    restored = _add(
        commands,
        "restore-check",
        "restore_check:restore_check",
        "after a restore: ask the providers what was sent since; exits 1 while sending is locked",
    )
    restored.add_argument("--factory", metavar="SLUG", help="one factory only")
    connectors = _add(
        commands,
        "connectors",
        "connectors:connectors",
        "list the banks, wallets and gateways that can be used here; check one, try one against an address, begin a new one",
        examples="  payroll connectors\n  payroll connectors check iso20022\n"
        "  payroll connectors try gsma_mobile_money --config wallet.json --orders orders.json --json --trace wire.jsonl\n"
        "  payroll connectors try --schema\n  payroll connectors new acme_pay      a package of your own that works\n\n"
        "exit status of try: 0 all paid, 1 one was rejected or returned, 2 nothing was sent (an option is wrong), 3 one is still open",
    )
    connectors.add_argument("action", nargs="?", default="list", choices=["list", "check", "try", "new"], help="list (default)")
    connectors.add_argument("name", nargs="?", help="the connector to check, try or begin")
    connectors.add_argument("--to", type=Path, metavar="FOLDER", help="where `new` puts the package (NAME-connector here)")
    trial = connectors.add_argument_group("try", "sends real orders, once, to the address in the configuration")
    trial.add_argument("--config", type=Path, help="the connector's settings, JSON or TOML")
    trial.add_argument("--orders", type=Path, help="orders to send and accounts to ask about, JSON")
    trial.add_argument("--schema", action="store_true", help="print the JSON Schema of the orders")
    trial.add_argument("--json", action="store_true", help="print JSON")
    trial.add_argument("--trace", type=Path, metavar="FILE", help="write everything said on the wire there, without secrets and names")
    trial.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where callbacks are taken (127.0.0.1, a free port)")
    trial.add_argument("--callback-url", metavar="URL", help="under which address the provider reaches that, where it is another")
    trial.add_argument("--by", choices=["both", "callbacks", "polling"], default="both", help="how to learn what became of an order")
    trial.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="how long to wait for the last order (30)")
    trial.add_argument("--poll", type=float, default=1.0, metavar="SECONDS", help="pause between two look-ups (1)")


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:  # noqa: PLR2004 ports are 16 bits
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: write a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
