"""The rules of the directory, as filters that chain: whom they select, in which order, how many.

What changes rows here changes those selected. What asks for a whole business is in managers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Case, Count, Q, Value, When

from customers.search.lines import new_mark
from customers.search.models import Unpacked
from finora import clock, text
from finora.audit.models import AuditEvent
from finora.orm.keyset import Order
from finora.orm.prepared import Slot
from finora.orm.related import owner_of
from finora.sealing import blind_index, normal_forms
from finora.sealing.rows import SealedRowQuerySet
from finora.tenants.models.business import Business

NOT_SHOWN = (
    "updated_at", "deleted_at", "erased_at", "email_hash", "phone_hash", "tin_hash", "search_mark",
)  # fmt: skip

# What a search result depends on: a change of these puts the row into the search tail.
SEARCHED = {"name", "email", "phone", "company_name", "is_active"}

# What a buyer's party of an e-invoice needs besides the name and email that everybody has.
E_INVOICE_FIELDS = ("tin", "phone", "address")
# Whether all of that is there: as the list's index has it.
E_INVOICE_READY = Case(
    When(Q(**{f"{field}__isnull": False for field in E_INVOICE_FIELDS}), then=True),
    default=False,
    output_field=models.BooleanField(),
)

ERASED_NAME = "Erased customer"

# The staff's lists, business by business.
BY_NAME: Order = ("business_id", "name_key", "public_id")
NEWEST_FIRST: Order = ("-business_id", "-created_at", "-id")

EMAIL_UNIQUE = "customer_active_email_unique"


def is_of_email(error: IntegrityError) -> bool:
    """Whether the email's constraint refused: PostgreSQL names it, SQLite its columns."""
    return any(name in str(error) for name in (EMAIL_UNIQUE, "email_hash"))


class EmailInUse(IntegrityError):
    """An active customer of the business has the email. `public_id` is that customer's id."""

    def __init__(self, public_id: str) -> None:
        super().__init__(f"The email is in use by {public_id}.")
        self.public_id = public_id


class CustomerInactive(Exception):
    """The customer was soft-deleted: it can be read and restored, not edited."""


class CustomerErased(CustomerInactive):
    """The person was erased: there is nothing to bring back."""


def is_id(text: str) -> bool:
    return text.isascii() and text.isprintable()


