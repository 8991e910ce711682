from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, models, transaction
from django.db.models.signals import pre_save
from django.dispatch import receiver

from customers.managers import CustomerManager, keep_tail_short
from customers.querysets import (
    ERASED_NAME,
    SEARCHED,
    CustomerErased,
    EmailInUse,
    is_of_email,
)
from customers.search.lines import new_mark
from customers.search.models import Unpacked
from customers.table import CONSTRAINTS, INDEXES
from finora import clock, identifiers
from finora.audit.models import AuditEvent
from finora.orm.copying import NewRows, update
from finora.orm.inserting import insert, is_one_transaction
from finora.orm.loading import LightlyLoaded
from finora.orm.tenant import BusinessField, RowGone
from finora.sealing import SealError, blind_index, normal_forms
from finora.sealing.derived import BlindIndexField, SortKeyField, derived_from
from finora.sealing.fields import (
    ChangedAtField,
    SealedCharField,
    SealedEmailField,
    SealedMixin,
    SealedTextField,
    TrimmedCharField,
)
from finora.sealing.rows import SealedRow
from finora.sealing.validators import tin_shape
from finora.tenants.models.business import Business

# Not null, as integrations count on an email: theirs leads nowhere (RFC 2606), and their copy of
# the person is overwritten with it when they next look for what changed.
ERASED_EMAIL = "{}@erased.invalid"


