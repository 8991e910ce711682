"""The OpenAPI page: true to its own rules, complete, and served without any outside host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, TypedDict

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from customers.api.views import SearchView
from customers.querysets import EmailInUse
from finora.api import docs, errors, schema
from finora.api.envelope import as_api_error
from finora.api.shapes import Schemas
from finora.tests.kit.fixtures import Api

OPERATIONS = {
    "listCustomers": ("get", "/v1/customers"),
    "createCustomer": ("post", "/v1/customers"),
    "searchCustomers": ("get", "/v1/customers/search"),
    "findOrCreateCustomer": ("post", "/v1/customers/find-or-create"),
    "exportCustomers": ("get", "/v1/customers/export"),
    "importCustomers": ("post", "/v1/customers/import"),
    "getImport": ("get", "/v1/imports/{id}"),
    "getCustomer": ("get", "/v1/customers/{id}"),
    "updateCustomer": ("put", "/v1/customers/{id}"),
    "deleteCustomer": ("delete", "/v1/customers/{id}"),
    "listInvoices": ("get", "/v1/invoices"),
    "createInvoice": ("post", "/v1/invoices"),
    "getInvoice": ("get", "/v1/invoices/{id}"),
    "updateInvoice": ("put", "/v1/invoices/{id}"),
    "listReceipts": ("get", "/v1/receipts"),
    "createReceipt": ("post", "/v1/receipts"),
    "getReceipt": ("get", "/v1/receipts/{id}"),
    "voidReceipt": ("delete", "/v1/receipts/{id}"),
    "getParty": ("get", "/v1/customers/{id}/party"),
    "listApiKeys": ("get", "/v1/api-keys"),
    "revokeApiKey": ("delete", "/v1/api-keys/{id}"),
    "getUsage": ("get", "/v1/usage"),
    "checkHealth": ("get", "/healthz"),
    "checkReadiness": ("get", "/readyz"),
}
EVERYWHERE = {
    "401": {"UNAUTHORIZED", "INVALID_API_KEY"},
    "403": {"FORBIDDEN", "BUSINESS_SUSPENDED"},
    "405": {"METHOD_NOT_ALLOWED"},
    "429": {"RATE_LIMIT"},
    "500": {"INTERNAL_ERROR"},
    "503": {"SERVICE_UNAVAILABLE"},
}
PARAMETERS = {"400": {"INVALID_REQUEST", "MISSING_BUSINESS_ID"}}
BODY = {
    "400": {"INVALID_REQUEST", "VALIDATION_ERROR"},
    "408": {"INVALID_REQUEST"},
    "413": {"INVALID_REQUEST"},
    "415": {"INVALID_REQUEST"},
}
FILE = BODY | {"400": {"INVALID_REQUEST"}}
READ = {"400": {"INVALID_REQUEST"}}
NOT_FOUND = {"404": {"NOT_FOUND"}}
CONFLICT = {"409": {"CONFLICT"}}
REFUSED = {"422": {"BUSINESS_LOGIC_ERROR"}}
NOT_ALLOWED = {"405": {"METHOD_NOT_ALLOWED"}}
ERRORS = {
    "listCustomers": EVERYWHERE | PARAMETERS,
    "searchCustomers": EVERYWHERE | PARAMETERS,
    "createCustomer": EVERYWHERE | BODY | CONFLICT,
    "findOrCreateCustomer": EVERYWHERE | BODY | CONFLICT,
    "exportCustomers": EVERYWHERE | PARAMETERS,
    "importCustomers": EVERYWHERE | FILE | CONFLICT,
    "getImport": EVERYWHERE | READ | NOT_FOUND,
    "getCustomer": EVERYWHERE | READ | NOT_FOUND,
    "updateCustomer": EVERYWHERE | BODY | NOT_FOUND | CONFLICT,
    "deleteCustomer": EVERYWHERE | READ | NOT_FOUND,
    "listInvoices": EVERYWHERE | PARAMETERS,
    "createInvoice": EVERYWHERE | BODY | CONFLICT | REFUSED,
    "getInvoice": EVERYWHERE | READ | NOT_FOUND,
    "updateInvoice": EVERYWHERE | BODY | NOT_FOUND | REFUSED,
    "listReceipts": EVERYWHERE | PARAMETERS,
    "createReceipt": EVERYWHERE | BODY | CONFLICT | REFUSED,
    "getReceipt": EVERYWHERE | READ | NOT_FOUND,
    "voidReceipt": EVERYWHERE | READ | NOT_FOUND,
    "getParty": EVERYWHERE | READ | NOT_FOUND | REFUSED,
    "listApiKeys": EVERYWHERE | READ,
    "revokeApiKey": EVERYWHERE | READ | NOT_FOUND,
    "getUsage": EVERYWHERE | READ,
    "checkHealth": NOT_ALLOWED,
    "checkReadiness": NOT_ALLOWED | {"503": {"SERVICE_UNAVAILABLE"}},
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return docs.document()


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        target: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """For a schema of the document, with the components that it refers to; formats are checked."""
    whole = schema | {"components": document["components"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for operation in path.values():
            yield operation["operationId"], operation


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, media type object) of every body and every answer."""
    for name, operation in operations(document):
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} body", media
        for status, response in operation["responses"].items():
            [media] = resolved(document, response)["content"].values()
            yield f"{name} {status}", media


