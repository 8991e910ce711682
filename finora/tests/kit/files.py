"""Files of customers as other tools write them: the header lines of their exports."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from customers.transfer.models import Import
from finora.tenants.models import Business

SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address Address1,Default Address Address2,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Default Address Zip,"
    "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags"
)
SHOPIFY_OLDER = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Address2,City,"
    "Province,Province Code,Country,Country Code,Zip,Phone,Accepts SMS Marketing,Total Spent,"
    "Total Orders,Tags,Note,Tax Exempt"
)
WOOCOMMERCE = (
    "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,"
    "Postal Code,Billing Phone,Shipping Phone,Role"
)
WEBTOFFEE = (
    "ID,customer_id,user_login,user_pass,user_nicename,user_email,user_url,user_registered,"
    "display_name,first_name,last_name,user_status,roles,nickname,description,billing_first_name,"
    "billing_last_name,billing_company,billing_email,billing_phone,billing_address_1,"
    "billing_address_2,billing_postcode,billing_city,billing_state,billing_country"
)
QUICKBOOKS = "Customer full name,Phone numbers,Email,Full name,Bill address,Ship address"
QUICKBOOKS_OLDER = "Customer,Phone Numbers,Email,Full Name,Billing Address"
XERO = (
    "*ContactName,AccountNumber,EmailAddress,FirstName,LastName,POAttentionTo,POAddressLine1,"
    "POAddressLine2,POAddressLine3,POAddressLine4,POCity,PORegion,POPostalCode,POCountry,"
    "SAAttentionTo,SAAddressLine1,PhoneAreaCode,PhoneNumber,FaxNumber,MobileNumber,DDINumber,"
    "SkypeName,BankAccountName,BankAccountNumber,TaxNumber,Website,LegalName,Discount,CompanyNumber"
)
ZOHO = (
    "Contact ID,Display Name,Company Name,Contact Type,EmailID,Phone,MobilePhone,Billing Address,"
    "Billing City,Billing State,Billing Country,Billing Code,Currency Code"
)
GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Organization Name,Organization Title,"
    "Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,"
    "Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Formatted,Address 1 - Street"
)
OURS = "name,email,phone,address,tin,companyName"


def file(
    header: str, *rows: Mapping[str, str] | Sequence[str], delimiter: str = ",", end: str = "\r\n"
) -> str:
    """A CSV of these rows, each by column; a column that a row does not name is empty."""
    text = StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    columns = header.split(",")
    writer.writerow(columns)
    for row in rows:
        if isinstance(row, Mapping):
            assert set(row) <= set(columns)
            row = [row.get(column, "") for column in columns]
        writer.writerow(row)
    return text.getvalue()


def people(count: int, start: int = 0) -> list[dict[str, str]]:
    """Rows of OURS."""
    return [
        {"name": f"Customer {n}", "email": f"c{n}@example.com", "phone": f"0803{n:07}"}
        for n in range(start, start + count)
    ]


def bring_in(
    business: Business, path: Path, text: str | bytes, *args: str, **options: Any
) -> tuple[str, str]:
    """Imports a text by the command, as this file: what is said at the end, and on the way."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    out, err = StringIO(), StringIO()
    call_command(
        "import_customers", business.public_id, path, *args, stdout=out, stderr=err, **options
    )
    return out.getvalue().strip(), err.getvalue()


def counts(import_: Import) -> tuple[int, ...]:
    """Its rows, and how many were created, updated, skipped and rejected."""
    names = ("rows", "created", "updated", "skipped", "rejected")
    return tuple(getattr(import_, name) for name in names)
