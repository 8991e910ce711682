"""What an endpoint takes: a view, a URL and its shapes. Here is one of a module that is made up."""

from __future__ import annotations

import re
from typing import Annotated, TypedDict

import pytest
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, re_path
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework import serializers
from rest_framework.request import Request

from finora.api import errors
from finora.api.cursor import make_cursor, read_cursor
from finora.api.envelope import success
from finora.api.errors import ApiError, ErrorKind
from finora.api.fields import Text
from finora.api.idempotency import idempotent
from finora.api.models import StoredAnswer
from finora.api.operations import EVERYWHERE, OF_A_BODY, Answer, Tag, operation
from finora.api.parameters import path_id
from finora.api.shapes import Says
from finora.api.views import ApiView
from finora.sealing.validators import Characters, allows
from finora.tests.kit.answers import accepted, refused

# Its rules.


class AlreadyPaid(Exception):
    pass


@allows(Characters("[A-F]", "[A-F-]"))
def invoice_number(value: str) -> None:
    if not re.fullmatch("[A-F](?:[A-F-]*[A-F])?", value):
        raise ValidationError("A to F and hyphens.")


# Its shapes.


class Invoice(TypedDict):
    """An invoice, as it is answered."""

    number: Annotated[str, Says(maxLength=8)]


class InvoiceBody(serializers.Serializer):
    number = Text(max_length=8, validators=[invoice_number])


# Its view and its URL.

PAID = ErrorKind(409, "CONFLICT", "The invoice is paid.", "the invoice is paid")
GONE: list[str] = []


def is_there(view: ApiView, data: Invoice) -> bool:
    return data["number"] not in GONE


class InvoiceView(ApiView):
    id_parameter = path_id("inv", "The invoice's id.")

    @operation(
        "payInvoice",
        "Pay an invoice",
        "At once.",
        tag=Tag("Invoices", "What customers owe."),
        body=InvoiceBody,
        body_examples={"one": {"number": "A-F"}},
        answers={200: Answer("Paid.", Invoice, {"one": {"number": "A-F"}})},
        errors=(PAID,),
    )
    @idempotent(kept_while=is_there)
    def post(self, request: Request, **_: str) -> HttpResponse:
        number = self.read(InvoiceBody)["number"]
        if number == "FF":
            raise AlreadyPaid
        data: Invoice = {"number": number}
        return success(request, data)


urlpatterns = [
    re_path(r"^v1/invoices/(?P<id>[^/]+)/?$", InvoiceView.as_view()),
    re_path("", include("finora.urls")),
]


@pytest.fixture(autouse=True)
def served(monkeypatch):
    # The kind was declared when this file was read: the product's own document has no such line.
    monkeypatch.setattr(errors, "_domain", errors._domain | {AlreadyPaid: lambda _: PAID()})
    GONE.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield


errors._every.remove(PAID)


def test_it_is_in_the_document_with_its_shapes_and_every_error():
    document = SchemaGenerator(patterns=urlpatterns[:1]).get_schema(request=None, public=True)
    said = document["paths"]["/v1/invoices/{id}"]["post"]
    assert (said["operationId"], said["tags"]) == ("payInvoice", ["Invoices"])
    assert [each["name"] for each in said["parameters"]] == ["id", "businessId", "Idempotency-Key"]
    schemas = document["components"]["schemas"]
    assert schemas["Invoice"]["properties"] == {"number": {"type": "string", "maxLength": 8}}
    kinds = {*EVERYWHERE, *OF_A_BODY, errors.NOT_FOUND, errors.KEY_REUSED, PAID}
    assert said["responses"].keys() == {"200", *(str(kind.status) for kind in kinds)}
    for kind in kinds:
        response = said["responses"][str(kind.status)]
        assert kind.meaning.lower() in response["description"].lower()
        examples = response["content"]["application/json"]["examples"].values()
        assert kind.message in {each["value"]["error"]["message"] for each in examples}


@pytest.mark.parametrize("number", ["A", " A-F ", "A--", "-A", "G", "", "ABCDEFAB", "ABCDEFABC"])
def test_a_modules_validator_says_what_passes_it(api, number):
    document = SchemaGenerator(patterns=urlpatterns[:1]).get_schema(request=None, public=True)
    schema = document["components"]["schemas"]["InvoiceBody"]
    answer = api.post("/v1/invoices/inv_1", {"number": number})
    assert (answer.status_code == 200) is Draft202012Validator(schema).is_valid({"number": number})


def test_its_rules_are_answered_as_its_table_says(api):
    assert accepted(api.post("/v1/invoices/inv_1", {"number": "A"})) == {"number": "A"}
    refused(api.post("/v1/invoices/inv_1", {"number": "FF"}), 409, "CONFLICT")
    refused(api.get("/v1/invoices/inv_1"), 405, "METHOD_NOT_ALLOWED")


def test_an_answer_is_kept_while_what_it_tells_of_is_there(api):
    again = {"headers": {"Idempotency-Key": "one"}}
    GONE.append("A")
    accepted(api.post("/v1/invoices/inv_1", {"number": "A"}, **again))
    assert not StoredAnswer.objects.exists()
    GONE.clear()
    for replayed in (None, "true"):
        answer = api.post("/v1/invoices/inv_1", {"number": "A"}, **again)
        assert accepted(answer) == {"number": "A"}
        assert answer.get("Idempotency-Replayed") == replayed


def test_a_cursor_is_good_for_one_list_of_one_business(business, other_business):
    place = (b"sort\0key", b"inv_1")
    cursor = make_cursor(business.pk, "invoices", place)
    assert read_cursor(business.pk, "invoices", cursor) == place
    for where in ((other_business.pk, "invoices"), (business.pk, "customers")):
        with pytest.raises(ApiError):
            read_cursor(*where, cursor)
