"""The rules of the directory, as queries: whom they select, and how rows change. No request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Self

from django.db import IntegrityError, models, transaction
from django.db.models import Count, Q, Value

from customers import prepared_queries
from customers.search import index
from finora import clock, text
from finora.audit.models import AuditEvent
from finora.orm.prepared import Slot
from finora.orm.scope import ScopedQuerySet
from finora.sealing import normal_forms
from finora.sealing.rows import SealedRowQuerySet

if TYPE_CHECKING:
    from customers.models import Customer
    from finora.tenants.models import Business

SEARCH_LIMIT = 50
DEFAULT_NAME_LENGTH = 200
# Rows of one INSERT: PostgreSQL takes 65,535 parameters.
IMPORT_ROWS = 2_000

NOT_SHOWN = (
    "updated_at", "deleted_at", "erased_at", "email_hash", "phone_hash", "tin_hash", "packed",
)  # fmt: skip


class EmailInUse(IntegrityError):
    """An active customer of the business has the email. `public_id` is that customer's id."""

    def __init__(self, public_id: str) -> None:
        super().__init__(f"The email is in use by {public_id}.")
        self.public_id = public_id


class CustomerInactive(Exception):
    """The customer was soft-deleted: it can be read and restored, not edited."""


class CustomerErased(CustomerInactive):
    """The person was erased: there is nothing to bring back."""


def _is_id(text: str) -> bool:
    return text.isascii() and text.isprintable()


