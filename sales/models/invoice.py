from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F, Q

from customers.models import Customer
from finora import clock, identifiers
from finora.orm.references import TenantForeignKey, TenantReference
from finora.orm.tenant import BusinessField, RowGone
from finora.sealing.fields import SealedTextField
from sales.errors import InvoiceFrozen
from sales.lines import DEFAULT_VAT_RATE, HUNDRED_PERCENT, Line, sums
from sales.managers import InvoiceManager
from sales.models.row import BookRow
from sales.numbers import NUMBER_LENGTH
from sales.querysets import DUE, LIVE, OPEN, OVERDUE


class Invoice(BookRow):
    """What a business asks of a customer.

    A draft is edited; from when it is sent only its due date and its status change, and what is
    paid of it. Whether it is overdue is no column: it follows from the calendar.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        SENT = "sent"
        PARTIALLY_PAID = "partially_paid"
        PAID = "paid"
        CANCELLED = "cancelled"

    business = BusinessField(related_name="invoices")
    public_id = models.CharField(
        "id", max_length=40, default=identifiers.invoice_id, editable=False
    )
    number = models.CharField(max_length=NUMBER_LENGTH, editable=False)
    customer = TenantForeignKey(Customer, related_name="invoices")
    invoice_date = models.DateField("date")
    due_date = models.DateField("due", null=True, blank=True)
    # A pair for each line: quantity in thousandths, unit price in kobo.
    quantities_and_prices = models.JSONField(default=list)
    # A JSON list, a text for each line; NULL once the customer was erased.
    descriptions = SealedTextField(place="invoice.descriptions", null=True, blank=True)
    subtotal_kobo = models.BigIntegerField("subtotal")
    vat_rate = models.PositiveIntegerField(
        "VAT rate", default=DEFAULT_VAT_RATE, help_text="In hundredths of a percent."
    )
    vat_kobo = models.BigIntegerField("VAT")
    total_kobo = models.BigIntegerField("total")
    paid_kobo = models.BigIntegerField("paid", default=0)
    status = models.CharField(max_length=14, choices=Status, default=Status.DRAFT)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    objects = InvoiceManager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            # A customer with history stays, and so does what allocations point at.
            TenantReference(field="customer", name="invoice_customer"),
            models.UniqueConstraint(fields=["business", "id"], name="invoice_key_unique"),
            # The API names invoices by it, always together with the business.
            models.UniqueConstraint(
                fields=["business", "public_id"], name="invoice_public_id_unique"
            ),
            # Whoever keeps the books, and the tax office: no number stands for two.
            models.UniqueConstraint(fields=["business", "number"], name="invoice_number_unique"),
            # Balances and statements sum these up.
            models.CheckConstraint(
                condition=Q(total_kobo=F("subtotal_kobo") + F("vat_kobo")),
                name="invoice_total_is_sum",
            ),
            models.CheckConstraint(
                condition=Q(subtotal_kobo__gt=0, vat_kobo__gte=0), name="invoice_amounts_positive"
            ),
            models.CheckConstraint(
                condition=Q(vat_rate__lte=HUNDRED_PERCENT), name="invoice_vat_rate_at_most_all"
            ),
            # Lists filter by status, and balances count what is open: it says what the amounts say.
            models.CheckConstraint(
                condition=Q(status__in=["draft", "sent", "cancelled"], paid_kobo=0)
                | Q(status="partially_paid", paid_kobo__gt=0, paid_kobo__lt=F("total_kobo"))
                | Q(status="paid", paid_kobo=F("total_kobo")),
                name="invoice_status_follows_paid",
            ),
            # Overdue is reckoned from it.
            models.CheckConstraint(
                condition=Q(due_date=None) | Q(due_date__gte=F("invoice_date")),
                name="invoice_due_from_its_date",
            ),
        ]
        indexes = [
            # GET /v1/invoices and its cursor, with from and to.
            models.Index(fields=["business", "invoice_date", "id"], name="invoice_list"),
            # The same of one customer; balances are recomputed by it.
            models.Index(
                fields=["business", "customer", "invoice_date", "id"], name="invoice_of_customer"
            ),
            # The same by status, where few have it. The index itself says of each whether it is
            # late, so that rows which are not shown are not read.
            models.Index(
                *("business", "status", "invoice_date", "id", DUE), name="invoice_of_status"
            ),
            # Overdue ones are among the open ones.
            models.Index(
                *("business", "invoice_date", "id", DUE),
                condition=Q(status__in=OPEN),
                name="invoice_open",
            ),
        ]

    @property
    def lines(self) -> list[Line]:
        """Raises SealError."""
        pairs: list[tuple[int, int]] = self.quantities_and_prices
        said = json.loads(self.descriptions) if self.descriptions else [None] * len(pairs)
        return [Line(text, *pair) for text, pair in zip(said, pairs, strict=True)]

    @property
    def lines_unnamed(self) -> list[Line]:
        """The same without what they are for: nothing is opened."""
        return [Line(None, *pair) for pair in self.quantities_and_prices]

    def bill(self, lines: Sequence[Line], vat_rate: int) -> None:
        """Sets the lines and what they come to. Raises NotValid (see sales.lines.sums)."""
        total = sums(lines, vat_rate)
        self.quantities_and_prices = [[line.quantity, line.unit_price_kobo] for line in lines]
        self.descriptions = json.dumps([line.description for line in lines], ensure_ascii=False)
        self.vat_rate = vat_rate
        self.subtotal_kobo, self.vat_kobo = total
        self.total_kobo = total.total_kobo

    @property
    def due_kobo(self) -> int:
        """What it is short of: of a draft all, of a cancelled one nothing."""
        return 0 if self.status == self.Status.CANCELLED else self.total_kobo - self.paid_kobo

    @property
    def owed_kobo(self) -> int:
        """What the customer owes by it: its part of the balance."""
        return self.due_kobo if self.status in OPEN else 0

    def status_on(self, day: date) -> str:
        """The status as it is shown: `overdue` from the day after the due date."""
        is_late = self.status in OPEN and self.due_date is not None and self.due_date < day
        return OVERDUE if is_late else str(self.status)

    def pay(self, kobo: int) -> None:
        """Settles and saves: a row that is locked, in the transaction of the receipt."""
        self.settle(kobo)
        self.save(update_fields=["paid_kobo", "status"])

    def settle(self, kobo: int) -> None:
        """Adds to what is paid, or with less than 0 takes from it; the status follows."""
        self.paid_kobo += kobo
        if self.paid_kobo == self.total_kobo:
            self.status = self.Status.PAID
        else:
            self.status = self.Status.PARTIALLY_PAID if self.paid_kobo else self.Status.SENT

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Django's. Raises InvoiceFrozen where it would write more of an issued one than changes
        of it.
        """
        self._edits = update_fields is None or not LIVE.issuperset(update_fields)
        super().save(*args, update_fields=update_fields, **kwargs)

    def _do_update(self, base_qs: Any, *args: Any) -> Any:
        """Django's, on a row that is a draft still, if it writes what only a draft's changes."""
        if not self._edits:
            return super()._do_update(base_qs, *args)
        try:
            return super()._do_update(base_qs.filter(status=self.Status.DRAFT), *args)
        except RowGone:
            if self.itself().exists():
                raise InvoiceFrozen from None
            raise
