"""Names as the factory writes them against names as banks and wallets tell them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.payouts.contract import NameMatch
from connectors.payouts.names import compare

SAME_PERSON = [
    ("SOK LINA", "Lina Sok"),
    ("  sok   lina ", "SOK LINA"),
    ("Mrs. Sok Lina", "SOK LINA"),
    ("Mr Sok Dara", "DARA SOK"),
    ("Nguyễn Thị Hòa", "NGUYEN THI HOA"),
    ("Đỗ Thị Hà", "DO THI HA"),
    ("José Ramos", "RAMOS JOSE"),
    ("សុខ ដារា", "សុខដារា"),
    ("លោកស្រី សុខ ដារា", "សុខ ដារា"),
    ("សុខ\u200bដារា", "សុខ ដារា"),
    ("ＳＯＫ ＤＡＲＡ", "sok dara"),
]
NEAR_NAMESAKES = [
    ("SOK DARA", "SOK DARY"),
    ("CHAN THY", "CHAN THI"),
    ("NGUYEN THI HOA", "NGUYEN THI HOAN"),
    ("Nguyễn Thị Hòa", "Nguyễn Thị Hóa"),
    ("CHEA SYHA", "CHEA SEIHA"),
    ("CHANTHY", "CHAN THY"),
    ("S. DARA", "SOK DARA"),
    ("SOK CHAN DARA", "SOK DARA"),
    ("MD RAHIM UDDIN", "RAHIM UDDIN"),
    ("SOK DARA", "SOK DARA 2"),
    ("សុខ ដារា", "សុខ ដារី"),
]
STRANGERS = [("SOK DARA", "CHEA VANNA"), ("NGUYEN THI HOA", "TRAN VAN MINH"), ("សុខ ដារា", "ជា វណ្ណា"), ("LY", "KY")]
NOT_COMPARABLE = [
    ("សុខ ដារា", "SOK DARA"),
    ("陈大文", "CHAN TAI MAN"),
    ("SОK DARA", "SOK DARA"),  # the O of the first is Cyrillic
    ("", "SOK DARA"),
    ("SOK DARA", "   "),
    ("SOK DARA", "...."),
    ("SOK D***", "SOK DARA"),
    ("សុខ SOK", "SOK DARA"),
    ("A" * 141, "A" * 141),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME_PERSON)
def test_the_same_name_written_another_way_matches(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) is NameMatch.MATCH


@pytest.mark.parametrize(("ours", "theirs"), NEAR_NAMESAKES)
def test_a_near_namesake_goes_to_a_person(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) is NameMatch.CLOSE_MATCH


@pytest.mark.parametrize(("ours", "theirs"), STRANGERS)
def test_another_person_does_not_match(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) is NameMatch.NO_MATCH


@pytest.mark.parametrize(("ours", "theirs"), NOT_COMPARABLE)
def test_what_cannot_be_compared_is_not_scored(ours: str, theirs: str) -> None:
    assert compare(ours, theirs) is NameMatch.NOT_APPLICABLE


def test_a_title_alone_is_a_name_and_kanha_keeps_hers() -> None:
    assert compare("Dr", "Dr") is NameMatch.MATCH
    assert compare("កញ្ញា សុខ", "សុខ") is not NameMatch.MATCH


GIVEN = ["Dara", "Dary", "Thy", "Thi", "Hoa", "Hoan", "Lina", "Lin", "Vanna", "Vann", "Srey", "Sreymom", "Bopha", "Sophea", "Sopheap"]
FAMILY = ["Sok", "Sokha", "Chan", "Chea", "Chhea", "Nguyen", "Nguyet", "Ly", "Kim", "Keo"]


def test_no_two_people_of_a_village_are_confused() -> None:
    people = [f"{family} {given}" for family, given in itertools.product(FAMILY, GIVEN)]
    confused = [pair for pair in itertools.combinations(people, 2) if compare(*pair) is NameMatch.MATCH]
    assert len(people) == 150
    assert confused == []


@given(st.permutations(["Sok", "Chan", "Dara"]), st.sampled_from([str.upper, str.lower, str.title]))
def test_order_and_case_never_matter(words: list[str], case: object) -> None:
    assert callable(case)
    assert compare("Sok Chan Dara", case(" ".join(words))) is NameMatch.MATCH


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_one_of_four_answers_and_the_same_from_both_sides(ours: str, theirs: str) -> None:
    answer = compare(ours, theirs)
    assert answer in set(NameMatch)
    assert (answer is NameMatch.MATCH) == (compare(theirs, ours) is NameMatch.MATCH)
    assert compare(ours, ours) in {NameMatch.MATCH, NameMatch.NOT_APPLICABLE}
