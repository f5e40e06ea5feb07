"""References that providers see, and that must be found again wherever they write them."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from importers.statements.text_references import references_in
from payroll_api.payments.references import attempt_reference, dispatch_reference


@given(payment=st.uuids(), number=st.integers(1, 99))
def test_every_reference_is_found_in_a_line_of_free_text(payment: UUID, number: int) -> None:
    reference = attempt_reference(payment, number)
    assert len(reference) == 20
    assert references_in(f"WAGES 2026-11 {reference} ANGKOR") == (reference,)
    assert reference != dispatch_reference(payment)
    assert reference != attempt_reference(payment, number + 1)
