"""What holds when many call at once: real threads, each with a database connection of its own."""

import threading
import time
from functools import partial

import pytest
from django.db import transaction

from customers.models import Customer
from customers.querysets import CustomerErased, EmailInUse
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused
from finora.tests.kit.races import together

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 16
EMAIL = "ada.obi@example.com"


def spelled(n):
    """The email with the n-th choice of capital letters."""
    return "".join(c.upper() if n >> (i % 4) & 1 else c for i, c in enumerate(EMAIL))


def emails_of(customers):
    return [customer.email for customer in customers]


def test_find_or_create_makes_one_customer_and_says_created_once(api, business):
    calls = [
        partial(
            api.post,
            "/v1/customers/find-or-create",
            {"email": spelled(n), "name": f"Caller {n}", "phone": f"0803 123 45{n:02}"},
        )
        for n in range(CALLERS)
    ]
    answers = together(*calls)

    made = [r.json()["data"] for r in answers if r.status_code == 201]
    found = [r.json()["data"] for r in answers if r.status_code == 200]
    assert len(made) == 1
    assert len(found) == CALLERS - 1
    assert made[0]["created"] is True
    assert not any(data["created"] for data in found)
    customer = Customer.objects.get()
    assert {data["id"] for data in made + found} == {customer.public_id}
    assert {data["name"] for data in made + found} == {customer.name}
    assert {data["email"] for data in made + found} == {EMAIL}


def test_find_or_create_of_two_businesses_does_not_mix(api, other_api):
    body = {"email": EMAIL}
    calls = [partial(a.post, "/v1/customers/find-or-create", body) for a in (api, other_api)]
    answers = together(*calls * 4)
    assert sorted(r.status_code for r in answers) == [200] * 6 + [201] * 2
    assert Customer.objects.count() == 2
    assert len(set(Customer.objects.values_list("business_id", flat=True))) == 2


def test_of_simultaneous_creates_one_wins_and_the_rest_conflict(api):
    calls = [
        partial(api.post, "/v1/customers", {"name": f"Caller {n}", "email": spelled(n)})
        for n in range(CALLERS)
    ]
    answers = together(*calls)
    winners = [r for r in answers if r.status_code == 201]
    assert len(winners) == 1
    winner = accepted(winners[0], 201)["id"]
    for answer in answers:
        if answer is not winners[0]:
            assert winner in refused(answer, 409, "CONFLICT", ["email"])["message"]
    assert Customer.objects.count() == 1


def test_puts_of_different_fields_all_survive(api, business):
    fields = {
        "name": "Ada",
        "email": EMAIL,
        "phone": "0803 123 4567",
        "address": "1 Marina\nLagos",
        "tin": "12345678-0001",
        "companyName": "Ada & Sons",
    }
    for _ in range(3):
        customer = factories.customer(business)
        path = f"/v1/customers/{customer.public_id}"
        answers = together(*(partial(api.put, path, {k: v}) for k, v in fields.items()))
        assert {r.status_code for r in answers} == {200}
        shown = accepted(api.get(path))
        assert {name: shown[name] for name in fields} == fields
        # What follows a field was written with it: each lookup finds the new value.
        for name in ("email", "phone", "tin"):
            assert accepted(api.get("/v1/customers", {name: fields[name]}))["count"] == 1
        accepted(api.delete(path))


def test_of_simultaneous_puts_of_one_email_one_wins(api, business):
    paths = [f"/v1/customers/{factories.customer(business).public_id}" for _ in range(8)]
    answers = together(*(partial(api.put, path, {"email": EMAIL}) for path in paths))
    assert sorted(r.status_code for r in answers) == [200] + [409] * 7
    assert business.customers.with_email(EMAIL).count() == 1
    assert emails_of(Customer.objects.all()).count(EMAIL) == 1


def test_put_and_delete_leave_a_deleted_customer_with_or_without_the_change(api, business):
    for _ in range(6):
        customer = factories.customer(business, name="Before")
        path = f"/v1/customers/{customer.public_id}"
        put, deleted = together(
            partial(api.put, path, {"name": "After"}), partial(api.delete, path)
        )
        assert accepted(deleted) == {"id": customer.public_id, "isActive": False}
        customer.refresh_from_db()
        assert not customer.is_active
        if put.status_code == 200:
            assert customer.name == "After"
            assert bytes(customer.name_key) == b"after"
        else:
            refused(put, 409, "CONFLICT")
            assert customer.name == "Before"