class CustomerQuerySet(SealedRowQuerySet[Any]):
    # Whom.

    def in_each_of(self, businesses: models.QuerySet[Business]) -> Self:
        """All of these businesses' customers, spelt so that an index by business serves."""
        return self.filter(business_id__in=businesses.values("pk"))

    def active(self) -> Self:
        """Those who are not soft-deleted."""
        return self.filter(is_active=True)

    def inactive(self) -> Self:
        """The soft-deleted ones."""
        return self.filter(is_active=False)

    def erased(self) -> Self:
        """Those of whom nothing is left but the ids and the balance.

        They stand together in the list of the inactive, by the name that they all have.
        """
        named = self.inactive().filter(name_key=text.name_key(ERASED_NAME))
        return named.filter(erased_at__isnull=False)

    def not_erased(self) -> Self:
        """Those of whom something is known: whom search has lines of."""
        return self.filter(erased_at=None)

    def ready_for_e_invoice(self) -> Self:
        """Those of whom an e-invoice's party can be made."""
        return self.alias(ready=E_INVOICE_READY).filter(ready=True)

    def not_ready_for_e_invoice(self) -> Self:
        """The others."""
        return self.alias(ready=E_INVOICE_READY).filter(ready=False)

    def with_status(self, status: str) -> Self:
        """`active`, `inactive` or `all`."""
        return {"active": self.active, "inactive": self.inactive, "all": self.all}[status]()

    def with_public_id(self, public_id: str) -> Self:
        """The one with this id, or none; also for a text that no id can be."""
        if not is_id(public_id):
            return self.none()
        return self.filter(public_id=public_id)

    def with_id_typed(self, text: str) -> Self:
        """The same for a person, in any letter case."""
        return self.with_public_id(text.lower())

    def with_email(self, email: str) -> Self:
        """Exact match in any letter case, by blind index; of `business.customers`, as all three."""
        return self._with("email", email)

    def with_phone(self, phone: str) -> Self:
        """Exact match in any spelling, by blind index."""
        return self._with("phone", phone)

    def with_tin(self, tin: str) -> Self:
        """Exact match with or without spaces and hyphens, by blind index."""
        return self._with("tin", tin)

    def _with(self, field: str, value: str) -> Self:
        index: Any = self.model._meta.get_field(f"{field}_hash")
        digests = index.digests(owner_of(self, Business).pk, value)
        return self.filter(**{f"{index.name}__in": digests})

    # In which order.

    def in_list_order(self) -> Self:
        """By name without regard to case and accents, then by public id."""
        return self.order_by("name_key", "public_id")

    def after(self, name_key: bytes | Slot, public_id: str | Slot) -> Self:
        """Those behind a place in list order: the keyset cursor's condition."""
        # The first condition bounds the index scan; the second only settles equal names.
        return self.filter(name_key__gte=name_key).filter(
            Q(name_key__gt=name_key) | Q(public_id__gt=public_id)
        )

    def in_pages(self, size: int = 500) -> Iterator[list[Any]]:
        """Those of one business in list order, so many at a time. Each page is a query of its own:
        in between nothing is held, and others may use the connection."""
        rows = self.in_list_order()
        page = list(rows[:size])
        while page:
            yield page
            last = page[-1]
            page = list(rows.after(bytes(last.name_key), last.public_id)[:size])

    def with_columns_shown(self) -> Self:
        """Without the columns that only lookups need."""
        return self.defer(*NOT_SHOWN)

    # The staff's directory: any number of businesses.

    def named_exactly(self, typed: str, business_ids: Collection[int]) -> list[Self]:
        """Who of these businesses has exactly this id, email, phone or TIN, in any spelling.

        One queryset for each of those that it may be: a stretch of an index for each business.
        """
        found = [self._in_any(business_ids, "phone", typed)]
        if typed.lower().startswith("cust_"):
            found.append(self.filter(business_id__in=business_ids).with_id_typed(typed))
        if "@" in typed:
            found.append(self._in_any(business_ids, "email", typed))
        if normal_forms.is_tin(typed):
            found.append(self._in_any(business_ids, "tin", typed))
        return found

    def _in_any(self, business_ids: Collection[int], field: str, value: str) -> Self:
        index: Any = self.model._meta.get_field(f"{field}_hash")
        normal = index.normal_form(value)
        of_each = [
            Q(business_id=pk, **{f"{index.name}__in": digests})
            for pk in business_ids
            if (digests := blind_index.digests(index.place, pk, normal))
        ]
        return self.filter(Q(*of_each, _connector=Q.OR)) if of_each else self.none()

    # How many: one pass over an index by business, for a page that keeps the answer a while.

    def count_by_business(self) -> dict[int, int]:
        """How many each business has, by its integer id."""
        return dict(self.order_by().values_list("business_id").annotate(number=Count("*")))

    def count_by_week(self, weeks: Sequence[datetime]) -> dict[tuple[int, int], int]:
        """How many were created in each week, by business and by place in `weeks`.

        `weeks` are the moments at which they begin; the last one is not over yet.
        """
        # A stretch of the index for each week: sorting rows into weeks takes eight times as long.
        counts = [
            self.filter(created_at__gte=start, **({"created_at__lt": end} if end else {}))
            .order_by()
            .annotate(week=Value(number, models.IntegerField()))
            .values_list("business_id", "week")
            .annotate(number=Count("*"))
            for number, (start, end) in enumerate(zip_longest(weeks, weeks[1:]))
        ]
        rows = counts[0].union(*counts[1:], all=True)
        return {(business_id, week): number for business_id, week, number in rows}

    # How rows change.

    def update(self, **values: Any) -> int:
        """Django's (see SealedRowQuerySet); a change that search shows puts the rows into its tail.

        The caller keeps that short.
        """
        if SEARCHED.isdisjoint(values):
            return super().update(**values)
        with transaction.atomic():
            changed = 0
            for business_id, rows in self.by_business():
                held = rows.order_by("id").select_for_update(of=("self",))
                public_ids = list(held.values_list("public_id", flat=True))
                changed += rows._update_searched(business_id, public_ids, values)
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's (see SealedRowQuerySet); the new rows are in the tail. The caller keeps that
        short.
        """
        with transaction.atomic():
            made: list[Any] = super().bulk_create(objs, *args, **kwargs)
            Unpacked.objects.bulk_create(
                Unpacked(business_id=each.business_id, public_id=each.public_id, renews=False)
                for each in made
            )
        return made

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _update_searched(
        self, business_id: int, public_ids: Sequence[str], values: dict[str, Any]
    ) -> int:
        """Changes these, which the transaction has locked, and puts them into the tail."""
        those = self.filter(public_id__in=public_ids)
        changed = super(CustomerQuerySet, those).update(**values, search_mark=new_mark())
        Unpacked.objects.add(business_id, public_ids)
        return changed

    def delete(self) -> tuple[int, dict[str, int]]:
        """Soft delete: the rows become inactive and their emails free; nothing is removed.

        Answers what Django's own delete() does: how many, by model.
        """
        moment, count = clock.now(), 0
        changed_at = self.model._meta.get_field("updated_at")
        with transaction.atomic():
            for business_id, rows in self.active().by_business():
                those = rows.order_by("id").select_for_update(of=("self",))
                public_ids = list(those.values_list("public_id", flat=True))
                mine = Business(pk=business_id).customers
                gone = {
                    "is_active": False,
                    "deleted_at": moment,
                    "updated_at": changed_at.not_before(moment),
                }
                count += mine.active()._update_searched(business_id, public_ids, gone)
                AuditEvent.objects.record("deleted", business_id, public_ids)
                mine.keep_tail_short(len(public_ids))
        return count, {self.model._meta.label: count}

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def note_export(self) -> None:
        """Notes of each of these customers that its data went out as a file."""
        ids: dict[int, list[str]] = {}
        for business_id, public_id in self.values_list("business_id", "public_id"):
            ids.setdefault(business_id, []).append(public_id)
        with transaction.atomic():
            for business_id, public_ids in ids.items():
                AuditEvent.objects.record("exported", business_id, public_ids)

    def unpacked(self, business_id: int | Slot) -> Self:
        """Those of this business in the search tail: changed since they were last packed."""
        tail = Unpacked.objects.filter(business_id=business_id)
        return self.filter(business_id=business_id, public_id__in=tail.values("public_id"))
