"""The tools whose exports are known, by the columns that their header lines name."""

from __future__ import annotations

import re
from collections.abc import Collection

from customers.transfer.formats.shape import (
    NUMBERED,
    Format,
    Source,
    address,
    column,
    joined,
    marks,
    one_line,
    several_emails,
    stand_in,
    without_apostrophe,
)

SHOPIFY = Format(
    "shopify",
    "Shopify",
    marks("customer id,first name,last name,email", "accepts email marketing,email,total spent"),
    {
        "name": (joined("first name", "last name"), stand_in("default address company", "company")),
        "email": column("email"),
        "phone": column("phone", "default address phone"),
        "company_name": column("default address company", "company"),
        "address": (
            address(
                *(f"default address {part}" for part in ("address1", "address2", "city")),
                *("default address province code", "default address zip"),
                "default address country code",
            ),
            address("address1", "address2", "city", "province", "zip", "country"),
        ),
    },
    ids=("customer id",),
    cleaned=dict.fromkeys(("id", "phone", "address"), without_apostrophe),
)

WOOCOMMERCE = Format(
    "woocommerce",
    "WooCommerce Analytics",
    marks("name,username,last active,email"),
    {
        "name": column("name"),
        "email": column("email"),
        "phone": column("billing phone", "shipping phone"),
        "address": (address("city", "region", "postal code", "country / region"),),
    },
    ids=("username",),
)

_BILLING = ("address_1", "address_2", "city", "state", "postcode", "country")
WEBTOFFEE = Format(
    "webtoffee",
    "WebToffee's user export for WooCommerce",
    marks("user_email,user_login"),
    {
        "name": (
            joined("billing_first_name", "billing_last_name"),
            Source(("first_name", "last_name"), stands_in=True),
            *(stand_in(name) for name in ("display_name", "billing_company")),
        ),
        "email": column("user_email", "billing_email"),
        "phone": column("billing_phone"),
        "company_name": column("billing_company"),
        "address": (address(*(f"billing_{part}" for part in _BILLING)),),
    },
    ids=("id", "customer_id", "user_login"),
    unread=frozenset({"user_pass"}),
)

_KIND = re.compile(r"(Phone|Mobile|Fax|Other)\s*:\s*", re.IGNORECASE)
_KINDS = ("", "phone", "mobile", "other", "fax")
# `Tuesday, Nov 24, 2026 02:15 PM GMT+1`: a year and a time, as a weekday may be a person's name.
_PRINTED = re.compile(r".*\b\d{4}\b.*\b\d{1,2}:\d\d\b.*", re.DOTALL)


def _phones(cell: str) -> list[str]:
    """`Phone: … Mobile: …`, on lines or in one; a fax last."""
    first, *more = _KIND.split(cell)
    told = [("", line) for line in first.splitlines()]
    told += [
        (kind.lower(), one_line(number)) for kind, number in zip(more[::2], more[1::2], strict=True)
    ]
    told.sort(key=lambda each: _KINDS.index(each[0]))
    return [one_line(number) for _, number in told if number.strip()]


def _is_printed_date(cells: Collection[str]) -> bool:
    said = [cell for cell in cells if cell.strip()]
    return len(said) == 1 and _PRINTED.fullmatch(said[0].strip()) is not None


QUICKBOOKS = Format(
    "quickbooks",
    "QuickBooks Online",
    marks("customer full name,email", "customer,phone numbers,email"),
    {
        "name": (*column("customer full name", "customer"), stand_in("full name")),
        "email": column("email"),
        "phone": column("phone numbers"),
        "company_name": column("company", "company name"),
        "address": column("bill address", "billing address"),
    },
    ids=("customer full name", "customer"),
    cleaned=dict.fromkeys(("name", "company_name", "email"), one_line),
    split={"phone": _phones, "email": several_emails},
    is_footer=_is_printed_date,
)


def _xero_phone(kind: str) -> Source:
    return joined(f"{kind}countrycode", f"{kind}areacode", f"{kind}number")


def _xero_address(kind: str) -> Source:
    lines = (f"{kind}addressline{number}" for number in range(1, 5))
    return address(
        *lines, *(f"{kind}{part}" for part in ("city", "region", "postalcode", "country"))
    )


XERO = Format(
    "xero",
    "Xero contacts",
    marks("contactname,emailaddress"),
    {
        "name": (*column("contactname"), stand_in("firstname", "lastname")),
        "email": column("emailaddress"),
        "phone": (_xero_phone("phone"), _xero_phone("mobile"), _xero_phone("ddi")),
        "company_name": column("legalname"),
        "address": (_xero_address("po"), _xero_address("sa")),
        "tin": column("taxnumber"),
    },
    ids=("accountnumber", "contactname"),
    cleaned={"phone": one_line},
    split={"email": several_emails},
)

ZOHO = Format(
    "zoho",
    "Zoho Books contacts",
    marks("display name,company name,emailid", "contact id,display name"),
    {
        "name": (
            *column("display name"),
            stand_in("contact name"),
            stand_in("first name", "last name"),
            stand_in("company name"),
        ),
        "email": column("emailid", "email id", "email"),
        "phone": column("phone", "mobilephone", "mobile phone"),
        "company_name": column("company name"),
        "address": (
            address(
                *("billing address", "billing street2", "billing city", "billing state"),
                *("billing code", "billing country"),
            ),
        ),
    },
    ids=("contact id", "display name"),
)


def _several(cell: str) -> list[str]:
    return [part for part in cell.split(" ::: ") if part.strip()] or [cell]


GOOGLE = Format(
    "google",
    "Google Contacts",
    marks(
        "e-mail 1 - value",
        "first name,last name,phone 1 - value",
        "given name,family name,phone 1 - value",
        "given name,additional name,family name,yomi name",
    ),
    {
        "name": (
            joined("name prefix", "first name", "middle name", "last name", "name suffix"),
            joined("given name", "additional name", "family name"),
            *(stand_in(name) for name in ("name", "file as", "nickname")),
            *(stand_in(name) for name in ("organization name", "organization 1 - name")),
        ),
        "email": column(f"e-mail {NUMBERED} - value"),
        "phone": column(f"phone {NUMBERED} - value"),
        "company_name": column("organization name", "organization 1 - name"),
        "address": column(f"address {NUMBERED} - formatted"),
    },
    cleaned={"phone": one_line},
    split={"email": _several, "phone": _several, "address": _several},
)

TOOLS = (WEBTOFFEE, WOOCOMMERCE, QUICKBOOKS, XERO, ZOHO, GOOGLE, SHOPIFY)
