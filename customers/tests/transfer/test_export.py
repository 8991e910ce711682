"""Customers as a file: whom, what of them, masked or not, and what the trail says of it."""

import csv
import io
import json
import stat

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.admin import bulk
from customers.rules import RULES, Broken
from customers.transfer.export import FIELDS, Export, noted
from customers.transfer.tasks import begin
from finora.audit import acting
from finora.audit.models import AuditEvent
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST
from finora.tests.kit.staff import browser, member
from finora.tests.kit.tasks import run_tasks

pytestmark = pytest.mark.django_db
PERSON = {
    "name": "Adébáyọ̀ Obi",
    "email": "ada@acme.com",
    "phone": "+2348031234567",
    "address": "15 Broad St,\n=Lagos",
    "tin": "12345678-0001",
    "company_name": "=Acme",
}


@pytest.fixture
def ada(business):
    return factories.customer(business, **PERSON)


@pytest.fixture
def written(business, tmp_path):
    def write(*options):
        file = tmp_path / "out"
        said = io.StringIO()
        call_command("export_customers", business.public_id, file, *options, stdout=said)
        text = file.read_text("utf-8-sig" if "jsonl" not in options else "utf-8")
        file.unlink()
        return text, said.getvalue().strip()

    return write


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_holds_the_active_ones_in_list_order_and_says_how_many(written, business, ada):
    factories.customer(business, name="Zainab")
    factories.customer(business, name="Gone").delete()
    text, said = written("--reveal")
    assert [row["name"] for row in table(text)] == [ada.name, "Zainab"]
    assert said == "Exported 2 customers."
    text, _ = written("--reveal", "--status", "all")
    assert {row["name"]: row["isActive"] for row in table(text)}["Gone"] == "false"
    ada.erase()
    assert len(table(written("--status", "all")[0])) == 2


def test_what_a_spreadsheet_would_run_is_harmless_and_json_is_as_it_is(written, ada):
    [row] = table(written("--reveal")[0])
    assert row["phone"] == "'+2348031234567"
    assert row["address"] == "15 Broad St,\n'=Lagos"
    assert row["companyName"] == "'=Acme"
    [line] = written("--reveal", "--format", "jsonl")[0].splitlines()
    assert {FIELDS[name]: json.loads(line)[name] for name in FIELDS} == PERSON
    assert json.loads(line)["id"] == ada.public_id


def test_without_reveal_personal_values_are_masked_and_their_columns_say_so(written, ada):
    for form in ("csv", "jsonl"):
        text, said = written("--format", form)
        assert said == "Exported 1 customers, masked."
        for field in ("email", "phone", "tin", "address"):
            assert PERSON[field] not in text
    [row] = table(written()[0])
    assert row["email (masked)"] == "a•••••@acme.com"
    assert "email" not in row


def test_the_trail_has_one_line_with_the_count_and_what_was_in_the_clear(written, business):
    factories.customer(business)
    factories.customer(business)
    written("--reveal")
    [line] = AuditEvent.objects.filter(action="exported")
    assert (line.subject, line.count) == (business.public_id, 2)
    assert line.fields == ["address", "email", "phone", "tin"]


