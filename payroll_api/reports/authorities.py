"""What the labour ministry, NSSF and the tax office ask for each month, in the columns of a layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from importers.money import Money
from importers.period import PayPeriod
from payroll_api.errors import NotFoundError, ProblemError
from payroll_api.factories.settings import exchange_rates, get_factory
from payroll_api.reports.document import Column, Document, Section, Value
from payroll_api.reports.layout import Layout, load_layouts
from payroll_api.reports.month import Month, month_of
from payroll_api.reports.values import VALUES, Setting, TaxFree
from payroll_api.reports.words import ReportWords
from payroll_api.services import Services
from reconciliation.contract import ExchangeRates
from reconciliation.law.figures import Figures
from reconciliation.law.parameter import LawUnknownError


def layouts(folder: Path | None) -> Sequence[Layout]:
    """Every form there is, with those of the operator's own folder. Raises ConfigurationError."""
    return list(load_layouts(VALUES, folder).values())


async def authority_document(session: AsyncSession, services: Services, name: str, period: PayPeriod, words: ReportWords) -> Document:
    """A form by its layout's name. Raises NotFoundError for a name that there is not, ProblemError `nobody_paid`."""
    layout = next((one for one in layouts(services.settings.report_layouts) if one.name == name), None)
    if layout is None:
        raise NotFoundError("report")
    month = await month_of(session, await services.keys.vault(session), period)
    if not month.workers:
        raise ProblemError(
            "nobody_paid",
            f"Nobody has been paid for {period} yet. The list is made from payments that have arrived.",
            status=404,
        )
    setting = Setting(words, await _rates(session, period), _tax_free(services, period))
    factory = await get_factory(session)
    own = factory.name_km if words.language == "km" else factory.name
    title = layout.title[words.language]
    return Document(
        name=f"{name}-{period}",
        title=title,
        language=words.language,
        sections=[_section(layout, month, setting)],
        facts=[
            (words("factory"), own),
            (words("pay_period"), str(period)),
            (words("due"), _due(layout, period)),
            *([] if not month.unpaid else [(words("not_in_it"), words("unpaid_workers", count=month.unpaid))]),
            *([] if setting.rates is None else [(words("rates"), f"{setting.rates.tax} / {setting.rates.nssf} ({setting.rates.source})")]),
            (words("columns_from"), layout.provenance if layout.is_verified else f"{words('not_verified')}. {layout.provenance}"),
        ],
        signatures=[words("prepared"), words("checked")] if layout.is_signed else [],
        foot=f"{own} – {title} – {period}",
        is_wide=True,
    )


async def _rates(session: AsyncSession, period: PayPeriod) -> ExchangeRates | None:
    try:
        return await exchange_rates(session, period)
    except ProblemError:
        return None  # the columns in riel stay empty; wages paid in riel need no rate


def _tax_free(services: Services, period: PayPeriod) -> TaxFree | None:
    try:
        figures = Figures(services.law, period.last_day, ())
        return TaxFree(
            allowances_exempt=figures.number("tax_exempt_allowances") == 1, indemnity_exempt=int(figures.number("tax_indemnity_exempt"))
        )
    except LawUnknownError:
        return None  # the column stays empty, as for a month without a rate


def _due(layout: Layout, period: PayPeriod) -> str:
    year, month = (period.year + 1, 1) if period.month == 12 else (period.year, period.month + 1)  # noqa: PLR2004 December
    return f"{year}-{month:02d}-{layout.due_day:02d}"


def _section(layout: Layout, month: Month, setting: Setting) -> Section:
    language = setting.words.language
    columns = [Column(title=field.title[language], weight=field.weight, is_figure=field.is_figure) for field in layout.fields]
    rows: list[list[Value]] = []
    sums: list[dict[str, int]] = [{} for _ in layout.fields]
    currencies: dict[str, Money] = {}
    for number, worker in enumerate(month.workers, start=1):
        setting.number = number
        row = [VALUES[field.value](worker, setting) for field in layout.fields]
        for place, (field, value) in enumerate(zip(layout.fields, row, strict=True)):
            if field.is_summed and isinstance(value, Money):
                code = value.currency.code
                currencies.setdefault(code, Money(0, value.currency))
                sums[place][code] = sums[place].get(code, 0) + value.minor
        rows.append(row)
    totals: list[list[Value]] = []
    for code, zero in sorted(currencies.items()):
        # Riel and dollars are never added up: each currency has a row of totals of its own.
        total: list[Value] = [Money(of[code], zero.currency) if code in of else None for of in sums]
        free = [(field.weight, -index) for index, (field, of) in enumerate(zip(layout.fields, sums, strict=True)) if not of]
        total[-max(free, default=(0, 0))[1]] = f"{setting.words('total')} {code}"  # in the widest column that has no sum
        totals.append(total)
    return Section(title=layout.title[language], columns=columns, rows=rows, totals=totals, empty=setting.words("nothing"))
