"""All that is held about one customer, for that person: what is in it, who may have it, what is
noted of it."""

import io
import json
import stat
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from customers.transfer import person, writer
from customers.transfer.export import note
from customers.transfer.reading import Reading
from customers.transfer.tasks import begin
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, page
from finora.tests.kit.staff import browser
from finora.tests.kit.tasks import run_tasks

pytestmark = pytest.mark.django_db
PERSON = {
    "name": "Ada <b>Obi</b>",
    "email": "ada@acme.com",
    "phone": "+2348031234567",
    "address": "15 Broad St,\nLagos",
    "tin": "12345678-0001",
    "company_name": "Acme",
}


@pytest.fixture(autouse=True)
def _static_files_as_they_are(settings):
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}


@pytest.fixture
def ada(business):
    return factories.customer(business, **PERSON)


def told(*arguments):
    out = io.StringIO()
    call_command("export_customer", *arguments, stdout=out)
    return out.getvalue()


def url(customer):
    return f"{LIST}{customer.pk}/hand-over/"


def test_it_holds_the_profile_and_the_whole_history_with_the_request_itself(ada, business):
    key, _ = factories.api_key(business)
    with acting.acting(lambda: acting.Actor("key", key.public_id, "req_1")):
        ada.edit(phone="0803 000 0000")
    with acting.acting(lambda: acting.Actor("staff", "bola", "req_2")):
        ada.reveal("email")
        Customer.objects.filter(pk=ada.pk).note_export()
    note(business, 12, reveal=True)
    held = json.loads(told(ada.public_id))
    profile = held["profile"]
    assert (profile["id"], profile["business"]) == (ada.public_id, business.name)
    assert profile["name"] == PERSON["name"]
    assert (profile["phone"], profile["tin"]) == ("0803 000 0000", PERSON["tin"])
    assert [(each["what"], each["by"]) for each in held["history"]] == [
        ("Created", "system"),
        ("Changed phone", f"key {key.name}"),
        ("Revealed email", "staff bola"),
        ("Exported", "staff bola"),
        ("Exported: 12 together (the business's customers)", "system"),
        ("All data handed over", "system"),
    ]
    assert held["history"][1]["request"] == "req_1"
    assert AuditEvent.objects.filter(subject=ada.public_id, action="handed over").count() == 1


def test_an_export_from_before_the_customer_and_anothers_history_are_not_in_it(business):
    factories.customer(business).reveal("email")
    before = AuditEvent.of("exported", business.pk, business.public_id)
    before.at -= timedelta(minutes=1)
    before.save()
    held = json.loads(told(factories.customer(business).public_id))
    assert [each["what"] for each in held["history"]] == ["Created", "All data handed over"]


def test_the_imports_that_made_and_changed_a_customer_are_named(business, staff):
    """Each by what it did, not by when: two run at once, and what they noted is pruned."""
    rows = [f"name,email\n{name},{name}@example.com\n".encode() for name in ("ada", "bola")]
    imports = [begin(business, [row]) for row in rows]
    ready = []
    for import_ in imports:
        run = writer.start(import_, Reading(import_.pieces))
        ready.append((run, next(run.ready())))
    for run, portion in reversed(ready):
        run.write(portion)
    AuditEvent.objects.all().prune()
    change = b"name,email,phone\nAda Obi,ada@example.com,0803\n"
    changes = begin(business, [change], on_duplicate="update")
    run_tasks()
    by_hand = business.customers.get(name="Ada Obi")
    by_hand.edit(phone="0805")
    assert [each["what"] for each in json.loads(told(by_hand.public_id))["history"]] == [
        f"Imported ({imports[0].public_id})",
        f"Changed name and phone ({changes.public_id})",
        "Changed phone",
        "All data handed over",
    ]
    bola = business.customers.get(name="bola")
    first, _ = json.loads(told(bola.public_id))["history"]
    assert first["what"] == f"Imported ({imports[1].public_id})"
    assert (first["by"], first["request"]) == ("system", imports[1].request_id)
    story = staff.get(page(by_hand)).content.decode()
    for name in (imports[0].public_id, changes.public_id):
        assert f"<code>{name}</code>" in story
    assert imports[1].public_id not in story


