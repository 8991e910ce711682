"""What other people's tools make of the document: linters, client generators, browsers.

Redocly's and Spectral's recommended rules are JavaScript, so they run by hand (CONTRIBUTING.md);
those that once found something are tests here.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import subprocess
import sys
from datetime import timedelta
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from finora import clock
from finora.api import docs
from finora.tests.kit import factories
from finora.tests.kit.fixtures import Api
from finora.tests.kit.tasks import run_tasks

PACKAGE = "generated_client"

# It would look for ruff in the PATH, and is told that files of customers are files.
CONFIG = """
post_hooks: []
content_type_overrides:
  application/x-ndjson: application/octet-stream
  text/csv: application/octet-stream
"""


@pytest.fixture
def document() -> dict[str, Any]:
    return docs.document()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for path in document["paths"].values() for each in path.values()]


# Linters.


def test_linters_find_who_serves_it_and_under_which_terms(document):
    assert document["info"]["contact"]["name"]
    assert document["info"]["license"].keys() == {"name", "identifier"}
    assert document["servers"]


def test_every_tag_is_explained(document):
    used = {tag for operation in operations(document) for tag in operation["tags"]}
    assert {tag["name"] for tag in document["tags"] if tag["description"]} == used


def test_every_operation_describes_a_refusal(document):
    for operation in operations(document):
        assert any(status.startswith("4") for status in operation["responses"]), operation


def test_a_choice_of_values_has_a_type_and_nothing_is_laid_over_a_schema(document):
    """A generator made 288 files of `allOf` with a bare enum beside it, and they did not import."""

    def check(part):
        if isinstance(part, dict):
            assert "allOf" not in part
            if {"const", "enum"} & part.keys():
                assert "type" in part, part
            for name, value in part.items():
                if name not in ("example", "examples"):
                    check(value)
        elif isinstance(part, list):
            for value in part:
                check(value)

    check(document)


# Who serves it, to whom.


def test_it_names_the_address_and_environment_that_serve_it(client: Client, settings):
    def server(**headers):
        [server] = client.get("/openapi.json", headers=headers).json()["servers"]
        return server

    settings.ALLOWED_HOSTS = ["api.finora.test"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert server(host="api.finora.test:8000") == {
        "url": "http://api.finora.test:8000",
        "description": "The test environment.",
    }
    behind = server(**{"host": "api.finora.test", "x-forwarded-proto": "https"})
    assert behind["url"] == "https://api.finora.test"
    elsewhere = client.get("/openapi.json", headers={"host": "elsewhere.test"})
    assert elsewhere.status_code == 400
    assert elsewhere.json()["error"]["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_a_page_of_another_origin_is_given_no_answer(document, api: Api, method):
    """A key does not belong in a browser, which asks for these headers before it hands one over."""
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    response = api.call(method, "/v1/customers", headers=asked)
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert "no CORS headers" in document["info"]["description"]


# A client that another project's generator makes of it.


@pytest.fixture
def made(live_server: Any, tmp_path: Any, monkeypatch: Any) -> ModuleType:
    """The client, generated from what the server serves; all of its modules are imported."""
    (tmp_path / "config.yml").write_text(CONFIG)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--url", f"{live_server.url}/openapi.json", "--meta", "none"),
            *("--config", "config.yml", "--output-path", PACKAGE),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    monkeypatch.syspath_prepend(tmp_path)
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_every_endpoint_is_called_by_a_generated_client(
    made: ModuleType, live_server: Any, request: Any
):
    business = factories.business()
    key = factories.api_key(business)[1]
    spare = factories.api_key(business)[0]
    models, called = made.models, set()
    client = made.AuthenticatedClient(base_url=live_server.url, token=key)
    request.addfinalizer(client.get_httpx_client().close)

    def call(path: str, status: int, /, *arguments: Any, **parameters: Any) -> Any:
        """What the client makes of the answer."""
        module = importlib.import_module(f"{PACKAGE}.api.{path}")
        answer = module.sync_detailed(*arguments, client=client, **parameters)
        assert answer.status_code == HTTPStatus(status), answer.content
        assert answer.parsed is not None
        called.add(module.__name__)
        return answer.parsed

    ours = {"business_id": business.public_id}
    body = models.CustomerBody(name="Ọlá Ade", email="Ola@example.com", phone="0803 123 4567")
    made_now = call("customers.create_customer", 201, body=body, idempotency_key="order-1").data
    again = call("customers.create_customer", 201, body=body, idempotency_key="order-1").data
    assert made_now == again
    assert (made_now.email, made_now.tin, made_now.is_active) == ("ola@example.com", None, True)
    taken = call("customers.create_customer", 409, body=body)
    assert isinstance(taken, models.ConflictError)
    assert [detail.field for detail in taken.error.details] == ["email"]
    id = made_now.id

    jane = models.FindOrCreateBody(email="jane@example.com")
    assert call("customers.find_or_create_customer", 201, body=jane).data.created is True
    assert call("customers.find_or_create_customer", 200, body=jane).data.created is False
    changes = models.CustomerChanges(company_name="Ade & Co", phone=None)
    changed = call("customers.update_customer", 200, id, body=changes)
    assert (changed.data.company_name, changed.data.phone) == ("Ade & Co", None)
    assert call("customers.get_customer", 200, id).data == changed.data
    missing = call("customers.get_customer", 404, "cust_none")
    assert missing.error.code == "NOT_FOUND"

    assert call("customers.get_party", 422, id).error.code == "BUSINESS_LOGIC_ERROR"

    page = call("customers.list_customers", 200, limit=1, **ours)
    assert (page.data.count, page.data.customers[0].name) == (1, "jane")
    rest = call("customers.list_customers", 200, limit=1, cursor=page.meta.next_cursor, **ours)
    assert rest.data.customers == [changed.data]
    filters = {"status": models.ListCustomersStatus.ALL, "email": "ola@example.com"}
    since = clock.now() - timedelta(hours=1)
    filtered = call("customers.list_customers", 200, updated_since=since, **filters, **ours)
    assert filtered.data.customers == [changed.data]
    found = call("customers.search_customers", 200, q="ola a", **ours)
    assert found.data.customers == [changed.data]
    exported = call("customers.export_customers", 200, **ours)
    assert exported.splitlines()[-1] == b'{"count":2}'
    file = made.types.File(payload=io.BytesIO(b'{"email": "bola@example.com"}\n'))
    begun = call("customers.import_customers", 202, body=file).data
    run_tasks()
    done = call("customers.get_import", 200, begun.id).data
    assert (done.state, done.created, done.report) == (models.ImportState.DONE, 1, [])
    item = models.LineItemBody(description="Advice", quantity=1.5, unit_price=100.1)
    sold = models.InvoiceBody(customer_id=id, line_items=[item], vat_rate=0)
    draft = call("invoices.create_invoice", 201, body=sold).data
    sent = models.InvoiceEditChanges(status=models.InvoiceEditChangesStatus.SENT)
    invoice = call("invoices.update_invoice", 200, draft.id, body=sent).data
    assert (invoice.total, invoice.line_items[0].quantity) == (150.15, 1.5)
    assert call("invoices.get_invoice", 200, draft.id).data == invoice
    assert call("invoices.list_invoices", 200, **ours).data.invoices == [invoice]
    part = models.AllocationBody(invoice_id=draft.id, amount_allocated=50)
    cash = models.ReceiptBodyPaymentMethod.CASH
    paid = models.ReceiptBody(amount=60, payment_method=cash, allocations=[part])
    receipt = call("receipts.create_receipt", 201, body=paid).data
    assert (receipt.customer_id, receipt.unallocated_amount) == (id, 10)
    assert call("receipts.get_receipt", 200, receipt.id).data == receipt
    listed = call("receipts.list_receipts", 200, from_=invoice.invoice_date, **ours)
    assert listed.data.receipts == [receipt]
    assert call("receipts.void_receipt", 200, receipt.id).data.allocations == []
    assert call("customers.delete_customer", 200, id).data.is_active is False

    keys = call("api_keys.list_api_keys", 200).data
    assert {each.key_id for each in keys.api_keys} >= {spare.public_id}
    assert call("api_keys.revoke_api_key", 200, spare.public_id).data.is_active is False
    assert call("api_keys.get_usage", 200).data.total_calls_all_time > 0
    assert call("probes.check_health", 200).data.status == "ok"
    assert call("probes.check_readiness", 200).data.status == "ok"

    api = importlib.import_module(f"{PACKAGE}.api")
    modules = pkgutil.walk_packages(api.__path__, f"{PACKAGE}.api.")
    assert called == {module.name for module in modules if not module.ispkg}
    assert len(called) == 24
