"""Write a report in the form that was asked for, and note in the audit trail who took which one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor
from payroll_api.audit.journal import Event, record
from payroll_api.errors import ProblemError
from payroll_api.reports.csv_file import write_csv
from payroll_api.reports.document import Document, Form
from payroll_api.reports.pdf_file import write_pdf, write_pdf_of_many
from payroll_api.reports.xlsx_file import write_xlsx
from payroll_api.services import Services

_WRITERS: Mapping[Form, tuple[Callable[[Document], bytes], str]] = {
    Form.XLSX: (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Form.CSV: (write_csv, "text/csv; charset=utf-8"),
    Form.PDF: (write_pdf, "application/pdf"),
}
MOST_ROWS_ON_PAPER = 3_000  # about 75 pages; more is for a spreadsheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file ready to be sent."""

    content: bytes = field(repr=False)
    file_name: str
    media_type: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an answer that carries it: nobody keeps it on the way, and no browser guesses what it is."""
        return {
            "Content-Disposition": f'attachment; filename="{self.file_name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }


async def export(session: AsyncSession, services: Services, actor: Actor, document: Document, form: Form) -> Export:
    """The document as a file. The event names the report, its form and the file's hash, so that a paper can be told from a forged one.

    Raises ProblemError `too_long_for_paper`.
    """
    if form is Form.PDF and document.count > MOST_ROWS_ON_PAPER:
        raise ProblemError(
            "too_long_for_paper",
            f"This report has {document.count:,} rows; on paper it may have {MOST_ROWS_ON_PAPER:,}. Take it as xlsx or csv instead.",
        )
    write, media_type = _WRITERS[form]
    content = await asyncio.to_thread(write, document)
    data = {
        "form": form.value,
        "language": document.language,
        "rows": document.count,
        "content": hashlib.sha256(content).hexdigest(),
    }
    await record(session, services.clock(), Event(actor=actor.name, action="report.exported", subject=f"report:{document.name}", data=data))
    return Export(content=content, file_name=f"{document.name}.{form.value}", media_type=media_type)


async def export_all(session: AsyncSession, services: Services, actor: Actor, documents: Sequence[Document], *, name: str) -> Export:
    """Several documents of one form as one PDF, each on pages of its own; one event for the file."""
    content = await asyncio.to_thread(write_pdf_of_many, documents)
    data = {
        "form": Form.PDF.value,
        "language": documents[0].language,
        "documents": len(documents),
        "content": hashlib.sha256(content).hexdigest(),
    }
    await record(session, services.clock(), Event(actor=actor.name, action="report.exported", subject=f"report:{name}", data=data))
    return Export(content=content, file_name=f"{name}.pdf", media_type=_WRITERS[Form.PDF][1])
