"""manage.py import_customers: what is in the directory afterwards."""

import csv
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from customers.models import Customer
from customers.search import index
from customers.transfer import portions, running, tasks, writer
from customers.transfer.models import Import, ImportBatch, ImportChunk, State
from customers.transfer.reading import Reading
from finora.audit.models import AuditEvent
from finora.tests.kit import factories, files
from finora.tests.kit.directories import directory, found, matches

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _portions_are_small(monkeypatch):
    monkeypatch.setattr(portions, "ROWS", 10)


@pytest.fixture
def run(business, tmp_path):
    """Imports a text: what is said at the end, and on the way."""
    return partial(files.bring_in, business, tmp_path / "file")


FIELDS = ("name", "email", "phone", "address", "tin", "company_name")


def held(business):
    """What the directory holds of each active customer."""
    rows = Customer.objects.active().filter(business=business).order_by("name_key", "email_hash")
    return [{f: getattr(row, f) for f in FIELDS if getattr(row, f)} for row in rows]


def test_a_file_becomes_customers_that_are_found_at_once(business, run):
    people = files.people(25)
    said, _ = run(files.file(files.OURS, *people))
    [done] = Import.objects.all()
    assert said == (
        f"{done.public_id}: 25 rows: 25 created, 0 updated, 0 skipped (0 without an email), "
        "0 rejected; 0 were twice in the file, 0 there already; 0 cells have no place."
    )
    assert held(business) == sorted(people, key=lambda person: person["name"])
    assert (done.state, done.format, files.counts(done)) == (State.DONE, "ours", (25, 25, 0, 0, 0))
    assert not business.search_tail.exists()
    assert index.store.rows(business.pk).count() == 1
    rows = directory(business)
    for query in ("customer 1", "c2", "@"):
        assert found(business, query) == matches(rows, query)


def test_the_same_file_again_makes_nothing_twice(business, run):
    text = files.file(files.OURS, *files.people(25))
    run(text)
    before = held(business)
    run(text)
    again = Import.objects.latest("id")
    assert files.counts(again) == (25, 0, 0, 25, 0)
    assert again.in_directory == 25
    assert held(business) == before
    assert Customer.objects.count() == 25


def test_a_bad_row_stops_no_other_and_is_named_without_its_value(business, run, tmp_path):
    rows = [
        {"name": "Ada", "email": "a@example.com"},
        {"name": "Secretive", "email": "no address"},
        {"name": "x" * 201, "email": "b@example.com", "tin": "secret_tin"},
        {"name": "Bola", "email": "c@example.com"},
        {"name": "Chi"},
    ]
    report = tmp_path / "report.csv"
    said, err = run(files.file(files.OURS, *rows), report=report)
    assert [row["name"] for row in held(business)] == ["Ada", "Bola"]
    assert "2 created, 0 updated, 1 skipped (1 without an email), 2 rejected" in said
    text = report.read_text(encoding="utf-8-sig")
    told = [
        (row["line"], row["column"], row["field"], row["row"])
        for row in csv.DictReader(StringIO(text))
    ]
    assert told == [
        ("3", "email", "email", "left out"),
        ("4", "name", "name", "left out"),
        ("4", "tin", "tin", "left out"),
    ]
    for value in ("Secretive", "no address", "secret_tin", "xxx"):
        assert value not in text + said + err


def test_columns_without_a_place_are_named_once(run):
    row = {"Customer ID": "'1", "First Name": "Ada", "Email": "a@example.com", "Note": "VIP"}
    _, err = run(files.file(files.SHOPIFY, row, {**row, "Email": "b@example.com"}))
    line = next(line for line in err.splitlines() if line.startswith("Columns without"))
    assert line.count("Note") == 1
    assert "VIP" not in err


