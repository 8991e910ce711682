"""A file brought in by staff, in a real browser, from its choice to its undoing."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import expect

from customers.models import Customer
from customers.transfer.models import Import
from finora.tests.kit import files
from finora.tests.kit.axe import findings
from finora.tests.kit.screens import fits, look, press, said
from finora.tests.kit.tasks import run_tasks

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


@contextmanager
def working():
    """A worker beside the page, in a thread of this process."""
    done = threading.Event()

    def work():
        while not done.wait(0.1):
            run_tasks()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def looked_at(page, name):
    """What axe finds, in both schemes; with a picture of each."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += findings(page)
        look(page, f"import-{name}-{scheme}")
    return found


def test_a_file_is_sent_in_pieces_looked_at_imported_and_undone(screens, shop, tmp_path):
    # More than one piece.
    people = [{**row, "address": "1 Marina, Lagos " * 8} for row in files.people(1_500)]
    path = tmp_path / "Customers of Ada.csv"
    path.write_text(files.file(f"{files.OURS},Shoe size", *people, {"email": "broken"}))
    page = screens.open("/admin/transfer/import/add/")
    expect(page.get_by_role("heading", name="Import customers")).to_be_visible()
    found = looked_at(page, "send")
    fits(page)
    page.get_by_label("Business").select_option(label=shop.name)
    page.get_by_label("File").set_input_files(path)
    with working():
        press(page, "Send the file")
        page.wait_for_url(re.compile("/change/"))
        expect(page.get_by_role("button", name="Look again")).to_be_visible()
        expect(page.get_by_role("row", name="New customers 1,500")).to_be_visible()
        expect(page.get_by_text("Enter a valid email address.")).to_be_visible()
        found += looked_at(page, "preview")
        fits(page)
        assert not Customer.objects.exists()
        press(page, "Import")
        expect(page.get_by_role("heading", name="What it did")).to_be_visible()
        expect(page.get_by_role("row", name="New customers 1,500")).to_be_visible()
        expect(page.get_by_text("Done", exact=True)).to_be_visible()
        found += looked_at(page, "done")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the report").click()
        assert "1502,email,email" in Path(download.value.path()).read_text()
        press(page, "Undo…")
        expect(page.get_by_role("heading", name="Undo 1 import?")).to_be_visible()
        press(page, "Yes, undo 1 import")
        said(page, "1 import will be undone.")
        expect(page.get_by_text("1,500 customers deactivated.")).to_be_visible()
        found += looked_at(page, "undone")
    page.goto("/admin/transfer/import/")
    expect(page.get_by_role("row", name=re.compile("amaka"))).to_have_count(1)
    found += looked_at(page, "list")
    assert found == []
    assert not Customer.objects.active().exists()
    assert Import.objects.get().size > 192 << 10
