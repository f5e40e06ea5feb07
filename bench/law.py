"""P3: entitlements with all lines, formulas and sources, workers a second on one core: `python -m bench.law`.

Time is the processor time of one core, so that a neighbour on the machine does not change it much.

Peers in the same run: OpenFisca-Core on the same crowd and rules (floats in vectors, no lines, no sources), where a Python that has it is
named by --openfisca or OPENFISCA_PYTHON (`python -m venv /tmp/of && /tmp/of/bin/pip install openfisca-core`, outside this project); and
always the second computation of the test suite, plain Python in fractions, which makes amounts but no formulas and no sources.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from importers.contract import Meaning
from importers.money import USD, Money
from importers.period import PayPeriod, RunKind
from payroll_api.garbage import search_seldom
from reconciliation.contract import Entitlement, ExchangeRates, WorkMonth
from reconciliation.entitlements import entitlements_many, rules_of
from reconciliation.law.book import load_cambodia
from reconciliation.law.cambodia.month import completed_years
from reconciliation.policy import FactoryPolicy
from reconciliation.to_json import entitlement_json
from tests.law_cases.second_opinion import second_opinion

RESULTS = Path(__file__).parent / "results"
PERIOD, POLICY = PayPeriod(2026, 11), FactoryPolicy()
RATES = ExchangeRates(tax=Decimal(4000), nssf=Decimal(4000))
HOURS = {
    "overtime": Meaning.OVERTIME_HOURS,
    "night_overtime": Meaning.NIGHT_OVERTIME_HOURS,
    "rest_day": Meaning.REST_DAY_HOURS,
    "holiday": Meaning.HOLIDAY_HOURS,
    "night": Meaning.NIGHT_HOURS,
}
OFTEN = {"overtime": 0.85, "night_overtime": 0.15, "rest_day": 0.15, "holiday": 0.2, "night": 0.1}
FLOOR, ROUNDS = 20_000, 7


def crowd(count: int) -> list[WorkMonth]:
    """A factory as it is: most at the minimum wage, each with her own hours, joining date and dependants."""
    rng = random.Random(2026)  # noqa: S311 the same crowd each time
    return [
        WorkMonth(
            worker_code=f"GW-{number:05}",
            period=PERIOD,
            kind=RunKind.BALANCE,
            joined_on=date(rng.randint(2009, 2025), rng.randint(1, 12), rng.randint(1, 28)),
            basic_wage=Money(21_000 if rng.random() < 0.6 else rng.randint(210, 600) * 100, USD),
            days_absent=Decimal(rng.choice((0, 0, 0, 0, 0, 1, 2))),
            overtime_days=Decimal(rng.randint(0, 22)),
            hours={meaning: Decimal(rng.randint(1, 80)) / 2 for name, meaning in HOURS.items() if rng.random() < OFTEN[name]},
            children=rng.choice((0, 0, 1, 2)),
        )
        for number in range(count)
    ]


def ours(months: list[WorkMonth]) -> tuple[float, list[Entitlement]]:
    """CPU seconds of the best of a few rounds, each from a cold start; and the entitlements."""
    book, best, owed = load_cambodia(), float("inf"), []
    for _ in range(ROUNDS):
        rules_of.cache_clear()
        start = time.process_time()
        owed = list(entitlements_many(months, book=book, rates=RATES, policy=POLICY))
        best = min(best, time.process_time() - start)
    return best, owed


def fractions(months: list[WorkMonth]) -> float:
    """CPU seconds that the second computation takes."""
    start = time.process_time()
    for month in months:
        second_opinion(month, rates=RATES, policy=POLICY)
    return time.process_time() - start


def openfisca(python: str, months: list[WorkMonth]) -> dict[str, Any]:
    """What the peer says of the same crowd. Raises CalledProcessError if it cannot run."""
    inputs: dict[str, list[float]] = {
        "wage": [float((month.basic_wage or Money(21_000, USD)).amount) for month in months],
        "absent": [float(month.days_absent) for month in months],
        "overtime_days": [float(month.overtime_days or 0) for month in months],
        "years": [float(completed_years(month.joined_on or PERIOD.first_day, PERIOD.last_day)) for month in months],
        "dependants": [float(month.children) for month in months],
    }
    inputs |= {name: [float(month.hours.get(meaning, 0)) for month in months] for name, meaning in HOURS.items()}
    script = Path(__file__).with_name("law_openfisca.py")
    done = subprocess.run([python, str(script)], input=json.dumps(inputs), capture_output=True, text=True, check=True)  # noqa: S603 the caller's own Python
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run(count: int, python: str) -> dict[str, Any]:
    """All figures of one run."""
    months = crowd(count)
    search_seldom()  # as a worker that computes them
    seconds, owed = ours(months)
    start = time.process_time()
    size = sum(len(json.dumps(entitlement_json(one), ensure_ascii=False)) for one in owed)
    as_json = time.process_time() - start
    few = months[:2_000]
    figures: dict[str, Any] = {
        "workers": count,
        "lines": sum(len(one.lines) for one in owed),
        "ours_per_second": round(count / seconds),
        "ours_with_json_per_second": round(count / (seconds + as_json)),
        "json_bytes_a_worker": size // count,
        "fractions_per_second": round(len(few) / fractions(few)),
    }
    if python:
        peer = openfisca(python, months)
        far = sum(abs(net - float(one.net.amount)) > 0.05 for net, one in zip(peer["nets"], owed, strict=True))
        figures["openfisca"] = {
            "version": peer["version"],
            "vector_per_second": round(count / peer["seconds"]),
            "one_by_one_per_second": round(peer["alone"]),
            "nets_further_than_5_cents": far,
        }
    return figures


def show(figures: dict[str, Any]) -> None:
    """The figures as a table."""
    rate = figures["ours_per_second"]
    print(f"\nP3  entitlements of {figures['workers']:,} workers, {figures['lines']:,} lines, one core\n")
    rows = [("ours: lines, formulas, sources", rate), ("ours, and written as JSON", figures["ours_with_json_per_second"])]
    rows.append(("second computation: fractions, amounts only", figures["fractions_per_second"]))
    peer = figures.get("openfisca")
    if peer:
        rows.append((f"OpenFisca-Core {peer['version']}: one vector of floats, no lines", peer["vector_per_second"]))
        rows.append((f"OpenFisca-Core {peer['version']}: worker by worker", peer["one_by_one_per_second"]))
    for name, value in rows:
        print(f"  {name:58} {value:>12,} workers/s   {rate / value:6.2f} x")
    if peer:
        print(f"  nets more than 5 cents apart from OpenFisca's: {peer['nets_further_than_5_cents']} (it rounds binary floats)")
    else:
        print("  OpenFisca-Core was not measured: name a Python that has it with --openfisca")
    print(f"  floor {FLOOR:,} workers/s: {'reached' if rate >= FLOOR else 'MISSED'}")


def main() -> int:
    """Measure, print and write. Exit 1 if the floor is missed on a machine that is not busy, or the peer's nets differ."""
    parser = argparse.ArgumentParser(prog="python -m bench.law", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--openfisca", default=os.environ.get("OPENFISCA_PYTHON", ""), help="a Python with OpenFisca-Core")
    given = parser.parse_args()
    figures = run(given.workers, given.openfisca)
    figures["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
    show(figures)
    busy = os.getloadavg()[0] > (os.cpu_count() or 1)
    if busy:
        print("  The machine was busy with something else: these figures say little.")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "law.json"
    path.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"\nWritten to {path}.")
    wrong = figures.get("openfisca", {}).get("nets_further_than_5_cents", 0)
    return 1 if wrong or (figures["ours_per_second"] < FLOOR and not busy) else 0


if __name__ == "__main__":
    sys.exit(main())
