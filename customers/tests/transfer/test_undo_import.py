"""manage.py undo_import: who is in the directory afterwards, and what is told of it."""

from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from customers.transfer import portions, tasks, undoing, writer
from customers.transfer.models import Import, ImportBatch, State
from customers.transfer.reading import Reading
from finora import clock
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.tests.kit import factories, files
from finora.tests.kit.directories import found

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _portions_are_small(monkeypatch):
    monkeypatch.setattr(portions, "ROWS", 10)


@pytest.fixture
def run(business, tmp_path):
    """Imports a text: what is said at the end, and on the way."""
    return partial(files.bring_in, business, tmp_path / "file")


def undo(import_):
    out = StringIO()
    call_command("undo_import", import_.public_id, stdout=out, stderr=StringIO())
    return out.getvalue().strip().splitlines()


def test_undo_makes_inactive_whom_it_made_and_nobody_changed(business, run):
    mine = factories.customer(business, name="Mine", email="c3@example.com", phone="1")
    run(files.file(files.OURS, *files.people(25)), on_duplicate="update")
    done = Import.objects.get()
    changed = Customer.objects.get(name="Customer 7")
    changed.edit(address="2 Marina")
    owing = Customer.objects.get(name="Customer 8")
    Customer.objects.filter(pk=owing.pk).update(account_balance_kobo=100)
    Customer.objects.get(name="Customer 9").delete()
    lines = undo(done)
    assert lines == [
        f"{changed.public_id} was changed since, and stays.",
        f"{owing.public_id} was changed since, and stays.",
        "Deactivated 21 customers; 2 were changed since and stay.",
    ]
    active = set(business.customers.active().values_list("pk", flat=True))
    assert active == {mine.pk, changed.pk, owing.pk}
    mine.refresh_from_db()
    assert mine.phone == "08030000003"  # what it updated is not undone
    done.refresh_from_db()
    assert done.state == State.UNDONE
    assert found(business, "customer 1") == []
    # Again it says the same, and changes nothing.
    factories.customer(business, name="Again", email="c9@example.com")
    assert undo(done) == lines
    done.refresh_from_db()
    assert done.facts["undone"] == {"gone": 21, "staying": 2}
    assert AuditEvent.objects.filter(action="import undone").count() == 1


def test_undo_takes_whom_the_import_made_and_then_changed_itself(business, run):
    """A later row of the file has the email of an earlier batch."""
    later = [{"email": f"c{n}@example.com", "phone": f"0805{n:07}"} for n in range(6)]
    text = files.file(files.OURS, *files.people(20), *later)
    run(text, on_duplicate="update")
    done = Import.objects.get()
    assert files.counts(done) == (26, 20, 6, 0, 0)
    by_hand = Customer.objects.get(name="Customer 3")
    with acting.acting(lambda: acting.Actor("system", "", "req_other")):
        by_hand.edit(address="2 Marina")
    by_command = Customer.objects.get(name="Customer 4")
    by_command.edit(address="3 Marina")
    sold_to = Customer.objects.get(name="Customer 5")
    for kobo in (100, -100):
        later = clock.now() + timedelta(seconds=1)
        business.customers.add_to_balances({sold_to.pk: kobo})
    Customer.objects.filter(pk=sold_to.pk).update(updated_at=later)
    assert undo(done)[-1] == "Deactivated 17 customers; 3 were changed since and stay."
    active = set(business.customers.active().values_list("pk", flat=True))
    assert active == {by_hand.pk, by_command.pk, sold_to.pk}


def test_after_an_undo_the_file_comes_in_again(business, run):
    text = files.file(files.OURS, *files.people(12))
    run(text)
    undo(Import.objects.get())
    run(text)
    assert files.counts(Import.objects.latest("id")) == (12, 12, 0, 0, 0)


def test_undo_stops_an_import_that_runs(business):
    import_ = tasks.begin(business, [files.file(files.OURS, *files.people(25)).encode()])
    run = writer.start(import_, Reading(import_.pieces))
    first, second, _ = run.ready()
    run.write(first)
    undo(import_)
    with pytest.raises(writer.Overtaken):
        run.write(second)
    assert not business.customers.active().exists()


def test_an_undo_that_is_cut_off_goes_on(business, run, monkeypatch):
    run(files.file(files.OURS, *files.people(25)))
    step, calls = undoing._undo, []

    def killed(*args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return step(*args)

    with monkeypatch.context() as patched:
        patched.setattr(undoing, "_undo", killed)
        with pytest.raises(KeyboardInterrupt):
            undo(Import.objects.get())
    assert business.customers.active().count() == 15
    undo(Import.objects.get())
    assert not business.customers.active().exists()
    # Of the whole, not of what was left.
    assert Import.objects.get().facts["undone"] == {"gone": 25, "staying": 0}


def test_an_unknown_import_is_refused(db):
    with pytest.raises(CommandError, match="no import"):
        call_command("undo_import", "imp_none")


def test_a_command_whose_import_is_undone_meanwhile_says_so(business, run, monkeypatch):
    create = ImportBatch.objects.create

    def undone(**fields):
        made = create(**fields)
        Import.objects.update(state=State.UNDONE)
        return made

    monkeypatch.setattr(ImportBatch.objects, "create", undone)
    with pytest.raises(CommandError, match="undone meanwhile"):
        run(files.file(files.OURS, *files.people(25)))


def test_the_trail_names_the_import_with_its_counts_and_nobody(business, run):
    run(files.file(files.OURS, *files.people(12), {"email": "broken"}))
    done = Import.objects.get()
    undo(done)
    told = AuditEvent.objects.filter(business=business, subject=done.public_id).order_by("id")
    said = [event.summary for event in told.lines()]
    assert said == ["Imported: 1 rejected and 12 created", "Import undone: 12 deactivated"]
