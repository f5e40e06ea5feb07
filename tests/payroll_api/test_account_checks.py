"""Whose account is it? Many are asked about at once, by several providers, and each worker has the answer about her own account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.faults import FaultKind, FaultPlan, ScriptedFault
from connectors.payouts.bakong.under_test import under_test
from payroll_api.audit.models import AuditEvent
from payroll_api.errors import InvalidError
from payroll_api.factories.provider_accounts import add_provider_account
from payroll_api.jobs.names import Job
from payroll_api.people.alias import confirm_alias
from payroll_api.people.destinations import provider_of
from payroll_api.people.models import Destination, Worker
from payroll_api.pipeline import STEPS
from payroll_api.services import Services
from tests.conftest import SampleFactory
from tests.payroll_api.payday_story import Story, story

SHEET = """\
Worker code,Name (Khmer),Name (Latin),Join date,Basic wage ($),Net pay ($),Pay method,Account no.
B-001,សុខ ដារ៉ា,Sok Dara 1,2020-01-06,210.00,205.10,wallet,sok_dara_1@aclb
B-002,ចាន់ ធីតា,Chan Thida,2020-01-06,210.00,205.10,wallet,chan_thida@aclb
"""


async def test_an_account_of_bakong_that_exists_waits_for_a_person_and_one_that_does_not_is_refused(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    async with under_test() as (_, bakong), story(services, factory, tmp_path, accounts=None) as told:
        add = {"name": "Bakong", "connector": "bakong", "config": bakong.settings}
        with pytest.raises(InvalidError, match="for accounts of the kind check"):
            async with services.database.factory(factory.id) as session:
                await add_provider_account(session, services, factory.administrator, kind="wallet", **add)  # type: ignore[arg-type]  # spread
        async with services.database.factory(factory.id) as session:
            await add_provider_account(session, services, factory.administrator, kind="check", **add)  # type: ignore[arg-type]  # spread
        await told.upload(SHEET.encode(), "payroll.csv")
        async with services.database.factory(factory.id) as session:
            found = {item.state: item.name_match for item in await session.scalars(select(Destination))}
            paying = [await provider_of(session, services, kind) for kind in ("bank_account", "wallet")]
        assert found == {"doubtful": "NOAP", "refused": "NOAP"}
        assert all(one is not None and one[1].profile.pays for one in paying)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A worker, her account in the sheet, whose it truly is (None: nobody's), and what the answer makes of it."""

    code: str
    name: str
    method: str
    account: str
    holder: str | None
    answer: tuple[str, str]

    @property
    def line(self) -> str:
        """Her line of the sheet."""
        return f"{self.code},{self.name},{self.name},2020-01-06,210.00,205.10,{self.method},{self.account}"


VERIFIED, STRANGERS, MISSING, UNSAID = ("verified", "MTCH"), ("doubtful", "NMTC"), ("refused", "NOAP"), ("doubtful", "NOAP")
NAMES = ("Sok Dara", "Chan Thida", "Ly Sophea", "Heng Chantha", "Keo Bopha", "Prak Sreymom", "Ouk Vannak", "Chea Ratana")


def worker(number: int, method: str, answer: tuple[str, str], *, at_bakong: int | None = None) -> Asked:
    """One whose account is her own, another's or nobody's, as `answer` says; her name is another than the neighbours'."""
    name, another = f"{NAMES[number % 8]} {number // 8}", f"{NAMES[(number + 3) % 8]} {number // 8 + 5}"
    account = f"0001230{number:02d}" if method == "bank" else f"her_{number}@aclb" if at_bakong is None else f"sok_dara_{at_bakong}@aclb"
    holder = {VERIFIED: name, STRANGERS: another, MISSING: None if at_bakong is None else name}[answer]
    return Asked(code=f"W-{number:02d}", name=name, method=method, account=account, holder=holder, answer=answer)


def accounts_of(people: Sequence[Asked], folder: Path) -> Path:
    """What bank and wallet know."""
    known: dict[str, list[dict[str, str]]] = {"bank": [], "wallet": []}
    for one in people:
        if one.holder is not None:
            known[one.method].append({"account": one.account, "holder": one.holder, "status": "open"})
    path = folder / "accounts.json"
    path.write_text(json.dumps(known))
    return path


async def answers_to(told: Story, people: Sequence[Asked]) -> dict[str, tuple[str, str | None]]:
    """Upload the sheet, have every account asked about, and give state and name's match by worker, as register and audit have them."""
    await told.upload("\n".join([SHEET.splitlines()[0], *(one.line for one in people)]).encode(), "payroll.csv")
    async with told.services.database.factory(told.factory.id) as session:
        rows = (await session.execute(select(Worker.worker_code, Destination).join(Destination, Destination.worker_id == Worker.id))).all()
        for _, item in rows:
            event = (await session.scalars(select(AuditEvent).where(AuditEvent.subject == f"destination:{item.id}"))).one()
            said = json.loads(event.body)
            assert (event.action, said["data"]["worker"]) == (f"destination.{item.state}", str(item.worker_id))
            assert said["data"]["name_match"] == item.name_match
        return {code: (item.state, item.name_match) for code, item in rows}