def test_rows_without_an_email_are_found_again_by_their_id(business, run):
    row = {"Customer ID": "'1", "First Name": "Ada"}
    text = files.file(files.SHOPIFY, row)
    run(text, missing_email="placeholder")
    [ada] = Customer.objects.all()
    assert ada.email == "shopify-1@import.invalid"
    later = files.file(files.SHOPIFY, {**row, "Phone": "'08031234567"})
    run(later, missing_email="placeholder", on_duplicate="update")
    [ada] = Customer.objects.all()
    assert ada.phone == "08031234567"


def test_duplicates_in_the_file_and_in_the_directory_are_counted_and_left(business, run):
    factories.customer(business, name="Mine", email="c3@example.com")
    rows = [
        *files.people(12),
        *files.people(5, start=8),
        {"name": "Twin", "email": "C9@Example.COM"},
    ]
    run(files.file(files.OURS, *rows))
    done = Import.objects.get()
    assert files.counts(done) == (18, 12, 0, 6, 0)  # of c8…c11 one in the same portion, three later
    assert (done.in_file, done.in_directory) == (5, 1)
    assert Customer.objects.get(name="Mine").email == "c3@example.com"
    assert not Customer.objects.filter(name="Twin").exists()


def test_update_fills_and_changes_and_clears_nothing(business, run):
    ada = factories.customer(
        business, name="Ada", email="a@example.com", phone="0803", address="1 Marina"
    )
    same = factories.customer(business, name="Bola", email="b@example.com")
    before = same.updated_at
    rows = [
        {"name": "Ada Obi", "email": "A@Example.com", "phone": "0805", "tin": "12345678-0001"},
        {"email": "b@example.com"},
        {"name": "Chi", "email": "c@example.com"},
        {"phone": "0807", "email": "c@example.com"},
        {"phone": "0807", "email": "c@example.com"},
    ]
    run(files.file(files.OURS, *rows), on_duplicate="update")
    ada.refresh_from_db()
    assert (ada.name, ada.phone, ada.tin, ada.address) == (
        "Ada Obi", "0805", "12345678-0001", "1 Marina",
    )  # fmt: skip
    same.refresh_from_db()
    assert (same.name, same.updated_at) == ("Bola", before)
    chi = Customer.objects.get(name="Chi")
    assert chi.phone == "0807"
    assert files.counts(Import.objects.get()) == (5, 1, 2, 2, 0)
    event = AuditEvent.objects.about(business.pk, ada.public_id)[0]
    assert (event.action, event.fields) == ("updated", ["name", "phone", "tin"])


def test_a_dry_run_counts_alike_and_changes_nothing(business, run, tmp_path):
    factories.customer(business, name="Mine", email="c3@example.com")
    rows = [*files.people(12), *files.people(5, start=8), {"email": "broken"}, {"name": "None"}]
    for how in ("skip", "update"):
        report = tmp_path / f"{how}.csv"
        said, _ = run(files.file(files.OURS, *rows), dry_run=True, on_duplicate=how, report=report)
        assert len(report.read_text().splitlines()) == 2
        assert said.startswith("Dry run, nothing was changed. 19 rows: 12 created")
    assert Customer.objects.count() == 1
    assert not Import.objects.exists()
    dry, _ = run(files.file(files.OURS, *rows), dry_run=True)
    done, _ = run(files.file(files.OURS, *rows))
    assert dry.partition("changed. ")[2] == done.partition(": ")[2]


