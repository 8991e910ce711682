"""The customers' panel of the front page: who has how many, and what comes in.

Counting is one pass over an index of all customers, so every process does it once in a few minutes
and the page says when.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from finora import clock
from finora.staff.front_page import Panel
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

WEEKS = 12
COUNTED_FOR = 5 * 60  # seconds
BUSINESSES_SHOWN = 12
CHART_WIDTH, CHART_HEIGHT, BAR_GAP = 600, 160, 10


class Counts(NamedTuple):
    at: datetime
    weeks: list[datetime]
    active: dict[int, int]
    ready: dict[int, int]
    new: dict[tuple[int, int], int]


class BusinessRow(NamedTuple):
    business: Business
    url: str
    active: int
    new: int
    ready: int

    @property
    def ready_share(self) -> str:
        """Of a hundred active ones; rounded down, so that only all are 100 %."""
        return f"{100 * self.ready // self.active} %" if self.active else "-"


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


def _context(request: HttpRequest) -> dict[str, Any]:
    mine = Business.objects.in_scope(scope_of(request.user)).order_by("name", "pk")
    businesses = {business.pk: business for business in mine}
    list_url = reverse("admin:customers_customer_changelist")
    counts = _counts()
    rows = _business_rows(counts, businesses.values(), list_url)
    bars = _bars(counts, set(businesses))
    return {
        "counted_at": counts.at,
        "business_rows": rows[:BUSINESSES_SHOWN],
        "more_businesses": len(rows) - BUSINESSES_SHOWN,
        "active_in_all": sum(row.active for row in rows),
        "ready_in_all": sum(row.ready for row in rows),
        "bars": bars,
        "new_in_all": sum(bar.number for bar in bars),
        "new_this_week": bars[-1].number,
        "chart": {"width": CHART_WIDTH, "height": CHART_HEIGHT},
        "customers_url": list_url,
    }


PANEL = Panel("customers.view_customer", "admin/customers/front_page.html", _context, place=10)


# Counted for everybody at once, and shown to each for their businesses.


def _counts() -> Counts:
    return cast(Counts, cache.get_or_set("admin.front_page.counts", _count, COUNTED_FOR))


def _count() -> Counts:
    now = clock.now()
    here = timezone.localtime(now)  # a week begins when it does for the staff
    monday = (here - timedelta(days=here.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    weeks = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    return Counts(
        at=now,
        weeks=weeks,
        active=Customer.objects.active().count_by_business(),
        ready=Customer.objects.active().ready_for_e_invoice().count_by_business(),
        new=Customer.objects.in_each_of(Business.objects.all()).count_by_week(weeks),
    )


def _business_rows(
    counts: Counts, businesses: Iterable[Business], list_url: str
) -> list[BusinessRow]:
    """The largest first."""
    rows = [
        BusinessRow(
            business,
            url=f"{list_url}?business={business.public_id}",
            active=counts.active.get(business.pk, 0),
            new=counts.new.get((business.pk, WEEKS - 1), 0),
            ready=counts.ready.get(business.pk, 0),
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
