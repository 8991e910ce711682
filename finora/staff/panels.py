"""The platform's own panels of the front page: what needs a hand, and what happened last."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from finora.audit.models import AuditEvent
from finora.staff import subjects
from finora.staff.front_page import Panel
from finora.tenants.models import ApiKey
from finora.tenants.scope import scope_of

ROWS_SHOWN = 10


def _keys(request: HttpRequest) -> dict[str, Any]:
    keys = ApiKey.objects.in_scope(scope_of(request.user)).select_related("business")
    new_keys = keys.issued_lately(ROWS_SHOWN + 1)
    url = reverse("admin:tenants_apikey_changelist")
    return {
        "new_keys": new_keys[:ROWS_SHOWN],
        "more_new_keys": len(new_keys) > ROWS_SHOWN,
        "new_keys_url": url,
        "expiring_keys": keys.expiring().order_by("expires_at")[:ROWS_SHOWN],
        "expiring_keys_url": f"{url}?status=expiring",
    }


class Event(NamedTuple):
    event: AuditEvent
    url: str | None


def _events(request: HttpRequest) -> dict[str, Any]:
    events = list(AuditEvent.objects.latest_in(scope_of(request.user), ROWS_SHOWN))
    urls = subjects.urls(request, events)
    rows = [Event(event, urls.get((event.business_id, event.subject))) for event in events]
    return {"events": rows}


KEYS = Panel("tenants.view_apikey", "admin/tenants/front_page.html", _keys, place=80)
EVENTS = Panel("audit.view_auditevent", "admin/audit/front_page.html", _events, place=90)
