"""Behind a bouncer that lends sessions for one transaction: nothing is left in one."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.management import call_command, get_commands
from django.db import connection

from customers.transfer import tasks
from finora import clock
from finora.audit.models import AuditEvent
from finora.tenants.models import Business
from finora.tests.kit import factories, files
from finora.tests.kit.bouncers import Bouncer, open_both_sessions, server_of, through
from finora.tests.kit.customer_pages import listed, page, search
from finora.tests.kit.directories import directory, found, small_steps
from finora.tests.kit.tasks import run_tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(scope="module")
def bouncer(django_db_setup, django_db_blocker) -> Iterator[Bouncer]:
    with django_db_blocker.unblock():
        bouncer = Bouncer(server_of(connection))
    yield bouncer
    bouncer.close()


@pytest.fixture
def behind(bouncer, settings) -> Iterator[None]:
    settings.DATABASE_BOUNCER = True
    with through(bouncer):
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        open_both_sessions(bouncer, connection.settings_dict["NAME"])
        yield


def session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_each_transaction_has_another_session_here(behind):
    first, second = session(), session()
    assert first != second
    assert (session(), session()) == (first, second)


def warnings() -> list:
    return [m for m in run_checks(databases=["default"]) if m.id in ("finora.W006", "finora.E022")]


def test_a_bouncer_is_recognised_where_the_setting_is_off(bouncer, settings):
    assert warnings() == []
    with through(bouncer):
        [warning] = warnings()
        assert warning.id == "finora.W006"
        assert "DATABASE_BOUNCER=true" in warning.hint
        settings.DATABASE_BOUNCER = True
        assert warnings() == []
        connection.settings_dict["OPTIONS"]["assume_role"] = "somebody"
        [error] = warnings()
        assert error.id == "finora.E022"


# --- The endpoints ------------------------------------------------------------------------------


@pytest.fixture
def database(bouncer) -> Iterator[str]:
    """A new one's URL through the bouncer."""
    name = f"bouncer_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        # PgBouncer hands on a time zone that a process sets.
        cursor.execute(f"ALTER DATABASE {name} SET timezone = 'Africa/Lagos'")
    yield bouncer.url(name)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(url: str, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=django_settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url, "DATABASE_BOUNCER": "true"} | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_connections_of_two_processes_get_their_own_answers(database):
    migrated = run(database, "manage.py", "migrate", "--verbosity", "0")
    out, err = migrated.communicate()
    assert (migrated.returncode, out + err) == (0, "")
    processes = [run(database, "-m", "finora.tests.kit.eight", "4", "6") for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process, (out, err) in [(each, each.communicate()) for each in processes]:
        assert process.returncode == 0, err
        assert json.loads(out) == []


# --- The commands -------------------------------------------------------------------------------


def told(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO(), skip_checks=False)
    return out.getvalue()


def made_up_file(folder: Path) -> str:
    path = folder / "customers.csv"
    path.write_text(files.file(files.OURS, *files.people(3)))
    return str(path)


def test_every_command_does_its_work(behind, settings, monkeypatch, tmp_path):
    """What each promises is tested where it is; here that it holds whatever session it is lent."""
    small_steps(monkeypatch)
    told("create_business", "Acme", "--id", "biz_acme")
    assert "test_sk_" in told("create_api_key", "biz_acme", "--name", "sync")
    seeded = told("seed_customers", "biz_acme", "--count", "30", "--invoices", "20")
    assert "Made 20 invoices" in seeded
    business = Business.objects.get(public_id="biz_acme")
    rows = directory(business)
    assert len(rows) == 30
    old = clock.now() - timedelta(days=400)
    AuditEvent(
        business=business, at=old, actor_kind="system", action="created", subject="cust_x"
    ).save()
    assert "Removed 1 " in told("prune_audit", "--older-than", "365")
    told("prune_answers")
    told("import_customers", "biz_acme", made_up_file(tmp_path))
    imported = business.imports.get()
    assert (imported.state, imported.created) == ("done", 3)
    assert "Deactivated 3 " in told("undo_import", imported.public_id)
    assert "Removed 0 " in told("prune_imports")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    settings.BLIND_INDEX_KEYS = [secrets.token_urlsafe(32), *settings.BLIND_INDEX_KEYS]
    told("rotate_encryption")
    told("rotate_blind_index")
    told("rotate_encryption", "--check")
    assert "agree" in told("check_balances", "biz_acme")
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    told("repack_search")
    customer = business.customers.first().public_id
    assert customer in told("export_customer", customer)
    assert "Exported 30 " in told("export_customers", "biz_acme", str(tmp_path / "out.csv"))
    assert directory(business) == rows
    for _, public_id, _, email in rows[:5]:
        assert found(business, email) == [public_id]
        assert business.customers.find_or_create(email=email)[0].public_id == public_id


# The server serves: the tests above. `demo` makes what create_business and seed_customers make.
# `work` goes on until it is stopped; it keeps nothing of a session (finora/tests/tasks).
# `distribute` is for a cluster, on a connection of its own: finora/tests/orm/test_citus.py.
ELSEWHERE = {"serve", "demo", "migrate", "work", "distribute"}


def test_every_command_is_among_them():
    ours = {name for name, app in get_commands().items() if app in ("finora", "customers", "sales")}
    called = re.findall(r'told\("(\w+)"', Path(__file__).read_text())
    assert ours - ELSEWHERE == set(called)


# --- What else asks -----------------------------------------------------------------------------


def test_staff_and_tasks_are_served_behind_it(behind, staff, tmp_path):
    business = factories.business()
    ada = factories.customer(business, name="Ada Obi")
    tasks.begin(business, [Path(made_up_file(tmp_path)).read_bytes()], format="ours")
    run_tasks()
    assert business.imports.get().state == "done"
    for path in ("/admin/", "/admin/customers/customer/", "/admin/audit/auditevent/"):
        assert staff.get(path).status_code == 200
    assert listed(search(staff, "ada obi")) == [ada.public_id]
    assert staff.get(page(ada)).status_code == 200
