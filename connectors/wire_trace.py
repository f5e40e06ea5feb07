"""Everything that was said on the wire during a trial, one JSON line for each exchange, without secrets and without people."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import IO
from urllib.parse import quote, quote_plus

import httpx2 as httpx

HIDDEN = "***"
_LONGEST = 64 * 1024  # characters of one body that are kept
_SHORTEST = 4  # a shorter secret would stand everywhere
# Headers that carry a credential by their nature, whatever is configured.
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-client-secret", "x-secret"})
_SECRET_NAMES = ("key", "secret", "password", "passphrase", "token", "credential", "private")


class WireTrace:
    """Writes exchanges to `file`. `hidden` are texts that stand for a secret or a person and are never written."""

    def __init__(self, file: IO[str], hidden: Iterable[str]) -> None:
        self._file = file
        # The longest first, so that no rest of a longer one stays behind.
        self._hidden = sorted({form for text in hidden if len(text) >= _SHORTEST for form in _forms(text)}, key=len, reverse=True)

    def exchange(self, request: httpx.Request, response: httpx.Response | None, error: Exception | None, seconds: float) -> None:
        """One request of ours and its answer, or what came instead."""
        self._write(
            {
                "direction": "out",
                "method": request.method,
                "url": self._clean(str(request.url.copy_with(userinfo=b""))),
                "headers": self._headers(request.headers),
                "body": self._body(request.content),
                "status": None if response is None else response.status_code,
                "answer_headers": None if response is None else self._headers(response.headers),
                "answer": None if response is None else self._body(response.content),
                "error": None if error is None else type(error).__name__,
                "seconds": round(seconds, 4),
            }
        )

    def callback(self, method: str, path: str, headers: Mapping[str, str], body: bytes, verdict: str) -> None:
        """One request of the provider to us, and what the connector made of it."""
        self._write(
            {
                "direction": "in",
                "method": method,
                "url": self._clean(path),
                "headers": self._headers(headers),
                "body": self._body(body),
                "verdict": verdict,
            }
        )

    def _write(self, line: Mapping[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._file.write(json.dumps({"at": at, **line}, ensure_ascii=False) + "\n")
        self._file.flush()

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {name: HIDDEN if name.lower() in _CREDENTIALS else self._clean(value) for name, value in headers.items()}

    def _body(self, content: bytes) -> str:
        text = self._clean(content.decode("utf-8", "backslashreplace"))
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"

    def _clean(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return text


def secrets_in(config: Mapping[str, object]) -> Iterator[str]:
    """The texts of a configuration whose names say that they are secret, at any depth."""
    for name, value in config.items():
        is_secret = any(word in name.lower() for word in _SECRET_NAMES) and "public" not in name.lower()
        yield from _texts(value, is_secret=is_secret)


def _texts(value: object, *, is_secret: bool) -> Iterator[str]:
    if isinstance(value, str) and is_secret:
        yield value
    elif isinstance(value, Mapping):
        yield from (_all(value) if is_secret else secrets_in(value))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, is_secret=is_secret)


def _all(value: Mapping[str, object]) -> Iterator[str]:
    for each in value.values():
        yield from _texts(each, is_secret=True)


def _forms(text: str) -> set[str]:
    """How a text may stand on the wire: as it is, in a URL, in JSON, in base64."""
    return {text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1], base64.b64encode(text.encode()).decode()}
