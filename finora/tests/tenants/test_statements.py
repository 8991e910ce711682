"""Each statement about a tenant's rows names their business: of every way that leads to one."""

import importlib.util
import operator
from dataclasses import asdict

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction

from customers.management.people import people
from customers.models import Customer
from customers.search import index
from customers.transfer import person, tasks
from finora.api.models import StoredAnswer
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, PERSONAL, act, page, save
from finora.tests.kit.tasks import run_tasks
from finora.tests.kit.tenant_statements import each_of_one_business, problems

CUSTOMERS = "/v1/customers"
# What reads beyond one business, and nothing else does: docs/scaling.md says what each costs.
BY_KEY = "finora.staff.base.DirectoryAdmin.get_object"
TICKED = (
    "customers.admin.customer.CustomerAdmin.deactivate",
    "customers.admin.customer.CustomerAdmin.restore",
    "customers.admin.export.ExportingAdmin.export",
    "customers.admin.export.ExportingAdmin.file_of",
    "customers.admin.bulk.BulkAdmin.everything_view",
)
LISTS = (
    "customers.admin.pages.CustomerList.get_results",
    "customers.admin.pages.CustomerList.first_pks",
    "finora.staff.audit.AuditList.get_results",
    "finora.staff.subjects.urls",
)
FRONT_PAGE = (
    "customers.admin.front_page._count",
    "finora.tenants.models.api_key.ApiKeyQuerySet.issued_lately",
    "finora.audit.models.AuditEventQuerySet.latest_in",
    "finora.staff.panels._events",
)
BY_BUSINESS = "finora.orm.tenant.TenantQuerySet.by_business"
CHECKS = (
    "finora.sealing.rotation.keys_in_use",
    "finora.sealing.rotation.retire_blind_index_keys",
)
HEADERS = {"Idempotency-Key": "order-1"}


def test_the_seven_endpoints(api, business, other_business):
    customer = factories.customer(business, **PERSONAL)
    path = f"{CUSTOMERS}/{customer.public_id}"
    factories.customer(other_business)
    filters = {"email": PERSONAL["email"], "status": "all", "updatedSince": "2026-01-01T00:00:00Z"}
    with each_of_one_business() as watch:
        answers = [
            api.get(CUSTOMERS),
            api.get(CUSTOMERS, filters),
            api.get(f"{CUSTOMERS}/search", {"q": "ada"}),
            api.get(path),
            api.put(path, {"name": "New", "email": "new@example.com"}),
            api.put(path, {"name": "New"}),
            api.post(CUSTOMERS, {"name": "A", "email": "a@example.com"}),
            api.post(CUSTOMERS, {"name": "A", "email": "a@example.com"}),
            api.post(f"{CUSTOMERS}/find-or-create", {"email": "f@example.com"}),
            api.post(f"{CUSTOMERS}/find-or-create", {"email": "f@example.com"}),
            api.delete(path),
            api.delete(path),
            api.put(path, {"name": "Newer"}),
        ]
    assert [answer.status_code for answer in answers] == [
        200, 200, 200, 200, 200, 200, 201, 409, 201, 200, 200, 200, 409,
    ]  # fmt: skip
    assert len(watch.seen) > len(answers)


def test_an_idempotency_key(api, business):
    with each_of_one_business():
        for _ in range(2):
            body = {"email": "f@example.com"}
            assert api.post(f"{CUSTOMERS}/find-or-create", body, headers=HEADERS).status_code == 201
        with transaction.atomic():
            StoredAnswer.objects.claim(business.pk, [(b"key" * 8, b"body"), (b"old" * 8, b"body")])


def test_what_goes_out_in_bulk_and_what_is_held_about_one(api, business, tmp_path):
    customer = factories.customer(business, **PERSONAL)
    with each_of_one_business("customers.management.commands.export_customer._found"):
        assert api.get(f"{CUSTOMERS}/export").getvalue()
        call_command("export_customers", business.public_id, tmp_path / "all.csv")
        call_command("export_customer", customer.public_id, tmp_path / "one.json")


def test_packing_and_what_follows_it(business, monkeypatch):
    monkeypatch.setattr(index, "MERGE_FAN", 2)
    with each_of_one_business():
        for _ in range(4):
            made = [factories.customer(business) for _ in range(3)]
            index.pack(business)
        made[0].edit(name="Somebody else")
        while index.step(business):
            pass
        index.repack(business)
        assert business.customers.search("customer")


