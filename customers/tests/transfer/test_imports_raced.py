"""Imports beside each other and live traffic, and killed: nobody is made twice, none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from customers.search import index
from customers.transfer import portions, running, tasks
from customers.transfer.models import Import, State
from finora.loads import MakerLost
from finora.tests.kit import files
from finora.tests.kit.directories import directory, found, matches
from finora.tests.kit.races import together
from finora.tests.kit.served import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


def made(business):
    rows = Customer.objects.active().filter(business=business)
    return sorted((row.email, row.name, row.phone) for row in rows)


@pytest.mark.parametrize("how", ["skip", "update"])
def test_two_imports_and_live_calls_make_nobody_twice(business, monkeypatch, how):
    monkeypatch.setattr(portions, "ROWS", 15)
    people = files.people(60)
    imports = [
        tasks.begin(business, [files.file(files.OURS, *rows).encode()], on_duplicate=how)
        for rows in (people, people[::-1])
    ]

    def live():
        calls = [business.customers.find_or_create(row["email"]) for row in people[::4]]
        return sum(is_new for _, is_new in calls)

    *_, called = together(*(lambda i=i: running.run(i) for i in imports), live)
    for import_ in imports:
        import_.refresh_from_db()
        assert (import_.state, import_.rows, import_.rejected) == (State.DONE, 60, 0)
    assert sorted(email for email, *_ in made(business)) == sorted(row["email"] for row in people)
    assert sum(import_.created for import_ in imports) + called == 60
    rows = directory(business)
    assert found(business, "c1", 100) == matches(rows, "c1", 100)


def test_one_import_run_by_two_is_done_once(business, monkeypatch):
    monkeypatch.setattr(portions, "ROWS", 10)
    import_ = tasks.begin(business, [files.file(files.OURS, *files.people(60)).encode()])
    again = Import.objects.get(pk=import_.pk)
    together(lambda: running.run(import_), lambda: running.run(again))
    import_.refresh_from_db()
    assert (import_.state, import_.rows, import_.created) == (State.DONE, 60, 60)
    assert business.customers.count() == 60


def test_killed_and_given_again_it_leaves_what_one_clean_run_does(
    business, other_business, tmp_path
):
    path = tmp_path / "customers.csv"
    people = files.people(5_000)
    path.write_text(files.file(files.OURS, *people, *people[:50]))
    command = [sys.executable, "manage.py", "import_customers", business.public_id, str(path)]
    env = os.environ | {"DATABASE_URL": database_url()}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    while not Import.objects.filter(rows__gt=0).exists():
        assert process.poll() is None, "it ended before anything was there"
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    killed = Import.objects.get()
    assert (killed.state, killed.created) == (State.RUNNING, business.customers.count())
    quiet = {"stdout": StringIO(), "stderr": StringIO()}
    for each in (business, other_business):
        call_command("import_customers", each.public_id, str(path), **quiet)
    assert made(business) == made(other_business)
    assert len(made(business)) == 5_000


@pytest.mark.parametrize(
    ("raised", "ended"), [(KeyboardInterrupt, KeyboardInterrupt), (MakerLost, CommandError)]
)
def test_a_command_that_is_cut_off_leaves_no_import_that_seems_to_run(
    business, tmp_path, monkeypatch, raised, ended
):
    def cut_off(*_):
        raise raised

    monkeypatch.setattr(index, "merge_all", cut_off)
    with pytest.raises(ended):
        files.bring_in(business, tmp_path / "file", files.file(files.OURS, *files.people(3)))
    import_ = Import.objects.get()
    assert (import_.state, import_.created) == (State.FAILED, 3)
    assert "cut off" in import_.facts["why"]
