"""The ledger finds what is wrong: each kind of damage is done to a directory that was right."""

import pytest

from bench.drills.ledger import Ledger, doubled, unsorted, wrong_search


def row(number, **fields):
    email = f"c{number}@example.ng"
    made = {"id": f"cust_{number}", "name": f"Ọlá {number}", "email": email, "phone": None}
    return made | {"isActive": True} | fields


@pytest.fixture
def rows():
    return [row(number) for number in range(5)]


@pytest.fixture
def ledger(rows):
    ledger = Ledger()
    for customer in rows:
        ledger.asks(customer["email"])
        ledger.told(customer)
    return ledger


def test_what_was_acknowledged_and_is_there_is_no_finding(ledger, rows):
    ledger.changed("cust_1", {"name": "Ada", "email": "ada@example.ng"}, sure=True)
    ledger.changed("cust_2", {"isActive": False}, sure=True)
    rows[1] |= {"name": "Ada", "email": "ada@example.ng"}
    rows[2]["isActive"] = False
    assert ledger.check(rows) == []
    assert ledger.done_without_an_answer(rows) == []


def test_a_lost_customer_is_found(ledger, rows):
    del rows[3]
    assert ledger.check(rows) == ["cust_3: acknowledged, and lost"]


@pytest.mark.parametrize(
    ("change", "there"),
    [
        ({"name": "Ada"}, {}),
        ({"email": "ada@example.ng"}, {}),
        ({"phone": "0803"}, {}),
        ({"isActive": False}, {}),
        ({}, {"name": "nobody's"}),
        ({}, {"isActive": False}),
    ],
)
def test_an_acknowledged_change_that_is_not_there_is_found(ledger, rows, change, there):
    ledger.changed("cust_1", change, sure=True)
    rows[1] |= there
    [line] = ledger.check(rows)
    assert line.startswith("cust_1: ")


@pytest.mark.parametrize("name", ["Ọlá 1", "Ada"])
def test_a_change_without_an_answer_may_be_there_or_not(ledger, rows, name):
    ledger.changed("cust_1", {"name": "Ada"}, sure=False)
    rows[1]["name"] = name
    assert ledger.check(rows) == []
    assert bool(ledger.done_without_an_answer(rows)) is (name == "Ada")


def test_an_answer_is_not_lost_where_nothing_changed_or_somebody_else_was_told(ledger, rows):
    ledger.changed("cust_1", {"phone": None}, sure=False)
    ledger.changed("cust_2", {"isActive": False}, sure=False)
    ledger.changed("cust_2", {"isActive": False}, sure=True)
    rows[2]["isActive"] = False
    assert ledger.done_without_an_answer(rows) == []


def test_an_older_value_behind_two_changes_is_found(ledger, rows):
    ledger.changed("cust_1", {"name": "Ada"}, sure=False)
    ledger.changed("cust_1", {"name": "Bola"}, sure=True)
    assert len(ledger.check(rows)) == 1


def test_an_answer_that_was_overtaken_takes_nothing_back(ledger, rows):
    ledger.changed("cust_1", {"isActive": False}, sure=True)
    ledger.told(row(1))
    rows[1]["isActive"] = False
    assert ledger.check(rows) == []


def test_a_doubled_email_is_found_among_active_customers(ledger, rows):
    rows.append(row(9, email=rows[0]["email"]))
    assert ledger.check(rows) == ["c0@example.ng: more than one active customer has it"]
    rows[-1]["isActive"] = False
    assert doubled(rows) == []


def test_a_customer_that_nobody_asked_for_is_found(ledger, rows):
    rows.append(row(9))
    assert ledger.check(rows) == ["cust_9: nobody asked for it"]
    ledger.asks(rows[-1]["email"])
    assert ledger.check(rows) == []
    assert ledger.done_without_an_answer(rows) == ["cust_9: created, and its answer lost"]


def test_a_customer_that_is_listed_twice_is_found(ledger, rows):
    assert "cust_0: listed more than once" in ledger.check([*rows, rows[0]])


def test_a_list_in_the_wrong_order_is_found(rows):
    assert unsorted(rows) == []
    rows[1], rows[2] = rows[2], rows[1]
    assert unsorted(rows) == ["cust_1: listed behind cust_2"]


def test_a_wrong_search_answer_is_found(rows):
    rows[4]["isActive"] = False
    right = [f"cust_{number}" for number in range(4)]
    assert wrong_search(rows, "ọla", right) == []
    assert wrong_search(rows, "nobody", []) == []
    for wrong in ([], right[1:], [*right, "cust_4"], right[::-1]):
        assert len(wrong_search(rows, "ọla", wrong)) == 1