def test_a_dry_run_counts_what_a_run_then_does_however_rows_repeat(business, run):
    """Emails again in the same batch and in later ones, of new customers and of those there."""
    stored = {"phone": "0801", "address": "1 Marina"}
    for n in range(4):
        factories.customer(business, name=f"There {n}", email=f"there{n}@example.com", **stored)
    spoilt = Customer.objects.get(name="There 3")
    factories.store(spoilt, "tin", "s1.forged")
    filler = files.people(8)
    rows = [
        {"name": "New", "email": "new@example.com", "phone": "1"},
        {"name": "New", "email": "new@example.com", "phone": "2"},
        {"email": "there0@example.com", "phone": "0801"},
        {"email": "there1@example.com", "phone": "2"},
        {"email": "there3@example.com", "phone": "0801"},
        *filler,
        {"email": "new@example.com", "phone": "2"},
        {"email": "new@example.com", "phone": "3", "name": "Newer"},
        {"email": "there1@example.com", "phone": "2"},
        {"email": "there0@example.com", "phone": "9"},
        {"email": "there3@example.com", "phone": "9"},
        *filler,
        {"email": "new@example.com", "phone": "3"},
        {"email": "there0@example.com", "address": "1 Marina"},
        {"email": "there1@example.com", "tin": "12345678"},
        {"email": "there3@example.com", "phone": "9"},
    ]
    text = files.file(files.OURS, *rows)
    for how in ("skip", "update"):
        dry, _ = run(text, dry_run=True, on_duplicate=how)
        done, _ = run(text, on_duplicate=how)
        assert dry.partition("changed. ")[2] == done.partition(": ")[2]
        Customer.objects.filter(name__startswith="New").delete()
        Customer.objects.filter(name__startswith="Customer").delete()
    done = Import.objects.latest("id")
    assert (done.created, done.rejected) == (9, 2)


def test_a_refused_file_leaves_an_import_that_says_why(business, run):
    with pytest.raises(CommandError, match="ZIP"):
        run(b"PK\x03\x04 and so on")
    failed = Import.objects.get()
    assert failed.state == State.FAILED
    assert "ZIP" in failed.facts["why"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--map", "name"], "COLUMN=FIELD"), (["--map", "a=age"], "COLUMN=FIELD")],
)
def test_a_wrong_mapping_is_refused(run, arguments, said):
    with pytest.raises(CommandError, match=said):
        run("name,email\n", *arguments)


def test_an_unknown_header_says_what_has_no_place_and_how_to_map_it(business, run):
    text = "Client Name,Email,Phone,Town\nAda,ada@example.com,0803,Aba\n"
    with pytest.raises(CommandError, match=r"“Client Name”, “Town”\. Say what they become: --map"):
        run(text)
    run(text, "--map", "Client Name=name")
    assert held(business) == [{"name": "Ada", "email": "ada@example.com", "phone": "0803"}]


def test_an_unknown_business_and_a_missing_file_are_refused(business, tmp_path):
    with pytest.raises(CommandError, match="no business"):
        call_command("import_customers", "biz_none", "file")
    with pytest.raises(CommandError, match="no such file"):
        call_command("import_customers", business.public_id, str(tmp_path / "none"))


def test_a_report_is_refused_before_anything_is_done(business, run, tmp_path):
    text = files.file(files.OURS, *files.people(2))
    for dry_run in (True, False):
        with pytest.raises(CommandError, match="written over the file"):
            run(text, dry_run=dry_run, report=tmp_path / "file")
        with pytest.raises(CommandError, match="no such directory"):
            run(text, dry_run=dry_run, report=tmp_path / "none" / "report.csv")
        with pytest.raises(CommandError, match="cannot be written"):
            run(text, dry_run=dry_run, report=tmp_path)
        assert (tmp_path / "file").read_bytes() == text.encode()
    assert not Import.objects.exists()


def test_another_business_stays_as_it_is(business, other_business, run):
    theirs = factories.customer(other_business, name="Theirs", email="c1@example.com")
    run(files.file(files.OURS, *files.people(3)), on_duplicate="update")
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert business.customers.count() == 3


# Cut off, and beside others.