class CustomerQuerySet(  # type: ignore[override]  # as_manager(): the plugin makes one of each
    SealedRowQuerySet["Customer"], ScopedQuerySet["Customer"]
):
    # Whom.

    def in_business(self, business_id: int) -> Self:
        """The customers of one business (its integer id); every request starts here."""
        return self.filter(business_id=business_id)

    def in_each_of(self, businesses: models.QuerySet[Business]) -> Self:
        """All of these businesses' customers, spelt so that an index by business serves."""
        return self.filter(business_id__in=businesses.values("pk"))

    def active(self) -> Self:
        return self.filter(is_active=True)

    def inactive(self) -> Self:
        """The soft-deleted ones."""
        return self.filter(is_active=False)

    def erased(self) -> Self:
        """Those of whom nothing is left but the ids and the balance."""
        return self.filter(erased_at__isnull=False)

    def with_status(self, status: str) -> Self:
        """`active`, `inactive` or `all`."""
        return {"active": self.active, "inactive": self.inactive, "all": self.all}[status]()

    def with_public_id(self, public_id: str) -> Self:
        """The one with this id, or none; also for a text that no id can be."""
        if not _is_id(public_id):
            return self.none()
        return self.filter(public_id=public_id)

    def with_email(self, business_id: int, email: str) -> Self:
        """Exact match in any letter case, by blind index."""
        return self._with("email", business_id, email)

    def with_phone(self, business_id: int, phone: str) -> Self:
        """Exact match in any spelling, by blind index."""
        return self._with("phone", business_id, phone)

    def with_tin(self, business_id: int, tin: str) -> Self:
        """Exact match with or without spaces and hyphens, by blind index."""
        return self._with("tin", business_id, tin)

    def _with(self, field: str, business_id: int, value: str) -> Self:
        index: Any = self.model._meta.get_field(f"{field}_hash")
        digests = index.digests(business_id, value)
        return self.filter(business_id=business_id, **{f"{index.name}__in": digests})

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

    def with_columns_shown(self) -> Self:
        """Without the columns that only lookups need."""
        return self.defer(*NOT_SHOWN)

    def shown(self, business_id: int, public_id: str) -> Customer:
        """One customer of a business, with the columns shown. Raises DoesNotExist."""
        if not _is_id(public_id):
            raise self.model.DoesNotExist
        found = prepared_queries.one.rows(business_id=business_id, public_id=public_id)
        if not found:
            raise self.model.DoesNotExist
        return found[0]

    def active_page(
        self, business_id: int, size: int, after: tuple[bytes, str] | None = None
    ) -> list[Customer]:
        """The first `size` active customers of a business in list order, behind a place."""
        if after is None:
            return prepared_queries.page.rows(size, business_id=business_id)
        name_key, public_id = after
        return prepared_queries.page_behind.rows(
            size, business_id=business_id, name_key=name_key, public_id=public_id
        )

    def active_among(self, business_id: int, public_ids: Collection[str]) -> list[Customer]:
        """The active ones of these customers of a business, in any order, columns shown."""
        if not public_ids:
            return []
        # Rounded up with one of them, so that few statements serve all numbers.
        size = 10 if len(public_ids) <= 10 else -50 * (-len(public_ids) // 50)
        names = [f"id{n}" for n in range(size)]
        values = dict(zip_longest(names, public_ids, fillvalue=next(iter(public_ids))))
        return prepared_queries.among.rows(size, business_id=business_id, **values)

    # Search.

    def search(self, business_id: int, query: str, limit: int = SEARCH_LIMIT) -> list[Customer]:
        """Active customers whose name or email holds `query`, in list order, at most `limit`.

        See text.holds for what a match is, and customers/search for how it is found.
        """
        return index.find(self, business_id, query, limit)

    # The staff's directory: one business or all of them.

    def with_a(self, field: str, *, given: bool = True) -> Self:
        """Those who gave a phone or a TIN, or those who did not."""
        return self.filter(**{f"{field}_hash__isnull": not given})

    def whose_name_begins(self, query: str) -> Self:
        """In list order, by the index that holds it."""
        first = text.name_key(query)
        return self.filter(name_key__gte=first, name_key__lt=first + b"\xff").in_list_order()

    def found_by(self, query: str, business_ids: Iterable[int]) -> CustomerQuerySet:
        """What the staff's one search box finds among these rows in these businesses.

        A public id; an email, phone or TIN in any spelling; part of a name or email. Segments
        hold active customers only, so of an inactive one it takes the beginning of the name.
        """
        everyone = self.model._default_manager.all()
        found: list[int] = []
        for business_id in business_ids:
            public_ids = everyone._ids_found_by(query, business_id)
            # By ids of one business, which is what an index holds. An `IN` over keys beside the
            # filters of the list would let a planner read the list instead.
            rows = self.in_business(business_id).filter(public_id__in=public_ids)
            found += rows.order_by().values_list("pk", flat=True)
        return everyone.filter(pk__in=found)

    def _ids_found_by(self, query: str, business_id: int) -> set[str]:
        exact = self.in_business(business_id).with_public_id(query)
        exact |= self.with_email(business_id, query)
        exact |= self.with_phone(business_id, query)
        exact |= self.with_tin(business_id, query)
        found = set(exact.values_list("public_id", flat=True))
        if text.fold(query):
            found.update(c.public_id for c in self.search(business_id, query))
            begun = self.in_business(business_id).inactive().whose_name_begins(query)
            found.update(begun.values_list("public_id", flat=True)[:SEARCH_LIMIT])
        return found

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

    def find_or_create(
        self, business_id: int, email: str, *, name: str | None = None, phone: str | None = None
    ) -> tuple[Customer, bool]:
        """The active customer with this email, made if there is none; and whether it was made.

        Leans on the unique constraint, never on a check before an insert: any number of
        simultaneous calls for one email make one customer.
        """
        mine = self.in_business(business_id).active().with_email(business_id, email)
        while True:
            customer = mine.first()
            if customer is not None:
                return customer, False
            local_part = normal_forms.email(email).rpartition("@")[0]
            try:
                return self.create(
                    business_id=business_id,
                    email=email,
                    name=name or local_part[:DEFAULT_NAME_LENGTH],
                    phone=phone,
                ), True
            except EmailInUse:
                # Someone was faster. That customer may be deleted again by now, so look anew.
                continue

    def update(self, **values: Any) -> int:
        """Django's (see SealedRowQuerySet); a change that search shows puts the rows into its tail.

        The caller keeps that short.
        """
        if "name" in values or "is_active" in values:
            values.setdefault("packed", 0)
        return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def edit(self, public_id: str, changes: dict[str, Any]) -> Customer:
        """Changes the named fields of one active customer and leaves the others alone.

        Named fields that hold their values already are no change: with no other, nothing is
        written or noted. Raises DoesNotExist, CustomerInactive, EmailInUse; and SealError, with
        nothing changed, when a field that is not replaced cannot be opened.
        """
        with transaction.atomic():
            customer = self.select_for_update().with_public_id(public_id).get()
            if not customer.is_active:
                raise CustomerInactive
            changed = [name for name, value in changes.items() if customer.differs(name, value)]
            for name in changed:
                setattr(customer, name, changes[name])
            customer.open_all()
            if changed:
                customer.save(update_fields=changed)
        return customer

    def hold(self, public_id: str) -> bool:
        """Locks a customer until the transaction's end, so that nobody erases it meanwhile.

        False where that was done before, or there is none.
        """
        there = self.with_public_id(public_id).filter(erased_at=None).select_for_update()
        return there.values_list("pk", flat=True).first() is not None

    def delete(self) -> tuple[int, dict[str, int]]:
        """Soft delete: the rows become inactive and their emails free; nothing is removed.

        Answers what Django's own delete() does: how many, by model.
        """
        moment, count = clock.now(), 0
        changed_at = self.model._meta.get_field("updated_at")
        with transaction.atomic():
            gone: dict[int, list[str]] = {}
            rows = self.active().order_by("id").select_for_update(of=("self",))
            for business_id, public_id in rows.values_list("business_id", "public_id"):
                gone.setdefault(business_id, []).append(public_id)
            for business_id, public_ids in gone.items():
                those = self.model._default_manager.filter(
                    business_id=business_id, public_id__in=public_ids, is_active=True
                )
                count += those.update(
                    is_active=False,
                    deleted_at=moment,
                    updated_at=changed_at.not_before(moment),
                    packed=0,
                )
                AuditEvent.objects.record("deleted", business_id, public_ids)
                self.keep_tail_short(business_id, len(public_ids))
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

    def unpacked(self) -> Self:
        """The search tail: rows changed since they were last packed into a segment."""
        return self.filter(packed=0)

    def keep_tail_short(self, business_id: int, changes: int = 1) -> None:
        """After the commit, so that packing never holds up or undoes a change."""

        # A function: Django reports the __qualname__ of one that fails, and a partial has none.
        def keep_short() -> None:
            index.after_write(business_id, changes)

        transaction.on_commit(keep_short, using=self.db, robust=True)

    def without_known_emails(self, customers: list[Customer]) -> list[Customer]:
        """Those of the given unsaved customers of one business whose email no active one has."""
        known = set(
            self.active()
            .filter(
                business_id=customers[0].business_id,
                email_hash__in=[customer.email_hash for customer in customers],
            )
            .values_list("email_hash", flat=True)
        )
        return [c for c in customers if c.email_hash not in known]

    def import_packed(self, customers: list[Customer]) -> None:
        """Inserts many new customers of one business, searchable at once: for bulk loads.

        They get a segment of their own, in the same transaction; repack() at the end of a load
        makes few large ones of these. Raises IntegrityError, inserting none, for a conflict.
        """
        mark = index.new_mark()
        for customer in customers:
            customer.packed = mark
        with transaction.atomic():
            self.bulk_create(customers, batch_size=IMPORT_ROWS)
            index.add_segment(customers)
            for business in {customer.business for customer in customers}:
                AuditEvent.objects.record("imported", business.pk, [business.public_id])
