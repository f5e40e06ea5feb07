"""What a row says of a worker and where she is paid."""

from __future__ import annotations

from importers.contract import PayMethod, PayrollRow
from payroll_api.people.register import CASH_ACCOUNT, Person

_KINDS = {PayMethod.BANK: "bank_account", PayMethod.WALLET: "wallet", PayMethod.CASH: "cash"}


def person_of(row: PayrollRow) -> Person:
    """The worker of a row. Without a method: an account means bank; nothing means cash. A wallet without an account is her phone's."""
    method = row.pay_method or (PayMethod.BANK if row.account else PayMethod.CASH)
    number = row.account or (row.phone if method is PayMethod.WALLET else None)
    kind = _KINDS[method] if number else "cash"
    return Person(
        worker_code=row.worker_code,
        name=row.name,
        name_latin=row.name_latin,
        phone=row.phone,
        national_id=row.national_id,
        sex=row.sex,
        department=row.department,
        joined_on=row.joined_on,
        left_on=row.left_on,
        destination_kind=kind,
        bank=row.bank,
        account=number if number and kind != "cash" else CASH_ACCOUNT,
        # Her own name, never the sheet's "account name": whoever writes the sheet could write the owner of any account there.
        holder=row.name_latin or row.name,
    )