class Customer(SealedRow, LightlyLoaded):
    """A person or company a business sells to.

    `objects` holds the inactive ones too: the admin, foreign keys and dumps must see them, and
    an invoice keeps its customer. Deleting is soft, on a row and on a queryset.
    """

    business = BusinessField(related_name="customers")
    public_id = models.CharField(
        "id", max_length=40, default=identifiers.customer_id, editable=False
    )
    name = TrimmedCharField(max_length=200)
    name_key = SortKeyField(of="name")
    company_name = TrimmedCharField(max_length=200, null=True, blank=True)
    email = SealedEmailField(place="customer.email", max_length=254, erased=ERASED_EMAIL)
    phone = SealedCharField(place="customer.phone", max_length=32, null=True, blank=True)
    address = SealedTextField(place="customer.address", max_length=500, null=True, blank=True)
    tin = SealedCharField(
        "TIN",
        place="customer.tin",
        max_length=32,
        null=True,
        blank=True,
        validators=[tin_shape],
        help_text="Nigerian Tax Identification Number.",
    )
    email_hash = BlindIndexField(
        of="email", place="customer.email", normal_form=normal_forms.email_key
    )
    phone_hash = BlindIndexField(
        of="phone", place="customer.phone", normal_form=normal_forms.phone, null=True
    )
    tin_hash = BlindIndexField(
        of="tin", place="customer.tin", normal_form=normal_forms.tin, null=True
    )
    # What the customer owes; written by CustomerManager.add_to_balances alone.
    account_balance_kobo = models.BigIntegerField(
        "balance in kobo", default=0, editable=False, help_text="100 kobo are one naira."
    )
    is_active = models.BooleanField("active", default=True, editable=False)
    deleted_at = models.DateTimeField("deleted", null=True, blank=True, editable=False)
    # Set once and for good: of the person nothing is left but the ids and the balance.
    erased_at = models.DateTimeField("erased", null=True, blank=True, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)
    updated_at = ChangedAtField("updated", default=clock.now, editable=False)
    # What tells the row's present line from older ones in search segments: drawn anew with each
    # change that search shows. The same change is noted in the tail (see Unpacked).
    search_mark = models.IntegerField(default=1, editable=False)

    objects = CustomerManager()

    class Meta:
        permissions = [
            ("reveal_customer", "Can reveal personal values of a customer"),
            ("export_customer", "Can export customers"),
            ("erase_customer", "Can erase a customer"),
            ("hand_over_customer", "Can hand over all that is held about a customer"),
        ]
        constraints = CONSTRAINTS
        indexes = INDEXES

    def __str__(self) -> str:
        return self.public_id

    def save(
        self,
        *args: Any,
        update_fields: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Django's save(); the columns that follow a changed one are written with it, and the
        audit event in the same transaction. A new row is committed when post_save is sent, but
        where the caller has a transaction.

        With no field named it writes nothing, as Django. Raises EmailInUse for an email that
        another active customer of the business has, and CustomerErased for an erased row; where
        anything is raised, the instance is as it was.
        """
        if update_fields is not None and not (update_fields := frozenset(update_fields)):
            return
        before, adding = self.__dict__.copy(), self._state.adding
        try:
            self._write(args, update_fields, kwargs)
        except Exception:
            self.__dict__, self._state.adding = before, adding
            raise

    def _write(
        self, args: tuple[Any, ...], named: frozenset[str] | None, kwargs: dict[str, Any]
    ) -> None:
        """Writes these fields, all for None, with what goes with them (see save())."""
        now = clock.now()
        if self._state.adding:
            self.updated_at = now
        self.deleted_at = None if self.is_active else self.deleted_at or now
        searched = named is None or not SEARCHED.isdisjoint(named)
        if searched:
            self.search_mark = new_mark()
        action, noted = self._change(named)
        is_new = self.pk is None
        compared = searched and blind_index.rotating()
        # An INSERT is whole by itself; of a caller's transaction it is a part that can fail alone.
        whole = is_new and not compared and is_one_transaction(connections[DEFAULT_DB_ALIAS])
        fields: Collection[str] | None = None
        if named is not None:
            fields = {*named, "updated_at"}
            fields |= {"search_mark"} if searched else set()
            fields |= {"deleted_at"} if "is_active" in named else set()
        elif not self._state.adding:
            # All but what never changes, the balance, which others add to meanwhile, and the mark
            # that the person was erased meanwhile, which refuses the rest.
            fields = {field.attname for field in self._meta.concrete_fields}
            fields -= {"id", "business_id", "public_id", "account_balance_kobo", "erased_at"}
            fields -= self.get_deferred_fields()
            fields |= {"updated_at"}
        for is_last in (False, True):
            try:
                # A savepoint where the caller has a transaction, so that what is there can be seen.
                with nullcontext() if whole else transaction.atomic():
                    if compared:
                        self._refuse_email_under_any_key()
                    super().save(*args, update_fields=fields, **kwargs)
                    if not is_new:  # see _do_insert()
                        AuditEvent.objects.record(action, self.business_id, [self.public_id], noted)
                        if searched:
                            Unpacked.objects.add(self.business_id, [self.public_id])
                break
            except IntegrityError as error:
                if not is_of_email(error):
                    raise
                if (holder := self.email_holder()) is not None:
                    raise EmailInUse(holder) from None
                # Nobody holds the email: its holder was deleted meanwhile, so it is free again.
                if is_last:
                    raise
        if searched:
            keep_tail_short(self.business_id)

    @classmethod
    def save_all(cls, customers: Sequence[Self], fields: Collection[str]) -> None:
        """save() of these fields, the email not among them, of many active customers of a business
        that are opened, and locked by the transaction that this is a part of.
        """
        now = clock.now()
        searched = not SEARCHED.isdisjoint(fields)
        for customer in customers:
            customer.updated_at = max(customer.updated_at, now)
            if searched:
                customer.search_mark = new_mark()
        derived = chain.from_iterable(derived_from(cls, name) for name in fields)
        names = {*fields, *(field.name for field in derived), "updated_at"}
        update(customers, names | ({"search_mark"} if searched else set()))
        business_id, named = customers[0].business_id, sorted(fields)
        updated = AuditEvent.Action.UPDATED
        events = [
            AuditEvent.of(updated, business_id, each.public_id, named, now) for each in customers
        ]
        NewRows(events).insert()
        if searched:
            Unpacked.objects.add(business_id, [each.public_id for each in customers])
            keep_tail_short(business_id, len(customers))

    def _do_update(self, base_qs: Any, *args: Any) -> Any:
        """Django's, but nothing that was held in memory comes back onto an erased row, not even
        the email, of which no constraint could tell. Raises CustomerErased.
        """
        try:
            return super()._do_update(base_qs.filter(erased_at=None), *args)
        except RowGone:
            if self.itself().exclude(erased_at=None).exists():
                raise CustomerErased from None
            raise

    def _do_insert(
        self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        """Django's, and with it the audit event and the search tail's row. Not of a row that brings
        its key.
        """
        if raw or any(field.primary_key for field in fields):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        theirs = self.business_id, self.public_id
        created = AuditEvent.of(AuditEvent.Action.CREATED, *theirs)
        unpacked = Unpacked(business_id=theirs[0], public_id=theirs[1], renews=False)
        return insert(using, self, created, unpacked)

    def _directory(self) -> CustomerManager:
        """The customers of its business, which need not be loaded for that."""
        return Business(pk=self.business_id).customers

    def _refuse_email_under_any_key(self) -> None:
        """While a blind index key is changed: see there. Raises EmailInUse."""
        self._directory().take_turns_while_rotating()
        if (holder := self.email_holder()) is not None:
            raise EmailInUse(holder)

    def _change(self, update_fields: Iterable[str] | None) -> tuple[AuditEvent.Action, set[str]]:
        """What a save does, and the names of the fields it sets."""
        if self._state.adding:
            return AuditEvent.Action.CREATED, set()
        if update_fields is None:
            update_fields = (field.name for field in self._meta.concrete_fields if field.editable)
        named = set(update_fields)
        if "is_active" in named:
            actions = AuditEvent.Action
            return actions.RESTORED if self.is_active else actions.DELETED, named - {"is_active"}
        return AuditEvent.Action.UPDATED, named

    def edit(self, **changes: Any) -> None:
        """Changes the named fields of the row as it is now, whatever of it this instance holds.

        See CustomerManager.edit. Where that raises, this instance is as it was.
        """
        self._directory().edit(self.public_id, changes)
        self.refresh_from_db()

    def differs(self, name: str, value: Any) -> bool:
        """Whether the field would hold something else with this value."""
        field: models.Field[Any, Any] = self._meta.get_field(name)  # type: ignore[assignment]
        try:
            return bool(getattr(self, name) != field.to_python(value))
        except SealError:
            return True

    def open_all(self) -> None:
        """Opens every sealed field that is not open yet. Raises SealError."""
        for field in self._meta.concrete_fields:
            if isinstance(field, SealedMixin):
                getattr(self, field.attname)

    def is_readable(self) -> bool:
        """Whether every sealed field can be opened."""
        try:
            self.open_all()
        except SealError:
            return False
        return True

    def reveal(self, field: str) -> str | None:
        """The value of a sealed field, for a person to read: noted, also when it cannot be opened.

        Raises SealError.
        """
        try:
            value: str | None = getattr(self, field)
        except SealError:
            AuditEvent.objects.record_refused(
                AuditEvent.Action.UNREADABLE, self.business_id, [self.public_id], [field]
            )
            raise
        AuditEvent.objects.record(
            AuditEvent.Action.REVEALED, self.business_id, [self.public_id], [field]
        )
        return value

    def email_holder(self) -> str | None:
        """The public id of another active customer of the business with this email, if any."""
        if not self.is_active or not self.email:
            return None
        others = self._directory().active().with_email(self.email).exclude(pk=self.pk)
        holder: str | None = others.values_list("public_id", flat=True).first()
        return holder

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Soft delete; again on an inactive customer it changes nothing.

        Raises ValueError for one that was never saved, as Django does.
        """
        if self.pk is None:
            raise ValueError("A customer that was not saved cannot be deleted.")
        deleted: tuple[int, dict[str, int]] = self._directory().filter(pk=self.pk).delete()
        self.refresh_from_db(fields=["is_active", "deleted_at", "updated_at", "search_mark"])
        return deleted

    def restore(self) -> None:
        """Makes an inactive customer active again; an active one it leaves alone.

        Raises EmailInUse, CustomerErased.
        """
        before = self.is_active, self.deleted_at
        try:
            with transaction.atomic():
                self._directory().take_turns_while_rotating()
                # Locked, so that nobody erases or restores it between this look and the change.
                mine = self.itself().select_for_update()
                erased_at, was_active = mine.values_list("erased_at", "is_active").get()
                if erased_at:
                    raise CustomerErased
                self.is_active, self.deleted_at = True, None
                if not was_active:
                    self.save(update_fields=["is_active"])
        except Exception:
            self.is_active, self.deleted_at = before
            raise

    def erase(self) -> None:
        """Forgets the person for good; an inactive, anonymous row stays for what points at it.

        With it go all copies (see finora.sealing.erasing). Again it changes nothing. Raises
        SealError, with nothing erased, when a search segment does not open and only a process
        with more keys could replace it.
        """
        with transaction.atomic():
            # Receivers of `erasing` take turns, and who does is ahead of any customer's lock.
            Business.objects.one_at_a_time(self.business_id)
            row: Any = self.itself().select_for_update().get()
            if row.erased_at:
                return
            row.name, row.company_name = ERASED_NAME, None
            row.is_active, row.search_mark = False, new_mark()
            row.erased_at = clock.now()
            row.deleted_at = row.deleted_at or row.erased_at
            row.forget()
            AuditEvent.objects.record(AuditEvent.Action.ERASED, self.business_id, [self.public_id])
        self.refresh_from_db()
        keep_tail_short(self.business_id)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Django's, and a form that shows the email hears of one in use, beside that field.

        The form excludes the columns that the constraint names, as it does not show them.
        """
        # What an erased customer may hold the database says alone: it names sealed fields.
        shown = {*(exclude or ()), "erased_at"}
        if "email" not in shown:
            shown -= {"business", "email_hash", "is_active"}
        try:
            super().validate_constraints(exclude=shown)
        except ValidationError as error:
            errors = error.update_error_dict({})
            general = errors.pop("__all__", [])
            for problem in general:
                key = "email" if problem.code == "email_in_use" else "__all__"
                errors.setdefault(key, []).append(problem)
            raise ValidationError(errors) from None


@receiver(pre_save, sender=Customer)
def _loaded_into_the_tail(instance: Customer, raw: bool, **_: Any) -> None:
    """For loaddata: whether the segments that its dump was made beside are here, nothing says."""
    if raw:
        instance.search_mark = new_mark()
        Unpacked.objects.add(instance.business_id, [instance.public_id])
        keep_tail_short(instance.business_id)
