"""Each tool's file is recognised by its header, and its cells land where they belong."""

import random

import pytest

from customers.transfer.findings import Finding
from customers.transfer.formats.plan import NO_PLACE, ONE_ONLY, UNREAD
from customers.transfer.reading import Reading
from customers.transfer.refused import FileRefused
from customers.transfer.rows import NoEmail, checked
from finora.tests.kit import files

pytestmark = pytest.mark.once

HEADERS = [
    ("shopify", files.SHOPIFY),
    ("shopify", files.SHOPIFY_OLDER),
    ("woocommerce", files.WOOCOMMERCE),
    ("woocommerce", files.WOOCOMMERCE.removesuffix(",Billing Phone,Shipping Phone,Role")),
    ("webtoffee", files.WEBTOFFEE),
    ("quickbooks", files.QUICKBOOKS),
    ("quickbooks", files.QUICKBOOKS_OLDER),
    ("xero", files.XERO),
    ("zoho", files.ZOHO),
    ("google", files.GOOGLE),
    ("ours", files.OURS),
]


def reading(text, format="", mapped=None):
    data = text.encode() if isinstance(text, str) else text
    return Reading(lambda: iter([data]), format, mapped)


def rows(text, *, placeholder=False, **options):
    """What each row of a file comes to: its values, or None; and all findings."""
    read = reading(text, **options)
    found = [checked(row, read.format, placeholder=placeholder) for row in read.rows()]
    values = [getattr(each, "values", None) for each, _ in found]
    return values, [finding for _, findings in found for finding in findings]


def becomes(text, **options):
    return dict(reading(text, **options).told()["columns"])


@pytest.mark.parametrize(("name", "header"), HEADERS)
def test_a_header_is_recognised_in_any_order_with_other_columns(name, header):
    columns = [*header.split(","), "Something else", "Another"]
    for seed in range(5):
        random.Random(seed).shuffle(columns)
        text = files.file(",".join(columns))
        assert reading(text).format == name
    assert becomes(text)["Something else"] == NO_PLACE


def test_shopify():
    row = {
        "Customer ID": "'7001",
        "First Name": "Ada",
        "Last Name": "Obi",
        "Email": "Ada@Example.com",
        "Default Address Company": "Acme Ltd",
        "Default Address Address1": "15 Adeola Odeku St",
        "Default Address Address2": "Floor 2",
        "Default Address City": "Lagos",
        "Default Address Province Code": "LA",
        "Default Address Zip": "101241",
        "Default Address Country Code": "NG",
        "Default Address Phone": "'0803 123 4567",
        "Phone": "'+2348031234567",
    }
    values, findings = rows(files.file(files.SHOPIFY, row))
    assert values == [
        {
            "name": "Ada Obi",
            "email": "ada@example.com",
            "phone": "+2348031234567",
            "address": "15 Adeola Odeku St, Floor 2, Lagos, LA, 101241, NG",
            "company_name": "Acme Ltd",
        }
    ]
    assert findings == []  # the other phone is the same number


def test_shopify_older_columns():
    row = {
        "Customer ID": "'1",
        "First Name": "Ada",
        "Email": "a@example.com",
        "Company": "Acme",
        "Address1": "1 Marina",
        "City": "Lagos",
        "Province": "Lagos",
        "Country": "Nigeria",
        "Zip": "'100001",
        "Phone": "'08031234567",
    }
    values, _ = rows(files.file(files.SHOPIFY_OLDER, row))
    assert values[0]["address"] == "1 Marina, Lagos, Lagos, 100001, Nigeria"
    assert values[0]["phone"] == "08031234567"
    assert values[0]["company_name"] == "Acme"


def test_woocommerce_analytics():
    row = {
        "Name": "Ada Obi",
        "Username": "ada",
        "Email": "a@example.com",
        "Country / Region": "NG",
        "City": "Lagos",
        "Region": "LA",
        "Postal Code": "100001",
        "Billing Phone": "08031234567",
    }
    values, _ = rows(files.file(files.WOOCOMMERCE, row))
    assert values == [
        {
            "name": "Ada Obi",
            "email": "a@example.com",
            "phone": "08031234567",
            "address": "Lagos, LA, 100001, NG",
        }
    ]


def test_webtoffee_leaves_the_password_unread():
    row = {
        "ID": "7",
        "user_login": "ada",
        "user_pass": "$P$Bsecret",
        "user_email": "a@example.com",
        "display_name": "ada",
        "billing_first_name": "Ada",
        "billing_last_name": "Obi",
        "billing_company": "Acme",
        "billing_phone": "08031234567",
        "billing_address_1": "1 Marina",
        "billing_city": "Lagos",
        "billing_country": "NG",
    }
    text = files.file(files.WEBTOFFEE, row)
    values, findings = rows(text)
    assert values == [
        {
            "name": "Ada Obi",
            "email": "a@example.com",
            "phone": "08031234567",
            "company_name": "Acme",
            "address": "1 Marina, Lagos, NG",
        }
    ]
    assert findings == []
    assert becomes(text)["user_pass"] == UNREAD


