"""The letter to the bank about a break, on paper: a page in Khmer and a page in English, to sign and to send."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payroll_api.access.actor import Actor
from payroll_api.reports.document import Document
from payroll_api.reports.export import Export, export_all
from payroll_api.reports.words import words_of
from payroll_api.services import Services
from payroll_api.settlement.letter import draft


async def bank_letter(session: AsyncSession, services: Services, actor: Actor, break_id: UUID) -> Export:
    """The draft as a PDF. Raises NotFoundError, NotAllowedError."""
    letter = await draft(session, services, actor, break_id)
    name = f"letter-{str(break_id)[:8]}"
    pages = [
        Document(
            name=name,
            title=sender,
            language=language,
            sections=(),
            text=text,
            signatures=[words_of(language)("summary.director")],
            foot=sender,
        )
        for language, sender, text in (("km", letter.sender_km, letter.khmer), ("en", letter.sender, letter.english))
    ]
    return await export_all(session, services, actor, pages, name=name)
