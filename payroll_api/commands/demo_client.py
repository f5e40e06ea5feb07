"""A person of the demo at the public HTTP API: signs in, asks, creates once, and pages through lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

import httpx

from payroll_api.errors import ConfigurationError

API = "/api/v1"
_PAGE = 200
_TRIES = 4


class RefusedError(Exception):
    """The API said no. `code` is its stable word, `detail` its sentence, `extra` everything else in the problem."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", status))
        self.detail = str(problem.get("detail", "no reason was given"))
        self.extra = dict(problem)
        super().__init__(f"{self.code}: {self.detail}")


class Person:
    """Somebody who is signed in."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @classmethod
    async def sign_in(cls, base_url: str, login: str, password: str) -> Self:
        """Sign in. Raises RefusedError."""
        http = httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=60, headers={"accept": "application/json"})
        person = cls(http)
        try:
            answer = await person.post("/sessions", {"login": login, "password": password})
        except BaseException:
            await http.aclose()
            raise
        # A bearer token, as a program of the factory would: no browser sends it by itself, so no CSRF token is needed.
        http.headers["authorization"] = f"Bearer {answer['token']}"
        http.cookies.clear()
        return person

    async def close(self) -> None:
        """Sign out."""
        await self._send("DELETE", "/sessions")
        await self._http.aclose()

    async def get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 JSON
        """Read one thing."""
        return await self._send("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, object] | None = None, *, key: str | None = None) -> Any:  # noqa: ANN401 JSON
        """Do or create something; `key` makes a repeat harmless."""
        return await self._send("POST", path, json=dict(body or {}), headers={} if key is None else {"idempotency-key": key})

    async def upload(self, path: str, content: bytes, name: str, fields: Mapping[str, str], *, key: str) -> Any:  # noqa: ANN401 JSON
        """Send a file with its fields as a form does."""
        return await self._send("POST", path, data=dict(fields), files={"file": (name, content)}, headers={"idempotency-key": key})

    async def all(self, path: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """Everything in a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=_PAGE, **query, **({} if cursor is None else {"cursor": cursor}))
            for item in page["items"]:
                yield item
            cursor = page["next"]
            if cursor is None:
                return

    async def _send(self, method: str, path: str, **arguments: Any) -> Any:  # noqa: ANN401 passed on to httpx
        for tried in range(1, _TRIES + 1):
            try:
                answer = await self._http.request(method, f"{API}{path}", **arguments)
            except httpx.TransportError as error:
                if tried == _TRIES:
                    raise ConfigurationError(
                        f"The service does not answer ({type(error).__name__}). See serve.log in the logs folder of the demo."
                    ) from None
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or tried == _TRIES:
                    return _read(answer)
            await asyncio.sleep(0.2 * tried)
        raise AssertionError("the last try returns or raises")


def _read(answer: httpx.Response) -> Any:  # noqa: ANN401 JSON
    is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
    if answer.is_success:
        return answer.json() if is_json and answer.content else answer.content
    raise RefusedError(answer.status_code, answer.json() if is_json else {"detail": f"answered {answer.status_code}"})
