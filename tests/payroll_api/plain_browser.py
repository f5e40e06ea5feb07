"""A browser without JavaScript: it follows links, fills forms as they stand, and looks at a page as a checker of accessibility would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx
from fastapi import FastAPI

INLINE = {"a", "b", "strong", "em", "code", "small", "span"}
VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass(kw_only=True)
class Form:
    """A form of a page: where it goes, what it sends as it stands, and its buttons as (text, name, value)."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page that was read: forms, links, visible text, and what a checker would complain about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.text = ""
        self.complaints: list[str] = []
        self.language = ""
        self._open: list[str] = []
        self._ids: set[str] = set()
        self._labels: set[str] = set()
        self._controls: list[tuple[str, Mapping[str, str | None]]] = []
        self._select: str | None = None
        self._button: tuple[str, str] | None = None
        self._link: str | None = None
        self._area: str | None = None
        self._words = ""
        self._headings: list[str] = []
        self._unlabelled_svg = 0
        self.feed(text)
        self._finish()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if tag not in INLINE:
            self.text += " "
        self._check(tag, found)
        if tag == "form":
            self.forms.append(Form(action=found.get("action") or "", method=(found.get("method") or "get").lower()))
        elif tag in {"input", "textarea", "select", "button", "option"}:
            self._control(tag, found)
        elif tag == "a":
            self._link, self._words = found.get("href"), ""
        elif tag == "html":
            self.language = found.get("lang") or ""

    def _check(self, tag: str, found: Mapping[str, str | None]) -> None:
        if tag == "style" or "style" in found or any(name.startswith("on") for name in found) or (tag == "script" and not found.get("src")):
            self.complaints.append(f"<{tag}> breaks the content security policy")
        if identifier := found.get("id"):
            if identifier in self._ids:
                self.complaints.append(f"the id {identifier} stands twice")
            self._ids.add(identifier)
        if tag == "label" and (name := found.get("for")):
            self._labels.add(name)
        if tag in {"h1", "h2", "h3"}:
            self._headings.append(tag)
        if tag in {"input", "select", "textarea", "progress"} and found.get("type") not in {"hidden", "submit"}:
            self._controls.append((tag, {**found, "inside": "yes" if "label" in self._open else None}))

    def _control(self, tag: str, found: Mapping[str, str | None]) -> None:
        name, value = found.get("name") or "", found.get("value") or ""
        if tag == "button":
            self._button, self._words = (name, value), ""
        elif tag == "textarea":
            self._area, self._words = name, ""
        elif tag == "select":
            self._select = name
        if "form" not in self._open or not self.forms:
            return
        form = self.forms[-1]
        if tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(value)
            if "selected" in found or self._select not in form.fields:
                form.fields[self._select] = [value]
        elif tag == "input" and name:
            _input(form, found.get("type") or "text", name, value, is_checked="checked" in found)
        if name and "required" in found:
            form.required.add(name)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            self.complaints.append(f"</{tag}> closes something else")
        if tag == "button" and self._button:
            if self.forms and "form" in self._open:
                self.forms[-1].buttons.append((" ".join(self._words.split()), *self._button))
            self._button = None
        elif tag == "a" and self._link:
            self.links.setdefault(" ".join(self._words.split()), self._link)
            self._link = None
        elif tag == "textarea" and self._area:
            self.forms[-1].fields[self._area] = [self._words]
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        self._words += data
        if not {"script", "title"} & set(self._open):
            self.text += data

    def _finish(self) -> None:
        self.text = " ".join(self.text.split())
        if self._headings.count("h1") != 1:
            self.complaints.append(f"{self._headings.count('h1')} first headings")
        for before, after in zip(self._headings, self._headings[1:], strict=False):
            if int(after[1]) > int(before[1]) + 1:
                self.complaints.append(f"{after} follows {before}")
        for tag, found in self._controls:
            if not (found.get("inside") or found.get("aria-label") or found.get("id") in self._labels):
                self.complaints.append(f"<{tag} name={found.get('name')}> has no label")


def _input(form: Form, kind: str, name: str, value: str, *, is_checked: bool) -> None:
    if kind in {"radio", "checkbox"}:
        form.choices.setdefault(name, []).append(value)
        if is_checked:
            form.fields.setdefault(name, []).append(value)
    elif kind != "file":
        form.fields.setdefault(name, []).append(value)


class PlainBrowser:
    """One person at a browser. `clicks` counts what she presses: a link, a button, the choice of a file."""

    def __init__(self, app: FastAPI, base: str = "http://127.0.0.1:8000") -> None:
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=base, follow_redirects=True)
        self.answer: httpx.Response
        self.page: Page
        self.clicks = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    def _read(self, answer: httpx.Response) -> Page:
        self.answer = answer
        assert answer.headers["content-type"].startswith("text/html"), answer.text[:500]
        assert answer.status_code < 500, answer.text[:500]
        self.page = Page(answer.text)
        assert self.page.complaints == [], (str(answer.url), self.page.complaints)
        return self.page

    @property
    def path(self) -> str:
        """Where the browser is, without the query."""
        return self.answer.url.path

    async def open(self, path: str) -> Page:
        """Type an address."""
        return self._read(await self._http.get(path))

    async def download(self, path: str) -> httpx.Response:
        """Fetch something that is no page."""
        return await self._http.get(path)

    async def follow(self, text: str) -> Page:
        """Press the first link whose text has `text` in it."""
        self.clicks += 1
        target = next(href for words, href in self.page.links.items() if text in words)
        return self._read(await self._http.get(urljoin(str(self.answer.url), target)))

    def _button(self, button: str, within: str) -> tuple[Form, tuple[str, str, str]]:
        """The button of exactly this text, else the first that has it in its text."""
        forms = [form for form in self.page.forms if within in form.action or any(within in values for values in form.fields.values())]
        found = [(form, entry) for form in forms for entry in form.buttons if button in entry[0]]
        assert found, f"no button {button!r} in {self.page.forms}"
        return next((one for one in found if one[1][0] == button), found[0])

    async def press(self, button: str, *, within: str = "", file: tuple[str, bytes] | None = None, **typed: str | list[str]) -> Page:
        """Fill the form that has this button (`within` its address or its fields' values) and press it."""
        self.clicks += 1 + (file is not None)
        form, (_, name, value) = self._button(button, within)
        data: dict[str, str | list[str]] = {**form.fields, **typed}
        assert set(typed) <= form.fields.keys() | form.choices.keys(), (typed, form)
        assert form.required - data.keys() - {"file"} == set(), form
        if name:
            data[name] = value
        target = urljoin(str(self.answer.url), form.action)
        if form.method == "get":
            return self._read(await self._http.get(target, params={key: str(entry) for key, entry in data.items()}))
        files = {"file": file} if file else None
        return self._read(await self._http.post(target, data=data, files=files))

    async def sign_in(self, login: str, password: str) -> Page:
        """Sign in, from the sign-in page."""
        await self.open("/sign-in")
        page = await self.press("", within="/sign-in", login=login, password=password)
        self.clicks = 0
        return page
