"""The OpenAPI document says everything that a client's author needs."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

METHODS = ("get", "post", "put", "delete", "patch")
STABLE = {
    "createSession", "getSession", "deleteSession", "uploadPayrollFile", "listPayrollFiles", "getPayrollFile", "listPayrollFileProblems",
    "getAnnotatedPayrollFile", "confirmPayrollFileLayout", "choosePayrollFileSheets", "setPayrollFileControl",
    "listPayrollFileOverlap", "answerPayrollFileOverlap", "createPayRun", "listPayRuns", "getPayRun", "listDiscrepancies",
    "resolveDiscrepancies", "submitPayRun", "approvePayRun", "rejectPayRun", "releasePayRun", "listPayRunPayments", "listPayRunItems",
    "watchPayRun", "confirmCash", "listPayments", "getPayment", "holdPayment", "unholdPayment", "cancelPayment", "listWorkers", "getWorker",
    "decideDestination", "uploadStatement", "listStatements", "getStatement", "listBreaks", "closeBreak", "listSlips", "listAuditEvents",
    "getFactory", "setExchangeRate", "setPolicies", "listProviderAccounts", "addProviderAccount", "disableProviderAccount", "listUsers",
    "createUser", "disableUser", "setUserRoles", "setUserPassword", "listApiKeys", "createApiKey", "revokeApiKey", "getTemplate",
    "listColumns",
    "getLaw", "listLawValues", "addLawValue", "signOffLawValue", "withdrawLawValue", "askWhatIf", "agreeDiscrepancies",
}  # fmt: skip


@pytest.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, each) for path, methods in document["paths"].items() for method, each in methods.items() if method in METHODS]


def test_names_that_clients_rely_on_stay(document: dict[str, Any]) -> None:
    names = [each["operationId"] for _, _, each in operations(document)]
    assert len(set(names)) == len(names)
    assert set(names) >= STABLE


def test_nothing_is_left_to_guess(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, each in operations(document):
        place = f"{method} {path}"
        assert each["summary"], place
        assert each["description"], place
        assert set(each["tags"]) <= tags, place
        assert path.startswith("/api/v1/"), place
        assert "500" in each["responses"], place
        assert any(status.startswith("2") for status in each["responses"]), place
        for status, response in each["responses"].items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"], f"{place} {status}"
                assert response["content"]["application/problem+json"]["examples"], f"{place} {status}"


def test_what_creates_asks_for_a_key_and_what_lists_has_pages(document: dict[str, Any]) -> None:
    for method, path, each in operations(document):
        parameters = {(parameter["in"], parameter["name"]) for parameter in each.get("parameters", [])}
        creates = method == "post" and "201" in each["responses"] and path != "/api/v1/sessions"
        assert (("header", "Idempotency-Key") in parameters) == creates, path
        if ("query", "cursor") in parameters:
            assert ("query", "limit") in parameters, path


def test_money_is_text_and_no_figure_is_a_float(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Amount"]["properties"]["amount"]["type"] == "string"
    for name, schema in schemas.items():
        assert "'type': 'number'" not in str(schema), name


def test_every_reference_leads_somewhere_and_every_input_is_closed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/([A-Za-z0-9_.-]+)", str(document)):
        assert name in schemas
    for _, path, each in operations(document):
        content = each.get("requestBody", {}).get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref")
        if reference:
            assert schemas[reference.rpartition("/")[2]]["additionalProperties"] is False, path


def test_output_shapes_give_examples(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("Amount", "FileOut", "RunOut", "PaymentOut", "WorkerOut", "StatementOut", "SlipOut", "EventOut", "FactoryOut", "UserOut"):
        assert "examples" in str(schemas[name]), name
