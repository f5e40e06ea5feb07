"""The sheet against the people we know: new, missing and returning workers, doubles, shared or changed accounts, pay far from history.

Workers who may not exist are found in `ghosts.py`. Names, phones and accounts are compared as keyed hashes; no rule reads them. Sources
of the patterns: FBI PSA I-091019 on diverted wages, ACFE on ghost workers, Nacha's fraud monitoring of 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from importers.contract import PayMethod, PayrollRow
from importers.money import Money
from importers.period import PayPeriod, RunKind
from reconciliation.contract import Discrepancy, DiscrepancySeverity, KnownWorker
from reconciliation.discrepancies import tell
from reconciliation.ghosts import Ghosts
from reconciliation.policy import FactoryPolicy

_ROUTINE = (RunKind.BALANCE, RunKind.FIRST_HALF)  # everybody is in them
_FEW = 20  # below so many workers a share says little
_NAMED = 3  # so many codes are named in a sentence
_COPIED = Decimal("0.9")  # overtime, absence and the riel's rate move most nets every month


class Register:
    """The people of a factory, and one sheet about them. `own` are the rows' keyed hashes, in the rows' order."""

    def __init__(
        self,
        known: Mapping[str, KnownWorker],
        period: PayPeriod,
        kind: RunKind,
        policy: FactoryPolicy,
        rows: Sequence[PayrollRow],
        *,
        own: Sequence[KnownWorker],
        maker: str = "",
    ) -> None:
        self._known, self._period, self._kind, self._policy = known, period, kind, policy
        self._rows, self._own = rows, own
        self._ghosts = Ghosts(known, period, policy, rows, maker=maker)

    def differences(self) -> Iterator[Discrepancy]:
        """Every finding of the register, those of the whole file last."""
        yield from self._doubled()
        yield from self._shared()
        for row, own in zip(self._rows, self._own, strict=True):
            known = self._known.get(row.worker_code)
            if known is not None:
                yield from self._one(row, own, known)
            elif self._known:
                yield tell("new_worker", row, "register")
        if self._kind in _ROUTINE:
            yield from self._ghosts.differences()
        yield from self._whole_file()

    def _one(self, row: PayrollRow, own: KnownWorker, known: KnownWorker) -> Iterator[Discrepancy]:
        back = known.left_on is not None and row.joined_on is not None and row.joined_on > known.left_on
        left = row.left_on or (None if back else known.left_on)
        if back:
            yield tell("returning_worker", row, "register", basis=str(known.left_on))
        elif left is not None and left < self._period.first_day and self._kind in _ROUTINE:
            yield tell("paid_after_leaving", row, "register", basis=str(left))
        if own.account_key is not None and known.account_key is not None and own.account_key != known.account_key:
            yield tell("changed_account", row, "account")
        changed = known.account_changed_on
        if changed is not None and changed > self._period.last_day - timedelta(days=self._policy.account_change_days):
            yield tell("recent_account_change", row, "account", basis=str(changed))
        usual = known.usual_net
        if usual and usual.currency == row.net.currency and self._kind in _ROUTINE:
            times = self._policy.far_from_history
            if row.net.minor > usual.minor * times or row.net.minor * times < usual.minor:
                yield tell("far_from_history", row, "net", stated=row.net, lawful=usual, difference=row.net - usual)

    def _doubled(self) -> Iterator[Discrepancy]:
        by_code = self._together(lambda row, _: row.worker_code)
        for together in by_code:
            places = ", ".join(f"{row.sheet} {row.row}" for row in together[:_NAMED])
            more = f" (+{len(together) - _NAMED})" if len(together) > _NAMED else ""
            for row in together:
                yield tell("doubled_worker", row, "register", basis=f"rows {places}{more}", basis_km=f"ជួរ {places}{more}")
        yield from self._pairs("doubled_identity", "national_id", lambda _, own: own.national_id_key)
        named = self._together(lambda row, own: (own.name_key, row.joined_on) if own.name_key and row.joined_on else None)
        for together in named:
            yield from self._each("doubled_name", "name", together)

    def _shared(self) -> Iterator[Discrepancy]:
        yield from self._pairs("shared_account", "account", lambda _, own: own.account_key)
        owners = {known.account_key: code for code, known in self._known.items() if known.account_key and known.left_on is None}
        codes = {row.worker_code for row in self._rows}
        for row, own in zip(self._rows, self._own, strict=True):
            owner = None if own.account_key is None else owners.get(own.account_key)
            if owner is not None and owner != row.worker_code and owner not in codes:
                yield tell("shared_account", row, "account", basis=owner)
        for together in self._together(lambda _, own: own.phone_key):
            wallet = any(row.pay_method is PayMethod.WALLET for row in together)
            # a wallet is its phone number: then the money is shared, not only the slip
            yield from self._each("shared_phone", "phone", together, DiscrepancySeverity.BLOCKS if wallet else None)

    def _pairs(self, code: str, subject: str, key: Callable[[PayrollRow, KnownWorker], Hashable | None]) -> Iterator[Discrepancy]:
        for together in self._together(key):
            yield from self._each(code, subject, together)

    def _each(
        self, code: str, subject: str, together: Sequence[PayrollRow], severity: DiscrepancySeverity | None = None
    ) -> Iterator[Discrepancy]:
        codes = list(dict.fromkeys(row.worker_code for row in together))
        if len(codes) < 2:  # noqa: PLR2004 one worker on two rows is a doubled worker, told once
            return
        for row in together:
            others = [other for other in codes[: _NAMED + 1] if other != row.worker_code][:_NAMED]
            more = len(codes) - 1 - len(others)
            yield tell(code, row, subject, basis=", ".join(others) + (f" (+{more})" if more else ""), severity=severity)

    def _together(self, key: Callable[[PayrollRow, KnownWorker], Hashable | None]) -> list[list[PayrollRow]]:
        groups: dict[Hashable, list[PayrollRow]] = defaultdict(list)
        for row, own in zip(self._rows, self._own, strict=True):
            value = key(row, own)
            if value is not None:
                groups[value].append(row)
        return [together for together in groups.values() if len(together) > 1]

    def _whole_file(self) -> Iterator[Discrepancy]:
        if not self._known:
            if self._rows:
                yield tell("first_file", None, "register", basis=str(len({row.worker_code for row in self._rows})))
            return
        if self._kind not in _ROUTINE:
            return
        codes = {row.worker_code for row in self._rows}
        expected = [code for code, known in self._known.items() if known.left_on is None or known.left_on >= self._period.first_day]
        missing = [code for code in expected if code not in codes]
        for code in missing:
            yield tell("missing_worker", None, "register", worker_code=code)
        if len(expected) >= _FEW and abs(len(codes) - len(expected)) > len(expected) * self._policy.headcount_jump:
            basis = f"{len(codes)} workers against {len(expected)}"
            khmer = f"កម្មករ {len(codes)} នាក់ ធៀបនឹង {len(expected)} នាក់ក្នុងបញ្ជី"
            yield tell("headcount_jump", None, "register", basis=basis, basis_km=khmer)
        new = len(codes) - sum(code in self._known for code in codes)
        if len(codes) >= _FEW and new > len(codes) * self._policy.new_payees:
            basis = f"{new} of {len(codes)} workers"
            yield tell("many_new_payees", None, "register", basis=basis, basis_km=f"កម្មករ {new} នាក់ ក្នុងចំណោម {len(codes)} នាក់")
        yield from self._total()
        yield from self._seen_before()

    def _seen_before(self) -> Iterator[Discrepancy]:
        """Last month's file once more, whatever it is called and however it is sorted. One of the same month is intake's question."""
        again = sum(row.net == known.last_net for row in self._rows if (known := self._known.get(row.worker_code)) and known.last_nets)
        if again >= _FEW and again >= len(self._rows) * _COPIED:
            basis, khmer = f"{again} of {len(self._rows)} workers", f"កម្មករ {again} នាក់ ក្នុងចំណោម {len(self._rows)} នាក់"
            yield tell("copied_month", None, "net", basis=basis, basis_km=khmer)

    def _total(self) -> Iterator[Discrepancy]:
        """The sum of those who were paid before, each currency apart: new workers would hide what the others get more."""
        now: dict[str, Money] = {}
        before: dict[str, Money] = {}
        people: dict[str, int] = defaultdict(int)
        for row in self._rows:
            known = self._known.get(row.worker_code)
            last = None if known is None else known.last_net
            if last is not None and last.currency == row.net.currency:
                code = last.currency.code
                now[code] = now[code] + row.net if code in now else row.net
                before[code] = before[code] + last if code in before else last
                people[code] += 1
        for code, total in now.items():
            if people[code] >= _FEW and abs(Decimal((total - before[code]).minor)) > before[code].minor * self._policy.total_jump:
                yield tell("total_jump", None, "net", stated=total, lawful=before[code], difference=total - before[code])
