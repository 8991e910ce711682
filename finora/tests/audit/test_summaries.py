"""What staff read of an event."""

import pytest

from finora.audit.models import AuditEvent
from finora.tests.kit import factories

SAID = [
    ("created", [], "Created"),
    ("updated", ["company_name", "phone", "tin"], "Changed company name, phone and TIN"),
    ("deleted", [], "Deactivated"),
    ("revealed", ["email"], "Revealed email"),
    ("exported", [], "Exported"),
    ("imported", [], "Imported"),
    ("key issued", [], "Key issued"),
    ("key changed", ["name", "rate_limits"], "Changed the key's name and rate limits"),
    ("suspended", ["is_suspended"], "Suspended"),
    ("resumed", ["is_suspended"], "Suspension ended"),
    ("reveal refused", ["email"], "Reveal of email refused"),
    ("reveal refused", [], "Reveal refused"),
    ("unreadable", ["address"], "Unreadable address"),
    ("unreadable", [], "Unreadable"),
]


@pytest.mark.parametrize(("action", "fields", "said"), SAID)
def test_an_event_reads_as_a_sentence(action, fields, said):
    assert AuditEvent(action=action, fields=fields).summary == said


def test_a_suspension_and_its_end_read_so_in_the_trail(staff, business):
    for suspended in (True, False):
        business.is_suspended = suspended
        business.save(update_fields=["is_suspended"])
    shown = staff.get("/admin/audit/auditevent/").text
    assert "Suspension ended" in shown
    assert ">Suspended<" in shown
    assert "is suspended" not in shown
    assert factories.business().audit_events.get().summary == "Created"
