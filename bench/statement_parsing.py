"""The parsing half of P7: bytes of a statement -> typed lines, for camt.053 and MT940, with the memory it takes.

`python -m bench.statement_parsing` prints and writes the rate by the wall clock and by processor time, against the standard library's
parser only walking the same XML in the same run. Each side is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from importers.money import USD, Money
from importers.statements.read import read_statement

RESULTS = Path(__file__).parent / "results"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr>'
    "<MsgId>M1</MsgId><CreDtTm>2026-12-01T01:00:00+07:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>2026-12-01T01:00:00+07:00</CreDtTm>"
    "<Acct><Id><Othr><Id>000100200</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
)
ENTRY = (
    '<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-30</Dt></BookgDt><ValDt>'
    "<Dt>2026-11-30</Dt></ValDt><AcctSvcrRef>BANK{number:09}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>SALA"
    "</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>GW26110{number:09}</EndToEndId></Refs><RltdPties><CdtrAcct><Id>"
    "<Othr><Id>{number:09}</Id></Othr></Id></CdtrAcct></RltdPties></TxDtls></NtryDtls></Ntry>"
)


def _balance(kind: str, money: Money) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{abs(money).amount}</Amt>'
        f"<CdtDbtInd>{'CRDT' if money.minor >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>2026-11-30</Dt></Dt></Bal>"
    )


def _amounts(lines: int) -> list[Money]:
    return [Money(20_000 + number % 7_000, USD) for number in range(lines)]


def camt(lines: int) -> bytes:
    """A camt.053 of so many wages, the same every time, whose balances add up."""
    amounts = _amounts(lines)
    total = Money(sum(amount.minor for amount in amounts), USD)
    entries = "".join(ENTRY.format(amount=amount.amount, number=number) for number, amount in enumerate(amounts))
    return f"{HEAD}{_balance('OPBD', total)}{_balance('CLBD', Money(0, USD))}{entries}</Stmt></BkToCstmrStmt></Document>".encode()


def mt940(lines: int) -> bytes:
    """The same wages as MT940."""
    amounts = [f"{amount.amount}".replace(".", ",") for amount in _amounts(lines)]
    total = f"{sum(amount.amount for amount in _amounts(lines))}".replace(".", ",")
    body = "\r\n".join(
        f":61:2611301130D{amount}NTRFGW26110{number:09}//BANK{number:09}\r\n:86:wages of November" for number, amount in enumerate(amounts)
    )
    return f":20:S1\r\n:25:000100200\r\n:28C:1/1\r\n:60F:C261130USD{total}\r\n{body}\r\n:62F:C261130USD0,00\r\n-".encode()


def _ours(data: bytes) -> int:
    statement = read_statement(data, file_name="bench")
    if statement.warnings:
        raise SystemExit(f"the statement should add up: {statement.warnings[0]}")
    return len(statement.lines)


def _walk(data: bytes) -> int:
    return sum(element.tag.endswith("}Ntry") for _, element in ET.iterparse(io.BytesIO(data)))  # noqa: S314 our own bytes


SIDES: Mapping[str, tuple[Callable[[int], bytes], Callable[[bytes], int]]] = {
    "camt.053": (camt, _ours),
    "MT940": (mt940, _ours),
    "xml.etree only walking the camt.053": (camt, _walk),
}


def _measure(side: str, lines: int) -> None:
    """One side, in this process: a line of JSON."""
    write, read = SIDES[side]
    data = write(lines)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    found = read(data)
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    figures = {"lines": found, "mebibytes": round(len(data) / 2**20, 1), "lines_per_s": round(found / seconds)}
    sys.stdout.write(json.dumps({**figures, "lines_per_cpu_s": round(found / used), "grown_mib": round(grown / 1024)}) + "\n")


def main() -> int:
    """Measure every side and write the figures under bench/results/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=100_000, help="lines of the statement")
    parser.add_argument("--side", choices=list(SIDES), help="only this one, in this process")
    given = parser.parse_args()
    if given.side:
        _measure(given.side, given.workers)
        return 0
    figures = {}
    for side in SIDES:
        command = [sys.executable, "-m", "bench.statement_parsing", "--side", side, "--workers", str(given.workers)]
        figures[side] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 our own module
        sys.stdout.write(f"{side}: {json.dumps(figures[side])}\n")
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    (RESULTS / "statement_parsing.json").write_text(json.dumps({"at": stamp, "sides": figures}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
