"""The audit trail: who did what to whom, never a value, and never changed afterwards."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from customers.models import Customer
from customers.querysets import EmailInUse
from finora import clock
from finora.audit.models import AuditEvent, Frozen
from finora.tenants.models import ApiKey, Business
from finora.tests.kit import factories

pytestmark = pytest.mark.django_db


def story(subject):
    return [(e.action, e.fields) for e in AuditEvent.objects.filter(subject=subject).order_by("id")]


def test_api_writes_are_noted_with_key_request_and_field_names(api):
    made = api.post("/v1/customers", {"name": "Ada", "email": "ada@example.com"})
    id = made.json()["data"]["id"]
    api.put(f"/v1/customers/{id}", {"phone": "0803 123 4567", "name": "Ada L"})
    api.delete(f"/v1/customers/{id}")
    api.delete(f"/v1/customers/{id}")
    assert story(id) == [("created", []), ("updated", ["name", "phone"]), ("deleted", [])]
    event = AuditEvent.objects.filter(subject=id).earliest("id")
    key = ApiKey.objects.get()
    assert (event.actor_kind, event.actor_id) == ("key", key.public_id)
    assert event.request_id == made["X-Request-Id"]
    assert event.business_id == key.business_id


def test_find_or_create_is_noted_once(api):
    id = api.post("/v1/customers/find-or-create", {"email": "a@example.com"}).json()["data"]["id"]
    api.post("/v1/customers/find-or-create", {"email": "a@example.com"})
    assert story(id) == [("created", [])]


def test_restoring_is_noted(business):
    customer = factories.customer(business)
    customer.delete()
    customer.restore()
    assert story(customer.public_id) == [("created", []), ("deleted", []), ("restored", [])]


def test_a_change_that_fails_leaves_no_note(business):
    factories.customer(business, email="ada@example.com")
    before = AuditEvent.objects.count()
    with pytest.raises(EmailInUse):
        factories.customer(business, email="ada@example.com")
    assert AuditEvent.objects.count() == before


def test_a_note_goes_with_its_change_when_that_is_undone(business):
    before = AuditEvent.objects.count()
    with transaction.atomic():
        factories.customer(business)
        transaction.set_rollback(True)
    assert AuditEvent.objects.count() == before


def test_deleting_many_notes_each(business):
    rows = [factories.customer(business) for _ in range(3)]
    assert Customer.objects.in_business(business.pk).delete()[0] == 3
    for row in rows:
        assert story(row.public_id)[-1] == ("deleted", [])


def test_keys_and_businesses_have_a_story(business):
    key, text = factories.api_key(business)
    ApiKey.objects.filter(pk=key.pk).revoke()
    assert story(key.public_id) == [("key issued", []), ("key revoked", [])]
    business.is_suspended = True
    business.save(update_fields=["is_suspended"])
    assert story(business.public_id)[-1] == ("suspended", ["is_suspended"])
    assert text not in str(list(AuditEvent.objects.values()))


def test_no_value_of_a_customer_is_in_the_trail(api):
    values = {
        "name": "Zebedee Quux",
        "email": "zebedee@example.com",
        "phone": "08031234567",
        "address": "9 Secret Close",
        "tin": "98765432-0001",
        "companyName": "Quux Holdings",
    }
    id = api.post("/v1/customers", values).json()["data"]["id"]
    api.put(f"/v1/customers/{id}", {name: f"{value}1" for name, value in values.items()})
    written = str(list(AuditEvent.objects.values()))
    for value in values.values():
        assert value not in written


def test_events_are_never_changed_or_deleted(business):
    event = AuditEvent.objects.filter(business=business).first()
    event.action = "updated"
    for attempt in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(action="updated"),
        lambda: AuditEvent.objects.bulk_update([event], ["action"]),
    ):
        with pytest.raises(Frozen):
            attempt()
    assert AuditEvent.objects.get(pk=event.pk).action == "created"


def test_prune_audit_removes_old_events_alone(business):
    factories.customer(business)
    kept = AuditEvent.objects.count()
    old = clock.now() - timedelta(days=400)
    for _ in range(3):
        AuditEvent(
            business=business, at=old, actor_kind="system", action="created", subject="cust_x"
        ).save()
    out = StringIO()
    call_command("prune_audit", "--older-than", "365", "--dry-run", stdout=out)
    assert AuditEvent.objects.count() == kept + 3
    assert "Would remove 3" in out.getvalue()
    out = StringIO()
    call_command("prune_audit", "--older-than", "365", stdout=out)
    assert AuditEvent.objects.count() == kept
    assert "Removed 3" in out.getvalue()


def test_commands_are_noted_as_the_system():
    call_command("create_business", "Acme", "--id", "biz_acme", stdout=StringIO())
    event = AuditEvent.objects.get(subject="biz_acme")
    assert (event.actor_kind, event.actor_id, event.action) == ("system", "", "created")
    assert event.business == Business.objects.get(public_id="biz_acme")
