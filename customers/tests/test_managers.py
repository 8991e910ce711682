"""A business is the way in: what a filter would be ignored by, or what needs a business."""

import pickle

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from customers import managers
from customers.managers import CustomerManager, Edited
from customers.models import Customer
from customers.querysets import CustomerQuerySet, EmailInUse, is_of_email
from finora import clock
from finora.audit.models import AuditEvent
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db

VERBS = {
    "search": lambda customers, ada: customers.search("ada"),
    "page": lambda customers, ada: customers.page(50),
    "among": lambda customers, ada: customers.among([]),
    "get_shown": lambda customers, ada: customers.get_shown(ada.public_id),
    "active_with_email": lambda customers, ada: customers.active_with_email(ada.email),
    "take_turns_while_rotating": lambda customers, ada: customers.take_turns_while_rotating(),
    "tail": lambda customers, ada: customers.tail(),
    "find_or_create": lambda customers, ada: customers.find_or_create(email="new@example.com"),
    "create_or_find": lambda customers, ada: customers.create_or_find("new@example.com"),
    "edit": lambda customers, ada: customers.edit(ada.public_id, {"name": "Bola"}),
    "edit_all": lambda customers, ada: customers.edit_all({ada.public_id: {"name": "Zoe"}}),
    "hold": lambda customers, ada: customers.hold(ada.public_id),
    "lock_all": lambda customers, ada: customers.lock_all([ada.public_id]),
    "lock": lambda customers, ada: customers.lock(ada.public_id),
    "add_to_balances": lambda customers, ada: customers.add_to_balances({ada.pk: 100}),
    "new": lambda customers, ada: customers.new(name="Bola", email="b@example.com"),
    "sealed": lambda customers, ada: customers.sealed([]),
    "without_known_emails": lambda customers, ada: customers.without_known_emails([]),
    "keys_of_emails": lambda customers, ada: customers.keys_of_emails([]),
    "of_emails": lambda customers, ada: customers.of_emails([]),
    "import_packed": lambda customers, ada: customers.import_packed([]),
    "keep_tail_short": lambda customers, ada: customers.keep_tail_short(),
}


def test_every_verb_is_held_to_this():
    own = {name for name in vars(CustomerManager) if not name.startswith("_")}
    assert own - {"business"} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_without_a_business_is_refused(business, verb):
    ada = factories.customer(business, name="Ada")
    with pytest.raises(TypeError, match="through"):
        VERBS[verb](Customer.objects, ada)
    VERBS[verb](business.customers, ada)


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_can_be_called_on_filtered_customers_and_ignore_the_filter(business, verb):
    assert not hasattr(CustomerQuerySet, verb)
    assert not hasattr(business.customers.filter(name="Ada"), verb)


@pytest.mark.parametrize("lookup", ["with_email", "with_phone", "with_tin"])
def test_an_exact_lookup_chains_and_needs_a_business(business, other_business, lookup):
    field = lookup.removeprefix("with_")
    values = {"email": "ada@example.com", "phone": "0803 123 4567", "tin": "12345678-0001"}
    ada = factories.customer(business, **values)
    factories.customer(other_business, **values)
    chained = business.customers.active().exclude(name="Zoe")
    assert list(getattr(chained, lookup)(values[field])) == [ada]
    assert not getattr(business.customers.inactive(), lookup)(values[field])
    with pytest.raises(TypeError, match="through a business"):
        getattr(Customer.objects.active(), lookup)(values[field])


def test_verbs_reach_no_other_business(business, other_business):
    ada = factories.customer(business, name="Ada", email="ada@example.com")
    theirs = other_business.customers
    assert theirs.search("ada") == theirs.page(50) == theirs.among([ada.public_id]) == []
    for verb in (theirs.get_shown, lambda public_id: theirs.edit(public_id, {"name": "Zoe"})):
        with pytest.raises(Customer.DoesNotExist):
            verb(ada.public_id)
    assert not theirs.hold(ada.public_id)
    with pytest.raises(ValueError, match="another business"):
        theirs.import_packed([Customer(business=business, name="Bola", email="b@example.com")])


def test_an_edit_of_a_customer_is_of_the_row_as_it_is_now(business):
    ada = factories.customer(business, name="Ada", phone="1")
    stale = Customer.objects.get(pk=ada.pk)
    ada.edit(name="Bola")
    stale.edit(phone="2")
    assert (stale.name, stale.phone) == ("Bola", "2")


def test_an_edit_that_is_refused_leaves_the_customer_as_it_was(business):
    holder, ada = factories.customer(business), factories.customer(business, name="Ada")
    before = ada.name, ada.email
    with pytest.raises(EmailInUse):
        ada.edit(name="Zoe", email=holder.email)
    assert (ada.name, ada.email) == before