def test_an_import(business):
    rows = [Customer(business=business, **asdict(person)) for person in people(20)]
    with each_of_one_business():
        for some in (rows[:10], rows[10:]):
            business.customers.import_packed(business.customers.without_known_emails(some))
        index.merge_all(business)


def test_an_imported_file_and_its_undoing(business):
    factories.customer(business, email="ada@example.com")
    lines = [b"name,email", *(b"Ada %d,ada%d@example.com" % (n, n) for n in range(5))]
    with each_of_one_business():
        import_ = tasks.begin(business, [b"\n".join(lines)], on_duplicate="update")
        run_tasks()
        import_.refresh_from_db()
        assert (import_.state, import_.created) == ("done", 5)
        list(import_.findings())
        tasks.undo_import.enqueue(business.public_id, import_.public_id)
        run_tasks()


def test_in_and_out_in_bulk(api, business, other_business):
    for each in (business, other_business):
        factories.customer(each, email="ada@example.com")
    body = b'{"name": "Ada", "email": "ada@example.com"}\n{"name": "B", "email": "b@example.com"}'
    with each_of_one_business():
        sent = api.call(
            "POST", f"{CUSTOMERS}/import?onDuplicate=update", body,
            content_type="application/x-ndjson", headers=HEADERS,
        )  # fmt: skip
        assert sent.status_code == 202
        run_tasks()
        answer = api.get(f"/v1/imports/{sent.json()['data']['id']}").json()["data"]
        assert (answer["created"], answer["updated"]) == (1, 1)
        assert api.get(f"{CUSTOMERS}/export").getvalue().endswith(b'{"count":2}\n')


def test_a_person_is_erased(api, business):
    made = api.post(CUSTOMERS, {"name": "A", "email": "a@example.com"}, headers=HEADERS).json()
    customer = business.customers.get(public_id=made["data"]["id"])
    index.pack(business)
    with each_of_one_business():
        customer.erase()
    assert not StoredAnswer.objects.exists()


def test_all_that_is_held_of_a_person(business):
    customer = factories.customer(business, **PERSONAL)
    factories.api_key(business)
    with each_of_one_business():
        held = person.hand_over(customer)
    assert len(held["history"]) == 2


def test_customers_are_deleted_and_restored_business_by_business(business, other_business):
    made = [factories.customer(each) for each in (business, other_business, business)]
    with each_of_one_business(BY_BUSINESS):
        assert Customer.objects.all().delete()[0] == 3
    with each_of_one_business():
        for customer in made:
            customer.refresh_from_db()
            customer.restore()
            customer.delete()


@pytest.mark.parametrize("command", ["rotate_encryption", "rotate_blind_index"])
def test_keys_are_changed_business_by_business(business, other_business, settings, command):
    for each in (business, other_business):
        factories.customer(each, **PERSONAL)
        index.pack(each)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    new = "another blind index key, 0123456789abcdef"
    settings.BLIND_INDEX_KEYS = [new, *settings.BLIND_INDEX_KEYS]
    with each_of_one_business(*CHECKS):
        call_command(command)


def test_the_staffs_actions(staff, business, other_business):
    ada, bola = factories.customer(business, **PERSONAL), factories.customer(other_business)
    yes = {"confirmed": "yes"}
    with each_of_one_business(BY_KEY, BY_BUSINESS, *TICKED, *LISTS):
        assert staff.get(page(ada)).status_code == 200
        save(staff, ada, name="New name")
        staff.post(f"{LIST}{ada.pk}/reveal/", {"field": "email"})
        act(staff, "deactivate", ada, bola, **yes)
        act(staff, "restore", ada, bola, query="status=all", **yes)
        act(staff, "export", ada, bola, query="status=all", **yes)
        everything = {"everything": "deactivate", "count": "2", **yes}
        staff.post(LIST, everything, follow=True)
        staff.post(f"{LIST}{ada.pk}/erase/", {"typed": ada.public_id}, follow=True)
    ada.refresh_from_db()
    bola.refresh_from_db()
    assert ada.erased_at
    assert not bola.is_active
    assert {"revealed", "deleted", "restored", "exported", "erased"} <= set(
        AuditEvent.objects.values_list("action", flat=True)
    )


