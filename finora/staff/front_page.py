"""What the front page tells: who has how many customers, what comes in, and what needs a hand.

Each part is for those who may see its rows elsewhere. Counting is one pass over an index of all
customers, so every process does it once in a few minutes and the page says when.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from customers.models import Customer
from finora import clock
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey, Business
from finora.tenants.scope import scope_of

WEEKS = 12
COUNTED_FOR = 5 * 60  # seconds
BUSINESSES_SHOWN = 12
ROWS_SHOWN = 10
CHART_WIDTH, CHART_HEIGHT, BAR_GAP = 600, 160, 10


class Counts(NamedTuple):
    at: datetime
    weeks: list[datetime]
    active: dict[int, int]
    new: dict[tuple[int, int], int]


class BusinessRow(NamedTuple):
    business: Business
    url: str
    active: int
    new: int


class Bar(NamedTuple):
    """A week of the chart: what it counts, and where it stands on the drawing."""

    week: datetime
    number: int
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


class Event(NamedTuple):
    event: AuditEvent
    url: str | None


def context(request: HttpRequest) -> dict[str, Any]:
    may = {
        model: request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
        for model in (Customer, ApiKey, AuditEvent, Business)
    }
    businesses = {business.pk: business for business in _businesses(request)}
    shown: dict[str, Any] = {}
    if may[Customer]:
        counts = _counts()
        rows = _business_rows(counts, businesses.values())
        bars = _bars(counts, set(businesses))
        shown |= {
            "counted_at": counts.at,
            "business_rows": rows[:BUSINESSES_SHOWN],
            "more_businesses": len(rows) - BUSINESSES_SHOWN,
            "active_in_all": sum(row.active for row in rows),
            "bars": bars,
            "new_in_all": sum(bar.number for bar in bars),
            "new_this_week": bars[-1].number,
            "chart": {"width": CHART_WIDTH, "height": CHART_HEIGHT},
            "customers_url": _list_url(Customer),
        }
    if may[ApiKey]:
        keys = ApiKey.objects.filter(business__in=businesses).select_related("business")
        new_keys = list(keys.issued_lately()[: ROWS_SHOWN + 1])
        shown |= {
            "new_keys": new_keys[:ROWS_SHOWN],
            "more_new_keys": len(new_keys) > ROWS_SHOWN,
            "new_keys_url": _list_url(ApiKey),
            "expiring_keys": keys.expiring().order_by("expires_at")[:ROWS_SHOWN],
            "expiring_keys_url": _list_url(ApiKey) + "?status=expiring",
        }
    if may[AuditEvent]:
        events = list(AuditEvent.objects.latest_in(scope_of(request.user), ROWS_SHOWN))
        shown |= {"events": _with_links(events, [model for model in may if may[model]])}
    return shown


def _businesses(request: HttpRequest) -> Iterable[Business]:
    """The businesses that this member of staff may see."""
    return Business.objects.in_scope(scope_of(request.user)).order_by("name", "pk")


def _list_url(model: type[Customer] | type[ApiKey]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


# Counted for everybody at once, and shown to each for their businesses.


def _counts() -> Counts:
    return cast(Counts, cache.get_or_set("admin.front_page.counts", _count, COUNTED_FOR))


def _count() -> Counts:
    now = clock.now()
    monday = (now - timedelta(days=now.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    return Counts(
        at=now,
        weeks=weeks,
        active=Customer.objects.active().count_by_business(),
        new=Customer.objects.in_each_of(Business.objects.all()).count_by_week(weeks),
    )


def _business_rows(counts: Counts, businesses: Iterable[Business]) -> list[BusinessRow]:
    """The largest first."""
    rows = [
        BusinessRow(
            business,
            url=f"{_list_url(Customer)}?business={business.public_id}",
            active=counts.active.get(business.pk, 0),
            new=counts.new.get((business.pk, WEEKS - 1), 0),
        )
        for business in businesses
    ]
    return sorted(rows, key=lambda row: -row.active)


def _bars(counts: Counts, business_ids: set[int]) -> list[Bar]:
    sums = [0] * WEEKS
    for (business_id, place), number in counts.new.items():
        if business_id in business_ids:
            sums[place] += number
    step = CHART_WIDTH // WEEKS
    highest = max(sums) or 1
    bars = []
    for place, (week, number) in enumerate(zip(counts.weeks, sums, strict=True)):
        height = -(-CHART_HEIGHT * number // highest)  # rounded up: one customer is to be seen
        bars.append(
            Bar(
                week,
                number,
                x=place * step + BAR_GAP // 2,
                y=CHART_HEIGHT - height,
                width=step - BAR_GAP,
                height=height,
            )
        )
    return bars


def _with_links(events: list[AuditEvent], viewable: list[Any]) -> list[Event]:
    """Each event with the page of what it is about, if there is one to show."""
    about = {(event.business_id, event.subject) for event in events}
    urls: dict[tuple[int, str], str] = {}
    for model in (Customer, ApiKey, Business):
        if model in viewable:
            business = "pk" if model is Business else "business_id"
            rows = model._default_manager.filter(
                **{
                    f"{business}__in": {business_id for business_id, _ in about},
                    "public_id__in": {subject for _, subject in about},
                }
            ).values_list(business, "public_id", "pk")
            page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            urls |= {(of, public_id): reverse(page, args=[pk]) for of, public_id, pk in rows}
    return [Event(event, urls.get((event.business_id, event.subject))) for event in events]
