"""Changing keys beside live traffic."""

import threading
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from customers.models import Customer
from customers.querysets import EmailInUse
from customers.search import index, store
from customers.search.models import SearchSegment
from finora.sealing import keyring
from finora.sealing.models import KeyCanary
from finora.tests.kit import factories

VALUES = {"phone": "0803 123 4567", "address": "1 Marina", "tin": "12345678-0001"}


def run(command, *args):
    out = StringIO()
    call_command(command, *args, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def two_keys(settings):
    """Puts a new key in front; answers (new, old)."""
    old = settings.ENCRYPTION_KEYS[0]
    new = Fernet.generate_key().decode()

    def rotate():
        settings.ENCRYPTION_KEYS = [new, old]
        return new, old

    return rotate


@pytest.fixture
def two_blind_keys(settings):
    old = settings.BLIND_INDEX_KEYS[0]
    new = "another blind index key, 0123456789abcdef"

    def rotate():
        settings.BLIND_INDEX_KEYS = [new, old]
        return new, old

    return rotate


@pytest.mark.django_db
def test_rotate_encryption_leaves_nothing_under_the_old_key(business, settings, two_keys):
    made = [factories.customer(business, **VALUES) for _ in range(5)]
    index.pack(business)
    new, old = two_keys()
    old_id = keyring.parse_key(old).id.hex()
    assert "Would seal 0 of 0 stored answers, 5 of 5 customers, 1 of 1 search segments, " in run(
        "rotate_encryption", "--dry-run"
    )
    with pytest.raises(CommandError, match="still needed"):
        run("rotate_encryption", "--check")
    said = run("rotate_encryption")
    assert "5 of 5 customers, 1 of 1 search segments, " in said
    assert f"Retired, can be dropped: {old_id}." in said
    assert f"Entry 2 ({old_id}): 0 values, can be dropped." in run("rotate_encryption", "--check")
    settings.ENCRYPTION_KEYS = [new]
    for customer in made:
        read = Customer.objects.get(pk=customer.pk)
        assert {name: getattr(read, name) for name in VALUES} == VALUES
        assert read.email == customer.email
    assert len(business.customers.search("example.com")) == 5
    assert "0 of 5 customers, 0 of 1 search segments" in run("rotate_encryption")


@pytest.mark.django_db
def test_rotation_is_no_change_of_the_customer(business, two_keys):
    customer = factories.customer(business)
    index.pack(business)
    before = Customer.objects.values("updated_at", "search_mark", "email_hash").get(pk=customer.pk)
    two_keys()
    run("rotate_encryption")
    after = Customer.objects.values("updated_at", "search_mark", "email_hash").get(pk=customer.pk)
    assert after == before


@pytest.mark.django_db
def test_an_unreadable_value_is_counted_and_left(business, settings, two_keys):
    good, bad = factories.customer(business), factories.customer(business)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET email = 's1.forged' WHERE id = %s", [bad.pk])
    two_keys()
    with pytest.raises(
        CommandError,
        match=rf" 1 of 2 customers.* 1 customers could not be opened: {bad.public_id}\.",
    ):
        run("rotate_encryption")
    assert Customer.objects.get(pk=good.pk).email == good.email


@pytest.mark.django_db(transaction=True)
def test_no_simultaneous_edit_is_lost_or_reverted(business, two_keys, monkeypatch):
    made = [factories.customer(business, **VALUES) for _ in range(40)]
    two_keys()
    monkeypatch.setattr("finora.sealing.rotation.BATCH", 3)
    wanted = {}
    stop = threading.Event()

    def edit():
        try:
            n = 0
            while not stop.is_set() or n < 40:
                customer = made[n % len(made)]
                wanted[customer.pk] = f"{n} Marina"
                business.customers.edit(customer.public_id, {"address": wanted[customer.pk]})
                n += 1
        finally:
            connection.close()

    editor = threading.Thread(target=edit)
    editor.start()
    for _ in range(3):
        run("rotate_encryption")
    stop.set()
    editor.join()
    for customer in Customer.objects.all():
        assert customer.address == wanted[customer.pk]
        assert customer.phone == VALUES["phone"]


@pytest.mark.django_db
def test_lookups_and_conflicts_hold_before_during_and_after_rotate_blind_index(
    business, settings, two_blind_keys
):
    first = factories.customer(business, email="ada@example.com", **VALUES)
    new, _ = two_blind_keys()

    def holds():
        mine = business.customers
        assert mine.with_email("ADA@example.com").get() == first
        assert mine.with_phone("+2348031234567").get() == first
        assert mine.with_tin("123456780001").get() == first
        assert business.customers.find_or_create("Ada@example.com") == (first, False)
        with pytest.raises(EmailInUse):
            factories.customer(business, email="ada@example.com")

    holds()
    later = factories.customer(business)
    assert "Would hash 1 of 2 customers" in run("rotate_blind_index", "--dry-run")
    assert "Hashed 1 of 2 customers anew. Run it again" in run("rotate_blind_index")
    holds()
    assert "Retired, can be dropped" in run("rotate_blind_index")
    settings.BLIND_INDEX_KEYS = [new]
    assert KeyCanary.objects.trouble() == []
    holds()
    assert business.customers.with_email(later.email).get() == later


@pytest.mark.django_db(transaction=True)
def test_find_or_create_makes_one_customer_while_the_blind_index_key_changes(
    business, two_blind_keys
):
    known = [factories.customer(business) for _ in range(10)]
    two_blind_keys()
    emails = [c.email for c in known] + [f"new{n}@example.com" for n in range(10)]
    made, problems = [], []
    barrier = threading.Barrier(5)

    def sync():
        try:
            barrier.wait()
            for email in emails:
                made.append(business.customers.find_or_create(email)[1])
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    barrier.wait()
    run("rotate_blind_index")
    for thread in threads:
        thread.join()
    assert problems == []
    assert sum(made) == 10
    assert Customer.objects.count() == 20


@pytest.mark.django_db
def test_segments_written_under_the_old_key_stay_searchable(business, two_keys):
    factories.customer(business, name="Ada")
    index.pack(business)
    two_keys()
    store.cache().clear()
    assert len(business.customers.search("ada")) == 1
    assert SearchSegment.objects.count() == 1


@pytest.mark.django_db
def test_an_answer_stored_under_the_old_key_is_sealed_anew(api, settings, two_keys):
    body = {"name": "Ada", "email": "ada@example.com"}
    first = api.post("/v1/customers", body, headers={"Idempotency-Key": "order-1"})
    new, old = two_keys()
    with pytest.raises(CommandError, match=r"Entry 2 \(\w+\): 2 values, still needed"):
        run("rotate_encryption", "--check")
    said = run("rotate_encryption")
    assert "Sealed 1 of 1 stored answers, 1 of 1 customers" in said
    assert f"Retired, can be dropped: {keyring.parse_key(old).id.hex()}." in said
    settings.ENCRYPTION_KEYS = [new]
    again = api.post("/v1/customers", body, headers={"Idempotency-Key": "order-1"})
    assert again.json()["data"] == first.json()["data"]
    assert again["Idempotency-Replayed"] == "true"


# --- Canaries -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_key_is_retired_when_nothing_needs_it_and_not_before(business, settings, two_keys):
    factories.customer(business)
    bad = factories.customer(business)
    token = factories.stored(bad, "email")
    factories.store(bad, "email", token[:-8] + "AAAAAAAA")
    new, old = two_keys()
    KeyCanary.objects.plant()
    with pytest.raises(CommandError, match="Still needed"):
        run("rotate_encryption")
    settings.ENCRYPTION_KEYS = [new]
    assert KeyCanary.objects.trouble()
    settings.ENCRYPTION_KEYS = [new, old]
    factories.store(bad, "email", token)
    assert " 1 of 2 customers" in run("rotate_encryption", "--dry-run")
    assert len(KeyCanary.objects.ids_of(KeyCanary.Setting.ENCRYPTION)) == 2
    run("rotate_encryption")
    settings.ENCRYPTION_KEYS = [new]
    assert KeyCanary.objects.trouble() == []


@pytest.mark.django_db
def test_a_key_that_is_not_first_yet_is_no_older_one(business, settings, two_keys):
    """OLD,NEW: nothing is retired that writes."""
    factories.customer(business)
    new, old = two_keys()
    settings.ENCRYPTION_KEYS = [old, new]
    run("rotate_encryption")
    settings.ENCRYPTION_KEYS = [old]
    assert KeyCanary.objects.trouble() == []


# --- Duplicates that a wrong key made -----------------------------------------------------------


@pytest.fixture
def duplicates(business, settings, two_blind_keys):
    """Two active customers with one email, the first one under the old key; and others."""
    old = factories.customer(business, email="ada@example.com", **VALUES)
    others = [factories.customer(business)]
    new, before = two_blind_keys()
    settings.BLIND_INDEX_KEYS = [new]
    anew = factories.customer(business, email="ada@example.com")
    settings.BLIND_INDEX_KEYS = [before]
    others.append(factories.customer(business))
    others.append(factories.customer(factories.business()))
    settings.BLIND_INDEX_KEYS = [new, before]
    return old, anew, others


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
@pytest.mark.django_db
def test_a_duplicate_is_named_and_the_rest_goes_on(settings, duplicates, arguments):
    old, anew, others = duplicates
    told = StringIO()
    with pytest.raises(CommandError, match=r"[Hh]ash(ed)? 3 of 5 .* 1 have a value of another"):
        call_command("rotate_blind_index", *arguments, stderr=told)
    assert f"{old.public_id} has a value of {anew.public_id}" in told.getvalue()
    assert "ada" not in told.getvalue()
    settings.BLIND_INDEX_KEYS = settings.BLIND_INDEX_KEYS[:1]
    for customer in others:
        found = customer.business.customers.with_email(customer.email)
        assert found.exists() is not bool(arguments)
    # Of the duplicate itself all but the email is found.
    with_phone = old.business.customers.with_phone(VALUES["phone"])
    assert with_phone.exists() is not bool(arguments)


@pytest.mark.django_db
def test_once_a_duplicate_is_deactivated_the_rotation_ends(duplicates):
    old, anew, _ = duplicates
    with pytest.raises(CommandError):
        run("rotate_blind_index")
    old.delete()
    assert "Hashed 1 of 5" in run("rotate_blind_index")
    assert "Retired, can be dropped" in run("rotate_blind_index")
    mine = anew.business.customers.with_email("ada@example.com")
    assert set(mine) == {old, anew}
