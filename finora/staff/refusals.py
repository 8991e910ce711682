"""What staff were refused, or could not be shown, in the audit trail: without any value.

An event belongs to the business of the row that was asked for. Its own staff learn who tried; who
tried learns nothing. Of what does not exist nothing is noted, as it is nobody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.http import HttpRequest

from finora.audit.models import AuditEvent
from finora.orm.scope import ScopedQuerySet
from finora.tenants.scope import scope_of

MAX_DIGITS = 18  # of a number that every database takes


def note(
    action: AuditEvent.Action, named: Iterable[tuple[int, str]], fields: Iterable[str] = ()
) -> None:
    """Notes that the present member of staff was refused this with these: (business, public id)."""
    by_business: dict[int, list[str]] = defaultdict(list)
    for business_id, public_id in named:
        by_business[business_id].append(public_id)
    for business_id, public_ids in by_business.items():
        AuditEvent.objects.record_refused(action, business_id, public_ids, fields)


def note_rows(
    action: AuditEvent.Action,
    model: type[models.Model],
    keys: Iterable[str],
    fields: Iterable[str] = (),
) -> None:
    """The same with the rows that an address or a form names."""
    note(action, rows(model, keys).names(), fields)


def rows(model: type[models.Model], keys: Iterable[str]) -> ScopedQuerySet[Any]:
    """The rows that an address or a form names, of whatever business."""
    numbers = [key for key in keys if key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS]
    found: ScopedQuerySet[Any] = model._default_manager.filter(pk__in=numbers)  # type: ignore[assignment]
    return found


def note_out_of_scope(request: HttpRequest, model: type[models.Model], keys: Iterable[str]) -> None:
    """Notes those of these rows that are there, and out of this member of staff's scope."""
    out = rows(model, keys).out_of_scope(scope_of(request.user))
    note(AuditEvent.Action.ACCESS_REFUSED, out.names())
