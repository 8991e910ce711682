"""Idempotency-Key on both POSTs: sent again, answered again, done once."""

import hmac
import threading
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command
from django.db import connection

from customers.managers import CustomerManager
from customers.models import Customer
from finora import clock
from finora.api import models
from finora.api.models import StoredAnswer
from finora.sealing import blind_index
from finora.sealing.models import KeyCanary
from finora.tests.kit.fixtures import Api
from finora.tests.kit.races import together

CREATE = "/v1/customers"
BODY = {"name": "Ada", "email": "ada@example.com", "phone": "0803 123 4567"}


def post(api, body=BODY, key="order-1", path=CREATE):
    return api.post(path, body, headers={"Idempotency-Key": key})


def test_the_first_answer_is_replayed(api):
    first, again = post(api), post(api)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["data"] == first.json()["data"]
    assert again["Location"] == first["Location"]
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert again.json()["meta"]["requestId"] != first.json()["meta"]["requestId"]
    assert Customer.objects.count() == 1


def test_find_or_create_answers_created_true_again(api):
    path = "/v1/customers/find-or-create"
    for _ in range(2):
        answer = post(api, {"email": "a@example.com"}, path=path)
        assert (answer.status_code, answer.json()["data"]["created"]) == (201, True)


def test_the_order_of_members_does_not_make_another_body(api):
    post(api)
    assert post(api, dict(reversed(BODY.items()))).status_code == 201


def test_another_body_is_a_conflict(api):
    post(api)
    answer = post(api, BODY | {"email": "other@example.com"})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "CONFLICT"
    assert Customer.objects.count() == 1


def test_a_key_is_its_endpoints_and_its_businesss_own(api, other_api):
    post(api)
    assert post(other_api).status_code == 201
    answer = post(api, {"email": BODY["email"]}, path="/v1/customers/find-or-create")
    assert answer.json()["data"]["created"] is False
    assert Customer.objects.count() == 2


def test_an_error_is_not_stored(api):
    assert post(api, {"name": "Ada"}).status_code == 400
    assert not StoredAnswer.objects.exists()
    assert post(api).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\tb"])
def test_a_malformed_key_is_refused(api, key):
    answer = post(api, key=key)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert not Customer.objects.exists()


def test_a_key_of_255_characters_is_taken(api):
    assert post(api, key="x" * 255).status_code == 201


def test_after_a_day_the_key_is_free_again(api):
    id = post(api).json()["data"]["id"]
    Customer.objects.with_public_id(id).delete()
    StoredAnswer.objects.update(created_at=clock.now() - timedelta(hours=25))
    assert post(api).json()["data"]["id"] != id
    assert StoredAnswer.objects.count() == 1


def test_nothing_readable_is_stored(api):
    post(api, key="ada@example.com")
    row = StoredAnswer.objects.values().get()
    written = b"".join(bytes(v) for v in row.values() if isinstance(v, bytes | memoryview))
    for value in (*BODY.values(), "ada@example.com"):
        assert value.encode() not in written


@pytest.mark.django_db(transaction=True)
def test_simultaneous_twins_run_once():
    from finora.tests.kit import factories

    business = factories.business()
    _, text = factories.api_key(business)
    answers, barrier = [], threading.Barrier(6)

    def call():
        try:
            barrier.wait()
            answers.append(post(Api(business, text)))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    assert Customer.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_answer_about_who_is_erased_meanwhile_is_not_kept(monkeypatch):
    from finora.tests.kit import factories

    business = factories.business()
    _, text = factories.api_key(business)
    ada = factories.customer(business, name=BODY["name"], email=BODY["email"])
    active_with_email = CustomerManager.active_with_email

    def erase():
        try:
            Customer.objects.get(pk=ada.pk).erase()
        finally:
            connection.close()

    def found_and_then_erased(self, *args, **kwargs):
        found = active_with_email(self, *args, **kwargs)
        thread = threading.Thread(target=erase)
        thread.start()
        thread.join()
        return found

    monkeypatch.setattr(CustomerManager, "active_with_email", found_and_then_erased)
    body = {"email": BODY["email"]}
    response = post(Api(business, text), body, path="/v1/customers/find-or-create")
    assert response.json()["data"]["id"] == ada.public_id
    assert Customer.objects.get(pk=ada.pk).erased_at
    assert not StoredAnswer.objects.exists()


# --- Expired ones -------------------------------------------------------------------------------


def expire():
    StoredAnswer.objects.update(created_at=clock.now() - timedelta(hours=24, seconds=1))


