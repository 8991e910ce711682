"""All that match, in one step: exported or made inactive, with the count said before."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry

from customers import finding
from customers.admin import bulk, export
from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.staff import search_terms
from finora.tests.kit import factories
from finora.tests.kit.customer_pages import LIST, said
from finora.tests.kit.staff import browser


@pytest.fixture(autouse=True)
def _pages_are_small(monkeypatch):
    monkeypatch.setattr(finding, "PAGE", 3)
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 4)


@pytest.fixture
def people(staff, business, other_business) -> list[Customer]:
    """More than a page of them; every third an Okafor, two of those inactive, one elsewhere."""
    names = [f"{'Okafor' if n % 3 == 0 else 'Bola'} {n:02}" for n in range(60)]
    made = [factories.customer(business, name=name) for name in names]
    made[0].delete()
    made[3].delete()
    factories.customer(other_business, name="Okafor elsewhere")
    return made


def address(client, term: str, filters: str = "") -> str:
    """Of the list that a search leads to."""
    return client.post(f"{LIST}?{filters}", {"q": term})["Location"]


def everything(client, url: str, name: str, **answers: str):
    return client.post(url, {"everything": name, **answers}, follow=True)


def ids(response) -> list[str]:
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return [row["id"] for row in csv.DictReader(StringIO(text))]


def okafors(business, **which) -> set[str]:
    rows = Customer.objects.filter(business=business, name__startswith="Okafor", **which)
    return set(rows.values_list("public_id", flat=True))


def test_all_that_match_go_out_in_one_file_after_their_count(staff, business, people):
    url = address(staff, "okafor", f"business={business.public_id}&status=all")
    asked = everything(staff, url, "export")
    assert "Export 20 customers?" in asked.content.decode()
    assert not AuditEvent.objects.filter(action="exported").exists()
    file = everything(staff, url, "export", confirmed="yes", count="20")
    found = ids(file)
    assert len(found) == 20
    assert set(found) == okafors(business)
    lines = AuditEvent.objects.filter(action="exported").lines()
    assert [(line.business_id, line.count) for line in lines] == [(business.pk, 20)]
    told = AuditEvent.objects.about(business.pk, people[0].public_id)
    assert told[0].summary == "Exported"


def test_all_that_match_become_inactive_after_their_count(staff, business, people):
    url = address(staff, "okafor", f"business={business.public_id}")
    asked = everything(staff, url, "deactivate")
    assert "Deactivate 18 customers?" in asked.content.decode()
    assert len(okafors(business, is_active=True)) == 18
    done = everything(staff, url, "deactivate", confirmed="yes", count="18")
    assert "18 customers deactivated" in said(done)
    assert okafors(business, is_active=True) == set()
    assert Customer.objects.active().count() == 41
    lines = AuditEvent.objects.filter(action="deleted").lines()
    assert {(line.business_id, line.count) for line in lines} >= {(business.pk, 18)}
    assert LogEntry.objects.filter(change_message="Deactivated.").count() == 18
    again = everything(staff, url, "deactivate")
    assert "Nothing to deactivate" in said(again)


def test_without_a_search_all_that_the_filters_leave_are_meant(staff, business, people):
    url = f"{LIST}?business={business.public_id}&status=inactive"
    assert "Export 2 customers?" in everything(staff, url, "export").content.decode()
    assert "Nothing to deactivate" in said(everything(staff, url, "deactivate"))
    assert (
        "Export 61 customers?" in everything(staff, f"{LIST}?status=all", "export").content.decode()
    )


def test_others_than_were_counted_are_asked_for_again(staff, business, people):
    url = address(staff, "okafor", f"business={business.public_id}")
    factories.customer(business, name="Okafor who came meanwhile")
    for name in ("deactivate", "export"):
        asked = everything(staff, url, name, confirmed="yes", count="18")
        html = asked.content.decode()
        assert "Others match by now" in html
        assert f"{name.capitalize()} 19 customers?" in html
    assert len(okafors(business, is_active=True)) == 19
    assert not AuditEvent.objects.filter(action="exported").exists()


def test_more_than_a_step_takes_are_not_deactivated(staff, business, people, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 17)
    url = address(staff, "okafor", f"business={business.public_id}")
    refused = everything(staff, url, "deactivate", confirmed="yes", count="18")
    assert "More than 17 match" in said(refused)
    assert len(okafors(business, is_active=True)) == 18


def exports():
    """What is noted of them: who, of which business, how many, and what in the clear."""
    told = AuditEvent.objects.filter(action="exported").order_by("id")
    return [(each.actor_kind, each.subject, each.count, len(each.fields)) for each in told]


def test_all_that_a_search_finds_go_out_however_many_they_are(
    staff, business, other_business, people, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(bulk, "MOST", 5)
    url = address(staff, "okafor", "status=all")
    asked = everything(staff, url, "export").content.decode()
    assert "Export more than 5 customers?" in asked
    assert exports() == []
    answer = everything(staff, url, "export", confirmed="yes", count="6")
    # As many for each page of the search, and none for each customer.
    with django_assert_max_num_queries(8 * 7):
        found = ids(answer)
    elsewhere = {row.public_id for row in other_business.customers.all()}
    assert set(found) == okafors(business) | elsewhere
    assert len(found) == 21
    both = ((business.public_id, 20), (other_business.public_id, 1))
    assert exports() == [("staff", name, n, 4) for name, count in both for n in (0, count)]
    assert AuditEvent.objects.filter(action="exported").lines().count() == 2


def test_what_filters_leave_is_read_a_page_at_a_time(
    staff, business, people, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(bulk, "MOST", 5)
    url = f"{LIST}?business={business.public_id}"
    answer = everything(staff, url, "export", confirmed="yes", count="58")
    with django_assert_max_num_queries(3):
        assert len(ids(answer)) == 58


def test_a_search_that_is_too_old_never_means_everybody(staff, people, monkeypatch):
    url = address(staff, "okafor")
    monkeypatch.setattr(search_terms, "LIFETIME", -1)
    done = everything(staff, url, "deactivate", confirmed="yes", count="59")
    assert "no longer valid" in said(done)
    assert Customer.objects.active().count() == 59


def test_who_may_not_gets_no_button_and_is_refused_and_noted(staff, business, people):
    viewer = browser("Viewer")
    assert 'name="everything"' not in viewer.get(LIST).content.decode()
    before = Customer.objects.active().count()
    for name in ("deactivate", "export", "restore", "no such"):
        assert everything(viewer, LIST, name, confirmed="yes", count="59").status_code == 403
    assert Customer.objects.active().count() == before
    refused = AuditEvent.objects.filter(action="export refused").lines()
    assert refused.get(business=business).count == 50  # as many as a page shows
    editor, officer = browser("Editor"), browser("Privacy officer")
    assert everything(editor, LIST, "export").status_code == 403
    assert everything(officer, LIST, "deactivate").status_code == 403
    assert "Deactivate all that match" in editor.get(LIST).content.decode()
    assert "Export all that match" in officer.get(LIST).content.decode()


def test_nobody_reaches_beyond_their_scope(business, other_business, people):
    editor = browser("Editor", scope=[other_business])
    asked = everything(editor, LIST, "deactivate", confirmed="yes", count="1")
    assert "1 customer deactivated" in said(asked)
    assert okafors(business, is_active=True)
    assert okafors(other_business, is_active=True) == set()
    beyond = f"{LIST}?business={business.public_id}"
    assert "Nothing to deactivate" in said(everything(editor, beyond, "deactivate"))


def test_an_export_of_all_wants_a_recent_password(staff, people, settings):
    session = staff.session
    session["password_proved"] = 0
    session.save()
    asked = everything(staff, LIST, "export", confirmed="yes", count="59")
    assert "Your password again" in asked.content.decode()
    assert not AuditEvent.objects.filter(action="exported").exists()
