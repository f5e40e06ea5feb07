"""The transport of PayWay: which fields each request has, in which order they are hashed, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from connectors import http
from connectors.json_http import Answer, NoAnswer, ask
from connectors.patience import Patience
from connectors.payouts.aba_payway import mapping
from connectors.payouts.aba_payway.config import AbaPaywayConfig
from connectors.payouts.aba_payway.sealing import hash_base64, hash_hex, seal
from connectors.payouts.contract import PayoutOrder

PAYOUT = "/api/payment-gateway/v2/direct-payment/merchant/payout"
CHECK = "/api/payment-gateway/v1/payments/check-transaction-2"
TRANSACTIONS = "/api/payment-gateway/v1/payments/transaction-list-2"
_WHITELIST = "/api/merchant-portal/merchant-access/whitelist-account"
ADD_TO_WHITELIST = f"{_WHITELIST}/add-whitelist-payout"
UPDATE_WHITELIST = f"{_WHITELIST}/update-whitelist-status"
_ENABLED = 1


def now() -> datetime:
    """The moment of sending, which each request has to carry."""
    return datetime.now(UTC)


class PaywayClient:
    """One merchant. It sends each request once and follows no redirect."""

    def __init__(self, config: AbaPaywayConfig, clock: Callable[[], datetime] = now) -> None:
        self._config = config
        self._api_key = config.api_key.get_secret_value()
        self._rsa = config.public_key()
        self._clock = clock
        self._patience = Patience()
        self._http = http.client(config.base_url, headers={"accept": "application/json"}, read_seconds=config.read_seconds)

    async def payout(self, order: PayoutOrder) -> Answer | NoAnswer:
        """One payout to one account. The hash runs over custom_fields before currency, unlike the body."""
        merchant, unit = self._config.merchant_id, order.amount.currency.code
        sealed = seal(self._rsa, mapping.beneficiaries(order, self._config))
        amount, custom = mapping.amount_text(order.amount, self._config), mapping.compact({"purpose": order.purpose})
        keyed = hash_hex if self._config.payout_hash == "hex" else hash_base64
        # Written by hand in one place: the amount must stand as a number with exactly the digits that were hashed.
        rest = mapping.compact(
            {
                "currency": unit,
                "custom_fields": custom,
                "hash": keyed(self._api_key, merchant, order.reference, sealed, amount, custom, unit),
            }
        )
        head = mapping.compact({"merchant_id": merchant, "tran_id": order.reference, "beneficiaries": sealed})
        return await self._post(PAYOUT, f'{head[:-1]},"amount":{amount},{rest[1:]}')

    async def whitelist(self, account: str) -> Answer | NoAnswer:
        """Ask that payouts to this account be allowed. The answer tells whose account it is."""
        return await self._merchant(ADD_TO_WHITELIST, {"mc_id": self._config.merchant_id, "payee": account})

    async def enable(self, account: str) -> Answer | NoAnswer:
        """Enable an account that stands in the whitelist already."""
        return await self._merchant(UPDATE_WHITELIST, {"mc_id": self._config.merchant_id, "payee": account, "status": _ENABLED})

    async def check(self, reference: str) -> Answer | NoAnswer:
        """What became of one transaction of the last seven days."""
        stamp, merchant = self._stamp(), self._config.merchant_id
        fields = {"req_time": stamp, "merchant_id": merchant, "tran_id": reference}
        return await self._post(CHECK, mapping.compact(fields | {"hash": hash_base64(self._api_key, stamp, merchant, reference)}))

    async def transactions(self, first: str, last: str, page: int) -> Answer | NoAnswer:
        """One page of the merchant's transactions between two moments, YYYY-MM-DD HH:mm:ss."""
        stamp, merchant, size = self._stamp(), self._config.merchant_id, str(self._config.page_size)
        # Amounts and status are left out: an empty part adds nothing to what is hashed.
        keyed = hash_base64(self._api_key, stamp, merchant, first, last, str(page), size)
        fields = {"req_time": stamp, "merchant_id": merchant, "from_date": first, "to_date": last, "page": str(page), "pagination": size}
        return await self._post(TRANSACTIONS, mapping.compact(fields | {"hash": keyed}))

    async def aclose(self) -> None:
        """Release connections."""
        await self._http.aclose()

    async def _merchant(self, path: str, secret: dict[str, object]) -> Answer | NoAnswer:
        stamp, sealed = self._stamp(), seal(self._rsa, mapping.compact(secret))
        fields = {"request_time": stamp, "merchant_id": self._config.merchant_id, "merchant_auth": sealed}
        return await self._post(path, mapping.compact(fields | {"hash": hash_base64(self._api_key, stamp, sealed)}))

    async def _post(self, path: str, body: str) -> Answer | NoAnswer:
        headers = {"content-type": "application/json"}
        return await ask(self._http, self._http.build_request("POST", path, content=body.encode(), headers=headers), self._patience)

    def _stamp(self) -> str:
        return self._clock().astimezone(UTC).strftime("%Y%m%d%H%M%S")
