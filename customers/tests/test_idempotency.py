"""Idempotency-Key on both POSTs: sent again, answered again, done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from customers import clock
from customers.managers import CustomerQuerySet
from customers.models import Customer, StoredAnswer
from customers.tests.conftest import Api

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
    from customers.tests import factories

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
    from customers.tests import factories

    business = factories.business()
    _, text = factories.api_key(business)
    ada = factories.customer(business, name=BODY["name"], email=BODY["email"])
    find_or_create = CustomerQuerySet.find_or_create

    def erase():
        try:
            Customer.objects.get(pk=ada.pk).erase()
        finally:
            connection.close()

    def found_and_then_erased(self, *args, **kwargs):
        answer = find_or_create(self, *args, **kwargs)
        thread = threading.Thread(target=erase)
        thread.start()
        thread.join()
        return answer

    monkeypatch.setattr(CustomerQuerySet, "find_or_create", found_and_then_erased)
    body = {"email": BODY["email"]}
    response = post(Api(business, text), body, path="/v1/customers/find-or-create")
    assert response.json()["data"]["id"] == ada.public_id
    assert Customer.objects.get(pk=ada.pk).erased_at
    assert not StoredAnswer.objects.exists()
