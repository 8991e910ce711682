"""On a real Citus cluster: the product as it is served, on tables spread by business.

Run by test_citus.py, in one process as there is one cluster, for CITUS_DATABASE_URL: a database
named `finora_citus_test` on the coordinator of a cluster with workers, whose tables go first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings

from finora import text
from finora.tests.kit.served import Served

URL = os.environ["CITUS_DATABASE_URL"]
if urlsplit(URL).path != "/finora_citus_test":
    pytest.exit("CITUS_DATABASE_URL: its tables go, so it names a database finora_citus_test.")

SPREAD = {"tenants_business": "reference", "tenants_apikey": "local", "auth_user": "local"}
CUSTOMERS = "/v1/customers"


class Cluster:
    """The product on it: its commands, and what the coordinator says."""

    env = os.environ | {"DATABASE_URL": URL}

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR, env=self.env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def python(self, code: str) -> str:
        """What these lines of the product's own process print."""
        return self.manage("shell", "--verbosity", "0", "-c", textwrap.dedent(code)).strip()

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(URL, autocommit=True) as link:
            cursor = link.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def tasks(self) -> tuple[int, int]:
        """How many statements were one task so far, and how many were several."""
        [(one, several)] = self.ask(
            "SELECT query_execution_single_shard, query_execution_multi_shard"
            " FROM citus_stat_counters WHERE name = current_database()"
        )
        return one, several


class Caller(NamedTuple):
    server: Served
    business_id: str
    key: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        query = urlencode({"businessId": self.business_id})
        url = f"{path}{'&' if '?' in path else '?'}{query}"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        sent = None if body is None else json.dumps(body)
        status, _, answer = self.server.call(method, url, sent, headers, timeout=120)
        return status, json.loads(answer)


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    there = Cluster()
    old = there.ask("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    if old:
        there.ask(f"DROP TABLE {', '.join(name for (name,) in old)} CASCADE")
    there.ask("ALTER DATABASE finora_citus_test SET citus.enable_stat_counters = on")
    there.manage("migrate", "--verbosity", "0")
    there.first = there.manage("distribute")
    return there


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("citus") / "log", DATABASE_URL=URL).wait()
    yield served
    served.stop()


def caller(cluster, server) -> Caller:
    business_id = cluster.manage("create_business", "Acme").split()[-1]
    made = cluster.manage("create_api_key", business_id, "--name", "a test")
    key = next(word for word in made.split() if word.startswith("test_sk_"))
    return Caller(server, business_id, key)


@pytest.fixture(scope="module")
def ours(cluster, server):
    return caller(cluster, server)


@pytest.fixture(scope="module")
def theirs(cluster, server):
    return caller(cluster, server)


def test_the_tables_are_spread_once(cluster):
    assert "customers_customer: by business" in cluster.first
    assert cluster.manage("distribute") == "All was spread before.\n"
    kinds = dict(cluster.ask("SELECT table_name::text, citus_table_type FROM citus_tables"))
    assert kinds.items() >= SPREAD.items()
    code = """
        from django.apps import apps
        from finora.orm.tenant import TenantRow
        print(*[m._meta.db_table for m in apps.get_models() if issubclass(m, TenantRow)])
    """
    tenants = set(cluster.python(code).split())
    assert {name for name, kind in kinds.items() if kind == "distributed"} == tenants
    together = cluster.ask(
        "SELECT DISTINCT colocation_id FROM citus_tables WHERE citus_table_type = 'distributed'"
    )
    assert len(together) == 1


