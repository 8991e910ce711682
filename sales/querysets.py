"""Which rows of the books, in which order: filters that chain. What changes rows is in managers."""

from __future__ import annotations

from datetime import date
from typing import Any, Self, cast

from django.db.models import Count, DateField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from finora import identifiers
from finora.sealing import registry
from finora.sealing.rows import SealedRowQuerySet

# What a customer owes: its amounts are part of the balance.
OPEN = ("sent", "partially_paid")
OVERDUE = "overdue"
# The day until which an invoice is not late, for ever without one: as indexes have it.
DUE = Coalesce("due_date", Value(date.max, output_field=DateField()))
# What changes of an issued invoice.
LIVE = frozenset({"status", "due_date", "paid_kobo"})
# What an erasure takes away of any.
FORGOTTEN = frozenset({"descriptions"})


class BookQuerySet(SealedRowQuerySet[Any]):
    """Rows with a date, of a business and perhaps of a customer."""

    date_field: str

    def with_public_id(self, public_id: str) -> Self:
        """The one with this id, or none; also for a text that no id can be."""
        if not identifiers.is_possible(public_id):
            return self.none()
        return self.filter(public_id=public_id)

    def of_customer(self, business_id: int, public_id: str) -> Self:
        """Those of this customer, whether active, inactive or erased."""
        if not identifiers.is_possible(public_id):
            return self.none()
        return self.filter(customer__business_id=business_id, customer__public_id=public_id)

    def of_customer_id(self, public_id: str) -> Self:
        """The same, of whatever business: for staff."""
        if not identifiers.is_possible(public_id):
            return self.none()
        return self.filter(customer__public_id=public_id)

    def named(self, typed: str, businesses: QuerySet[Any]) -> Self:
        """The ones with this number or id, in any letter case, in each of these businesses: spelt
        so that an index by business serves.
        """
        typed = typed.strip()
        if not identifiers.is_possible(typed):
            return self.none()
        mine = self.filter(business_id__in=businesses.values("pk"))
        if "_" in typed:
            return mine.filter(public_id=typed.lower())
        return mine.filter(number=typed.upper())

    def since(self, day: Any) -> Self:
        return self.filter(**{f"{self.date_field}__gte": day})

    def until(self, day: Any) -> Self:
        """The day included."""
        return self.filter(**{f"{self.date_field}__lte": day})

    def listed(self) -> Self:
        """Those that the API's list has."""
        return self

    def newest_first(self) -> Self:
        return self.order_by(f"-{self.date_field}", "-id")

    def after(self, day: Any, pk: Any) -> Self:
        """Those behind a place in that order: the keyset cursor's condition."""
        # The first condition bounds the index scan; the second only settles equal days.
        return self.until(day).filter(Q(**{f"{self.date_field}__lt": day}) | Q(id__lt=pk))

    def with_customer_id(self) -> Self:
        """Each with its customer's public id, and no more of it, in the same query."""
        return self.select_related("customer").defer(
            *(
                f"customer__{field.name}"
                for field in self.model._meta.get_field("customer").related_model._meta.fields
                if field.name not in {"id", "public_id"}
            )
        )

    def with_names_shown(self) -> Self:
        """Each with its customer's name and its business's; nothing sealed of a customer."""
        shown = self.select_related("customer", "business")
        customer: Any = self.model._meta.get_field("customer").related_model
        sealed = registry.sealed.of(customer)
        return shown.defer(*(f"customer__{field.name}" for field in sealed))

    def delete(self) -> Any:
        raise TypeError("A row of the books is never deleted.")

    delete.queryset_only = True  # type: ignore[attr-defined]


class InvoiceQuerySet(BookQuerySet):
    date_field = "invoice_date"

    def open(self) -> Self:
        """Those that customers owe something by."""
        return self.filter(status__in=OPEN)

    def with_status(self, status: str, today: date) -> Self:
        """Those that show this status today: see Invoice.status_on."""
        if status == OVERDUE:
            return self.open().alias(due=DUE).filter(due__lt=today)
        found = self.filter(status=status)
        return found.alias(due=DUE).filter(due__gte=today) if status in OPEN else found

    def owed(self) -> Self:
        """What each customer owes by these, as rows of `customer_id` and `kobo`."""
        owing = self.open().order_by().values("customer_id")
        return cast(Self, owing.annotate(kobo=Sum(F("total_kobo") - F("paid_kobo"))))

    def sums(self) -> dict[str, int]:
        """Of those that are issued: `count`, `total` and `due`, in kobo."""
        total, paid = Coalesce(Sum("total_kobo"), 0), Coalesce(Sum("paid_kobo"), 0)
        issued = self.exclude(status__in=["draft", "cancelled"])
        return issued.aggregate(count=Count("pk"), total=total, due=total - paid)

    def update(self, **values: Any) -> int:
        """Django's (see SealedRowQuerySet), of what changes of an issued one. Raises TypeError."""
        if frozen := values.keys() - LIVE - FORGOTTEN:
            raise TypeError(f"update() of {min(frozen)}: save() a draft, which looks first.")
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]


class ReceiptQuerySet(BookQuerySet):
    date_field = "date"

    def listed(self) -> Self:
        return self.valid()

    def valid(self) -> Self:
        """Those that are not voided."""
        return self.filter(voided_at=None)

    def void(self) -> Self:
        return self.filter(voided_at__isnull=False)

    def sums(self) -> dict[str, int]:
        """Of those that are valid: `count`, `amount` and `unallocated`, in kobo."""
        amount, used = Coalesce(Sum("amount_kobo"), 0), Coalesce(Sum("allocated_kobo"), 0)
        return self.valid().aggregate(count=Count("pk"), amount=amount, unallocated=amount - used)

    def credited(self) -> Self:
        """What of these pays no invoice yet, as rows of `customer_id` and `kobo`."""
        paying = self.valid().filter(customer__isnull=False).order_by().values("customer_id")
        return cast(Self, paying.annotate(kobo=Sum(F("amount_kobo") - F("allocated_kobo"))))
