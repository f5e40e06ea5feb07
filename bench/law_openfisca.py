"""The peer of P3: OpenFisca-core computes the same rules of November 2026 in vectors of floats, without lines or sources.

Run by `bench.law` under a Python that has OpenFisca-Core, with the crowd as JSON on standard input; prints seconds and nets as JSON.
The variables are made by `type()` so that this file can be checked where OpenFisca is not installed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

PERIOD = "2026-11"
INPUTS = ("wage", "absent", "overtime", "night_overtime", "rest_day", "holiday", "night", "overtime_days", "years", "dependants")
RATE = 4000.0


def system() -> Any:  # noqa: ANN401 OpenFisca is not here for the type checker
    """A tax and benefit system with the rules of one month."""
    np: Any = import_module("numpy")
    periods: Any = import_module("openfisca_core.periods")
    variables: Any = import_module("openfisca_core.variables")
    person = import_module("openfisca_core.entities").build_entity(key="person", plural="persons", label="Worker", is_person=True)
    found = import_module("openfisca_core.taxbenefitsystems").TaxBenefitSystem([person])

    def add(name: str, formula: Callable[[Any, Any], Any] | None = None) -> None:
        body: dict[str, Any] = {"value_type": float, "entity": person, "definition_period": periods.DateUnit.MONTH, "label": name}
        if formula is not None:
            body["formula"] = lambda worker, period, _parameters: formula(worker, period)
        found.add_variable(type(name, (variables.Variable,), body))

    def hours(kind: str, factor: float) -> Callable[[Any, Any], Any]:
        return lambda worker, period: np.round(worker(kind, period) * worker("wage", period) / 208 * factor, 2)

    def tax(worker: Any, period: Any) -> Any:  # noqa: ANN401 arrays
        salary = worker("gross", period) - worker("transport_pay", period) - worker("meal_pay", period)
        base = np.round(salary * RATE) - worker("pension_riel", period) - 150_000 * worker("dependants", period)
        steps = ((1_500_000, 0.05), (2_000_000, 0.05), (8_500_000, 0.05), (12_500_000, 0.05))
        return np.round(np.round(sum(np.maximum(base - start, 0) * more for start, more in steps)) / RATE, 2)

    for name in INPUTS:
        add(name)
    add("basic_pay", lambda worker, period: np.round(worker("wage", period) * (26 - worker("absent", period)) / 26, 2))
    factors = {"overtime": 1.5, "night_overtime": 2.0, "rest_day": 2.0, "holiday": 1.0, "night": 0.3}
    for kind, factor in factors.items():
        add(f"{kind}_pay", hours(kind, factor))
    add("attendance_pay", lambda worker, period: np.where(worker("absent", period) > 0, 0.0, 10.0))
    add("transport_pay", lambda worker, period: 0 * worker("wage", period) + 7)
    add("seniority_pay", lambda worker, period: np.where(worker("years", period) >= 1, np.minimum(worker("years", period) + 1, 11), 0.0))
    add("meal_pay", lambda worker, period: np.round(worker("overtime_days", period) * 2000 / RATE, 2))
    earnings = ["basic_pay", *(f"{kind}_pay" for kind in factors), "attendance_pay", "transport_pay", "seniority_pay", "meal_pay"]
    add("gross", lambda worker, period: sum(worker(name, period) for name in earnings))
    add("insured", lambda worker, period: np.clip(np.round(worker("gross", period) * RATE), 400_000, 1_200_000))
    add("pension_riel", lambda worker, period: np.floor(worker("insured", period) * 0.02 / 100 + 0.5) * 100)
    add("risk", lambda worker, period: np.round(worker("insured", period) * 0.008))
    add("health", lambda worker, period: np.round(worker("insured", period) * 0.026))
    add("tax", tax)
    add("net", lambda worker, period: worker("gross", period) - np.round(worker("pension_riel", period) / RATE, 2) - worker("tax", period))
    return found


def compute(rules: Any, crowd: dict[str, list[float]]) -> tuple[float, list[float]]:  # noqa: ANN401 OpenFisca's own object
    """CPU seconds for setting the inputs and computing net, risk and health of the crowd; and the nets in dollars."""
    np: Any = import_module("numpy")
    builder = import_module("openfisca_core.simulations").SimulationBuilder()
    arrays = {name: np.array(values) for name, values in crowd.items()}
    start = time.process_time()
    simulation = builder.build_default_simulation(rules, len(crowd["wage"]))
    for name, values in arrays.items():
        simulation.set_input(name, PERIOD, values)
    net = simulation.calculate("net", PERIOD)
    for name in ("risk", "health"):
        simulation.calculate(name, PERIOD)
    return time.process_time() - start, [float(one) for one in net]


def main() -> None:
    """The whole crowd as one vector, and then its first two hundred one by one."""
    crowd = json.load(sys.stdin)
    rules = system()
    compute(rules, {name: values[:100] for name, values in crowd.items()})  # warm
    seconds, nets = compute(rules, crowd)
    few = min(200, len(nets))
    alone = sum(compute(rules, {name: values[n : n + 1] for name, values in crowd.items()})[0] for n in range(few))
    version = import_module("importlib.metadata").version("openfisca-core")
    print(json.dumps({"version": version, "seconds": seconds, "alone": few / alone, "nets": nets}))


if __name__ == "__main__":
    main()