def test_a_put_that_meets_a_delete_under_way_waits_for_it(api, business):
    customer = factories.customer(business, name="Before")
    path = f"/v1/customers/{customer.public_id}"
    under_way = threading.Event()

    def delete():
        with transaction.atomic():
            Customer.objects.filter(pk=customer.pk).delete()
            under_way.set()
            time.sleep(0.3)

    def put():
        under_way.wait(10)
        return api.put(path, {"name": "After"})

    _, answer = together(delete, put)
    refused(answer, 409, "CONFLICT")
    assert Customer.objects.get().name == "Before"


def test_simultaneous_deletes_all_give_the_same_answer(api, business):
    customer = factories.customer(business)
    path = f"/v1/customers/{customer.public_id}"
    for answer in together(*[partial(api.delete, path)] * 8):
        assert accepted(answer) == {"id": customer.public_id, "isActive": False}


def test_a_restore_that_meets_an_erasure_under_way_waits_for_it(business):
    customer = factories.customer(business)
    customer.delete()
    under_way = threading.Event()

    def erase():
        with transaction.atomic():
            Customer.objects.get(pk=customer.pk).erase()
            under_way.set()
            time.sleep(0.3)

    def restore():
        under_way.wait(10)
        with pytest.raises(CustomerErased):
            customer.restore()

    together(erase, restore)
    assert Customer.objects.get().erased_at
    assert not customer.is_active


def test_of_simultaneous_restores_one_is_noted(business):
    customer = factories.customer(business)
    customer.delete()
    together(*[Customer.objects.get(pk=customer.pk).restore for _ in range(8)])
    assert Customer.objects.get().is_active
    assert AuditEvent.objects.filter(action="restored").count() == 1


def test_restore_and_create_leave_one_active_customer(api, business):
    def restore(customer):
        try:
            customer.restore()
        except EmailInUse as error:
            return error.public_id
        return None

    for n in range(6):
        email = f"{n}{EMAIL}"
        customer = factories.customer(business, email=email)
        customer.delete()
        holder, answer = together(
            partial(restore, customer),
            partial(api.post, "/v1/customers", {"name": "New", "email": email}),
        )
        if answer.status_code == 201:
            assert holder == accepted(answer, 201)["id"]
        else:
            assert holder is None
            assert customer.public_id in refused(answer, 409, "CONFLICT", ["email"])["message"]
        assert business.customers.active().with_email(email).count() == 1


def test_find_or_create_always_answers_while_the_customer_is_deleted_again_and_again(api, business):
    """A conflict whose holder is gone by the time one looks is no reason to fail."""

    def find_or_create():
        answers = [api.post("/v1/customers/find-or-create", {"email": EMAIL}) for _ in range(25)]
        return {r.status_code for r in answers}

    def delete():
        for _ in range(100):
            Customer.objects.in_business(business.pk).delete()
        return set()

    statuses = set().union(*together(*[find_or_create] * 6, delete, delete))
    assert statuses <= {200, 201}
    assert Customer.objects.active().count() <= 1


def test_find_or_create_looks_again_when_the_faster_one_is_gone(api, business, monkeypatch):
    """The same without luck: another call makes and deletes the customer between our steps."""
    other = []
    create = Customer.save

    def save(self, *args, **kwargs):
        if not other:
            other.append(self)
            faster = Customer(business=business, name="Faster", email=EMAIL)
            create(faster)
            holder = Customer.email_holder

            def gone(self):
                faster.delete()
                monkeypatch.setattr(Customer, "email_holder", holder)
                return holder(self)

            monkeypatch.setattr(Customer, "email_holder", gone)
        return create(self, *args, **kwargs)

    monkeypatch.setattr(Customer, "save", save)
    answer = accepted(api.post("/v1/customers/find-or-create", {"email": EMAIL}), 201)
    assert answer["created"] is True
    assert Customer.objects.active().get().public_id == answer["id"]


def test_the_walk_gives_each_row_once_while_others_write(api, business):
    """Every row that is there from the first page to the last one is shown exactly once."""
    stay = {factories.customer(business, name=f"Name {n:03}").public_id for n in range(60)}
    done = threading.Event()

    def walk():
        try:
            seen, query = [], {"limit": 7}
            while True:
                body = api.get("/v1/customers", query).json()
                seen += [customer["id"] for customer in body["data"]["customers"]]
                if "nextCursor" not in body["meta"]:
                    return seen
                query["cursor"] = body["meta"]["nextCursor"]
        finally:
            done.set()

    def write():
        n = 0
        while not done.is_set() and n < 300:
            n += 1
            made = accepted(
                api.post("/v1/customers", {"name": f"Name {n % 60:03}", "email": f"n{n}@x.co"}), 201
            )
            if n % 2:
                api.delete(f"/v1/customers/{made['id']}")
        return []

    seen, _ = together(walk, write)
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
