"""P7: a bank's statement, from the bytes of a camt.053 to lines that are matched or broken in PostgreSQL, in lines a second.

Beside it, from the same run: how fast the same bytes are only read into typed lines, and the most memory the process took. The
statement holds every kind of trouble: wages that are missing, booked twice, short, in the wrong account, returned, foreign lines, a fee.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.filled import Filled, account_of, amount_of, filled, reference_of
from importers.statements.read import read_statements
from payroll_api.access.actor import Role
from payroll_api.settlement.match import match_statement
from payroll_api.settlement.models import StatementFile
from payroll_api.settlement.upload import upload_statement

FLOOR, AIM = 5_000, 20_000
PEER = 490  # OpenG2P Bridge's published rate at its best
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
    "<GrpHdr><MsgId>BENCH</MsgId><CreDtTm>2026-11-30T20:00:00</CreDtTm></GrpHdr><Stmt><Id>BENCH-1</Id>"
    "<CreDtTm>2026-11-30T20:00:00</CreDtTm><Acct><Id><Othr><Id>000100200</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
)
_BALANCE = (
    '<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
    "<Dt><Dt>2026-11-30</Dt></Dt></Bal>"
)
_ENTRY = (
    '<Ntry><NtryRef>{entry}</NtryRef><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-11-30</Dt></BookgDt><ValDt><Dt>2026-11-30</Dt></ValDt><AcctSvcrRef>{entry}</AcctSvcrRef>"
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>SALA</SubFmlyCd></Fmly></Domn></BkTxCd>"
    "<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>"
    "<RltdPties><CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></RltdPties>"
    "<RmtInf><Ustrd>Wages 2026-11</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
)


def statement(run: int, workers: int) -> tuple[bytes, int]:
    """The day's camt.053 of the last payday, and how many lines it has."""
    entries: list[str] = []
    total = 0

    def add(cents: int, reference: str, account: str, sign: str = "DBIT") -> None:
        nonlocal total
        total += cents if sign == "CRDT" else -cents
        entry, amount = f"E{len(entries):08}", f"{cents // 100}.{cents % 100:02}"
        entries.append(_ENTRY.format(entry=entry, amount=amount, sign=sign, reference=reference, account=account))

    for number in range(workers):
        cents, reference, account = amount_of(number), reference_of(run, number), account_of(number)
        trouble = number % 1_000
        if trouble == 1:
            continue  # missing
        add(cents - (trouble == 2), reference, account_of(number + 1) if trouble == 3 else account)
        if trouble in {4, 5}:
            add(cents, reference, account, "DBIT" if trouble == 4 else "CRDT")
        if trouble == 6:
            add(1_00, f"CUSTOMER-{number}", "999")
    opening = 1_000_000_000 - total
    ends = [
        _BALANCE.format(code=code, amount=f"{cents // 100}.{cents % 100:02}", sign="CRDT")
        for code, cents in (("OPBD", opening), ("CLBD", opening + total))
    ]
    return (_HEAD + "".join(ends) + "".join(entries) + "</Stmt></BkToCstmrStmt></Document>").encode(), len(entries)


async def measure(workers: int) -> dict[str, Any]:
    """Match the statement of one payday of `workers`."""
    async with filled(runs=3, workers=workers) as here:
        content, lines = statement(2, workers)
        began = time.perf_counter()
        read = read_statements(content, file_name="day.xml")
        reading = time.perf_counter() - began
        assert sum(len(one.lines) for one in read) == lines
        del read
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds, summary = await match_bytes(here, content)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        again, second = await match_bytes(here, content + b"\n")
    assert second["new"] == 0, "the same statement again brought something new"
    return {
        "lines": lines,
        "bytes": len(content),
        "seconds": round(seconds, 2),
        "lines_per_second": round(lines / seconds),
        "times_the_peer": round(lines / seconds / PEER, 1),
        "only_reading_lines_per_second": round(lines / reading),
        "again_seconds": round(again, 2),
        "memory_mib": round(after / 1024),
        "memory_grew_mib": round((after - before) / 1024),
        "kinds": summary["kinds"],
    }


async def match_bytes(here: Filled, content: bytes) -> tuple[float, dict[str, Any]]:
    """Upload a statement and match it: the seconds that matching took, and the summary."""
    services = here.services
    async with services.database.factory(here.factory_id) as session:
        kept = await upload_statement(
            session, services, here.actor(Role.FINANCE), provider_account_id=here.bank, file_name="day.xml", content=content
        )
    began = time.perf_counter()
    await match_statement(services, here.factory_id, {"statement": str(kept.id)})
    seconds = time.perf_counter() - began
    async with services.database.factory(here.factory_id) as session:
        file = await session.get_one(StatementFile, (here.factory_id, kept.id))
    assert file.state == "matched", file.detail
    assert file.summary is not None
    return seconds, file.summary


def main() -> int:
    """Measure, print, and write under bench/results/."""
    parser = argparse.ArgumentParser(prog="python -m bench statement", description=__doc__)
    parser.add_argument("--workers", type=int, default=100_000, help="wages on the statement (100000)")
    given = parser.parse_args()
    figures = asyncio.run(measure(given.workers))
    print(f"A statement of {figures['lines']:,} lines: {figures['seconds']} s, {figures['lines_per_second']:,} lines/s")
    for name, value in figures.items():
        print(f"  {name:32} {value}")
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "statement.json").write_text(
        json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "P7": figures}, indent=1) + "\n"
    )
    return 0 if figures["lines_per_second"] >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
