"""The merchant's transactions of one day, which serve as its statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from connectors.json_http import Answer
from connectors.payouts.aba_payway import mapping
from connectors.payouts.aba_payway.client import PaywayClient
from connectors.payouts.aba_payway.config import AbaPaywayConfig

_MOST_PAGES = 1000


async def fetch(client: PaywayClient, config: AbaPaywayConfig, day: date) -> bytes | None:
    """All transactions of `day` with the merchant they belong to; None where there is none, or the list could not be had whole."""
    first, last = f"{day.isoformat()} 00:00:00", f"{day.isoformat()} 23:59:59"
    found: list[Any] = []
    for page in range(1, _MOST_PAGES + 1):
        answer = await client.transactions(first, last, page)
        body = answer.body if isinstance(answer, Answer) and answer.status == 200 else None  # noqa: PLR2004 success
        lines = body.get("data") if isinstance(body, Mapping) and mapping.status_code(body) in mapping.GOOD else None
        if not isinstance(lines, list):
            return None
        found += lines
        if len(lines) < config.page_size:
            break
    else:
        return None
    if not found:
        return None
    document = {"payway_merchant": config.merchant_id, "currency": config.currency, "day": day.isoformat(), "transactions": found}
    # A number stays the digits that PayWay wrote, as text.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_digits).encode()


def _digits(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"a list of transactions holds no {type(value).__name__}")