def test_a_conflict_that_is_not_of_the_email_is_tried_once(business):
    with CaptureQueriesContext(connection) as asked, pytest.raises(IntegrityError):
        business.customers.create(name="", email="ada@example.com")
    assert sum("INSERT INTO" in query["sql"] for query in asked) == 1


def test_a_load_passes_over_known_emails_and_refuses_them_under_any_key(business, settings):
    factories.customer(business, email="ada@example.com")
    old = settings.BLIND_INDEX_KEYS

    def batch():
        emails = "ada@example.com", "bola@example.com"
        return business.customers.sealed(
            [business.customers.new(name="One", email=email) for email in emails]
        )

    for keys in old, ["another blind index key, 0123456789abcdef", *old]:
        settings.BLIND_INDEX_KEYS = keys
        new = business.customers.without_known_emails(batch())
        assert [customer.email for customer in new] == ["bola@example.com"]
        with pytest.raises(IntegrityError, match="email") as raised:
            business.customers.import_packed(batch())
        assert is_of_email(raised.value)
        assert business.customers.count() == 1
    business.customers.import_packed(new, subject="imp_1")
    assert business.customers.active_with_email("bola@example.com")
    assert [customer.email for customer in business.customers.search("bola")]
    assert AuditEvent.objects.get(action="imported").subject == "imp_1"


def test_many_more_emails_than_are_looked_up_at_once_are_looked_up(business):
    customers = business.customers
    there = [customers.new(name="One", email=f"a{n}@example.com") for n in range(1, 1200, 2)]
    customers.import_packed(there)
    all_ = [customers.new(name="One", email=f"a{n}@example.com") for n in range(1200)]
    new = customers.without_known_emails(all_)
    assert [customer.email for customer in new] == [f"a{n}@example.com" for n in range(0, 1200, 2)]


def test_a_batch_goes_to_another_process_as_the_tables_will_hold_it(business):
    values = {"email": "ada@example.com", "phone": "+2348031234567", "address": "1 Marina"}
    batch = business.customers.sealed([business.customers.new(name="Ada", **values)])
    sent = pickle.dumps(batch)
    for value in values.values():
        assert value.encode() not in sent
    business.customers.import_packed(pickle.loads(sent))
    [ada] = business.customers.search("example.com")
    assert {name: getattr(ada, name) for name in values} == values


def test_many_are_edited_as_each_would_be(business):
    ada, bola, chi, dayo, gone = (
        factories.customer(business, name=name, phone="1")
        for name in ("Ada", "Bola", "Chi", "Dayo", "Gone")
    )
    gone.delete()
    factories.store(dayo, "email", factories.stored(ada, "email"))
    changes = {
        ada.public_id: {"name": "Zoe", "phone": "0803 123 4567"},
        bola.public_id: {"address": "1 Marina"},
        chi.public_id: {"name": "Chi", "phone": "1"},
        dayo.public_id: {"phone": "2"},
        gone.public_id: {"phone": "2"},
    }
    before = clock.now()
    edited = business.customers.edit_all(changes)
    assert [edited[each.public_id] for each in (ada, bola, chi, dayo, gone)] == [
        Edited.CHANGED, Edited.CHANGED, Edited.UNCHANGED, Edited.UNREADABLE, Edited.GONE,
    ]  # fmt: skip
    assert business.customers.with_phone("+2348031234567").get() == ada
    assert [row.name for row in business.customers.search("zoe")] == ["Zoe"]
    assert business.customers.search("ada") == []
    for each, fields in (ada, ["name", "phone"]), (bola, ["address"]):
        each.refresh_from_db()
        assert each.updated_at >= before
        event = AuditEvent.objects.about(business.pk, each.public_id)[0]
        assert (event.action, event.fields, event.count) == ("updated", fields, 1)
    for each in chi, dayo:
        assert AuditEvent.objects.about(business.pk, each.public_id)[0].action == "created"
    with pytest.raises(TypeError, match="email"):
        business.customers.edit_all({ada.public_id: {"email": "new@example.com"}})


def test_many_that_are_edited_are_locked_some_at_a_time(business, monkeypatch):
    monkeypatch.setattr(managers, "EDITS_AT_ONCE", 2)
    ids = [factories.customer(business).public_id for _ in range(5)]
    with CaptureQueriesContext(connection) as asked:
        edited = business.customers.edit_all({each: {"address": "1 Marina"} for each in ids})
    assert set(edited.values()) == {Edited.CHANGED}
    assert sum("UPDATE" in query["sql"] for query in asked if "SET" in query["sql"]) == 3
