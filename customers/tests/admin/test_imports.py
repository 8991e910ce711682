"""Staff bring a file in: sent, looked at, confirmed, followed, undone; each by who may."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction

from customers.models import Customer
from customers.transfer import tasks
from customers.transfer.models import Import, ImportChunk, State
from finora import clock
from finora.audit.models import AuditEvent
from finora.tests.kit import factories, files
from finora.tests.kit.staff import browser
from finora.tests.kit.tasks import run_tasks

pytestmark = pytest.mark.django_db

LIST = "/admin/transfer/import/"
OPTIONS = {"on_duplicate": "skip", "missing_email": "skip"}


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def editor(business):
    return browser("Editor", scope=[business])


def url(import_, name=""):
    return f"{LIST}{import_.pk}/{name or 'change'}/"


def opened(client, business, size):
    """The answer to a script that will send so many bytes."""
    data = {"business": business.pk, **OPTIONS, "size": size}
    return client.post(f"{LIST}add/", data, headers={"Accept": "application/json"})


def send_piece(client, import_, number, piece):
    address = f"{url(import_, 'piece')}?number={number}"
    return client.post(address, piece, content_type="application/octet-stream").status_code


def send(client, business, text):
    """As a browser does with scripts: opened, then the file in pieces, then looked at."""
    pieces = text.encode()
    assert opened(client, business, len(pieces)).status_code == 200
    import_ = Import.objects.latest("id")
    for number, at in enumerate(range(0, len(pieces), 100)):
        assert send_piece(client, import_, number, pieces[at : at + 100]) == 204
    assert client.post(url(import_, "look"), OPTIONS).status_code == 302
    return Import.objects.latest("id")


def text_of(response):
    return response.content.decode()


def test_sent_looked_at_confirmed_followed_and_undone(editor, business):
    rows = [*files.people(30), {"email": "broken"}, {"name": "Nobody"}]
    import_ = send(editor, business, files.file(f"{files.OURS},Shoe size", *rows))
    assert "being looked at" in text_of(editor.get(url(import_)))
    before = editor.get(url(import_, "state")).json()["version"]
    run_tasks()
    assert editor.get(url(import_, "state")).json()["version"] != before
    page = text_of(editor.get(url(import_)))
    for said in ("Our own columns, UTF-8, by comma", "Shoe size", "Enter a valid email address."):
        assert said in page
    assert "<td>30</td>" in page
    assert not Customer.objects.exists()

    editor.post(url(import_, "start"))
    assert "Waiting for its turn" in text_of(editor.get(url(import_)))
    run_tasks()
    import_.refresh_from_db()
    assert (import_.state, import_.created, import_.rejected) == (State.DONE, 30, 1)
    report = b"".join(editor.get(url(import_, "report")).streaming_content).decode()
    told = csv.DictReader(StringIO(report.removeprefix("\ufeff")))
    assert [(each["line"], each["column"], each["row"]) for each in told] == [
        ("1", "Shoe size", ""), ("32", "email", "left out"),
    ]  # fmt: skip
    assert not ImportChunk.objects.exists()

    Customer.objects.get(name="Customer 7").edit(phone="0805")
    undo = {"action": "undo", "_selected_action": [import_.pk], "index": "0", "from_page": "yes"}
    asked = text_of(editor.post(LIST, undo))
    assert "Undo 1 import?" in asked
    assert asked.count(import_.public_id) == 1
    editor.post(LIST, undo | {"confirmed": "yes"})
    assert "Being undone" in text_of(editor.get(url(import_)))
    run_tasks()
    page = text_of(editor.get(url(import_)))
    assert "29 customers deactivated. 1 stay" in page
    assert Customer.objects.active().get().public_id in page


def test_a_small_file_comes_with_the_form_where_there_are_no_scripts(editor, business):
    file = SimpleUploadedFile("x.csv", b"name,email\nAda,ada@example.com\n")
    data = {"business": business.pk, "file": file, **OPTIONS}
    page = editor.post(f"{LIST}add/", data, follow=True)
    assert "being looked at" in text_of(page)
    run_tasks()
    import_ = Import.objects.get()
    assert import_.facts["preview"]["counts"]["created"] == 1


def test_other_options_are_looked_at_before_they_are_taken(editor, business):
    factories.customer(business, name="Ada", email="ada@example.com")
    row = {"Full": "Ada", "Mail": "ada@example.com", "Phone": "0803", "Town": "Aba"}
    text = files.file("Full,Mail,Phone,Town", row)
    import_ = send(editor, business, text)
    run_tasks()
    page = text_of(editor.get(url(import_)))
    assert "The header is of no tool that is known" in page
    assert "“Full”, “Mail”, “Town”. Choose below what they become." in page
    options = re.findall(
        r'<label for="id_map\d">(\w+):.*?<option value="" selected>(.*?)<', page, re.S
    )
    none = "no place here"
    assert options == [("Full", none), ("Mail", none), ("Phone", "phone"), ("Town", none)]
    assert 'value="Import"' not in page
    data = {"on_duplicate": "update", "missing_email": "skip"}
    data |= {"map0": "name", "map1": "email"}
    editor.post(url(import_, "look"), data)
    run_tasks()
    import_.refresh_from_db()
    assert import_.facts["preview"]["counts"]["updated"] == 1
    editor.post(url(import_, "start"))
    run_tasks()
    assert Customer.objects.get().phone == "0803"


def test_what_runs_shows_how_far_it_is(editor, business):
    import_ = send(editor, business, files.file(files.OURS, *files.people(3)))
    tasks.start(import_)
    Import.objects.filter(pk=import_.pk).update(state="running", rows=2, created=2, read=50)
    Import.objects.filter(pk=import_.pk).update(started_at=import_.created_at)
    told = editor.get(url(import_, "state")).json()
    assert told["said"].startswith("2 rows, ")
    assert "s left" in told["said"]
    assert "<progress" in text_of(editor.get(url(import_)))


def test_the_list_names_who_when_and_counts(editor, business, django_assert_max_num_queries):
    import_ = send(editor, business, files.file(files.OURS, *files.people(3)))
    tasks.start(import_)
    run_tasks()
    for _ in range(5):
        business.imports.open()
    with django_assert_max_num_queries(8):
        page = text_of(editor.get(LIST))
    assert import_.public_id in page
    assert import_.actor_id in page
    assert "Done" in page


def test_it_is_done_as_who_sent_it(editor, business):
    import_ = send(editor, business, files.file(files.OURS, *files.people(1)))
    tasks.start(import_)
    run_tasks()
    event = AuditEvent.objects.lines().get(subject=import_.public_id)
    assert (event.actor_kind, event.actor_id) == ("staff", import_.actor_id)


def test_a_failed_task_ends_its_import(editor, business, monkeypatch):
    import_ = send(editor, business, files.file(files.OURS, *files.people(1)))
    tasks.start(import_)

    def broken(import_):
        raise ValueError("ada@example.com")

    monkeypatch.setattr(tasks.running, "run", broken)
    run_tasks()
    import_.refresh_from_db()
    assert import_.state == State.FAILED
    assert tasks.NOT_FINISHED in text_of(editor.get(url(import_)))
    assert not ImportChunk.objects.exists()


def test_a_preview_that_failed_says_so_and_is_tried_again(editor, business, monkeypatch):
    def broken(*_):
        raise ValueError("ada@example.com")

    with monkeypatch.context() as patched:
        patched.setattr(tasks.running, "Preview", broken)
        import_ = send(editor, business, files.file(files.OURS, *files.people(2)))
        before = editor.get(url(import_, "state")).json()["version"]
        run_tasks()
    assert editor.get(url(import_, "state")).json()["version"] != before
    page = text_of(editor.get(url(import_)))
    assert tasks.NOT_FINISHED in page
    assert "being looked at" not in page
    assert 'value="Look again"' in page
    assert 'value="Import"' not in page
    editor.post(url(import_, "look"), OPTIONS)
    run_tasks()
    page = text_of(editor.get(url(import_)))
    assert 'value="Import"' in page
    assert tasks.NOT_FINISHED not in page


def test_an_undo_that_failed_says_so_and_is_asked_for_again(editor, business, monkeypatch):
    import_ = send(editor, business, files.file(files.OURS, *files.people(2)))
    tasks.start(import_)
    run_tasks()

    def broken(*_):
        raise ValueError("ada@example.com")

    undo = {"action": "undo", "_selected_action": [import_.pk], "index": "0", "confirmed": "yes"}
    with monkeypatch.context() as patched:
        patched.setattr(tasks.undoing, "undo", broken)
        editor.post(LIST, undo)
        assert "Being undone" in text_of(editor.get(url(import_)))
        run_tasks()
    page = text_of(editor.get(url(import_)))
    assert tasks.NOT_FINISHED in page
    assert "Being undone" not in page
    assert "Undo…" in page
    editor.post(LIST, undo)
    run_tasks()
    page = text_of(editor.get(url(import_)))
    assert "2 customers deactivated" in page
    assert tasks.NOT_FINISHED not in page
    assert "Undo…" not in page


def test_what_is_never_imported_is_removed_after_a_day(editor, business):
    old = send(editor, business, "name,email\n")
    Import.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(hours=25))
    begun = send(editor, business, "name,email\n")
    Import.objects.filter(pk=begun.pk).update(created_at=clock.now() - timedelta(hours=25))
    tasks.start(begun)
    new = send(editor, business, "name,email\n")
    said = StringIO()
    call_command("prune_imports", dry_run=True, stdout=said)
    call_command("prune_imports", stdout=said)
    told = ["Would remove 1 files.", "Removed 1 files that were never imported."]
    assert said.getvalue().splitlines() == told
    assert set(Import.objects.all()) == {begun, new}
    assert not ImportChunk.objects.filter(of_id=old.pk).exists()


# Who may.


def test_a_viewer_and_a_privacy_officer_import_nothing(business):
    for role, sees in (("Viewer", 403), ("Privacy officer", 200)):
        client = browser(role, scope=[business])
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.post(f"{LIST}add/", {"business": business.pk, **OPTIONS}).status_code == 403
        assert client.get(LIST).status_code == sees
    assert not Import.objects.exists()


def test_another_businesss_import_is_as_if_it_did_not_exist(business, other_business):
    theirs = send(browser("Editor", scope=[other_business]), other_business, "name,email\n")
    client = browser("Editor", scope=[business])
    assert theirs.public_id not in text_of(client.get(LIST))
    for name in ("state", "report"):
        assert client.get(url(theirs, name)).status_code == 404
    for name in ("piece", "look", "start"):
        assert client.post(url(theirs, name)).status_code == 404
    data = {"business": other_business.pk, **OPTIONS}
    assert client.post(f"{LIST}add/", data).status_code == 200  # refused as an unknown business
    assert Import.objects.count() == 1


def test_only_who_sent_a_file_starts_it(editor, business):
    import_ = send(editor, business, files.file(files.OURS, *files.people(1)))
    other = browser("Administrator")
    for name in ("piece", "look", "start"):
        assert other.post(url(import_, name)).status_code == 403
    import_.refresh_from_db()
    assert import_.state == State.SENDING


def test_a_piece_is_kept_once_and_none_that_is_no_more_wanted(editor, business, settings):
    import_ = send(editor, business, "name,email\n")
    assert send_piece(editor, import_, 0, b"x") == 204
    assert b"".join(import_.pieces()) == b"name,email\n"
    for number in ("a", "", "-1", 1):
        assert send_piece(editor, import_, number, b"x") == 400
    tasks.start(import_)
    assert send_piece(editor, import_, 1, b"x") == 400
    settings.MAX_IMPORT_BYTES = 10
    assert opened(editor, business, 11).status_code == 413
    for size in ("", "a", "-1"):
        assert opened(editor, business, size).status_code == 400


def test_a_file_of_which_a_piece_is_missing_is_neither_looked_at_nor_imported(editor, business):
    text = files.file(files.OURS, *files.people(3)).encode()
    assert opened(editor, business, len(text)).status_code == 200
    import_ = Import.objects.get()
    assert send_piece(editor, import_, 0, text[:50]) == 204
    assert send_piece(editor, import_, 2, text[100:]) == 400  # the one before it is not there
    assert send_piece(editor, import_, 1, b"") == 400
    for name in ("look", "start"):
        page = text_of(editor.post(url(import_, name), OPTIONS, follow=True))
        assert "A part of the file is missing: nothing was done." in page
        assert f"50 of {len(text)} bytes are here" in page
        assert 'value="Import"' not in page
        assert "being looked at" not in page
    assert run_tasks() == 0
    with pytest.raises(IntegrityError, match="import_file_whole"), transaction.atomic():
        Import.objects.update(state=State.WAITING)
    assert send_piece(editor, import_, 1, text[50:]) == 204
    editor.post(url(import_, "look"), OPTIONS)
    editor.post(url(import_, "start"))
    run_tasks()
    assert business.customers.count() == 3
