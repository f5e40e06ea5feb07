"""A question about several accounts: each answer is hers whose account it is about, and what does not fit is nobody's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.faults import FaultKind, FaultPlan
from connectors.faulty_server import serving
from connectors.payouts import conformance
from connectors.payouts import conformance_promises as promises
from connectors.payouts.cash.connector import build as build_cash
from connectors.payouts.contract import Destination, DestinationCheck, DestinationKind, NameMatch, Profile
from connectors.payouts.iso20022.connector import build as build_bank
from connectors.payouts.iso20022.under_test import under_test
from connectors.payouts.observed import ObservedConnector
from tests.connectors.iso20022_story import settings

DARA = {"account": "000-123-456", "exists": True, "status": "open", "holder": "SOK DARA"}
THIDA = {"account": "000123457", "exists": True, "status": "open", "holder": "CHAN THIDA"}
NOBODY = {"account": "000123458", "exists": False, "status": None, "holder": None}
ASKED = [
    Destination(kind=DestinationKind.BANK_ACCOUNT, account=account, holder=holder)
    for account, holder in (("000123456", "Sok Dara"), ("000123457", "Chan Thida"), ("000123458", "Ly Sophea"))
]
OWN = [(True, "MTCH"), (True, "MTCH"), (False, "NOAP")]
UNSAID = (None, "NOAP")


def without_account(answer: dict[str, object]) -> dict[str, object]:
    return answer | {"account": None}


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ([DARA, THIDA, NOBODY], OWN),
        ([NOBODY, THIDA, DARA], [UNSAID, OWN[1], UNSAID]),
        ([THIDA, DARA, NOBODY], [UNSAID, UNSAID, OWN[2]]),
        ([THIDA, THIDA, THIDA], [UNSAID, OWN[1], UNSAID]),
        ([DARA, THIDA], [UNSAID] * 3),
        ([DARA, NOBODY], [UNSAID] * 3),
        ([DARA, THIDA, NOBODY, NOBODY], [UNSAID] * 3),
        ([], [UNSAID] * 3),
        ([DARA, None, NOBODY], [UNSAID] * 3),
        ([DARA, DARA | {"exists": "maybe"}, NOBODY], [UNSAID] * 3),
        # A bank that repeats no account is taken at its word about the order; another's name then still does not match.
        ([without_account(THIDA), without_account(DARA), without_account(NOBODY)], [(True, "NMTC"), (True, "NMTC"), (False, "NOAP")]),
    ],
    ids=["in order", "reversed", "two exchanged", "one for all", "short", "a hole", "long", "none", "null", "unreadable", "no accounts"],
)
async def test_a_list_of_answers_that_does_not_fit_its_question_says_nothing_of_whom_it_does_not_fit(
    told: Sequence[object], heard: Sequence[object]
) -> None:
    async def answer(request: Request) -> Response:
        assert len((await request.json())["accounts"]) == len(ASKED)
        return JSONResponse({"answers": told})

    async with serving(Starlette(routes=[Route("/account-checks", answer, methods=["POST"])])) as url:
        connector = ObservedConnector(build_bank(settings(base_url=url, checks_at_once=len(ASKED))))
        said = await connector.check_destinations(ASKED)
        await connector.aclose()
    assert [(one.exists, one.name_match) for one in said] == heard


async def test_an_answer_about_another_account_than_the_one_asked_about_says_nothing_of_her() -> None:
    async with under_test() as (connector, provider):
        await provider.play(FaultPlan.at("check", FaultKind.OTHER_PAYEE_ECHOED))
        said = await connector.check_destination(provider.good(1))
        assert (said.exists, said.name_match, said.detail) == (None, "NOAP", "the bank's answer is about another account")
        assert (await connector.check_destination(provider.good(1))).name_match is NameMatch.MATCH


async def test_the_examination_finds_a_bank_whose_answers_come_in_another_order() -> None:
    async with under_test(checks_at_once=4) as (connector, provider):
        await provider.play(FaultPlan.at("check", FaultKind.OTHER_PAYEE_ECHOED))
        findings = await conformance.check(connector, provider, scenarios=[promises.checks_many_at_once])
        assert [finding.claim for finding in conformance.failures(findings)] == ["checks_at_once: 4 answers in the order of the question"]


class Asked:
    """A third party's connector that is asked about accounts only, `at_once` of them, and answers by calling `answer`."""

    def __init__(self, answer: Callable[[Sequence[Destination]], Awaitable[Sequence[DestinationCheck]]], *, at_once: int) -> None:
        self.answer, self.at_once = answer, at_once

    @property
    def profile(self) -> Profile:
        return replace(build_cash({}).profile, checks_at_once=self.at_once)

    async def check_destination(self, destination: Destination) -> DestinationCheck:
        return (await self.answer([destination]))[0]

    async def check_destinations(self, destinations: Sequence[Destination]) -> Sequence[DestinationCheck]:
        return await self.answer(destinations)


ENVELOPES = [Destination(kind=DestinationKind.CASH, account=f"ACC-{number}", holder=f"Sok Dara {number}") for number in range(7)]


def word_on(asked: Destination) -> DestinationCheck:
    return DestinationCheck(exists=True, name_match=NameMatch.MATCH, holder=asked.holder)


async def test_answers_that_arrive_in_another_order_go_to_whom_they_are_about() -> None:
    arrived: list[str] = []

    async def the_last_first(asked: Sequence[Destination]) -> Sequence[DestinationCheck]:
        (one,) = asked
        await asyncio.sleep((len(ENVELOPES) - ENVELOPES.index(one)) * 0.02)
        arrived.append(one.holder)
        return [word_on(one)]

    said = await ObservedConnector(Asked(the_last_first, at_once=1)).check_destinations(ENVELOPES)  # type: ignore[arg-type]  # half a connector
    assert arrived == [one.holder for one in reversed(ENVELOPES)]
    assert [one.holder for one in said] == [one.holder for one in ENVELOPES]


BROKEN: dict[str, Callable[[list[DestinationCheck]], Any]] = {
    "short": lambda said: said[:1],
    "long": lambda said: [*said, said[0]],
    "not a list": lambda _: None,
    "no answers": lambda said: [None] * len(said),
    "an exception": lambda said: said[len(said)],
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_where_one_question_of_several_goes_wrong_the_workers_of_the_others_have_their_own_answers(fault: str) -> None:
    async def answer(asked: Sequence[Destination]) -> Any:
        said = [word_on(one) for one in asked]
        return BROKEN[fault](said) if asked[0] is ENVELOPES[2] else said

    said = await ObservedConnector(Asked(answer, at_once=2)).check_destinations(ENVELOPES)  # type: ignore[arg-type]  # half a connector
    assert [one.holder for one in said] == [None if place in {2, 3} else one.holder for place, one in enumerate(ENVELOPES)]
    assert [one.exists for one in said] == [None if place in {2, 3} else True for place in range(len(ENVELOPES))]
