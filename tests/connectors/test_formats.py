"""What cannot be an account of its bank is seen before a run is approved; what nobody wrote down refuses nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.payouts.formats import AccountFormat, FormatSettings, fits_one
from connectors.payouts.gsma_mobile_money.config import GsmaConfig
from connectors.payouts.names import same_account

NINE = AccountFormat(pattern="[0-9]{9}", example="000111001", source="the bank's letter of 2026", bank="ABA")
ANY = AccountFormat(pattern="[0-9]{6,16}", example="000111001", source="the bank's letter of 2026")


def test_a_bank_s_own_format_comes_before_the_one_for_any_and_no_format_refuses_nobody() -> None:
    assert fits_one([NINE, ANY], "aba", "000 111-001")
    assert not fits_one([NINE, ANY], "ABA", "00011100")
    assert fits_one([NINE, ANY], "ACLEDA", "00011100")
    assert fits_one([NINE], "ACLEDA", "whatever")
    assert fits_one([], None, "whatever")


@given(st.text(alphabet="0123456789", min_size=1, max_size=20))
def test_one_digit_too_few_or_too_many_does_not_fit(digits: str) -> None:
    assert fits_one([NINE], "ABA", digits) == (len(digits) == 9)


@pytest.mark.parametrize("pattern", ["[0-9", "(a+)+", "[0-9]*", ""])
def test_a_pattern_that_cannot_be_read_or_could_run_for_ever_is_refused_with_what_to_write(pattern: str) -> None:
    with pytest.raises(ValidationError):
        FormatSettings(pattern=pattern, example="1", source="a letter")


def test_an_example_that_does_not_fit_its_own_pattern_is_somebody_s_mistake() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        FormatSettings(pattern="[0-9]{9}", example="12345678", source="a letter").format()


def test_a_wallet_is_a_phone_number_with_its_country_whatever_is_configured_besides() -> None:
    keys = {"client_id": "c", "api_key": "12345678", "callback_secret": "x" * 16, "debit_party_value": "1"}
    config = GsmaConfig.model_validate({"base_url": "https://wallet.example", **keys})
    formats = config.profile().formats
    assert fits_one(formats, None, "+855 12 345 678")
    assert not fits_one(formats, None, "012345678")


def test_two_accounts_that_differ_in_a_leading_zero_are_two_and_spaces_make_no_difference() -> None:
    assert same_account("000 111-001", "000111001")
    assert not same_account("000111001", "111001")