def test_quickbooks_with_titles_footer_and_broken_lines():
    row = {
        "Customer full name": "Acme\nLtd",
        "Phone numbers": "Fax: 01 222 2222\nMobile: 0805 765 4321\nPhone: 0803 123 4567",
        "Email": "a@example.com, b@example.com",
        "Bill address": "1 Marina\nLagos",
    }
    titles = "Ikeja Hardware Ltd\r\nCustomer Contact List\r\n\r\n"
    footer = '\r\n"Tuesday, Nov 24, 2026 02:15 PM GMT+1",,,,,\r\n'
    text = titles + files.file(files.QUICKBOOKS, row) + footer
    values, findings = rows(text)
    assert values == [
        {
            "name": "Acme Ltd",
            "email": "a@example.com",
            "phone": "0803 123 4567",
            "address": "1 Marina\nLagos",
        }
    ]
    assert [(f.line, f.column, f.rejects) for f in findings] == [
        (5, "Email", False),
        (5, "Phone numbers", False),
        (5, "Phone numbers", False),
    ]
    assert reading(text).header_line == 4


@pytest.mark.parametrize("name", ["Sunday Obi 2010 Stores", "GMT Logistics", "Monday & Sons 1999"])
def test_a_customer_of_a_name_alone_is_no_footer(name):
    values, _ = rows(files.file(files.QUICKBOOKS, {"Customer full name": name}), placeholder=True)
    assert [each["name"] for each in values] == [name]


def test_xero():
    row = {
        "*ContactName": "Acme Ltd",
        "AccountNumber": "AC-1",
        "EmailAddress": "a@example.com",
        "FirstName": "Ada",
        "LastName": "Obi",
        "POAddressLine1": "1 Marina",
        "POAddressLine2": "Floor 2",
        "POCity": "Lagos",
        "PORegion": "LA",
        "POPostalCode": "100001",
        "POCountry": "Nigeria",
        "PhoneAreaCode": "01",
        "PhoneNumber": "234 5678",
        "TaxNumber": "12345678-0001",
        "LegalName": "Acme Technologies Ltd",
    }
    values, findings = rows(files.file(files.XERO, row))
    assert values == [
        {
            "name": "Acme Ltd",
            "email": "a@example.com",
            "phone": "01 234 5678",
            "address": "1 Marina, Floor 2, Lagos, LA, 100001, Nigeria",
            "tin": "12345678-0001",
            "company_name": "Acme Technologies Ltd",
        }
    ]
    # Ada Obi works there, and a customer has one name.
    assert findings == [Finding(2, "FirstName, LastName", "name", ONE_ONLY, False)]
    assert becomes(files.file(files.XERO))["BankAccountNumber"] == NO_PLACE


def test_a_name_said_twice_is_no_loss():
    row = {"*ContactName": "Obi, Ada", "EmailAddress": "a@example.com", "FirstName": "Ada"}
    values, findings = rows(files.file(files.XERO, row | {"LastName": "Obi"}))
    assert values[0]["name"] == "Obi, Ada"
    assert findings == []


def test_zoho():
    row = {
        "Contact ID": "4600000012",
        "Display Name": "Ada Obi",
        "Company Name": "Acme",
        "EmailID": "a@example.com",
        "MobilePhone": "08031234567",
        "Billing Address": "1 Marina",
        "Billing City": "Lagos",
        "Billing State": "LA",
        "Billing Code": "100001",
        "Billing Country": "Nigeria",
    }
    values, _ = rows(files.file(files.ZOHO, row))
    assert values[0]["phone"] == "08031234567"
    assert values[0]["address"] == "1 Marina, Lagos, LA, 100001, Nigeria"
    assert values[0]["company_name"] == "Acme"


def test_google_with_several_emails():
    row = {
        "First Name": "Ada",
        "Middle Name": "Ngozi",
        "Last Name": "Obi",
        "Organization Name": "Acme",
        "E-mail 1 - Value": "a@example.com ::: b@example.com",
        "E-mail 2 - Value": "c@example.com",
        "Phone 1 - Value": "08031234567",
        "Address 1 - Formatted": "1 Marina\nLagos",
    }
    values, findings = rows(files.file(files.GOOGLE, row))
    assert values == [
        {
            "name": "Ada Ngozi Obi",
            "email": "a@example.com",
            "phone": "08031234567",
            "company_name": "Acme",
            "address": "1 Marina\nLagos",
        }
    ]
    assert [f.column for f in findings] == ["E-mail 1 - Value", "E-mail 2 - Value"]


def test_json_lines_are_objects_of_the_api():
    text = (
        '{"id":"cust_1","name":"Ada","email":"a@example.com","companyName":null,"x":1}\n\n'
        '{"name":7,"email":"b@example.com"}\n[1]\nnot json\n'
        '{"name":"Gone","email":"c@example.com","isActive":false}\n'
        '{"count":3,"unreadable":["cust_2"]}\n'
    )
    values, findings = rows(text)
    assert values == [{"name": "Ada", "email": "a@example.com"}, None, None, None, None]
    assert [(f.line, f.column, f.field) for f in findings] == [
        (3, "name", "name"),
        (4, "", ""),
        (5, "", ""),
        (6, "isActive", ""),
    ]
    read = reading(text)
    list(read.rows())
    assert dict(read.plan.becomes())["x"] == NO_PLACE