async def test_ten_accounts_of_two_kinds_are_asked_about_and_each_worker_has_the_answer_about_hers(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    people = [
        worker(1, "bank", VERIFIED),
        worker(2, "wallet", VERIFIED, at_bakong=2),
        worker(3, "wallet", MISSING, at_bakong=303),  # the wallet knows her, the National Bank has no such account
        worker(4, "bank", STRANGERS),
        worker(5, "wallet", STRANGERS, at_bakong=5),
        worker(6, "wallet", MISSING),
        worker(7, "bank", MISSING),
        worker(8, "wallet", VERIFIED, at_bakong=8),
        worker(9, "wallet", MISSING, at_bakong=909),
        worker(10, "bank", VERIFIED),
    ]
    late = FaultPlan.at("check", FaultKind.SLOW_ACCEPT, seconds=0.3)  # who is asked about first is answered last
    accounts = accounts_of(people, tmp_path)
    async with under_test() as (_, bakong), story(services, factory, tmp_path, accounts=accounts, wallet_faults=late, chunk_size=5) as told:
        async with told.services.database.factory(factory.id) as session:
            config = bakong.settings
            await add_provider_account(
                session, services, factory.administrator, name="Bakong", kind="check", connector="bakong", config=config
            )
        assert await answers_to(told, people) == {one.code: one.answer for one in people}


async def test_answers_in_another_order_or_none_leave_to_a_person_whom_they_do_not_fit_and_nobody_has_another_s(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    truths = (VERIFIED, STRANGERS, VERIFIED)
    banked = [worker(number, "bank", truths[number % 3]) for number in range(9)]
    wallets = [worker(number, "wallet", (VERIFIED, STRANGERS, MISSING)[number % 3]) for number in range(9, 15)]
    people = [one for place in range(3) for one in (*banked[place * 3 : place * 3 + 3], *wallets[place * 2 : place * 2 + 2])]
    kinds = {2: FaultKind.OTHER_PAYEE_ECHOED, 3: FaultKind.RESET_BEFORE_READ}  # the bank is asked three times
    bank_faults = FaultPlan(script=tuple(ScriptedFault(point="check", kind=kind, nth=nth) for nth, kind in kinds.items()))
    wallet_faults = FaultPlan(script=(ScriptedFault(point="check", kind=FaultKind.HTML_INSTEAD, nth=4),))
    async with story(
        services,
        factory,
        tmp_path,
        accounts=accounts_of(people, tmp_path),
        bank_faults=bank_faults,
        wallet_faults=wallet_faults,
        chunk_size=5,
    ) as told:
        found = await answers_to(told, people)
    own = {one.code: one.answer for one in people}
    assert {code: answer for code, answer in found.items() if answer not in (own[code], UNSAID)} == {}
    in_place = [one.code for one in banked if found[one.code] == own[one.code]]
    # All of the first question; the one in the middle of the second, whose place a turned list leaves; none of the third.
    assert in_place == ["W-04", "W-06", "W-07", "W-08"]
    assert sum(found[one.code] != own[one.code] for one in wallets) == 1  # where the wallet answered with a page


async def test_a_spelling_that_was_confirmed_counts_for_her_whose_name_it_is(
    services: Services, factory: SampleFactory, tmp_path: Path
) -> None:
    people = [worker(number, "bank", STRANGERS) for number in range(3)]
    right = {people[1].code}
    async with story(services, factory, tmp_path, accounts=accounts_of(people, tmp_path)) as told:
        assert set((await answers_to(told, people)).values()) == {STRANGERS}
        async with told.services.database.factory(factory.id) as session:
            workers = {row.worker_code: row.id for row in await session.scalars(select(Worker))}
            for one in people:
                assert one.holder is not None
                alias = one.holder if one.code in right else f"{one.name} Mao"
                await confirm_alias(session, told.services, factory.approver, workers[one.code], alias=alias, reason="seen her card")
            ids = [str(item) for item in await session.scalars(select(Destination.id))]
        await STEPS[Job.CHECK_DESTINATIONS](told.services, factory.id, {"destinations": json.dumps(ids)})
        async with told.services.database.factory(factory.id) as session:
            rows = await session.execute(
                select(Worker.worker_code, Destination.state).join(Destination, Destination.worker_id == Worker.id)
            )
            assert {row[0]: row[1] for row in rows} == {one.code: "verified" if one.code in right else "doubtful" for one in people}