def codes_of(document: dict[str, Any], media: dict[str, Any]) -> set[str]:
    failure = resolved(document, media["schema"])
    return set(failure["properties"]["error"]["properties"]["code"]["enum"])


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema object that the document holds outside of examples."""
    if isinstance(part, dict):
        if "schema" in part:
            yield part["schema"]
        for name, value in part.items():
            if name not in ("example", "examples"):
                yield from schemas(value)
    elif isinstance(part, list):
        for value in part:
            yield from schemas(value)


# The document.


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate_schema(document)


def test_every_schema_in_it_is_a_valid_json_schema(document):
    found = [*schemas(document), *document["components"]["schemas"].values()]
    assert len(found) > 50
    for each in found:
        Draft202012Validator.check_schema(each)


def test_spectacular_builds_it_without_a_warning():
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=StringIO())


def test_an_endpoint_that_is_not_described_fails_the_build(monkeypatch):
    from drf_spectacular.management.commands.spectacular import SchemaGenerationError

    monkeypatch.delattr(SearchView.get, "operation")
    with pytest.raises(SchemaGenerationError):
        call_command("spectacular", fail_on_warn=True, stdout=StringIO())


def test_every_reference_leads_somewhere_and_no_component_is_left_over(document):
    references = set(re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(document)))
    for reference in references:
        resolved(document, {"$ref": reference})
    for section in ("schemas", "headers"):
        for name in document["components"][section]:
            assert f"#/components/{section}/{name}" in references


def test_every_endpoint_is_described_under_its_own_id(document):
    found = {
        operation["operationId"]: (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert found == OPERATIONS
    assert len(list(operations(document))) == len(OPERATIONS)
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        if operation["tags"] != ["Probes"]:
            assert operation["security"] == [{"apiKey": []}], name


def test_each_code_stands_at_its_status_in_each_operation(document):
    for name, operation in operations(document):
        errors = {
            status: codes_of(document, resolved(document, response)["content"]["application/json"])
            for status, response in operation["responses"].items()
            if status >= "400"
        }
        assert errors == ERRORS[name], name


def test_every_code_of_the_contract_is_explained(document):
    anywhere = set().union(*(codes for each in ERRORS.values() for codes in each.values()))
    # A path outside v1 is no operation, so this code stands in the general part only.
    assert {kind.code for kind in errors.every_kind()} == anywhere | {"INVALID_VERSION"}
    for kind in errors.every_kind():
        line = f"| {kind.status} | `{kind.code}` | {kind.meaning} |"
        assert line in document["info"]["description"]


def test_the_error_table_of_the_docs_is_the_one_that_answers_are_made_from():
    page = Path(settings.BASE_DIR, "docs", "errors.md").read_text()
    assert errors.table() in page


def test_headers_stand_where_they_are_sent(document):
    rate_limit = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    more = {
        "401": {"WWW-Authenticate"},
        "405": {"Allow"},
        "408": set(),
        "429": {"Retry-After"},
        "503": {"Retry-After"},
    }
    for name, operation in operations(document):
        if operation["tags"] == ["Probes"]:
            continue
        for status, response in operation["responses"].items():
            expected = {"X-Request-Id", "Cache-Control"} | more.get(status, set())
            if status not in ("401", "408"):
                expected |= rate_limit
            makes = name in ("createCustomer", "createInvoice", "createReceipt", "importCustomers")
            if makes and status in ("201", "202"):
                expected |= {"Location"}
            if (makes or name == "findOrCreateCustomer") and status < "300":
                expected |= {"Idempotency-Replayed"}
            assert set(resolved(document, response)["headers"]) == expected, (name, status)


def test_every_body_and_answer_has_examples_that_its_schema_allows(document):
    for where, media in contents(document):
        assert media["examples"], where
        for example in media["examples"].values():
            validator(document, media["schema"]).validate(example["value"])


def test_the_references_customer_is_the_example(document):
    answer = document["paths"]["/v1/customers/{id}"]["get"]["responses"]["200"]
    example = answer["content"]["application/json"]["examples"]["acme"]["value"]
    assert example["data"]["name"] == "Acme Ltd"
    assert len(example["data"]) == 11


# True to the server: what schemas say of real answers and of bodies.


def test_answers_are_closed_and_the_real_ones_fit(document, api: Api):
    created = api.post("/v1/customers", {"name": "Ada", "email": "ada@example.com"})
    public_id = created.json()["data"]["id"]
    seen = {
        ("/v1/customers", "post", "201"): created,
        ("/v1/customers", "get", "200"): api.get("/v1/customers"),
        ("/v1/customers", "get", "400"): api.get("/v1/customers", {"limit": "0"}),
        ("/v1/customers/search", "get", "200"): api.get("/v1/customers/search", {"q": "ada"}),
        ("/v1/customers/{id}", "get", "200"): api.get(f"/v1/customers/{public_id}"),
        ("/v1/customers/{id}", "get", "404"): api.get("/v1/customers/cust_none"),
        ("/v1/customers/{id}", "delete", "200"): api.delete(f"/v1/customers/{public_id}"),
        ("/v1/customers/{id}", "put", "409"): api.put(f"/v1/customers/{public_id}", {}),
    }
    for (path, method, status), response in seen.items():
        assert str(response.status_code) == status
        described = resolved(document, document["paths"][path][method]["responses"][status])
        check = validator(document, described["content"]["application/json"]["schema"])
        answer = response.json()
        check.validate(answer)
        member = "data" if answer["success"] else "error"
        assert not check.is_valid(answer | {"more": 1})
        assert not check.is_valid(answer | {member: answer[member] | {"more": 1}})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 200),
        ("name", "x" * 201),
        ("name", f"\t {'x' * 200}\r\n"),
        ("name", f" {'x' * 201} "),
        ("name", " "),
        ("name", None),
        ("name", "a\tb"),
        ("name", "Adébáyọ̀ \U0001f1f3\U0001f1ec"),
        ("name", "\x85x"),
        ("phone", " \n"),
        ("phone", "n/a"),
        ("phone", "a\u2028b"),
        ("phone", "a\x7fb"),
        ("address", "15 Adeola Odeku St\r\nLagos"),
        ("address", "a\tb"),
        ("tin", " - 12/A "),
        ("tin", "-/-"),
        ("tin", "12345678_0001"),
        ("tin", "1" * 33),
        ("tin", ""),
        ("companyName", 7),
        ("email", "a@b.co"),
        ("email", "nobody"),
        ("email", None),
        ("unknown", {"any": ["thing"]}),
    ],
)
def test_a_body_is_accepted_exactly_when_its_schema_allows_it(document, api: Api, field, value):
    body = {"name": "Ada", "email": "ada@example.com", field: value}
    schema = {"$ref": "#/components/schemas/CustomerBody"}
    allowed = validator(document, schema).is_valid(body)
    response = api.post("/v1/customers", body)
    assert response.status_code == (201 if allowed else 400), response.content


# The pages.


@pytest.fixture
def static_files(settings: Any) -> None:
    """Static files under their own names: tests collect none."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.json/"])
