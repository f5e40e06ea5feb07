"""Where money goes, as cells hold it: phone numbers, accounts, ways of paying. Damage by spreadsheets is named, not mended.

Phone numbers follow Cambodia's numbering plan (+855, trunk 0; mobile numbers of 8 or 9 digits by prefix).
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta

import phonenumbers

from importers.cells import Fault, fault_of, is_scientific, reader_of_words, whole
from importers.contract import PayMethod, WorkerStatus
from importers.khmer import digits, has_hidden_direction, visible
from importers.workbook import Cell, Special

_MOBILE = re.compile(
    r"^(?:(?:1[28]|3[18]|9[67])[0-9]{7}|6[016-9][0-9]{6}|7[07-9][0-9]{6}|8[013-79][0-9]{6}|(?:71|76|88)[0-9]{7}|(?:1[0-9]|9[0-57-9])[0-9]{6})$"
)
_INTERNATIONAL = re.compile(r"^00[14-9]?855")
_PHONE_PUNCTUATION = re.compile(r"[\s.\-()_]")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff]")
_BAKONG = re.compile(r"^[A-Za-z0-9._-]+@[A-Za-z0-9]+$")
_ACCOUNT = re.compile(r"^[A-Za-z0-9]{3,34}$")
_LONGEST_BAKONG = 32

PAY_METHODS = reader_of_words(
    dict.fromkeys(
        (
            "bank",
            "bank transfer",
            "transfer",
            "b",
            "ធនាគារ",
            "តាមធនាគារ",
            "银行",
            "银行转账",
            "account",
            "aba",
            "acleda",
            "wing bank",
            "canadia",
        ),
        PayMethod.BANK,
    )
    | dict.fromkeys(
        (
            "wallet",
            "e-wallet",
            "ewallet",
            "mobile wallet",
            "mobile money",
            "mobile",
            "w",
            "កាបូប",
            "កាបូបអេឡិចត្រូនិក",
            "កាបូបលុយ",
            "钱包",
            "电子钱包",
            "wing",
            "truemoney",
            "true money",
            "emoney",
            "e-money",
            "pi pay",
        ),
        PayMethod.WALLET,
    )
    | dict.fromkeys(("cash", "c", "សាច់ប្រាក់", "លុយសុទ្ធ", "现金"), PayMethod.CASH),
    "pay_method_not_read",
)
SEXES = reader_of_words(
    dict.fromkeys(("f", "female", "woman", "ស្រី", "ស", "女"), "F") | dict.fromkeys(("m", "male", "man", "ប្រុស", "ប", "男"), "M"),
    "sex_not_read",
)
STATUSES = reader_of_words(
    dict.fromkeys(("regular", "permanent", "full", "udc", "fdc", "ពេញសិទ្ធិ", "អចិន្ត្រៃយ៍", "ធម្មតា", "正式", "正式工"), WorkerStatus.REGULAR)
    | dict.fromkeys(("probation", "probationary", "trial", "សាកល្បង", "ស្ថិតក្នុងការសាកល្បង", "试用", "试用期"), WorkerStatus.PROBATION)
    | dict.fromkeys(("piece rate", "piece-rate", "piece", "piece_rate", "ស៊ីដុំ", "តាមបរិមាណផលិតផល", "计件"), WorkerStatus.PIECE_RATE),
    "status_not_read",
)


def read_phone(cell: Cell) -> str | Fault | None:  # noqa: PLR0911  one refusal after the other
    """A phone number as E.164. A lost leading zero leaves one reading only, so it is read and said."""
    if isinstance(cell, Special):
        return fault_of(cell)
    if isinstance(cell, date | time | timedelta):
        return Fault("phone_not_read")
    lost_zero = isinstance(cell, float)
    if isinstance(cell, float):
        text = whole(cell)
        if text is None:
            return Fault("phone_damaged")
    else:
        if has_hidden_direction(cell):
            return Fault("hidden_characters")
        text = digits(visible(cell)).removeprefix("'")
        if not text or text in {"-", "–"}:
            return None
        if text.isascii() and text.isdecimal():  # most of them: nothing of what follows can stand in digits alone
            return _as_e164(text, lost_zero=False)
        if is_scientific(text) or text.endswith(".0"):
            return Fault("phone_damaged")
        if re.search(r"[0-9]\s*(?:/|,|;|&|or|ឬ|\n)\s*\+?[0-9]", text):
            return Fault("two_phones")
    return _as_e164(_PHONE_PUNCTUATION.sub("", text), lost_zero=lost_zero)


def _as_e164(text: str, *, lost_zero: bool) -> str | Fault:
    international = text.startswith(("+", "00"))
    plain = _INTERNATIONAL.sub("855", text) if text.startswith("00") else text.removeprefix("+")
    if not plain.isascii() or not plain.isdigit():
        return Fault("phone_not_read")
    if plain.startswith("855") and len(plain) >= 11:  # noqa: PLR2004  855 and at least 8 digits
        national = plain[3:].removeprefix("0")
        return f"+855{national}" if _MOBILE.match(national) else Fault("phone_not_read")
    if international:
        return _foreign(text)
    national = plain.removeprefix("0")
    if not _MOBILE.match(national):
        return Fault("phone_not_read")
    e164 = f"+855{national}"
    return Fault("phone_lost_zero", e164) if lost_zero or not plain.startswith("0") else e164


def _foreign(text: str) -> str | Fault:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return Fault("phone_not_read")
    if not phonenumbers.is_valid_number(number):
        return Fault("phone_not_read")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_account(cell: Cell) -> str | Fault | None:  # noqa: PLR0911  one refusal after the other
    """An account, as text with its zeros, without spaces and hyphens. A number is read with a warning: zeros may be gone."""
    if isinstance(cell, Special):
        return fault_of(cell)
    if isinstance(cell, date | time | timedelta):
        return Fault("account_damaged")
    if isinstance(cell, float):
        text = whole(cell)
        return Fault("account_damaged") if text is None or cell < 0 else Fault("account_as_number", text)
    if has_hidden_direction(cell) or _ZERO_WIDTH.search(cell):
        return Fault("hidden_characters")
    text = digits(visible(cell)).removeprefix("'")
    if not text or text in {"-", "–"}:
        return None
    if text.isascii() and text.isdecimal():  # most of them, as with phones
        return text if _ACCOUNT.match(text) else Fault("account_not_read")
    if is_scientific(text) or re.fullmatch(r"[0-9]+\.[0-9]+", text) or set(text) == {"#"}:
        return Fault("account_damaged")
    if _BAKONG.match(text):
        return text.lower() if len(text) <= _LONGEST_BAKONG else Fault("account_not_read")
    if re.search(r"[0-9]{5,}\s*(?:/|,|;|&|\n)\s*[0-9]{5,}", text):
        return Fault("two_accounts")
    compact = re.sub(r"[\s\-]", "", text)
    return compact if _ACCOUNT.match(compact) and any(c.isdigit() for c in compact) else Fault("account_not_read")


def read_national_id(cell: Cell) -> str | Fault | None:
    """An identity card's or passport's number, as text."""
    value = read_account(cell)
    if isinstance(value, Fault):
        renamed = {
            "account_damaged": "id_damaged",
            "account_as_number": "id_as_number",
            "account_not_read": "id_not_read",
            "two_accounts": "id_not_read",
        }
        return Fault(renamed.get(value.code, value.code), value.value)
    return value
