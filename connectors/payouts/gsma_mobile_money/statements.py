"""The factory's own wallet account: what left it on one day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.json_http import Answer
from connectors.payouts.gsma_mobile_money.account import own_path
from connectors.payouts.gsma_mobile_money.client import GsmaClient
from connectors.payouts.gsma_mobile_money.config import GsmaConfig

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
_MOST_PAGES = 10_000


async def fetch(client: GsmaClient, config: GsmaConfig, day: date) -> bytes | None:
    """The provider's entries of `day` (a day in Phnom Penh) with the account and the stretch they were asked for.

    None where the account has no entries or the list could not be had whole: half a statement would show payments as missing.
    """
    start = datetime.combine(day, time.min, PHNOM_PENH).astimezone(UTC)
    end = start + timedelta(days=1) - timedelta(milliseconds=1)
    path = own_path(config, config.statement_from)
    stretch = {"fromDateTime": _stamp(start), "toDateTime": _stamp(end)}
    entries: list[Any] = []
    for _ in range(_MOST_PAGES):
        answer = await client.get(path, {**stretch, "limit": str(config.page_size), "offset": str(len(entries))})
        if not isinstance(answer, Answer) or answer.status != 200 or not isinstance(answer.body, list):  # noqa: PLR2004 found
            return None
        entries += answer.body
        available = answer.headers.get("x-records-available-count", "")
        if not answer.body or (available.isdecimal() and len(entries) >= int(available)):
            break
    else:
        return None
    if not entries:
        return None
    account = {"key": config.debit_party_key, "value": config.debit_party_value}
    document = {"account": account, "day": day.isoformat(), **stretch, "statementEntries": entries}
    # A number that the provider wrote as a JSON number stays its digits, as text.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_digits).encode()


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"a statement holds no {type(value).__name__}")
