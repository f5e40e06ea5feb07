"""A document as PDF, on A4 or, for very many columns, A3: Khmer shaped by HarfBuzz, headings on each page, lines to sign on at the end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from payroll_api.reports.document import Column, Document, Section, Value, written
from payroll_api.reports.lines import has_khmer, wrapped
from payroll_api.reports.neutral import in_xml

_FONTS = Path(__file__).parent / "fonts"
_MARGIN, _FOOT = 12, 16  # millimetres
_LINE, _PAD = 4.6, 1.1
_SIZE, _SMALL, _TITLE, _HEADING, _LETTER = 8.5, 7.5, 15, 11, 10.5  # points
_SIGNATURE = 24
_MOST_WEIGHT_ON_A4 = 34
_HAIR, _GREY = 0.15, 150
# The same document gives the same bytes, whenever it is printed: what was exported can be compared with its hash in the audit trail.
_MADE = datetime(2000, 1, 1, tzinfo=UTC)


class Paper(FPDF):
    """Pages with our fonts, a foot with the page's number, and text that wraps where its language allows."""

    def __init__(self, *, foot: str, is_wide: bool = False, size: str = "A4") -> None:
        super().__init__(orientation="landscape" if is_wide else "portrait", unit="mm", format=size)
        self._foot = foot
        self._widths: dict[tuple[str, str, float], float] = {}
        for style, end in (("", "Regular"), ("B", "Bold")):
            self.add_font("latin", style, _FONTS / f"NotoSans-{end}.ttf")
            self.add_font("khmer", style, _FONTS / f"NotoSansKhmer-{end}.ttf")
        self.set_fallback_fonts(["khmer"])
        self.set_creation_date(_MADE)
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=False)
        self.set_line_width(_HAIR)
        self.set_draw_color(_GREY)
        self.write_in("", _SIZE)

    def close(self) -> None:
        """Let go of the fonts' files."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def write_in(self, style: str, size: float) -> None:
        """Go on in regular (`""`) or bold (`"B"`) at so many points."""
        self.set_font("latin", style, size)

    def footer(self) -> None:
        """At the end of every page."""
        self.set_xy(_MARGIN, -_FOOT + 4)
        self.write_in("", _SMALL)
        self._put(self._foot, self.epw - 20, _LINE, "L")
        self.set_xy(self.w - _MARGIN - 20, -_FOOT + 4)
        self._put(f"{self.page_no()} / {{nb}}", 20, _LINE, "R")

    def width_of(self, text: str) -> float:
        """How many millimetres a text takes in the font of now."""
        key = (text, self.font_style, self.font_size_pt)
        found = self._widths.get(key)
        if found is None:
            self._shape(text)
            found = self._widths[key] = self.get_string_width(text)
        return found

    def lines_of(self, text: str, width: float) -> list[str]:
        """The text in lines that fit."""
        return wrapped(in_xml(text), width - 2 * _PAD, self.width_of)

    def put_lines(self, lines: Sequence[str], x: float, y: float, width: float, align: str = "L") -> None:
        """Lines one below the other."""
        for number, line in enumerate(lines):
            self.set_xy(x + _PAD, y + number * self.line_height)
            self._put(line, width - 2 * _PAD, self.line_height, align)

    @property
    def line_height(self) -> float:
        """Khmer stacks signs above and below: lines stand wider than Latin alone would need."""
        return self.font_size_pt * _LINE / _SIZE

    @property
    def is_full_at(self) -> float:
        """Where the page's own space ends."""
        return self.h - _FOOT

    def _put(self, text: str, width: float, height: float, align: str) -> None:
        if not self.current_font_is_set_on_page:
            # fpdf2 2.8.9 forgets a new font that a line beginning in the fallback font brings: a Latin space brings it first.
            self.set_text_shaping(use_shaping_engine=False)
            self.cell(width, height, " ", new_x=XPos.LEFT, new_y=YPos.TOP)
        self._shape(text)
        self.cell(width, height, text, align=align, new_x=XPos.RIGHT, new_y=YPos.TOP)

    def _shape(self, text: str) -> None:
        # Shaping costs time and Latin figures do not need it.
        self.set_text_shaping(use_shaping_engine=has_khmer(text))


def write_pdf(document: Document) -> bytes:
    """The bytes of the file."""
    return write_pdf_of_many([document])


