"""Bodies that break a rule, for every endpoint that takes one: (field, value)."""

import pytest

LABEL = "a" * 63
LONGEST_EMAIL = f"{'l' * 64}@{LABEL}.{LABEL}.{'b' * 57}.com"
assert len(LONGEST_EMAIL) == 254

CONTROL = ["\0", "\x01", "\x08", "\x1b", "\x7f", "\x80", "\x9f", "\ud800", "\udfff", "\udc00\ud800"]
NOT_A_TEXT = [0, 1, 1.5, 10**30, True, False, [], ["a"], {}, {"a": "b"}]

WRONG_EMAILS = [
    "",
    "   ",
    "plain",
    "@example.com",
    "a@",
    "a@b@example.com",
    "a b@example.com",
    "a@exa mple.com",
    "a@-example.com",
    "a@example..com",
    ".a@example.com",
    "a@example.com.",
    "Ada <ada@example.com>",
    "ada@example.com, bola@example.com",
    "mailto:ada@example.com",
    "a\n@example.com",
    "a@example.com\0",
    "a@exam\ud800ple.com",
    "\udc00@example.com",
    '"\x01"@example.com',
    # Capital I with a dot: in lower case it is two characters, and no address any more.
    "İ@example.com",
    "l" + LONGEST_EMAIL,
]
GOOD_EMAILS = [
    "a@b.co",
    "ada+orders@example.com",
    "ada@example.invalid",
    "ada@sub.sub.example.com.ng",
    "ada@shop.test",
    "o'brien@example.com",
    "1@2.ng",
    "ada@localhost",
    "ada@münchen.example",
    '"quoted"@example.com',
    LONGEST_EMAIL,
]

BROKEN = [
    ("name", ""),
    ("name", " \t\n\u3000"),
    ("name", None),
    ("name", "x" * 201),
    ("name", "😀" * 201),
    ("name", "two\nlines"),
    ("name", "tab\there"),
    ("name", "Ada\x1f"),
    ("name", "\x85Ada"),
    ("email", None),
    ("email", "x" * 60_000 + "@example.com"),
    ("phone", "0" * 33),
    ("address", "x" * 501),
    ("address", "tab\there"),
    ("companyName", "x" * 201),
    ("companyName", "two\r\nlines"),
    ("tin", "1" * 33),
    ("tin", "1234_5678"),
    ("tin", "12345678.0001"),
    ("tin", "١٢٣٤٥٦٧٨٩٠"),
    ("tin", "---"),
    ("tin", "n\u0303"),
    *[("email", email) for email in WRONG_EMAILS],
    *[
        (f, f"Ada{c}Obi")
        for f in ("name", "phone", "address", "companyName", "tin")
        for c in CONTROL
    ],
    *[
        (field, value)
        for field in ("name", "email", "phone", "address", "companyName", "tin")
        for value in NOT_A_TEXT
    ],
]
broken = pytest.mark.parametrize(("field", "value"), BROKEN, ids=lambda v: ascii(v)[:40])

# (field, given, stored): as given, apart from white space around it.
KEPT = [
    ("name", "  Ada Obi\n", "Ada Obi"),
    ("name", "\u3000Ada\u00a0", "Ada"),
    ("name", "Adébáyọ̀", "Adébáyọ̀"),
    ("name", "Ade\u0301", "Ade\u0301"),
    ("name", "Ad\u00e9", "Ad\u00e9"),
    ("name", "ﬁ Å ẞ ﷺ", "ﬁ Å ẞ ﷺ"),
    ("name", "محمد", "محمد"),
    ("name", "👩🏾‍💼 Ada", "👩🏾‍💼 Ada"),
    ("name", "😀" * 200, "😀" * 200),
    ("name", "x" * 200, "x" * 200),
    ("name", "Ada  Obi", "Ada  Obi"),
    ("name", "<script>alert(1)</script> & 'Sons' \"\\", "<script>alert(1)</script> & 'Sons' \"\\"),
    ("name", "null", "null"),
    ("email", " ADA@Example.COM\n", "ada@example.com"),
    *[("email", email, email) for email in GOOD_EMAILS],
    ("phone", "+2348031234567", "+2348031234567"),
    ("phone", "n/a", "n/a"),
    ("phone", "0803 123 4567 / 0805 765 4321", "0803 123 4567 / 0805 765 4321"),
    ("phone", "01-234 5678 ext. 12", "01-234 5678 ext. 12"),
    ("phone", "—", "—"),
    ("phone", "😀" * 32, "😀" * 32),
    ("address", " 1 Marina\r\nLagos\n ", "1 Marina\r\nLagos"),
    ("address", "é" * 500, "é" * 500),
    ("companyName", "Ọlá & Sons", "Ọlá & Sons"),
    ("companyName", "x" * 200, "x" * 200),
    ("tin", "12345678-0001", "12345678-0001"),
    ("tin", "1234567890", "1234567890"),
    ("tin", "1234567890123", "1234567890123"),
    ("tin", " 1234 5678-0001 ", "1234 5678-0001"),
    ("tin", "bn/123-AB", "bn/123-AB"),
    ("tin", "1" * 32, "1" * 32),
    *[
        (field, blank, None)
        for field in ("phone", "address", "companyName", "tin")
        for blank in ("", "  ", "\t\r\n", "\u3000", None)
    ],
]
kept = pytest.mark.parametrize(("field", "given", "stored"), KEPT, ids=lambda v: ascii(v)[:40])

# A body may name these; they change nothing.
IGNORED = {
    "id": "cust_00000000000000000000000000",
    "public_id": "cust_00000000000000000000000000",
    "pk": 7,
    "isActive": False,
    "is_active": False,
    "accountBalanceKobo": 10**9,
    "accountBalance": 10**7,
    "account_balance_kobo": 10**9,
    "createdAt": "2001-01-01T00:00:00.000Z",
    "created_at": "2001-01-01T00:00:00.000Z",
    "updatedAt": "2001-01-01T00:00:00.000Z",
    "businessId": "biz_00000000000000000000000000",
    "business": 1,
    "company_name": "not the API's spelling",
    "email_hash": "00",
    "searchMark": True,
    "unknown": {"deep": [1, "\ud800"]},
    "": "",
}