def test_what_staff_read_beyond_one_business(staff, business, other_business):
    for each in (business, other_business):
        factories.customer(each)
        factories.api_key(each)
    cache.clear()
    with each_of_one_business(*LISTS, *FRONT_PAGE) as watch:
        for url in ("/admin/", LIST, "/admin/audit/auditevent/"):
            assert staff.get(url).status_code == 200
    assert watch.met >= {LISTS[0], LISTS[2], FRONT_PAGE[0], FRONT_PAGE[1]}


@pytest.mark.parametrize("name", [BY_KEY, BY_BUSINESS, *TICKED, *LISTS, *FRONT_PAGE, *CHECKS])
def test_what_may_is_there_and_its_cost_is_told(name):
    place, attribute = name, ""
    while not (found := importlib.util.find_spec(place) if _is_module(place) else None):
        place, _, last = place.rpartition(".")
        attribute = f"{last}.{attribute}".rstrip(".")
    assert found
    assert operator.attrgetter(attribute)(importlib.import_module(place))
    told = (settings.BASE_DIR / "docs/scaling.md").read_text()
    assert f"`{'.'.join(name.split('.')[-2:])}`" in told


def _is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT {t}."id" FROM {t} WHERE {t}."id" = %s',
        'SELECT {t}."id" FROM {t} WHERE ({t}."business_id" = %s OR {t}."id" = %s)',
        'SELECT {t}."id" FROM {t} WHERE {t}."business_id" IN (%s, %s)',
        'SELECT {t}."id" FROM {t} WHERE NOT ({t}."business_id" = %s)',
        'SELECT {t}."id" FROM {t} WHERE {t}."id" IN (SELECT U0."id" FROM {t} U0)',
        'SELECT COUNT(*) FROM (SELECT {t}."id" FROM {t} LIMIT 5) subquery',
        'SELECT {t}."id" FROM {t} WHERE ({t}."id" = %s) FOR UPDATE',
        'SELECT {t}."id" FROM {t} INNER JOIN "tenants_business" ON ({t}."business_id" ='
        ' ("tenants_business"."id")::bigint)',
        'SELECT {t}."id" FROM {t} INNER JOIN "tenants_apikey" ON ({t}."business_id" ='
        ' "tenants_apikey"."business_id") WHERE {t}."business_id" = %s',
        'SELECT (SELECT U0."id" FROM {t} U0 WHERE U0."business_id" = ("audit_auditevent".'
        '"business_id")) FROM "audit_auditevent" WHERE "audit_auditevent"."business_id" = %s',
        'UPDATE {t} SET "name" = %s WHERE {t}."id" = %s',
        'UPDATE {t} SET "business_id" = %s WHERE {t}."business_id" = %s',
        'DELETE FROM {t} WHERE {t}."id" IN (%s, %s)',
        'WITH gone AS (DELETE FROM {t} WHERE "id" = %s) SELECT 1',
        'INSERT INTO {t} ("name") SELECT {t}."name" FROM {t}',
    ],
)
def test_the_reading_of_statements_lets_none_of_these_by(sql):
    assert problems(sql.format(t='"customers_customer"'))


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT {t}."id" FROM {t} WHERE ({t}."id" = %s AND {t}."business_id" = %s) FOR UPDATE',
        'SELECT {t}."id" FROM {t} INNER JOIN "tenants_business" ON ({t}."business_id" ='
        ' "tenants_business"."id") WHERE {t}."business_id" = %s',
        'WITH noted AS (INSERT INTO "audit_auditevent" ("at") VALUES (%s)) INSERT INTO {t} ("name")'
        ' VALUES (%s) RETURNING "id"',
        'COPY {t} ("id") FROM STDIN (FORMAT BINARY)',
        'UPDATE {t} SET "name" = %s WHERE ({t}."business_id" = %s AND {t}."id" = %s)',
        'SELECT U0."id" FROM {t} U0 INNER JOIN "audit_auditevent" U1 ON (U0."id" = U1."id" AND'
        ' (U0."business_id" = (U1."business_id"))) WHERE U1."business_id" = %s',
    ],
)
def test_and_all_of_these(sql):
    assert problems(sql.format(t='"customers_customer"')) == []


@pytest.mark.postgres
def test_copy_and_what_goes_to_libpq_are_seen(api, business):
    rows = [Customer(business=business, **asdict(person)) for person in people(3)]
    with each_of_one_business() as watch:
        business.customers.import_packed(rows)
        business.customers.get_shown(rows[0].public_id)
    assert [sql for sql in watch.seen if sql.startswith("COPY ")]
    assert [sql for sql in watch.seen if 'public_id" = (%s)' in sql]