def test_it_is_served_as_json_to_anyone(client: Client, document, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert re.fullmatch(r"req_[a-z0-9]{16}", response["X-Request-Id"])
    assert response.json() | {"servers": document["servers"]} == document


def test_it_is_built_once(client: Client, monkeypatch, document):
    monkeypatch.delattr(docs.SchemaGenerator, "get_schema")
    assert client.get("/openapi.json").json()["paths"] == document["paths"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS"])
def test_another_method_is_refused_in_the_envelope(method, path):
    response = Client(enforce_csrf_checks=True).generic(method, path)
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert response["Allow"] == "GET, HEAD"


def test_a_post_to_an_unknown_path_gets_the_envelope_and_no_csrf_page():
    response = Client(enforce_csrf_checks=True).post("/nowhere")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize("path", ["/docs", "/docs/", "/redoc", "/redoc/"])
def test_a_page_loads_only_files_that_are_served_from_here(client: Client, path):
    response = client.get(path)
    assert response.status_code == 200
    page = response.content.decode()
    assert "<title>Finora customers API</title>" in page
    assert 'data-schema="/openapi.json"' in page
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/")), address


@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_has_no_inline_script_or_style(client: Client, path):
    page = client.get(path).content.decode()
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert not re.search(r"<style|\son\w+=|\sstyle=|javascript:", page)


# What the fuzzer found.


@pytest.mark.parametrize("name", ["phone", "tin", "email"])
def test_a_control_character_around_a_filter_is_refused_as_it_is_in_a_body(api: Api, name):
    value = {"phone": "0803", "tin": "123", "email": "a@b.co"}[name]
    assert api.get("/v1/customers", {name: f" {value}\n"}).status_code == 200
    response = api.get("/v1/customers", {name: f"{value}\x1c"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "INVALID_REQUEST"


# What answers are written from.


def test_two_shapes_of_one_name_fail_the_build():
    class Status(TypedDict):
        other: str

    schemas = Schemas()
    schemas.of(schema.Status)
    with pytest.raises(TypeError, match="Status"):
        schemas.of(Status)


def test_a_module_s_exception_is_answered_by_its_own_table():
    answer = as_api_error(EmailInUse("cust_abc"))
    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert "cust_abc" in answer.message
