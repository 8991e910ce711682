"""What Schemathesis is told beside the OpenAPI page (SCHEMATHESIS_HOOKS): no check is off.

Three findings are dropped, each only where the contract itself asks for the answer:
- What is deleted stays readable: a customer with `isActive: false`, a void receipt with nothing
  allocated and nothing left; `use_after_free` expects a 404.
- BUSINESS_LOGIC_ERROR: a well-formed body that the books do not allow. `positive_data_acceptance`
  expects every body of the shape to do.
- A cursor is opaque: no schema can tell one that the list gave from one made up in its shape, and
  the made-up one is refused. `positive_data_acceptance` expects every value of the shape to do.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import Any

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

BUSINESS_ID = os.environ["FUZZ_BUSINESS_ID"]
SPARE_KEY_ID = os.environ["FUZZ_SPARE_KEY_ID"]
CUSTOMER_ID = os.environ["FUZZ_CUSTOMER_ID"]
INVOICE_ID = os.environ["FUZZ_INVOICE_ID"]
IDS = {"customerId": CUSTOMER_ID, "invoiceId": INVOICE_ID}
AMOUNTS = {
    "unitPrice": 1e8, "amount": 1e8, "amountAllocated": 1e8, "vatRate": 100, "quantity": 1e6,
}  # fmt: skip
DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d)")
IMPORT_ID = os.environ["FUZZ_IMPORT_ID"]
KEY_ID = re.compile(r"key_[0-9a-z]{1,36}")
IMPORTS = re.compile(r"imp_[0-9a-z]{1,36}")
CURSOR = re.compile(r"[A-Za-z0-9_-]+")
LISTS = ("GET /v1/customers", "GET /v1/invoices", "GET /v1/receipts")
given_cursors: defaultdict[str, list[str]] = defaultdict(list)


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(context: Any, value: Any) -> bytes:
    """A file: its text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """Well-formed made-up values give way to ones that lead somewhere; the others stay wrong."""
    if not query:
        return query
    if isinstance(business_id := query.get("businessId"), str) and business_id:
        query["businessId"] = BUSINESS_ID
    cursor = query.get("cursor")
    given = given_cursors[context.operation.label] if context.operation else []
    if given and isinstance(cursor, str) and CURSOR.fullmatch(cursor):
        query["cursor"] = given[len(cursor) % len(given)]
    return query


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """No empty file: of a `binary`, as generators of clients know a file, it reads no minLength."""
    return bool(body not in (b"", ""))


def leading_somewhere(name: str, value: Any) -> Any:
    """Well-formed made-up values give way to ones that fit together: ids that are there, a date
    that nothing is due after, amounts that come to no more than an invoice may; and numbers get no
    more decimals than are taken, which no schema can say (see finora.api.fields.Number).
    """
    if isinstance(value, dict):
        return {key: leading_somewhere(key, each) for key, each in value.items()}
    if isinstance(value, list):
        some = value[:1] if name == "allocations" else value  # it names an invoice once
        return [leading_somewhere(name, each) for each in some]
    if name in AMOUNTS and type(value) in (int, float) and 0 <= value <= AMOUNTS[name]:
        return 1 if name == "quantity" else round(min(value, 1000), 2)
    if name in IDS and isinstance(value, str) and 0 < len(value.strip()) <= 40:
        return IDS[name]
    if name == "dueDate" and isinstance(value, str) and DAY.fullmatch(value):
        return "9999-12-31"
    return value


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Revokes a spare key, never the fuzzer's own: every later answer would be a 401. Well-formed
    bodies lead somewhere. An import that is asked for is one that there is: what begins one says
    its address in a header alone.
    """
    if case.meta and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        case.body = leading_somewhere("", case.body)
    if case.operation.label == "GET /v1/imports/{id}":
        public_id = (case.path_parameters or {}).get("id")
        if isinstance(public_id, str) and IMPORTS.fullmatch(public_id):
            case.path_parameters["id"] = IMPORT_ID
    if case.operation.label == "DELETE /v1/api-keys/{id}":
        public_id = (case.path_parameters or {}).get("id")
        if isinstance(public_id, str) and KEY_ID.fullmatch(public_id):
            case.path_parameters["id"] = SPARE_KEY_ID


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remembers the cursors that the list gives."""
    if case.operation.label in LISTS and response.status_code == 200:
        cursor = response.json()["meta"].get("nextCursor")
        given = given_cursors[case.operation.label]
        if cursor and cursor not in given and len(given) < 20:
            given.append(cursor)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether the finding counts."""
    label = case.operation.label
    if isinstance(failure, UseAfterFree) and label == "GET /v1/customers/{id}/party":
        return False  # of a deleted customer too: its invoices are there
    if isinstance(failure, UseAfterFree):
        data = response.json()["data"]
        if label == "GET /v1/customers/{id}":
            return data["isActive"] is not False
        is_void = label == "GET /v1/receipts/{id}" and data["unallocatedAmountKobo"] == 0
        return not (is_void and data["allocations"] == [])
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        return response.json()["error"]["code"] != "BUSINESS_LOGIC_ERROR"
    if isinstance(failure, RejectedPositiveData) and label in LISTS:
        blamed = {detail["field"] for detail in response.json()["error"].get("details", [])}
        return blamed != {"cursor"} or case.query["cursor"] in given_cursors[label]
    return True