def test_the_file_is_its_owners_alone_and_none_is_overwritten(business, tmp_path):
    file = tmp_path / "out.csv"
    call_command("export_customers", business.public_id, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_customers", business.public_id, file)
    with pytest.raises(CommandError, match="no business"):
        call_command("export_customers", "biz_none", tmp_path / "other")
    assert AuditEvent.objects.filter(action="exported").count() == 1


def test_a_run_that_fails_leaves_no_file(business, ada, tmp_path, monkeypatch):
    monkeypatch.setattr(Export, "csv", lambda export: iter([1 / 0 for _ in "x"]))
    with pytest.raises(ZeroDivisionError):
        call_command("export_customers", business.public_id, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_opened_says_so_and_ends_no_file(written, business, ada):
    factories.customer(business, name="Zainab")
    factories.store(ada, "phone", "s1.forged")
    rows = table(written("--reveal")[0])
    assert rows[0]["phone"] == "(unreadable)"
    assert len(rows) == 2
    first = json.loads(written("--reveal", "--format", "jsonl")[0].splitlines()[0])
    assert (first["phone"], first["unreadable"]) == (None, ["phone"])
    assert AuditEvent.objects.filter(action="unreadable", subject=ada.public_id).exists()


def test_pages_hold_every_row_once_also_of_equal_names(business):
    made = {factories.customer(business, name=f"Ada {n % 2}").public_id for n in range(7)}
    pages = list(business.customers.all().in_pages(2))
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    found = [row.public_id for page in pages for row in page]
    assert len(found) == 7
    assert set(found) == made


def test_a_line_is_made_when_it_is_read(ada):
    """So however many rows there are, a page of them is in memory."""
    taken = []
    rows = (taken.append(n) or ada for n in range(100))
    lines = Export(rows, reveal=True).csv()
    assert next(lines).startswith("\ufeffname,email,")
    assert next(lines).startswith(ada.name)
    assert taken == [0]


def test_what_nobody_counted_is_noted_before_it_goes_out_and_with_what_went(
    business, other_business
):
    rows = [factories.customer(each) for each in (business, business, business, other_business)]

    def exported():
        told = AuditEvent.objects.filter(action="exported").order_by("id")
        return [(each.actor_id, each.subject, each.count) for each in told]

    with acting.acting(lambda: acting.Actor("staff", "bola")):
        lines = Export(noted(iter(rows), reveal=False), reveal=False).csv()
    next(lines)
    assert exported() == []
    next(lines)
    assert exported() == [("bola", business.public_id, 0)]
    next(lines)
    lines.close()  # the client went away
    assert exported()[1:] == [("bola", business.public_id, 2)]
    list(noted(iter(rows), reveal=False))
    assert [each[1:] for each in exported()[2:]] == [
        (business.public_id, 0), (business.public_id, 3),
        (other_business.public_id, 0), (other_business.public_id, 1),
    ]  # fmt: skip


def test_staff_who_may_not_reveal_get_masks(business, ada, staff):
    user = member("Viewer")
    user.user_permissions.add(Permission.objects.get(codename="export_customer"))
    staff.force_login(user)
    answer = staff.post(LIST, {"everything": "export", "confirmed": "yes", "count": "1"})
    [row] = table(answer.getvalue().decode("utf-8-sig"))
    assert row["email (masked)"] == "a•••••@acme.com"
    assert row["businessId"] == business.public_id


def test_what_filters_leave_goes_out_however_many_they_are(
    business, other_business, staff, monkeypatch
):
    monkeypatch.setattr(bulk, "MOST", 2)
    for name in ("Ada", "Bola", "Chidi"):
        factories.customer(business, name=name)
    factories.customer(other_business, name="Dayo")
    asked = staff.post(LIST, {"everything": "export"})
    assert "Export 4 customers?" in asked.content.decode()
    answer = staff.post(LIST, {"everything": "export", "confirmed": "yes", "count": "4"})
    assert [row["name"] for row in table(answer.getvalue().decode("utf-8-sig"))] == [
        "Ada", "Bola", "Chidi", "Dayo",
    ]  # fmt: skip
    lines = AuditEvent.objects.filter(action="exported").order_by("business_id")
    assert [(line.subject, line.count) for line in lines] == [
        (business.public_id, 3), (other_business.public_id, 1),
    ]  # fmt: skip
    trail = browser("Privacy officer").get("/admin/audit/auditevent/").content.decode()
    assert "Exported: 3 together" in trail


# What goes out comes in.


def _allowed(field):
    """Texts that spreadsheets and separators make trouble of, as far as the field takes them."""
    texts = st.text(st.sampled_from("=+-@＝'\",;|\n\r ab\xa0ọ"), max_size=12) | st.text(max_size=12)
    usual = st.sampled_from(["+2348031234567", "0803 123 4567", "12345678-0001", "=1+1"])

    def is_taken(value):
        try:
            return RULES[field].taken(value) == value
        except Broken:
            return False

    allowed = (usual | texts).filter(is_taken)
    return allowed if field == "name" else st.none() | allowed


PEOPLE = st.lists(
    st.fixed_dictionaries({field: _allowed(field) for field in RULES if field != "email"})
    | st.just({"name": PERSON["name"], "phone": "+2348031234567"}),
    min_size=1,
    max_size=6,
)


def values(business):
    rows = business.customers.active().in_list_order()
    return sorted([str(getattr(row, field)) for field in RULES] for row in rows)


@given(PEOPLE, st.sampled_from(["csv", "jsonl"]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_went_out_comes_in_as_it_was(db, people, form):
    here, there = factories.business(), factories.business()
    for number, person in enumerate(people):
        factories.customer(here, email=f"{'=+-'[number % 3]}{number}@example.com", **person)
    rows = (row for page in here.customers.all().in_pages(2) for row in page)
    file = "".join(Export(rows, reveal=True).lines(form)).encode()
    import_ = begin(there, [file[:100], file[100:]])
    assert run_tasks() == 1
    import_.refresh_from_db()
    assert [*import_.findings()] == []
    assert (import_.state, import_.created) == ("done", len(people))
    assert values(there) == values(here)


def test_masks_do_not_come_in(business, other_business, ada):
    file = "".join(Export([ada], reveal=False).csv()).encode()
    begin(other_business, [file])
    run_tasks()
    assert not other_business.customers.exists()