def write_pdf_of_many(documents: Sequence[Document]) -> bytes:
    """Documents of one form and language one after the other, each beginning on a page of its own."""
    first = documents[0]
    with closing(Paper(foot=first.foot or first.title, is_wide=first.is_wide, size=_size(documents))) as paper:
        paper.set_title(first.title)
        paper.set_lang(first.language)
        for document in documents:
            paper.add_page()
            _head(paper, document)
            for section in document.sections:
                _section(paper, section)
            _signatures(paper, document.signatures)
        return bytes(paper.output())


def _size(documents: Sequence[Document]) -> str:
    """A table of very many columns takes the larger paper: figures must not be broken over lines."""
    weights = (sum(column.weight for column in section.columns) for document in documents for section in document.sections)
    return "A3" if max(weights, default=0) > _MOST_WEIGHT_ON_A4 else "A4"


def _head(paper: Paper, document: Document) -> None:
    paper.write_in("B", _TITLE)
    _paragraph(paper, document.title)
    for label, value in document.facts:
        paper.write_in("", _SIZE)
        _paragraph(paper, f"{label}: {value}")
    paper.write_in("", _LETTER)
    for line in document.text.splitlines():
        _paragraph(paper, line or " ")


def _paragraph(paper: Paper, text: str) -> None:
    lines = paper.lines_of(text, paper.epw)
    if paper.get_y() + len(lines) * paper.line_height > paper.is_full_at:
        paper.add_page()
    y = paper.get_y()
    paper.put_lines(lines, _MARGIN, y, paper.epw)
    paper.set_xy(_MARGIN, y + len(lines) * paper.line_height)


def _section(paper: Paper, section: Section) -> None:
    paper.set_y(paper.get_y() + 4)
    if paper.get_y() > paper.is_full_at - 4 * _LINE:
        paper.add_page()
    paper.write_in("B", _HEADING)
    _paragraph(paper, section.title)
    paper.set_y(paper.get_y() + 1)
    if section.rows or section.totals:
        table = _Table(paper, section.columns)
        table.head()
        for row in section.rows:
            table.row(row)
        for row in section.totals:
            table.row(row, "B")
    else:
        paper.write_in("", _SIZE)
        _paragraph(paper, section.empty)
    if section.note:
        paper.write_in("", _SMALL)
        paper.set_y(paper.get_y() + 1)
        _paragraph(paper, section.note)


class _Table:
    """A table that goes on over pages, with its heading on each."""

    def __init__(self, paper: Paper, columns: Sequence[Column]) -> None:
        self._paper = paper
        self._columns = columns
        all_of_them = sum(column.weight for column in columns)
        self._widths = [paper.epw * column.weight / all_of_them for column in columns]

    def head(self) -> None:
        """The columns' titles."""
        self._paper.set_fill_color(230, 238, 245)
        self._draw([column.title for column in self._columns], "B", fill=True)

    def row(self, values: Sequence[Value], style: str = "") -> None:
        """One row; a new page with the heading again where it does not fit."""
        self._draw([written(value) for value in values], style, fill=False)

    def _draw(self, texts: Sequence[str], style: str, *, fill: bool) -> None:
        paper = self._paper
        paper.write_in(style, _SIZE)
        cells = [paper.lines_of(text, width) for text, width in zip(texts, self._widths, strict=True)]
        height = max(map(len, cells), default=1) * paper.line_height + _PAD
        if paper.get_y() + height > paper.is_full_at and not fill:
            paper.add_page()
            self.head()
            paper.write_in(style, _SIZE)
        x, y = paper.l_margin, paper.get_y()
        for column, lines, width in zip(self._columns, cells, self._widths, strict=True):
            paper.rect(x, y, width, height, style="DF" if fill else "D")
            paper.put_lines(lines, x, y + _PAD / 2, width, "R" if column.is_figure else "L")
            x += width
        paper.set_xy(_MARGIN, y + height)


def _signatures(paper: Paper, names: Sequence[str]) -> None:
    if not names:
        return
    if paper.get_y() + _SIGNATURE + 3 * _LINE > paper.is_full_at:
        paper.add_page()
    paper.write_in("", _SIZE)
    width, y = paper.epw / len(names), paper.get_y() + _SIGNATURE
    for place, name in enumerate(names):
        x = _MARGIN + place * width
        paper.line(x + 4, y, x + width - 8, y)
        paper.put_lines(paper.lines_of(name, width - 12), x + 4, y + 1, width - 12)
    paper.set_xy(_MARGIN, y + 3 * _LINE)
