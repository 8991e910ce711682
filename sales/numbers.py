"""Numbers of invoices and receipts, `INV-2026-00042`: for each business without gap or repeat.

A series is a row that counts, and whoever takes a number holds it until the transaction's end: so
the next one waits for what this one makes of it, and one that is undone gives its number back.
"""

from __future__ import annotations

from django.db import IntegrityError, models, transaction
from django.db.models import F, Q

from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow

# Kind, year, and as many digits as the most that a series counts to: from 100,000 on a number
# has more than five.
NUMBER_LENGTH = len("INV-2026-") + 10


class NumberSeriesQuerySet(TenantQuerySet["NumberSeries"]):
    def take(self, business_id: int, kind: str, year: int, count: int = 1) -> list[str]:
        """The next numbers of this business, kind and year, for rows that are about to be written:
        the last lock that a transaction takes.
        """
        series = self.filter(business_id=business_id, kind=kind, year=year)
        while not series.update(last=F("last") + count):
            try:
                with transaction.atomic():
                    self.create(business_id=business_id, kind=kind, year=year, last=count)
                break
            except IntegrityError:
                continue  # somebody took its first number just now
        last = series.values_list("last", flat=True).get()
        return [_text(kind, year, number) for number in range(last - count + 1, last + 1)]


def _text(kind: str, year: int, number: int) -> str:
    return f"{kind}-{year:04}-{number:05}"


class NumberSeries(TenantRow):
    class Kind(models.TextChoices):
        INVOICE = "INV"
        RECEIPT = "RCP"

    business = BusinessField(related_name="number_series")
    kind = models.CharField(max_length=3, choices=Kind)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    objects = NumberSeriesQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "number series"
        default_permissions = ()
        constraints = [
            # Two that take the first number of a year at once: one makes the row.
            models.UniqueConstraint(
                fields=["business", "kind", "year"], name="number_series_unique"
            ),
            # A series is there once it gave a number.
            models.CheckConstraint(condition=Q(last__gte=1), name="number_series_begun"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.year}"

    @property
    def prefix(self) -> str:
        """What its numbers begin with."""
        return _text(self.kind, self.year, 0)[:-5]
