"""The bank connector keeps every claim of its profile against its simulated bank."""

from __future__ import annotations

import pytest

from connectors.payouts import conformance
from connectors.payouts.iso20022.under_test import under_test


@pytest.mark.parametrize(
    "settings",
    [{"batch_size": 200, "checks_at_once": 50}, {"version": "pain.001.001.09", "currency": "KHR", "batch_size": 20}],
    ids=["USD", "KHR"],
)
async def test_the_bank_keeps_its_claims(settings: dict[str, object]) -> None:
    async with under_test(**settings) as (connector, provider):
        findings = await conformance.check(connector, provider)
    assert conformance.report(conformance.failures(findings)) == ""
    assert len(findings) > 35
