"""What the customers' endpoints answer: each shape declared once, written here and described.

Answers are plain dicts, as building them by serializer would cost more than the query.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from django.db import models

from customers import party
from customers.api.errors import NOT_READY_FOR_E_INVOICE
from customers.managers import SEARCH_LIMIT
from customers.models import Customer as Row
from customers.querysets import E_INVOICE_FIELDS
from customers.transfer.models import Import as ImportRow
from customers.transfer.models import State
from finora.api.cursor import MAX_LIMIT
from finora.api.fields import naira
from finora.api.shapes import Count, Json, Kobo, Meta, Naira, PageMeta, Says, Time
from finora.clock import iso
from finora.sealing import normal_forms

# What a party calls the fields that it needs.
PARTY_NAMES = {"tin": "tin", "phone": "telephone", "address": "postal_address"}

MOST_REPORTED = 1_000


def _stored(name: str, **more: Any) -> Says:
    """What a model field's text is bounded by."""
    field = cast("models.CharField[Any, Any]", Row._meta.get_field(name))
    least = {} if field.null else {"minLength": 1}
    return Says(**least, maxLength=field.max_length, **more)


CustomerId = Annotated[
    str,
    Says(
        "CustomerId",
        pattern="^cust_[0-9a-z]+$",
        maxLength=40,
        description="Opaque and URL-safe; ids of later customers sort later.",
    ),
]
Name = Annotated[str, _stored("name")]
Email = Annotated[str, _stored("email", format="email")]


class Customer(TypedDict):
    """A person or company that the business sells to: always these eleven, absent ones null."""

    id: CustomerId
    name: Name
    email: Email
    phone: Annotated[str | None, _stored("phone")]
    address: Annotated[str | None, _stored("address")]
    tin: Annotated[str | None, _stored("tin")]
    companyName: Annotated[str | None, _stored("company_name")]
    accountBalanceKobo: Annotated[Kobo, Says(description="The balance; 100 kobo are a naira.")]
    accountBalance: Annotated[
        Naira, Says(description="The same in naira: exact, at most two decimals.")
    ]
    isActive: Annotated[bool, Says(description="false once deleted.")]
    createdAt: Time


def _at_most(number: int) -> Says:
    return Says(minimum=0, maximum=number, description="How many customers this answer holds.")


class CustomerList(TypedDict):
    customers: Annotated[list[Customer], Says(maxItems=MAX_LIMIT)]
    count: Annotated[int, _at_most(MAX_LIMIT)]


class CustomerSearch(TypedDict):
    customers: Annotated[list[Customer], Says(maxItems=SEARCH_LIMIT)]
    count: Annotated[int, _at_most(SEARCH_LIMIT)]


class FoundOrCreated(TypedDict):
    id: CustomerId
    name: Name
    email: Email
    created: Annotated[bool, Says(description="true with 201, false with 200.")]


class Deleted(TypedDict):
    id: CustomerId
    isActive: Literal[False]


class PostalAddress(TypedDict):
    street_name: str | None
    city_name: str | None
    postal_zone: str | None
    country: Annotated[str, Says(description="ISO 3166; `NG` where the address names none.")]


class Party(TypedDict):
    """The buyer's party of an e-invoice, by the names that the tax authority (NRS) has."""

    party_name: Name
    tin: str
    email: Email
    telephone: Annotated[str, Says(description="In E.164 where it has that form.")]
    postal_address: PostalAddress


class PartyMeta(Meta):
    notFound: Annotated[
        list[Literal["street_name", "city_name", "postal_zone", "country"]],
        Says(description="What of the postal address is not to be read from the customer's."),
    ]


Unreadable = Annotated[
    list[CustomerId],
    Says(
        minItems=1,
        description="Only when stored customers could not be opened: left out, their ids are here.",
    ),
]


ImportId = Annotated[str, Says("ImportId", pattern="^imp_[0-9a-z]+$", maxLength=40)]
ImportState = Literal["waiting", "running", "done", "failed"]


class ImportBegun(TypedDict):
    """An import that waits for its turn."""

    id: ImportId
    state: ImportState


class ReportLine(TypedDict):
    """What is to be told of a line of the file; never what it holds."""

    line: Annotated[int, Says(minimum=0, description="Of the file; 0 speaks of all of it.")]
    field: Annotated[str, Says(description="As the API names it; empty: of the line itself.")]
    message: str


