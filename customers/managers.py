"""What a business does with its customers: `business.customers.search("acme")`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import chain, islice, repeat, zip_longest
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Case, F, Value, When

from customers.batch import Batch
from customers.querysets import (
    EMAIL_UNIQUE,
    CustomerInactive,
    CustomerQuerySet,
    EmailInUse,
    is_id,
    is_of_email,
)
from customers.search import index, lines
from finora import clock
from finora.audit.models import AuditEvent
from finora.orm.prepared import Prepared, Slot
from finora.orm.related import managed_by
from finora.sealing import blind_index, normal_forms
from finora.tenants.models.business import Business

SEARCH_LIMIT = 50
DEFAULT_NAME_LENGTH = 200
# What is asked of a customer before its books change.
LOCKED = ("public_id", "business_id", "is_active", "erased_at")
# Customers of one batch of a load, and emails that are looked up at once.
IMPORT_ROWS = 2_000
HASHES_AT_ONCE = 500

# Customers that are changed in one transaction, and so locked at once.
EDITS_AT_ONCE = 200


class Edited(Enum):
    """What became of a customer that was to be changed."""

    CHANGED = auto()
    UNCHANGED = auto()  # it holds that already
    UNREADABLE = auto()  # a field that is not replaced cannot be opened
    GONE = auto()  # it is not active, or not there


# The queries of the request path (see finora/orm/prepared.py).


def _shown(customers: Any) -> Any:
    mine = customers.filter(business_id=Slot("business_id", models.BigIntegerField()))
    return mine.with_columns_shown()


def _one(customers: Any) -> Any:
    return _shown(customers).filter(public_id=Slot("public_id", models.CharField()))


def _with_email(customers: Any, keys: int) -> Any:
    slots = [Slot(f"hash{n}", models.BinaryField()) for n in range(keys)]
    return _shown(customers).active().filter(email_hash__in=slots)


def _of_emails(customers: Any) -> Any:
    slots = [Slot(f"hash{n}", models.BinaryField()) for n in range(HASHES_AT_ONCE)]
    mine = customers.filter(business_id=Slot("business_id", models.BigIntegerField()))
    return mine.active().filter(email_hash__in=slots)


def _keys_of_emails(customers: Any) -> Any:
    return _of_emails(customers).values_list("email_hash", "pk")


def _among(customers: Any, size: int) -> Any:
    slots = [Slot(f"id{n}", models.CharField()) for n in range(size)]
    return _shown(customers).active().filter(public_id__in=slots)


def _page(customers: Any, size: int) -> Any:
    return _shown(customers).active().in_list_order()[:size]


def _page_behind(customers: Any, size: int) -> Any:
    name_key = Slot("name_key", models.BinaryField())
    public_id = Slot("public_id", models.CharField())
    return _shown(customers).active().in_list_order().after(name_key, public_id)[:size]


def _tail(customers: Any) -> Any:
    mine = customers.active().unpacked(Slot("business_id", models.BigIntegerField()))
    return mine.values_list(*lines.COLUMNS)


class CustomerManager(models.Manager.from_queryset(CustomerQuerySet)):  # type: ignore[misc]
    """Filters of CustomerQuerySet on all customers; and what needs the business whose they are.

    Those are of the manager alone: no filter could come before, to be ignored. On
    `Customer.objects`, which is of no business, they raise TypeError.
    """

    _one: Prepared[Any] = Prepared(_one, planned_once=True)
    _with_email: Prepared[Any] = Prepared(_with_email, (1,), planned_once=True)
    _of_emails: Prepared[Any] = Prepared(_of_emails, opened=True)
    _keys_of_emails: Prepared[Any] = Prepared(_keys_of_emails)
    _among: Prepared[Any] = Prepared(_among, (10,), (50,), planned_once=True, opened=True)
    _page: Prepared[Any] = Prepared(_page, (51,), planned_once=True, opened=True)
    _page_behind: Prepared[Any] = Prepared(_page_behind, (51,), planned_once=True, opened=True)
    _tail: Prepared[Any] = Prepared(_tail, planned_once=True)

    @property
    def business(self) -> Business:
        """Whose customers these are. Raises TypeError where it is nobody's."""
        return managed_by(self, Business)

    # Reading.

    def get_shown(self, public_id: str) -> Any:
        """One customer, an inactive one too, with the columns shown. Raises DoesNotExist."""
        business_id = self.business.pk
        found = (
            self._one.rows(business_id=business_id, public_id=public_id) if is_id(public_id) else []
        )
        if not found:
            raise self.model.DoesNotExist
        return found[0]

    def active_with_email(self, email: str) -> Any | None:
        """The active customer with this email, in any letter case, with the columns shown."""
        business_id = self.business.pk
        index: Any = self.model._meta.get_field("email_hash")
        hashes = index.digests(business_id, email)
        if not hashes:
            return None
        # One for each key, while the key is changed.
        values = {f"hash{n}": digest for n, digest in enumerate(hashes)}
        return next(
            iter(self._with_email.rows(len(hashes), business_id=business_id, **values)), None
        )

    def page(self, size: int, after: tuple[bytes, str] | None = None) -> list[Any]:
        """The first `size` active customers in list order, behind a name_key and public_id."""
        business_id = self.business.pk
        if after is None:
            return self._page.rows(size, business_id=business_id)
        name_key, public_id = after
        return self._page_behind.rows(
            size, business_id=business_id, name_key=name_key, public_id=public_id
        )

    def among(self, public_ids: Collection[str]) -> list[Any]:
        """The active ones of these customers, in any order, with the columns shown."""
        business_id = self.business.pk
        if not public_ids:
            return []
        # Rounded up with one of them, so that few statements serve all numbers.
        size = 10 if len(public_ids) <= 10 else -50 * (-len(public_ids) // 50)
        names = [f"id{n}" for n in range(size)]
        values = dict(zip_longest(names, public_ids, fillvalue=next(iter(public_ids))))
        return self._among.rows(size, business_id=business_id, **values)

    def search(self, query: str, limit: int = SEARCH_LIMIT) -> list[Any]:
        """Active customers whose name or email holds `query`, in list order, at most `limit`.

        See text.holds for what a match is, and customers/search for how it is found.
        """
        return index.find(self.business, query, limit)

    def tail(self) -> list[tuple[Any, ...]]:
        """What search reads beside its segments: lines.COLUMNS of active rows not packed yet."""
        return self._tail.rows(business_id=self.business.pk)

    # Changing.

    def take_turns_while_rotating(self) -> None:
        """While a blind index key is changed, until the transaction's end nobody else changes who
        has which email: no constraint compares hashes under two keys.

        Ahead of any customer's lock, as all have it who take turns in a business: one that held a
        customer would wait for another that wants it.
        """
        business_id = self.business.pk
        if blind_index.rotating():
            Business.objects.one_at_a_time(business_id)

    def find_or_create(
        self, email: str, *, name: str | None = None, phone: str | None = None
    ) -> tuple[Any, bool]:
        """The active customer with this email, made if there is none; and whether it was made."""
        customer = self.active_with_email(email)
        if customer is not None:
            return customer, False
        return self.create_or_find(email, name=name, phone=phone)

    def create_or_find(
        self, email: str, *, name: str | None = None, phone: str | None = None
    ) -> tuple[Any, bool]:
        """As find_or_create(), for an email that nobody had when it was looked for just now.

        Leans on the unique constraint, never on a check before an insert: any number of
        simultaneous calls for one email make one customer.
        """
        while True:
            local_part = normal_forms.email(email).rpartition("@")[0]
            try:
                customer = self.new(
                    email=email, name=name or local_part[:DEFAULT_NAME_LENGTH], phone=phone
                )
                customer.save(force_insert=True)
                return customer, True
            except IntegrityError as error:
                if not (isinstance(error, EmailInUse) or is_of_email(error)):
                    raise
            # Someone was faster. That customer may be deleted again by now: then it is made anew.
            customer = self.active_with_email(email)
            if customer is not None:
                return customer, False

    def edit(self, public_id: str, changes: dict[str, Any]) -> Any:
        """Changes the named fields of one active customer and leaves the others alone.

        Named fields that hold their values already are no change: with no other, nothing is
        written or noted. Raises DoesNotExist, CustomerInactive, EmailInUse; and SealError, with
        nothing changed, when a field that is not replaced cannot be opened.
        """
        with transaction.atomic():
            self.take_turns_while_rotating()
            mine = self.business.customers.with_public_id(public_id)
            customer = mine.select_for_update().get()
            if not customer.is_active:
                raise CustomerInactive
            changed = [name for name, value in changes.items() if customer.differs(name, value)]
            for name in changed:
                setattr(customer, name, changes[name])
            customer.open_all()
            if changed:
                customer.save(update_fields=changed)
        return customer

    def edit_all(self, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Edited]:
        """The same of many customers, by public id, but never of an email. What became of each.

        EDITS_AT_ONCE of them are one transaction, and locked in the order of their keys.
        """
        names = set(chain.from_iterable(changes.values()))
        if "email" in names:
            raise TypeError("An email is changed by edit(), which sees whose it is.")
        edited = dict.fromkeys(changes, Edited.GONE)
        ids = iter(sorted(changes))
        while some := list(islice(ids, EDITS_AT_ONCE)):
            with transaction.atomic():
                edited |= self._edit_some({public_id: changes[public_id] for public_id in some})
        return edited

    def _edit_some(self, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Edited]:
        edited = {}
        of_fields: dict[frozenset[str], list[Any]] = {}
        mine = self.business.customers.active().filter(public_id__in=list(changes))
        for customer in mine.order_by("pk").select_for_update():
            given = changes[customer.public_id]
            changed = frozenset(name for name in given if customer.differs(name, given[name]))
            for name in changed:
                setattr(customer, name, given[name])
            if not customer.is_readable():
                edited[customer.public_id] = Edited.UNREADABLE
                continue
            edited[customer.public_id] = Edited.CHANGED if changed else Edited.UNCHANGED
            if changed:
                of_fields.setdefault(changed, []).append(customer)
        for fields, customers in of_fields.items():
            self.model.save_all(customers, fields)
        return edited

    def hold(self, public_id: str) -> bool:
        """Locks a customer until the transaction's end, so that nobody erases it meanwhile.

        False where that was done before, or there is none.
        """
        there = self.business.customers.with_public_id(public_id).filter(erased_at=None)
        return there.select_for_update().values_list("pk", flat=True).first() is not None

    def lock(self, public_id: str) -> Any:
        """The customer, an inactive one too, locked until the transaction's end: whatever changes
        its balance has it first, and looks at what else there is of it then. Raises DoesNotExist.
        """
        try:
            return self.lock_all([public_id])[public_id]
        except KeyError:
            raise self.model.DoesNotExist from None

    def lock_all(self, public_ids: Collection[str]) -> dict[str, Any]:
        """The same of several, by their ids, as far as they are there. In the order of their keys,
        as whoever locks customers does: two that lock the same ones do not wait for each other.
        """
        possible = [each for each in public_ids if is_id(each)]
        mine = self.business.customers.filter(public_id__in=possible).only(*LOCKED)
        return {each.public_id: each for each in mine.order_by("pk").select_for_update()}

    def add_to_balances(self, kobo: Mapping[int, int]) -> None:
        """Of customers that the transaction has locked, by key: each owes so much more, or less."""
        changed_at: Any = self.model._meta.get_field("updated_at")
        # A bare int would go to PostgreSQL as an int4, which is cut off without a word.
        big: Any = models.BigIntegerField()
        added: Any = Value(next(iter(kobo.values())), output_field=big)
        if len(kobo) > 1:
            each = [When(pk=pk, then=Value(more, output_field=big)) for pk, more in kobo.items()]
            added = Case(*each, output_field=big)
        self.business.customers.filter(pk__in=kobo).update(
            account_balance_kobo=F("account_balance_kobo") + added,
            # Answers show it, so a delta sync must hear of it.
            updated_at=changed_at.not_before(clock.now()),
        )

    # Many at once.

    def new(self, **fields: Any) -> Any:
        """An unsaved customer of the business, as the model makes it, in half the time."""
        return self.model.new(business_id=self.business.pk, **fields)

    def sealed(self, customers: Sequence[Any] | Batch) -> Batch:
        """New customers made ready for import_packed(); asks no database, in whatever process.

        Raises ValueError for a customer of another business.
        """
        return customers if isinstance(customers, Batch) else Batch(self.business, customers)

    def without_known_emails(self, customers: Sequence[Any] | Batch) -> Batch:
        """Those of the given new customers whose email no active one has."""
        batch = self.sealed(customers)
        return batch.without(self._known(batch))

    def _known(self, batch: Batch) -> set[bytes]:
        """The email hashes of a batch that active customers have."""
        own = batch.looked_up_by()
        return {own[found] for found in self.keys_of_emails(own)}

    def keys_of_emails(self, email_hashes: Collection[bytes]) -> dict[bytes, int]:
        """The active customers with these email hashes: by that, their integer ids."""
        return {bytes(each): pk for each, pk in self._asked(self._keys_of_emails, email_hashes)}

    def of_emails(self, email_hashes: Collection[bytes]) -> dict[bytes, Any]:
        """The same customers, whole and opened: what cannot be opened raises when it is read."""
        rows = self._asked(self._of_emails, email_hashes)
        return {bytes(row.__dict__["email_hash"]): row for row in rows}

    def _asked(self, query: Prepared[Any], email_hashes: Collection[bytes]) -> Iterator[Any]:
        business_id, rest = self.business.pk, iter(email_hashes)
        while some := list(islice(rest, HASHES_AT_ONCE)):
            # Filled up with one of them, so that one statement serves all numbers.
            full = islice(chain(some, repeat(some[0])), HASHES_AT_ONCE)
            values = {f"hash{n}": each for n, each in enumerate(full)}
            yield from query.rows(business_id=business_id, **values)

    def import_packed(self, customers: Sequence[Any] | Batch, *, subject: str = "") -> None:
        """Inserts many new customers, searchable at once: for bulk loads, some thousands at a time.

        They get a segment of their own, in the same transaction; merge_all() at the end of a load
        makes few large ones of these. `subject` is the id of what they are a part of: the audit
        event names it, and the trail's line is left to it. Raises IntegrityError, inserting none,
        for a conflict, and ValueError for a customer of another business.
        """
        business, batch = self.business, self.sealed(customers)
        with transaction.atomic():
            self.take_turns_while_rotating()
            if blind_index.rotating() and self._known(batch):
                raise IntegrityError(EMAIL_UNIQUE)
            batch.insert()
            event = AuditEvent.of("imported", business.pk, subject or business.public_id)
            event.count = 0 if subject else 1
            event.save()

    def keep_tail_short(self, changes: int = 1) -> None:
        """After the commit, so that packing never holds up or undoes a change."""
        keep_tail_short(self.business.pk, changes)


def keep_tail_short(business_id: int, changes: int = 1) -> None:
    """The same of a business that is not loaded."""

    # A function: Django reports the __qualname__ of one that fails, and a partial has none.
    def keep_short() -> None:
        index.after_write(business_id, changes)

    transaction.on_commit(keep_short, robust=True)
