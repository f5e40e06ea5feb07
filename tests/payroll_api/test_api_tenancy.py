"""Another factory's things are not there: every address with an id answers 404, not 403."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
from fastapi.routing import APIRoute

from payroll_api.access.actor import Role
from payroll_api.api.mount import ROUTERS
from payroll_api.services import Services
from tests.payroll_api.callers import bearer
from tests.payroll_api.furnished import furnish

if TYPE_CHECKING:
    from tests.conftest import SampleFactory


FINDING = {"result": "no_money_moved", "evidence": "provider_letter", "evidence_reference": "ABA-2026-1", "reason": "not ours at all"}
UPLOAD: dict[str, Any] = {"file": b"reference,state\n"}  # sent as a form with a file
ADDRESSES: list[tuple[str, str, Role, dict[str, Any] | None]] = [
    ("GET", "/payroll-files/{payroll-files}", Role.PREPARER, None),
    ("GET", "/payroll-files/{payroll-files}/problems", Role.PREPARER, None),
    ("GET", "/payroll-files/{payroll-files}/annotated.xlsx", Role.PREPARER, None),
    ("POST", "/payroll-files/{payroll-files}/layout", Role.PREPARER, {}),
    ("POST", "/payroll-files/{payroll-files}/sheets", Role.PREPARER, {"sheets": ["November"]}),
    ("POST", "/payroll-files/{payroll-files}/control", Role.PREPARER, {"workers": 1}),
    ("GET", "/payroll-files/{payroll-files}/overlap", Role.PREPARER, None),
    ("POST", "/payroll-files/{payroll-files}/overlap", Role.PREPARER, {"answer": "keep_both", "reason": "both are meant"}),
    ("GET", "/pay-runs/{pay-runs}", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/discrepancies", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/entitlements", Role.PREPARER, None),
    ("POST", "/pay-runs/{pay-runs}/discrepancies/resolve", Role.PREPARER, {"discrepancy_ids": None, "resolution": "pay_law"}),
    ("GET", "/pay-runs/{pay-runs}/pay-day", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/rail-days", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/items", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/payments", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/progress", Role.PREPARER, None),
    ("GET", "/pay-runs/{pay-runs}/bank-files", Role.PREPARER, None),
    ("GET", "/bank-files/{bank-files}/content", Role.APPROVER, None),
    ("POST", "/bank-files/{bank-files}/release", Role.APPROVER, {}),
    ("POST", "/bank-files/{bank-files}/results", Role.FINANCE, UPLOAD),
    ("POST", "/pay-runs/{pay-runs}/submit", Role.PREPARER, {}),
    ("POST", "/pay-runs/{pay-runs}/approve", Role.APPROVER, {"content_hash": "0" * 64}),
    ("POST", "/pay-runs/{pay-runs}/reject", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/pay-runs/{pay-runs}/release", Role.APPROVER, {}),
    ("POST", "/pay-runs/{pay-runs}/cash-confirmations", Role.FINANCE, {"worker_codes": None}),
    ("POST", "/pay-runs/{pay-runs}/cash-returns", Role.FINANCE, {"piles": [{"envelopes": 1, "amount": "205.10", "currency": "USD"}]}),
    ("POST", "/pay-runs", Role.PREPARER, {"file_id": "{payroll-files}"}),
    ("GET", "/workers/{workers}", Role.PREPARER, None),
    ("POST", "/destinations/{destinations}/decision", Role.PREPARER, {"confirmed": True, "reason": "seen her bank book"}),
    ("POST", "/workers/{workers}/account-changes", Role.PREPARER, {"kind": "cash", "account": "-"}),
    ("POST", "/workers/{workers}/phone-changes", Role.PREPARER, {"phone": "012 345 679"}),
    ("POST", "/workers/{workers}/name-aliases", Role.APPROVER, {"alias": "SOK", "reason": "seen her card"}),
    ("GET", "/pay-runs/{pay-runs}/worker-changes", Role.APPROVER, None),
    ("POST", "/worker-changes/{worker-changes}/confirmation", Role.APPROVER, {"reason": "called her myself"}),
    ("POST", "/worker-changes/{worker-changes}/early-approval", Role.FINANCE, {"reason": "called her myself"}),
    ("POST", "/worker-changes/{worker-changes}/old-account-wrong", Role.PREPARER, {"reason": "she lost the card"}),
    ("POST", "/worker-changes/{worker-changes}/refusal", Role.APPROVER, {"reason": "it was not she"}),
    ("POST", "/shared-accounts/{shared-accounts}/agreement", Role.APPROVER, {}),
    ("POST", "/shared-accounts/{shared-accounts}/revocation", Role.APPROVER, {}),
    ("GET", "/statements/{statements}", Role.FINANCE, None),
    ("GET", "/proposals/{proposals}", Role.AUDITOR, None),
    ("POST", "/proposals/{proposals}/confirm", Role.APPROVER, {"content_hash": "0" * 64}),
    ("POST", "/proposals/{proposals}/refuse", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/stops", Role.FINANCE, {"run_id": "{pay-runs}", "reason": "not ours at all"}),
    ("POST", "/stops", Role.FINANCE, {"provider_account_id": "{provider-accounts}", "reason": "not ours at all"}),
    ("POST", "/stops/{stops}/lifts", Role.FINANCE, {"reason": "not ours at all"}),
    ("POST", "/alarms/{alarms}/acknowledgement", Role.FINANCE, {"note": "not ours at all"}),
    ("POST", "/pay-runs/{pay-runs}/discrepancies/agree", Role.APPROVER, {"discrepancy_ids": ["00000000-0000-7000-8000-000000000001"]}),
    ("POST", "/factories/current/law/values/{law-values}/sign-off", Role.APPROVER, {}),
    ("POST", "/factories/current/law/values/{law-values}/withdraw", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/restore-checks/{restore-checks}/opening", Role.ADMINISTRATOR, {"note": "asked everybody"}),
    ("POST", "/restore-checks/{restore-checks}/release", Role.FINANCE, {}),
    ("POST", "/users/{users}/disable", Role.ADMINISTRATOR, {}),
    ("PUT", "/users/{users}/roles", Role.ADMINISTRATOR, {"roles": ["auditor"]}),
    ("GET", "/pay-runs/{pay-runs}/funds", Role.FINANCE, None),
    ("POST", "/pay-runs/{pay-runs}/funds/ask", Role.FINANCE, {}),
    ("GET", "/pay-runs/{pay-runs}/summary", Role.FINANCE, None),
    ("GET", "/pay-runs/{pay-runs}/payslips", Role.PREPARER, None),
    (
        "POST",
        "/provider-accounts/{provider-accounts}/balances",
        Role.FINANCE,
        {"amount": "1.00", "currency": "USD", "holds_on": "2026-12-10", "reason": "seen at the bank"},
    ),
    ("GET", "/payments/{payments}", Role.PREPARER, None),
    ("GET", "/payments/{payments}/payslip", Role.PREPARER, None),
    ("POST", "/payments/{payments}/hold", Role.PREPARER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/unhold", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/cancel", Role.APPROVER, {"reason": "not ours at all"}),
    ("POST", "/payments/{payments}/findings", Role.FINANCE, FINDING),
    ("POST", "/dispatches/{dispatches}/findings", Role.FINANCE, FINDING),
    ("POST", "/payments/{payments}/corrections", Role.PREPARER, {"amount": "1.00", "reason": "not ours at all"}),
    ("GET", "/provider-messages/{provider-messages}", Role.FINANCE, None),
    ("POST", "/provider-messages/{provider-messages}/replay", Role.FINANCE, {}),
    ("POST", "/provider-messages/{provider-messages}/explanation", Role.FINANCE, {"reason": "not ours at all"}),
    ("GET", "/settlement/breaks/{breaks}", Role.FINANCE, None),
    ("POST", "/settlement/breaks/{breaks}/wait", Role.FINANCE, {"days": 2, "reason": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/take-on", Role.FINANCE, {"note": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/letter", Role.FINANCE, {}),
    ("POST", "/settlement/breaks/{breaks}/letter.pdf", Role.FINANCE, {}),
    ("POST", "/settlement/breaks/{breaks}/turn-down", Role.FINANCE, {"reason": "not ours at all"}),
    ("POST", "/settlement/breaks/{breaks}/close", Role.FINANCE, {"reason": "not ours at all", "way": "foreign"}),
    ("PUT", "/settlement/folders/{provider-accounts}", Role.ADMINISTRATOR, {"folder": None}),
    ("PUT", "/settlement/layouts/{provider-accounts}", Role.ADMINISTRATOR, {"layout": None}),
    ("GET", "/settlement/rails/{provider-accounts}/day-end?currency=USD", Role.FINANCE, None),
    ("PUT", "/users/{users}/password", Role.ADMINISTRATOR, {"password": "four words that rhyme not"}),
    ("DELETE", "/api-keys/{api-keys}", Role.ADMINISTRATOR, None),
    ("POST", "/factories/current/provider-accounts/{provider-accounts}/disable", Role.ADMINISTRATOR, {}),
]
# What stands in these places is no id: a month, or the name of a report.
NO_IDS = {"pay_period", "name", "report"}


def test_every_address_with_an_id_is_tried() -> None:
    tried = {(method, re.sub(r"{[^}]+}", "{}", path.partition("?")[0])) for method, path, _, _ in ADDRESSES}
    for route in (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)):
        path = route.path.removeprefix("/api/v1")
        if set(re.findall(r"{([^}]+)}", path)) - NO_IDS:
            assert {(method, re.sub(r"{[^}]+}", "{}", path)) for method in route.methods or ()} <= tried, path


async def test_ids_of_another_factory_are_not_found(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    theirs = {name: str(id_) for name, id_ in (await furnish(services, other_factory)).items()}
    headers = {role: await bearer(services, factory.people[role]) for role in Role}
    own = {role: await bearer(services, other_factory.people[role]) for role in Role}
    for number, (method, path, role, body) in enumerate(ADDRESSES):
        files, form = (body, None) if body is UPLOAD else (None, body)
        url = "/api/v1" + path.replace("{", "%(").replace("}", ")s") % theirs
        sent = None if form is None else {name: value % theirs if isinstance(value, str) else value for name, value in _named(form).items()}
        key = {"Idempotency-Key": f"tenancy-{number:04d}"}
        response = await client.request(method, url, headers=headers[role] | key, json=sent, files=files)
        assert (response.status_code, response.json()["code"]) == (404, "not_found"), f"{method} {path}: {response.text}"
        # The same address is there for its own people: the 404 above is not a misspelt address.
        answer = await client.request(method, url, headers=own[role] | key, json=sent, files=files)
        assert answer.status_code != 404 or answer.json()["code"] != "not_found", f"{method} {path}"
        assert answer.status_code not in (401, 403) or answer.json()["code"] == "four_eyes", f"{method} {path}: {answer.text}"


def _named(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value.replace("{", "%(").replace("}", ")s") if isinstance(value, str) else value for name, value in body.items()}


async def test_lists_hold_ones_own_only(
    client: httpx.AsyncClient, services: Services, factory: SampleFactory, other_factory: SampleFactory
) -> None:
    theirs = await furnish(services, other_factory)
    headers = await bearer(services, factory.administrator)
    for name in (
        "payroll-files",
        "pay-runs",
        "payments",
        "workers",
        "statements",
        "settlement/breaks",
        "slips",
        "alarms",
        "proposals",
        "worker-changes",
        "shared-accounts",
        "restore-checks",
    ):
        assert (await client.get(f"/api/v1/{name}", headers=headers)).json() == {"items": [], "next": None}
    told = (await client.get("/api/v1/audit/events?limit=200", headers=headers)).text
    assert not any(str(id_) in told for id_ in theirs.values())
    assert len((await client.get("/api/v1/users", headers=headers)).json()["items"]) == len(Role)
