"""A person is erased for good; who points at the customer keeps an anonymous one."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test import Client

from customers.models import Customer
from customers.querysets import CustomerErased, CustomerInactive
from customers.search import index, stand_in, store
from customers.search.models import SearchSegment
from finora.api.models import StoredAnswer
from finora.audit.models import AuditEvent
from finora.sealing.tokens import SealedToken
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, act, listed, page, said, search
from finora.tests.kit.staff import browser

SECRETS = [*PERSONAL.values(), "Acme Ltd"]


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def ada(business) -> Customer:
    return factories.customer(business, **PERSONAL, company_name="Acme Ltd")


@pytest.fixture
def officer(db) -> Client:
    return browser("Privacy officer")


def erase(client: Client, customer: Customer, typed: str | None = None):
    typed = customer.public_id if typed is None else typed
    return client.post(f"{LIST}{customer.pk}/erase/", {"typed": typed}, follow=True)


def hashes(customer: Customer) -> list[object]:
    return [factories.stored(customer, f"{f}_hash") for f in ("email", "phone", "tin")]


def test_erasing_takes_all_of_the_person_and_keeps_the_row(officer, ada):
    Customer.objects.filter(pk=ada.pk).update(account_balance_kobo=500)
    before = hashes(ada)
    response = erase(officer, ada)
    assert response.request["PATH_INFO"] == page(ada)
    now = Customer.objects.get(pk=ada.pk)
    assert (now.name, now.email) == ("Erased customer", f"{ada.public_id}@erased.invalid")
    assert (now.phone, now.tin, now.address, now.company_name) == (None, None, None, None)
    assert not now.is_active
    assert (now.account_balance_kobo, now.created_at) == (500, ada.created_at)
    assert not set(map(bytes, filter(None, before))) & set(map(bytes, filter(None, hashes(ada))))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM customers_customer WHERE id = %s", [ada.pk])
        row = str([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])
    for value in (PERSONAL["name"], "Acme Ltd", "ada"):
        assert value.lower() not in row.lower()
    event = AuditEvent.objects.get(action="erased")
    assert (event.subject, event.fields, event.actor_kind) == (ada.public_id, [], "staff")
    assert [e.get_change_message() for e in LogEntry.objects.all()] == ["Erased."]


@pytest.mark.parametrize("typed", ["", "erase", "cust_other"])
def test_without_the_id_typed_nothing_is_erased(officer, ada, typed):
    assert ada.public_id in officer.get(f"{LIST}{ada.pk}/erase/").content.decode()
    assert erase(officer, ada, typed).context["form"].errors
    assert Customer.objects.get(pk=ada.pk).email == ada.email
    assert not AuditEvent.objects.filter(action="erased").exists()


def test_no_page_and_no_answer_shows_anything_of_it(officer, ada, api):
    erase(officer, ada)
    for url in (f"{LIST}?status=all", page(ada), f"{LIST}{ada.pk}/history/", "/admin/"):
        html = officer.get(url).content.decode()
        for value in SECRETS:
            assert value not in html
    for term in ("ada", PERSONAL["email"], PERSONAL["phone"], PERSONAL["tin"]):
        assert listed(search(officer, term, "status=all")) == []


def test_the_api_shows_an_anonymous_inactive_customer_of_eleven_fields(officer, ada, api):
    keys = list(api.get(f"/v1/customers/{ada.public_id}").json()["data"])
    erase(officer, ada)
    data = api.get(f"/v1/customers/{ada.public_id}").json()["data"]
    assert list(data) == keys
    assert (data["name"], data["isActive"]) == ("Erased customer", False)
    assert data["email"] == f"{ada.public_id}@erased.invalid"
    # A mirror hears of it, as of any change, and so forgets the person too.
    since = {"status": "all", "updatedSince": ada.updated_at.isoformat().replace("+00:00", "Z")}
    mirrored = api.get("/v1/customers", since).json()["data"]["customers"]
    assert [row["name"] for row in mirrored] == ["Erased customer"]
    changed = api.put(f"/v1/customers/{ada.public_id}", {"name": "Ada"})
    assert changed.status_code == 409
    assert api.delete(f"/v1/customers/{ada.public_id}").status_code == 200
    again = api.post("/v1/customers/find-or-create", {"email": PERSONAL["email"]})
    assert again.status_code == 201
    assert again.json()["data"]["id"] != ada.public_id


# Search.


def ids_in_segments(business_id: int) -> set[str]:
    pks = list(store.rows(business_id).values_list("id", flat=True))
    segments = [store.open_one(business_id, pk) for pk in pks]
    return {public_id for s in segments for public_id, _ in s.marks(range(s.lines))}


def text_of_segments(business_id: int) -> bytes:
    pks = list(store.rows(business_id).values_list("id", flat=True))
    return b"".join(store.open_one(business_id, pk).to_bytes() for pk in pks)


def test_its_lines_go_from_every_segment_and_the_others_stay(officer, ada, other_business):
    others = [factories.customer(ada.business, name=f"Áda {n}") for n in range(5)]
    foreign = factories.customer(other_business, name="Ada")
    for business in (ada.business, other_business):
        index.pack(business)
    ada.name = "Ada Renamed"  # its old line stays, and a second segment holds the new one
    ada.save()
    index.pack(ada.business)
    kept = set(store.rows(other_business.pk).values_list("id", flat=True))
    assert b"ada renamed" in text_of_segments(ada.business_id)
    erase(officer, ada)
    assert ids_in_segments(ada.business_id) == {c.public_id for c in others}
    assert b"ada obi" not in text_of_segments(ada.business_id)
    assert b"ada renamed" not in text_of_segments(ada.business_id)
    assert set(store.rows(other_business.pk).values_list("id", flat=True)) == kept
    assert ids_in_segments(other_business.pk) == {foreign.public_id}
    found = ada.business.customers.search("áda")
    assert [c.public_id for c in found] == [c.public_id for c in others]
    index.pack(ada.business)
    index.repack(ada.business)
    assert ids_in_segments(ada.business_id) == {c.public_id for c in others}


def test_a_segment_of_it_alone_goes_whole(officer, ada):
    index.pack(ada.business)
    assert SearchSegment.objects.count() == 1
    erase(officer, ada)
    assert not SearchSegment.objects.exists()


@pytest.mark.parametrize("killed", [False, True])
def test_a_repack_that_read_it_before_does_not_bring_it_back(ada, monkeypatch, killed):
    """Nor does one that was killed right after it wrote what it had read."""
    other = factories.customer(ada.business, name="Zoe")
    index.pack(ada.business)
    write_read = stand_in.write_read

    def erased_behind_it(business_id, segment):
        Customer.objects.get(pk=ada.pk).erase()
        write_read(business_id, segment)
        if killed:
            raise KeyboardInterrupt

    monkeypatch.setattr(stand_in, "write_read", erased_behind_it)
    with pytest.raises(KeyboardInterrupt) if killed else nullcontext():
        index.repack(ada.business)
    assert Customer.objects.get(pk=ada.pk).erased_at
    assert ids_in_segments(ada.business_id) == {other.public_id}


def test_it_is_erased_from_segments_that_cannot_be_opened_too(officer, ada):
    other = factories.customer(ada.business, name="Áda")
    index.pack(ada.business)
    store.cache.cache_clear()
    SearchSegment.objects.update(sealed=SealedToken(b"x" * 99))
    erase(officer, ada)
    assert Customer.objects.get(pk=ada.pk).erased_at
    assert ids_in_segments(ada.business_id) == {other.public_id}


def test_where_only_a_lacking_key_shows_who_is_left_nothing_is_erased(officer, ada, settings):
    """Without it nobody could tell the others' lines from the person's."""
    other = factories.customer(ada.business, name="Áda")
    index.pack(ada.business)
    store.cache.cache_clear()
    held = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    response = erase(officer, ada)
    assert "Nothing was erased" in said(response)
    settings.ENCRYPTION_KEYS = held
    assert Customer.objects.get(pk=ada.pk).email == ada.email
    assert ids_in_segments(ada.business_id) == {ada.public_id, other.public_id}


# Stored answers.


def test_the_answers_kept_for_repeated_calls_go_too(officer, api, business):
    body = {"name": PERSONAL["name"], "email": PERSONAL["email"]}
    first = api.post("/v1/customers", body, headers={"idempotency-key": "1"}).json()["data"]
    other = {"name": "Zoe", "email": "zoe@x.com"}
    api.post("/v1/customers", other, headers={"idempotency-key": "2"})
    erase(officer, Customer.objects.get(public_id=first["id"]))
    [left] = StoredAnswer.objects.all()
    assert b"zoe@x.com" in left.kept()


# For good.


def test_an_erased_customer_is_neither_restored_nor_edited(officer, ada):
    stale = Customer.objects.get(pk=ada.pk)
    erase(officer, ada)
    erased = Customer.objects.get(pk=ada.pk)
    with pytest.raises(CustomerErased):
        erased.restore()
    assert not erased.is_active
    with pytest.raises(CustomerErased):
        stale.restore()
    with pytest.raises(CustomerInactive):
        ada.business.customers.edit(ada.public_id, {"name": "Ada"})
    editor = browser("Editor")
    assert "Nothing to restore" in said(
        act(editor, "restore", ada, query="status=all", confirmed="1")
    )
    html = editor.get(page(ada)).content.decode()
    assert "Restore" not in html
    assert "Erased" in html
    # What somebody still held in memory cannot be written back.
    for fields in (None, ["email"], ["name", "phone"], ["is_active"]):
        with pytest.raises(CustomerErased):
            stale.save(update_fields=fields)
    assert Customer.objects.get(pk=ada.pk).email.endswith("@erased.invalid")
    # By other ways the database says no.
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=ada.pk).update(company_name="Acme Ltd")


def test_erasing_again_changes_nothing(officer, ada):
    erase(officer, ada)
    before = Customer.objects.get(pk=ada.pk)
    assert "erased before" in said(erase(officer, ada))
    before.erase()
    assert Customer.objects.get(pk=ada.pk).updated_at == before.updated_at
    assert AuditEvent.objects.filter(action="erased").count() == 1


def test_a_deactivated_and_an_unreadable_one_are_erased_too(officer, ada):
    ada.delete()
    factories.store(ada, "email", "s1.forged")
    deleted_at = Customer.objects.get(pk=ada.pk).deleted_at
    erase(officer, ada)
    now = Customer.objects.get(pk=ada.pk)
    assert now.erased_at
    assert now.deleted_at == deleted_at
    assert now.email.endswith("@erased.invalid")