def test_a_call_removes_few_of_the_many_expired_of_its_business(api, other_api, monkeypatch):
    """And none of another's, which may be on another machine."""
    monkeypatch.setattr(models, "PURGED_AT_ONCE", 3)
    post(other_api)
    for n in range(5):
        post(api, {"email": f"{n}@example.com"}, f"order-{n}", f"{CREATE}/find-or-create")
    expire()
    mine = StoredAnswer.objects.in_business(api.business.pk).expired()
    post(api, BODY | {"email": "6@example.com"}, "order-6")
    assert mine.count() == 2
    post(api, BODY | {"email": "7@example.com"}, "order-7")
    assert mine.count() == 0
    assert StoredAnswer.objects.expired().count() == 1


def test_a_command_removes_the_rest_once_a_day(api, other_api, capsys):
    post(api)
    post(other_api)
    call_command("prune_answers")
    assert StoredAnswer.objects.count() == 2
    expire()
    call_command("prune_answers", "--dry-run")
    assert StoredAnswer.objects.count() == 2
    call_command("prune_answers")
    assert not StoredAnswer.objects.exists()
    assert capsys.readouterr().out.split("\n")[:3] == [
        "Removed 0 stored answers.",
        "Would remove 2 stored answers.",
        "Removed 2 stored answers.",
    ]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_calls_that_expired_answers_belong_to_do_not_wait_for_each_other():
    """Each call takes its own first: two that held what the other wants would never end."""
    from finora.tests.kit import factories

    calls = []
    for _ in range(4):
        business = factories.business()
        _, text = factories.api_key(business)
        calls.append(partial(post, Api(business, text)))
    for _ in range(10):
        for customer in Customer.objects.active():
            customer.delete()
        expire()
        assert {answer.status_code for answer in together(*calls)} == {201}
        assert StoredAnswer.objects.count() == 4
    assert not StoredAnswer.objects.expired().exists()


# --- While the blind index key is changed -------------------------------------------------------

OLD, NEW = "old blind index key 0123456789abcdef", "new blind index key 0123456789abcdef"


@pytest.mark.parametrize("before", [[OLD], [OLD, NEW], [NEW, OLD]])
@pytest.mark.parametrize("after", [[OLD, NEW], [NEW, OLD]])
def test_the_first_answer_is_replayed_after_each_step(api, settings, before, after):
    settings.BLIND_INDEX_KEYS = before
    first = post(api)
    settings.BLIND_INDEX_KEYS = after
    again = post(api)
    assert again.json()["data"] == first.json()["data"]
    assert again["Idempotency-Replayed"] == "true"
    assert Customer.objects.count() == StoredAnswer.objects.count() == 1
    assert post(api, BODY | {"name": "Another"}).status_code == 409
    expire()
    Customer.objects.all().delete()
    assert post(api).json()["data"]["id"] != first.json()["data"]["id"]
    assert StoredAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_processes_with_their_keys_in_different_order_do_the_work_once(monkeypatch):
    """Each thread stands for a process with keys of its own."""
    from finora.tests.kit import factories

    business = factories.business()
    _, text = factories.api_key(business)
    own = threading.local()
    monkeypatch.setattr(blind_index, "_subkeys", lambda *place: derived(own.keys, *place))
    monkeypatch.setattr(blind_index, "rotating", lambda: True)

    def derived(keys, field, business_id):
        return tuple(hmac.digest(key, f"{field} {business_id}".encode(), "sha256") for key in keys)

    def call(keys, n):
        own.keys = keys
        # Not find-or-create, nor one email: those would be held to one by themselves.
        return post(Api(business, text), {"name": "Ada", "email": f"{n}@example.com"})

    orders = [[b"old", b"new"], [b"new", b"old"]] * 3
    answers = together(*[partial(call, keys, 0) for keys in orders])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    answers = together(*[partial(call, keys, n) for n, keys in enumerate(orders)])
    assert {answer.status_code for answer in answers} == {201, 409}
    assert StoredAnswer.objects.count() == Customer.objects.count() == 1


def test_the_old_key_is_retired_when_no_answer_needs_it(api, settings, capsys):
    settings.BLIND_INDEX_KEYS = [OLD]
    StoredAnswer.objects.all().delete()
    KeyCanary.objects.all().delete()
    KeyCanary.objects.plant()
    post(api)
    settings.BLIND_INDEX_KEYS = [NEW, OLD]
    KeyCanary.objects.plant()
    call_command("rotate_blind_index")
    call_command("rotate_blind_index")
    assert "1 stored answers need an old key" in capsys.readouterr().out
    settings.BLIND_INDEX_KEYS = [NEW]
    assert KeyCanary.objects.trouble()
    settings.BLIND_INDEX_KEYS = [NEW, OLD]
    expire()
    call_command("rotate_blind_index")
    assert "Retired, can be dropped" in capsys.readouterr().out
    settings.BLIND_INDEX_KEYS = [NEW]
    assert KeyCanary.objects.trouble() == []
