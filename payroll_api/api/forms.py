"""The sheet to download and fill in, and every column that is understood."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from importers.blank import blank_template, column_dictionary
from importers.contract import Meaning
from importers.period import PayPeriod
from payroll_api.api.payroll_files import XLSX
from payroll_api.api.route import API, StepRoute, operation
from payroll_api.api.shapes import Output, PeriodText

router = APIRouter(prefix=API, tags=["forms"], route_class=StepRoute)


class ColumnOut(Output):
    """A column that is understood, and the words of headers by which it is recognised."""

    meaning: Meaning
    label: str = Field(examples=["Net pay"])
    label_km: str = Field(examples=["ប្រាក់សុទ្ធ"])
    unit: str = Field(examples=["money, USD or KHR"])
    required: bool
    words: list[str]


class ColumnsOut(Output):
    """The dictionary of columns."""

    items: list[ColumnOut]


@router.get("/columns", operation_id="listColumns", summary="Every column that is understood", **operation())
async def columns() -> ColumnsOut:
    """In the order of the template."""
    known = column_dictionary()
    return ColumnsOut(items=[ColumnOut.model_validate({name: getattr(row, name) for name in ColumnOut.model_fields}) for row in known])


@router.get(
    "/template.xlsx",
    operation_id="getTemplate",
    summary="An empty sheet to fill in",
    response_class=Response,
    **operation(),
)
async def template(pay_period: Annotated[PeriodText, Query(examples=["2026-11"])]) -> Response:
    """With Khmer and English headers, lists to choose from, and one example row that is never paid."""
    content = await asyncio.to_thread(blank_template, PayPeriod.parse(pay_period))
    headers = {"Content-Disposition": f'attachment; filename="payroll-{pay_period}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)