def test_each_call_of_the_api_is_one_task(cluster, ours, theirs):
    theirs.call("POST", CUSTOMERS, {"name": "Theirs", "email": "ada@example.com"})
    _, answer = ours.call("POST", CUSTOMERS, {"name": "Ada", "email": "ada@example.com"})
    path = f"{CUSTOMERS}/{answer['data']['id']}"
    found = f"{CUSTOMERS}/find-or-create"
    calls = [
        ("GET", CUSTOMERS, None, 200),
        ("GET", f"{CUSTOMERS}?email=ada@example.com&status=all", None, 200),
        ("GET", f"{CUSTOMERS}/search?q=ada", None, 200),
        ("GET", path, None, 200),
        ("PUT", path, {"name": "Ada Obi"}, 200),
        ("PUT", path, {"email": "obi@example.com"}, 200),
        ("POST", CUSTOMERS, {"name": "Ada", "email": "obi@example.com"}, 409),
        ("POST", found, {"email": "eve@example.com"}, 201),
        ("POST", found, {"email": "EVE@example.com"}, 200),
        ("DELETE", path, None, 200),
        ("PUT", path, {"name": "Ada"}, 409),
    ]
    for method, url, body, status in calls:
        in_one_task(cluster, ours, method, url, body, status)
    before = cluster.tasks()
    keyed = [
        ours.call("POST", found, {"email": "key@example.com"}, Idempotency_Key="k") for _ in "12"
    ]
    assert [status for status, _ in keyed] == [201, 201]
    assert keyed[0][1]["data"] == keyed[1][1]["data"]
    assert cluster.tasks()[1] == before[1]


def in_one_task(cluster, caller, method, url, body, status) -> Any:
    before = cluster.tasks()
    said, answer = caller.call(method, url, body)
    assert said == status, (method, url, answer)
    one, several = cluster.tasks()
    assert several == before[1], (method, url)
    assert one > before[0]
    return answer["data"] if status < 300 else None


def test_so_is_each_call_of_the_books(cluster, ours):
    body = {"email": "books@example.com"}
    customer = in_one_task(cluster, ours, "POST", f"{CUSTOMERS}/find-or-create", body, 201)["id"]
    body = {"customerId": customer, "lineItems": [{"description": "Advice", "unitPrice": 100}]}
    invoice = in_one_task(cluster, ours, "POST", "/v1/invoices", body, 201)
    path = f"/v1/invoices/{invoice['id']}"
    in_one_task(cluster, ours, "PUT", path, {"status": "sent"}, 200)
    paid = {
        "amount": 50,
        "paymentMethod": "cash",
        "allocations": [{"invoiceId": invoice["id"], "amountAllocated": 50}],
    }
    receipt = in_one_task(cluster, ours, "POST", "/v1/receipts", paid, 201)["id"]
    for url in (
        path, "/v1/invoices", f"/v1/invoices?customerId={customer}&status=overdue",
        "/v1/receipts", f"/v1/receipts?customerId={customer}", f"/v1/receipts/{receipt}",
    ):  # fmt: skip
        in_one_task(cluster, ours, "GET", url, None, 200)
    in_one_task(cluster, ours, "DELETE", f"/v1/receipts/{receipt}", None, 200)
    in_one_task(cluster, ours, "PUT", path, {"status": "cancelled"}, 200)


def test_a_hundred_at_once_make_one_customer(ours):
    def call(number: int) -> tuple[int, Any]:
        email = "race@example.com" if number % 2 else "RACE@example.com"
        return ours.call("POST", f"{CUSTOMERS}/find-or-create", {"email": email})

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(call, range(100)))
    assert sorted(status for status, _ in answers) == [200] * 99 + [201]
    assert len({answer["data"]["id"] for _, answer in answers}) == 1


def test_a_load_is_found_by_search_as_by_brute_force(cluster, ours):
    before = cluster.tasks()
    cluster.manage("seed_customers", ours.business_id, "--count", "3000", "--invoices", "0")
    assert cluster.tasks()[1] == before[1]
    rows, cursor = [], ""
    while cursor is not None:
        query = f"{CUSTOMERS}?limit=100" + (f"&{urlencode({'cursor': cursor})}" if cursor else "")
        _, answer = ours.call("GET", query)
        rows += answer["data"]["customers"]
        cursor = answer["meta"].get("nextCursor")
    assert len(rows) > 3000
    for query in ("ade", "ọla", "obi@", "example", "zz", rows[1500]["name"][:4]):
        holds = [r for r in rows if text.holds(r["name"], query) or text.holds(r["email"], query)]
        _, answer = ours.call("GET", f"{CUSTOMERS}/search?{urlencode({'q': query})}")
        assert answer["data"]["customers"] == holds[:50], query
    assert cluster.tasks()[1] == before[1]


