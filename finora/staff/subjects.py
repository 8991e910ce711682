"""Where what events are about has its page."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest

from finora.audit.models import AuditEvent
from finora.staff.base import DirectoryAdmin


def urls(request: HttpRequest, events: Iterable[AuditEvent]) -> dict[tuple[int, str], str]:
    """The pages of these events' subjects, by business and public id, if this member of staff may
    see them. One query for each kind of page.
    """
    names = [(event.business_id, event.subject) for event in events]
    found: dict[tuple[int, str], str] = {}
    for page in admin.site._registry.values() if names else ():
        if not (isinstance(page, DirectoryAdmin) and page.is_subject):
            continue
        theirs = [name for name in names if name[1].startswith(page.subject_prefix)]
        if theirs and page.has_view_permission(request):
            named = page.get_queryset(request).with_names(theirs).pks_by_name()
            found |= {name: page.page_url(pk) for name, pk in named.items()}
    return found
