"""GET /v1/customers/search, by what it finds: nothing here knows how it looks."""

import pytest

from customers.models import Customer
from finora import text
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, names, refused

SEARCH = "/v1/customers/search"


def search(api, q):
    return names(api.get(SEARCH, {"q": q}))


def crowd(business, *given):
    for name in given:
        factories.customer(business, name=name)


# --- What it finds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "q", ["acme", "ACME", "cme l", "Acme Ltd", " acme ", "e", "finance@", "@ACME.com", "ce@ac"]
)
def test_a_part_of_name_or_email_finds_in_any_case(api, business, q):
    factories.customer(business, name="Acme Ltd", email="finance@acme.com")
    factories.customer(
        business, name="ZZZ", email="zzz@zzz.zz", company_name="Acme", address="Acme"
    )
    assert search(api, q) == ["Acme Ltd"]


@pytest.mark.parametrize(
    "q", ["acmes", "ltd acme", "acme  ltd", "ltdfinance", "ltd finance", "acme.com acme"]
)
def test_what_is_in_neither_finds_nothing(api, business, q):
    factories.customer(business, name="Acme Ltd", email="finance@acme.com")
    assert search(api, q) == []


@pytest.mark.parametrize("q", ["0803", "12345678", "marina", "phones inc"])
def test_other_fields_are_not_searched(api, business, q):
    factories.customer(
        business,
        name="A",
        email="a@b.co",
        phone="0803",
        tin="12345678",
        address="1 Marina",
        company_name="Phones Inc",
    )
    assert search(api, q) == []


def test_the_answer_holds_customers_and_count_in_full(api, business):
    customer = factories.customer(business, name="Acme", phone="1", address="2")
    response = api.get(SEARCH, {"q": "acme"})
    assert accepted(response) == {
        "customers": [accepted(api.get(f"/v1/customers/{customer.public_id}"))],
        "count": 1,
    }
    assert "nextCursor" not in response.json()["meta"]


def test_only_active_ones_of_the_business_are_found(api, business, other_business):
    crowd(business, "Acme", "Acme gone")
    crowd(other_business, "Acme elsewhere")
    Customer.objects.filter(name="Acme gone").get().delete()
    assert search(api, "acme") == ["Acme"]


def test_the_search_method_is_the_same_search(business):
    crowd(business, "Acme", "Other")
    assert [c.name for c in business.customers.search("acm")] == ["Acme"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("adebayo", ["ADEBAYO", "Adébáyọ̀", "Ade\u0301bayo", "adebayo"]),
        ("adé", ["Adébáyọ̀", "Ade\u0301bayo"]),
        ("ade\u0301", ["Adébáyọ̀", "Ade\u0301bayo"]),
        ("bayọ", ["Adébáyọ̀"]),
        ("bayo\u0300", ["Adébáyọ̀"]),
        ("bayo\u0323\u0300", ["Adébáyọ̀"]),
        ("bayo\u0300\u0323", ["Adébáyọ̀"]),
        ("ÀDÉ", []),
        ("adèbayo", []),
        ("\u0301adebayo", ["ADEBAYO", "Adébáyọ̀", "Ade\u0301bayo", "adebayo"]),
    ],
)
def test_a_letter_finds_those_that_carry_at_least_its_marks(api, business, q, found):
    crowd(business, *["ADEBAYO", "Adébáyọ̀", "Ade\u0301bayo", "adebayo"])
    assert sorted(search(api, q)) == sorted(found)


def test_marks_by_the_contracts_own_example(api, business):
    crowd(business, "Ọlá", "Ọ̀la", "Ola")
    assert sorted(search(api, "ọla")) == sorted(["Ọlá", "Ọ̀la"])
    assert len(search(api, "ola")) == 3


