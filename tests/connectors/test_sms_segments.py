"""What a text costs. Figures by hand from 3GPP TS 23.038 and TS 23.040: 160 or 153 septets, 70 or 67 UTF-16 units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sms.segments import Encoding, clusters, segments, split

STREY = "ស្ត្រី"  # "woman": one letter with two subscripts and a vowel, six code points


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", Encoding.GSM_7, 0, 1),
        ("Net pay $210.50", Encoding.GSM_7, 15, 1),
        ("a" * 160, Encoding.GSM_7, 160, 1),
        ("a" * 161, Encoding.GSM_7, 161, 2),
        ("a" * 306, Encoding.GSM_7, 306, 2),
        ("a" * 307, Encoding.GSM_7, 307, 3),
        ("€" * 80, Encoding.GSM_7, 160, 1),
        ("€" * 81, Encoding.GSM_7, 162, 2),
        ("[", Encoding.GSM_7, 2, 1),
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM_7, 306, 3),  # the euro does not fit into the last septet of the first segment
        ("a" * 151 + "€" + "a" * 153, Encoding.GSM_7, 306, 2),
        ("`", Encoding.UCS_2, 1, 1),  # the grave accent alone is in no GSM alphabet
        ("100៛", Encoding.UCS_2, 4, 1),  # the riel sign costs the whole text its 7 bits
        ("ក" * 70, Encoding.UCS_2, 70, 1),
        ("ក" * 71, Encoding.UCS_2, 71, 2),
        ("ក" * 134, Encoding.UCS_2, 134, 2),
        ("ក" * 135, Encoding.UCS_2, 135, 3),
        (STREY, Encoding.UCS_2, 6, 1),
        ("ក\u200bក", Encoding.UCS_2, 3, 1),  # the invisible space costs as much as a letter
        ("😀" * 35, Encoding.UCS_2, 70, 1),
        ("😀" * 67, Encoding.UCS_2, 134, 3),  # 33 to a segment: the 67th unit stays empty
        ("a" + "😀" * 66 + "a", Encoding.UCS_2, 134, 2),
    ],
)
def test_a_text_costs_what_the_operator_bills(text: str, encoding: Encoding, units: int, count: int) -> None:
    cost = segments(text)
    assert (cost.encoding, cost.units, cost.count) == (encoding, units, count)


def test_a_khmer_letter_keeps_its_subscripts_and_signs() -> None:
    assert list(clusters(f"{STREY}ក៏ a")) == [STREY, "ក៏", " ", "a"]


def test_a_long_slip_is_cut_at_a_space() -> None:
    slip = "ប្រាក់ខែ " * 20
    messages = split(slip, at_most=1)
    assert all(segments(message).count == 1 for message in messages)
    assert all(message.endswith("ខែ") for message in messages[:-1])
    assert " ".join(messages) == slip


def test_no_cut_goes_through_a_cluster() -> None:
    messages = split(STREY * 30, at_most=1)
    assert messages == (STREY * 11, STREY * 11, STREY * 8)


def test_nonsense_longer_than_a_message_is_still_cut() -> None:
    assert split("ក" + "្ក" * 100, at_most=1)[0] == "ក" + "្ក" * 34 + "្"


def test_less_than_one_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="at_most=1"):
        split("a", at_most=0)


_TEXTS = st.text(st.sampled_from("aA1 €[\nកខគស្ត្រី៛\u200b\u200d😀é"), max_size=200)


@given(_TEXTS)
def test_the_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(_TEXTS, st.integers(1, 3))
def test_every_message_fits_and_nothing_but_spaces_is_lost(text: str, at_most: int) -> None:
    messages = split(text, at_most=at_most)
    assert all(segments(message).count <= at_most for message in messages)
    blank = str.maketrans("", "", " \n\r\u200b")
    assert "".join(messages).translate(blank) == text.translate(blank)


@given(_TEXTS, _TEXTS)
def test_more_text_never_costs_less(text: str, more: str) -> None:
    assert segments(text + more).count >= segments(text).count