def test_a_person_is_erased_and_another_tenants_row_refused(cluster, ours, theirs):
    for each in (ours, theirs):
        each.call("POST", f"{CUSTOMERS}/find-or-create", {"email": "gone@example.com"})
    out = cluster.python(f"""
        from django.db import IntegrityError, transaction
        from customers.models import Customer
        from customers.transfer.models import Import, ImportChunk
        from finora.tenants.models import Business
        ours, theirs = (Business.objects.get(public_id=p) for p in
                        ({ours.business_id!r}, {theirs.business_id!r}))
        customer = ours.customers.active_with_email("gone@example.com")
        customer.erase()
        print(customer.email == f"{{customer.public_id}}@erased.invalid")
        print(theirs.customers.active_with_email("gone@example.com") is not None)
        other = theirs.imports.open()
        try:
            with transaction.atomic():
                ImportChunk.objects.create(business=ours, of_id=other.pk, number=1, sealed=b"x")
        except IntegrityError:
            print("refused")
    """)
    assert out.split() == ["True", "True", "refused"]
    _, answer = ours.call("GET", f"{CUSTOMERS}/search?q=gone")
    assert answer["data"]["count"] == 0


def test_the_commands_do_their_work(cluster, ours):
    before = cluster.tasks()
    for command in ("rotate_encryption", "rotate_blind_index", "repack_search", "prune_answers"):
        assert cluster.manage(command)
    # The first two end with what `--check` reads, of all.
    for command in (("rotate_encryption", "--check"), ("prune_audit", "--older-than", "1")):
        assert cluster.manage(*command)
    assert cluster.tasks()[0] > before[0]


def test_the_staffs_pages_open(cluster):
    before = cluster.tasks()
    out = cluster.python("""
        from django.conf import settings
        from django.contrib.auth.models import User
        from django.test import Client
        from customers.models import Customer
        settings.ALLOWED_HOSTS = ["*"]
        files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        settings.STORAGES = settings.STORAGES | {"staticfiles": files}
        browser = Client()
        browser.force_login(User.objects.create_superuser("staff"))
        one = Customer.objects.active().order_by("pk").first()
        list_ = "/admin/customers/customer/"
        for url in ("/admin/", list_, f"{list_}{one.pk}/change/", "/admin/audit/auditevent/",
                    "/admin/tenants/apikey/", "/admin/tenants/business/"):
            print(browser.get(url, secure=True).status_code)
        ticked = list(Customer.objects.active().order_by("pk").values_list("pk", flat=True)[:3])
        for action in ("deactivate", "restore"):
            data = {"action": action, "_selected_action": ticked, "index": "0", "confirmed": "yes"}
            answer = browser.post(list_ + "?status=all", data, secure=True)
            print(answer.status_code, Customer.objects.active().filter(pk__in=ticked).count())
    """)
    assert out.split("\n") == ["200"] * 6 + ["302 0", "302 3"]
    # What they read of all businesses is not one task: so the counts that others are held to count.
    assert cluster.tasks()[1] > before[1]


def test_a_later_migration_runs_as_it_is(cluster):
    """A column and an index of a table that is spread, and a new table, which is spread then."""
    out = cluster.python("""
        from django.db import connection, models, transaction
        from customers.models import Customer
        from finora.orm import citus
        from finora.orm.references import TenantForeignKey, TenantReference
        from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
        from finora.tenants.models import Business
        class Note(TenantRow):
            business = BusinessField(related_name="+")
            customer = TenantForeignKey(Customer, related_name="+")
            objects = TenantQuerySet.as_manager()
            class Meta:
                app_label = "customers"
                constraints = [TenantReference(field="customer", name="note_customer")]
        nickname = models.CharField(max_length=9, null=True)
        nickname.set_attributes_from_name("nickname")
        nickname.model = Customer
        index = models.Index(fields=["business", "created_at"], name="customer_later")
        with connection.schema_editor() as editor:
            editor.add_field(Customer, nickname)
            editor.add_index(Customer, index)
            editor.create_model(Note)
        with transaction.atomic():
            print(*citus.distribute(connection, Business, [Customer, Note]))
        customer = Customer.objects.order_by("pk").first()
        note = Note.objects.create(business_id=customer.business_id, customer=customer)
        print(note.customer == customer, note.itself().select_related("customer").count())
        with connection.schema_editor() as editor:
            editor.delete_model(Note)
            editor.remove_index(Customer, index)
            editor.remove_field(Customer, nickname)
    """)
    assert out.split("\n") == ["customers_note: by business", "True 1"]