class Import(TypedDict):
    """How far an import is, and what became of the file's rows."""

    id: ImportId
    state: ImportState
    rows: Count
    created: Count
    updated: Count
    skipped: Count
    rejected: Count
    report: Annotated[list[ReportLine], Says(maxItems=MOST_REPORTED)]


class SearchMeta(Meta):
    unreadable: NotRequired[Unreadable]


class ListMeta(PageMeta):
    unreadable: NotRequired[Unreadable]


def customer_data(customer: Row) -> Customer:
    """The eleven fields of a customer, in the reference's order. Raises SealError."""
    kobo = customer.account_balance_kobo
    return {
        "id": customer.public_id,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "address": customer.address,
        "tin": customer.tin,
        "companyName": customer.company_name,
        "accountBalanceKobo": kobo,
        "accountBalance": naira(kobo),
        "isActive": customer.is_active,
        "createdAt": iso(customer.created_at),
    }


def party_data(customer: Row) -> tuple[Party, list[str]]:
    """The party, and what the address does not say. Raises NOT_READY_FOR_E_INVOICE, SealError."""
    missing = [name for name in E_INVOICE_FIELDS if getattr(customer, name) is None]
    if missing or not (customer.tin and customer.phone and customer.address):
        raise NOT_READY_FOR_E_INVOICE(
            details=[
                {"field": PARTY_NAMES[name], "message": f"The customer has no {name}."}
                for name in missing
            ]
        )
    address = party.read(customer.address)
    data: Party = {
        "party_name": customer.company_name or customer.name,
        "tin": customer.tin,
        "email": customer.email,
        "telephone": normal_forms.telephone(customer.phone),
        "postal_address": {
            "street_name": address.street_name,
            "city_name": address.city_name,
            "postal_zone": address.postal_zone,
            "country": address.country or party.HOME,
        },
    }
    return data, [name for name, found in address._asdict().items() if found is None]


def import_data(import_: ImportRow) -> Import:
    """Raises SealError."""
    report: list[ReportLine] = [
        {"line": each.line, "field": each.field, "message": each.message}
        for each in islice(import_.findings(), MOST_REPORTED)
    ]
    if why := import_.facts.get("why"):
        report.insert(0, {"line": 0, "field": "", "message": why})
    return {
        "id": import_.public_id,
        "state": import_state(import_),
        "rows": import_.rows,
        "created": import_.created,
        "updated": import_.updated,
        "skipped": import_.skipped,
        "rejected": import_.rejected,
        "report": report[:MOST_REPORTED],
    }


def import_state(import_: ImportRow) -> ImportState:
    """An import that staff undid was done."""
    state = State.DONE if import_.state == State.UNDONE else import_.state
    return cast(ImportState, str(state))


# Examples, from the published reference.

ACME: Json = {
    "id": "cust_xyz",
    "name": "Acme Ltd",
    "email": "finance@acme.com",
    "phone": "+2348012345678",
    "address": "15 Adeola Odeku St, Victoria Island, Lagos",
    "tin": "12345678-0001",
    "companyName": "Acme Technologies Ltd",
    "accountBalanceKobo": 0,
    "accountBalance": 0,
    "isActive": True,
    "createdAt": "2026-03-20T09:15:00.000Z",
}
ACME_BODY: Json = {
    name: ACME[name] for name in ("name", "email", "phone", "address", "companyName", "tin")
}
JANE: Json = {"id": "cust_xyz", "name": "Jane Doe", "email": "jane@example.com"}
JANE_BODY: Json = {"email": "Jane@Example.com", "name": "Jane Doe", "phone": "0803 123 4567"}
ACME_PARTY: Json = {
    "party_name": "Acme Technologies Ltd",
    "tin": "12345678-0001",
    "email": "finance@acme.com",
    "telephone": "+2348012345678",
    "postal_address": {
        "street_name": "15 Adeola Odeku St, Victoria Island",
        "city_name": "Lagos",
        "postal_zone": None,
        "country": "NG",
    },
}
ONE: Mapping[str, Json] = {"acme": ACME}
SEVERAL: Json = {"customers": [ACME], "count": 1}