def test_modules_add_what_they_hold(ada, monkeypatch):
    monkeypatch.setattr(person, "_registered", {})
    lines = [{"of": "rice", "price": Decimal("1250.50")}, {"of": "salt", "price": Decimal(1)}]
    invoice = {"number": "INV-1", "lines": lines}
    person.register("invoices", lambda customer: [invoice])
    person.register("receipts", lambda customer: [])
    held = json.loads(told(ada.public_id))
    of_json = [{"of": "rice", "price": "1250.50"}, {"of": "salt", "price": "1"}]
    assert held["invoices"] == [{"number": "INV-1", "lines": of_json}]
    html = told(ada.public_id, "--format", "html")
    assert "<td>of: rice, price: 1250.50\n" in html
    assert "<h2>Receipts</h2>\n<p>Nothing.</p>" in html


def test_the_page_is_whole_in_itself_and_holds_all_as_text(ada):
    html = told(ada.public_id, "--format", "html")
    assert "Ada &lt;b&gt;Obi&lt;/b&gt;" in html
    for text in (PERSON["email"], PERSON["phone"], "Company name", "All data handed over"):
        assert text in html
    assert not [outside for outside in ("<script", "src=", "href=", "http") if outside in html]


def test_an_erased_persons_holds_no_value_and_an_unreadable_one_says_so(ada, business):
    factories.store(ada, "phone", "s1.forged")
    profile = json.loads(told(ada.public_id))["profile"]
    assert (profile["phone"], profile["unreadable"]) == (None, ["phone"])
    assert profile["email"] == PERSON["email"]
    ada.erase()
    text = told(ada.public_id)
    assert not [value for value in PERSON.values() if value in text]
    assert json.loads(text)["profile"]["erasedAt"]


def test_the_file_is_its_owners_alone_and_of_nobody_there_is_none(ada, tmp_path):
    file = tmp_path / "ada.json"
    assert ada.public_id in told(ada.public_id.upper(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="File exists"):
        told(ada.public_id, file)
    with pytest.raises(CommandError, match="no customer"):
        told("cust_none", tmp_path / "none.json")
    assert [each.name for each in tmp_path.iterdir()] == ["ada.json"]


def test_a_privacy_officer_takes_it_from_the_customers_page(ada):
    officer = browser("Privacy officer")
    assert officer.get(page(ada)).content.decode().count(url(ada)) == 2
    answer = officer.post(url(ada), {"format": "json"})
    assert answer["Content-Disposition"] == f'attachment; filename="{ada.public_id}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert json.loads(answer.content)["profile"]["email"] == PERSON["email"]
    shown = officer.post(url(ada), {"format": "page"})
    assert PERSON["phone"] in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert AuditEvent.objects.filter(action="handed over", actor_kind="staff").count() == 2
    assert officer.get(url(ada)).status_code == 405


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Administrator"])
def test_nobody_else_does_and_it_is_noted(ada, role):
    client = browser(role)
    assert url(ada) not in client.get(page(ada)).content.decode()
    assert client.post(url(ada)).status_code == 403
    [refused] = AuditEvent.objects.filter(action="hand over refused")
    assert refused.subject == ada.public_id
    assert not AuditEvent.objects.filter(action="handed over").exists()


def test_it_wants_a_recent_password_and_reaches_nobody_out_of_scope(ada, other_business):
    officer = browser("Privacy officer")
    session = officer.session
    session["password_proved"] = 0
    session.save()
    assert "Your password again" in officer.post(url(ada)).content.decode()
    elsewhere = browser("Privacy officer", scope=[other_business])
    assert elsewhere.post(url(ada)).status_code == 404
    assert not AuditEvent.objects.filter(action="handed over").exists()