def test_an_id_of_json_may_be_a_number():
    text = ' {"id":7,"name":"Ada"}\n{"id":8,"name":"Ada"}\n{"id":true,"name":"Ada"}\n'
    values, _ = rows(text, placeholder=True)
    one, other, without = (each["email"] for each in values)
    assert (one, other) == ("jsonl-7@import.invalid", "jsonl-8@import.invalid")
    assert without not in (one, other)


def test_names_in_two_columns_alone_are_no_file_of_google():
    with pytest.raises(FileRefused, match="“Email address”"):
        reading("Given Name,Family Name,Email address\nAda,Obi,a@example.com\n")
    older = "Name,Given Name,Additional Name,Family Name,Yomi Name,Birthday"
    assert reading(files.file(older)).format == "google"


def test_ours_takes_the_guard_of_a_formula_off_again():
    row = {"name": "'=Ada", "email": "a@example.com", "phone": "'+2348031234567"}
    values, _ = rows(files.file(files.OURS, row))
    assert values == [{"name": "=Ada", "email": "a@example.com", "phone": "+2348031234567"}]


def test_of_ours_an_inactive_customer_is_left_out_and_named():
    text = "name,email,isActive\nAda,a@example.com,no\nBola,b@example.com,yes\n"
    values, [finding] = rows(text)
    assert values == [None, {"name": "Bola", "email": "b@example.com"}]
    assert (finding.line, finding.column, finding.rejects) == (2, "isActive", True)


def test_an_unknown_header_says_what_it_cannot_place():
    with pytest.raises(FileRefused) as refused:
        reading("Full,Mail,tin\nAda,a@example.com,1\n")
    assert "“Full”, “Mail”." in str(refused.value)
    assert "tin" not in str(refused.value).partition("Say")[0]


def test_a_mapping_places_them():
    values, _ = rows(
        "Full;Street;Town;Mail\nAda;1 Marina;Lagos;a@example.com\n",
        mapped={"Full": "name", "Street": "address", "Town": "address", "Mail": "email"},
    )
    assert values == [{"name": "Ada", "address": "1 Marina, Lagos", "email": "a@example.com"}]


def test_a_mapping_goes_before_what_is_known_of_a_tool():
    values, _ = rows(
        "Name,Email,Phone,Mobile\nAda,a@example.com,0803,0805\n", mapped={"Mobile": "phone"}
    )
    assert values[0]["phone"] == "0805"


def test_a_mapping_of_a_column_that_is_not_there_is_refused():
    with pytest.raises(FileRefused, match="mapped"):
        reading("name,email\n", mapped={"Mail": "email"})


def test_a_file_without_a_header_repeats_nobody():
    with pytest.raises(FileRefused) as refused:
        reading("Ada Obi,ada@example.com,08031234567\n")
    assert "Ada" not in str(refused.value)


def test_a_wrong_format_is_refused():
    with pytest.raises(FileRefused, match="Xero"):
        reading(files.file(files.SHOPIFY), format="xero")


def test_two_columns_of_one_name_lose_nothing():
    values, findings = rows("name,email,phone,phone\nAda,a@example.com,0803,0805\n")
    assert values[0]["phone"] == "0803"
    assert findings == [
        Finding(2, "phone", "phone", ONE_ONLY, False),
    ]


# Rows without an email.


def test_a_row_without_an_email_is_skipped_or_gets_a_stable_address():
    text = files.file(files.SHOPIFY, {"Customer ID": "'7001", "First Name": "Ada"})
    read = reading(text)
    [row] = read.rows()
    assert checked(row, read.format, placeholder=False) == (NoEmail(2), [])
    first, _ = rows(text, placeholder=True)
    assert first[0]["email"] == "shopify-7001@import.invalid"
    again, _ = rows(text.replace("Ada", "Ada Ngozi"), placeholder=True)
    assert again[0]["email"] == first[0]["email"]


def test_an_id_that_is_a_name_is_not_in_the_address():
    text = files.file(files.XERO, {"*ContactName": "Ada Obi"}, {"*ContactName": "Bola Ade"})
    values, _ = rows(text, placeholder=True)
    one, other = (each["email"] for each in values)
    assert one != other
    assert "ada" not in one.lower()
    assert rows(text, placeholder=True)[0] == values


def test_a_row_that_names_nobody_is_rejected():
    values, [finding] = rows("name,email,tin\n,,12345678-0001\n", placeholder=True)
    assert values == [None]
    assert (finding.line, finding.field) == (2, "email")


def test_without_a_name_it_is_the_companys_or_the_emails():
    text = "name,email,company\n,a@example.com,Acme\n,b@example.com,\n"
    values, _ = rows(text)
    assert [each["name"] for each in values] == ["Acme", "b"]
