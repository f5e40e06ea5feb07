"""Jinja2 templates as pages. Everything is escaped; a name that a template does not get is an error, never a gap."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from payroll_api.reports.document import written
from payroll_api.web import formats
from payroll_api.web.words import LANGUAGES

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def _version(name: str) -> str:
    """A static file's own hash: its address changes when it does, so browsers may keep it for ever."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(short=formats.short, number=formats.number)
_environment.globals.update(
    money=formats.money,
    sums=formats.sums,
    day=formats.day,
    moment=formats.moment,
    written=written,
    formula=formats.formula,
    period_name=formats.period,
    languages=LANGUAGES,
    styles=f"/static/pages.css?v={_version('pages.css')}",
    script=f"/static/pages.js?v={_version('pages.js')}",
)


def render(template: str, context: Mapping[str, object]) -> str:
    """The text of a page."""
    return _environment.get_template(template).render(context)