def cut_off(monkeypatch, run, text, at, **options):
    """Runs an import that ends at its `at`th batch as by a kill."""
    create, calls = ImportBatch.objects.create, []

    def killed(**fields):
        calls.append(1)
        if len(calls) == at:
            raise KeyboardInterrupt
        return create(**fields)

    with monkeypatch.context() as patched:
        patched.setattr(ImportBatch.objects, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            run(text, **options)


@pytest.mark.parametrize("how", ["skip", "update"])
def test_cut_off_and_given_again_it_leaves_what_one_clean_run_does(
    business, other_business, run, monkeypatch, tmp_path, how
):
    rows = [
        *files.people(25),
        *files.people(8, start=20),
        {"email": "c2@example.com", "phone": "1"},
    ]
    text = files.file(files.OURS, *rows)
    cut_off(monkeypatch, run, text, 3, on_duplicate=how)
    assert business.customers.count() == 20
    run(text, on_duplicate=how)
    clean = tmp_path / "clean"
    clean.write_text(text)
    call_command(
        "import_customers",
        other_business.public_id,
        str(clean),
        on_duplicate=how,
        stderr=StringIO(),
        stdout=StringIO(),
    )
    assert held(business) == held(other_business)


def test_a_sealed_file_is_run_on_where_it_was_cut_off(business, monkeypatch):
    text = files.file(files.OURS, *files.people(35), {"email": "broken"}).encode()
    import_ = tasks.begin(business, [text[:500], text[500:]])
    create, calls = ImportBatch.objects.create, []

    def killed(**fields):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return create(**fields)

    with monkeypatch.context() as patched:
        patched.setattr(ImportBatch.objects, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            running.run(import_)
    import_.refresh_from_db()
    assert (import_.state, import_.rows) == (State.RUNNING, 20)
    running.run(import_)
    import_.refresh_from_db()
    assert (import_.state, files.counts(import_)) == (State.DONE, (36, 35, 0, 0, 1))
    assert [(f.line, f.field) for f in import_.findings()] == [(37, "email")]
    assert import_.in_file == 0
    assert not ImportChunk.objects.exists()
    running.run(import_)  # once more does nothing
    assert business.customers.count() == 35


def test_what_waits_lies_sealed(business):
    import_ = tasks.begin(business, [b"name,email\nAda Obi,ada@example.com\n"])
    [chunk] = ImportChunk.objects.all()
    stored = bytes(chunk.__dict__["sealed"].stored)
    assert b"ada@" not in stored
    assert b"Ada" not in stored
    assert b"".join(import_.pieces()) == b"name,email\nAda Obi,ada@example.com\n"


def test_who_was_faster_is_a_duplicate(business, run, monkeypatch):
    """Somebody makes one of the customers between the look and the write."""
    look = type(business.customers).without_known_emails
    made = []

    def looked(self, customers):
        fresh = look(self, customers)
        if not made:
            made.append(factories.customer(business, name="Faster", email="c4@example.com"))
        return fresh

    monkeypatch.setattr(type(business.customers), "without_known_emails", looked)
    run(files.file(files.OURS, *files.people(8)))
    assert files.counts(Import.objects.get()) == (8, 7, 0, 1, 0)
    assert Customer.objects.get(name="Faster").email == "c4@example.com"


def test_who_was_faster_may_have_the_keys_too_that_were_given(business, run, monkeypatch):
    """A write is refused at its end; then somebody makes a customer, with a key that it took."""
    write, made = ImportBatch.objects.create, []

    def refused(**fields):
        if not made:
            made.append(None)
            raise IntegrityError
        return write(**fields)

    look = type(business.customers).without_known_emails

    def looked(self, customers):
        if made == [None]:
            made[0] = factories.customer(business, name="Faster", email="c4@example.com")
        return look(self, customers)

    monkeypatch.setattr(ImportBatch.objects, "create", refused)
    monkeypatch.setattr(type(business.customers), "without_known_emails", looked)
    run(files.file(files.OURS, *files.people(8)))
    assert files.counts(Import.objects.get()) == (8, 7, 0, 1, 0)
    assert Customer.objects.get(name="Faster").email == "c4@example.com"


def test_two_runs_of_one_import_do_nothing_twice(business):
    import_ = tasks.begin(business, [files.file(files.OURS, *files.people(15)).encode()])
    first = writer.start(import_, Reading(import_.pieces))
    second = writer.start(import_, Reading(import_.pieces))
    ready = next(second.ready())
    first.all()
    with pytest.raises(writer.Overtaken):
        second.write(ready)
    assert business.customers.count() == 15