@pytest.mark.parametrize(
    ("name", "q"),
    [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("ﬁnch", "fin"),
        ("Ⅷ", "viii"),
        ("ＡＣＭＥ", "acme"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("محمد", "حم"),
        ("株式会社", "式会"),
        ("👩🏾‍💼 Ada", "👩🏾"),
        ("ﷺ", "صلى"),
        ("İstanbul", "istanbul"),
    ],
)
def test_letters_of_any_script_are_folded_alike(api, business, name, q):
    crowd(business, name, "zzz")
    assert search(api, q) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "100%",
        "a_b",
        "a\\b",
        "O'Brien",
        'the "Inn"',
        "[a-z]*",
        "(x|y)",
        "a.b",
        "$1",
        "^a",
        "a?b",
        "--",
        "; DROP TABLE",
        "{0}",
        "%s",
        "%(q)s",
        "\\n",
        "\\x00",
        "<b>",
        "&amp;",
        "a+b",
        "a/b",
    ],
)
def test_every_character_is_an_ordinary_one(api, business, text):
    crowd(business, f"x{text}y", "100 axb aab obrien the Inn abc", "zz")
    assert search(api, text) == [f"x{text}y"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", '"', "*", "pl%n", "pl_in", "p.ain", "pl*"])
def test_no_character_stands_for_another(api, business, q):
    crowd(business, "plain")
    assert search(api, q) == []


# --- Order and number ---------------------------------------------------------------------------


def test_it_sorts_as_the_list_does(api, business):
    crowd(business, "zoe x", "Émile x", "emeka x", "Ádé X", "ada x", "ada x")
    assert search(api, "x") == names(api.get("/v1/customers"))
    assert search(api, "x")[:4] == ["ada x", "ada x", "Ádé X", "emeka x"]


def test_at_most_fifty_are_shown_and_they_are_the_first(api, business):
    Customer.objects.bulk_create(
        Customer(business=business, name=f"Name {n:03}", email=f"n{n}@example.com")
        for n in reversed(range(70))
    )
    assert search(api, "name") == [f"Name {n:03}" for n in range(50)]
    assert search(api, "name 06") == [f"Name 06{n}" for n in range(10)]


def test_it_agrees_with_the_definition(api, business):
    """Brute force over names alike enough to be mixed up."""
    made = [
        "Ola",
        "Ọlá",
        "Ọ̀la",
        "olA",
        "Lola",
        "L'Ola",
        "O la",
        "Öla",
        "Olá\u0323",
        "ọ",
        "l\u0323a",
    ]
    crowd(business, *made)
    for q in ["o", "ọ", "l", "ol", "ọl", "la", "lá", "ạ", "lạ", "ola", "ọlá", "ö", "o l", "'o"]:
        expected = [n for n in made if text.holds(n, q)]
        # Emails hold letters too; ask for names that the query finds.
        found = [n for n in search(api, q) if text.holds(n, q)]
        assert sorted(found) == sorted(expected), q


# --- What follows a change ----------------------------------------------------------------------


def test_it_follows_every_change_at_once(api, business):
    customer = factories.customer(business, name="Before", email="before@example.com")
    path = f"/v1/customers/{customer.public_id}"
    assert search(api, "before") == ["Before"]
    accepted(api.put(path, {"name": "After"}))
    assert search(api, "after") == ["After"]
    assert search(api, "before") == ["After"]  # the email still says so
    accepted(api.put(path, {"email": "after@example.com"}))
    assert search(api, "before") == []
    accepted(api.delete(path))
    assert search(api, "after") == []
    customer.refresh_from_db()
    customer.restore()
    assert search(api, "after") == ["After"]


def test_one_unreadable_row_leaves_the_search_standing(api, business):
    rows = [factories.customer(business, name=f"Acme {c}") for c in "ABC"]
    assert len(search(api, "acme")) == 3
    factories.store(rows[1], "email", factories.stored(rows[0], "email"))
    response = api.get(SEARCH, {"q": "acme"})
    assert names(response) == ["Acme A", "Acme C"]


# --- What it refuses ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        "\t\u3000\n",
        "x" * 201,
        "😀" * 201,
        "\u0301",
        "\u0301\u0323",
        " \u0300 ",
        "x" * 9000,
    ],
)
def test_a_wrong_q_is_refused(api, q):
    refused(api.get(SEARCH, {"q": q}), 400, "INVALID_REQUEST", ["q"])


def test_a_missing_q_is_refused(api):
    refused(api.get(SEARCH), 400, "INVALID_REQUEST", ["q"])


def test_up_to_200_characters_are_taken(api, business):
    long = "ﷺ" * 200
    crowd(business, "x" * 200, "😀" * 200, long)
    assert search(api, "X" * 200) == ["x" * 200]
    assert search(api, "😀" * 200) == ["😀" * 200]
    assert search(api, f"  {'x' * 200}  ") == ["x" * 200]
    assert search(api, long) == [long]
    assert search(api, "y" * 200) == []


@pytest.mark.parametrize(
    "q", ["\0", "a\0b", "a\nb", "a\x1fb", "\x1f", "a\x1ecust", "\n acme", "\ufffd", "\x7f"]
)
def test_control_characters_find_nothing_and_break_nothing(api, business, q):
    """No stored text holds one; a search may refuse it or find nothing."""
    crowd(business, "Acme", "ab", "b")
    response = api.get(SEARCH, {"q": q})
    if response.status_code == 400:
        refused(response, 400, "INVALID_REQUEST", ["q"])
    elif text.trim(q).isprintable():
        assert names(response) in ([], ["Acme"])
    else:
        assert names(response) == []


@pytest.mark.parametrize(
    "query", ["q=%ff", "q=%c3", "q=%ed%a0%80", "q=%00", "q", "q=%", "q[]=a", "q=a&q=acme"]
)
def test_odd_query_strings_never_break(api, business, query):
    crowd(business, "Acme")
    response = api.call("GET", f"{SEARCH}?businessId={business.public_id}&{query}")
    assert response.status_code in (200, 400)


def test_many_marks_do_not_take_long(api, business):
    crowd(business, "a" + "\u0301\u0323" * 99)
    marks = "".join(map(chr, range(0x300, 0x34F)))
    assert search(api, "a" + marks + "\u0301" * 100) == []
