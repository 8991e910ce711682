from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from customers.models import Customer
from finora import clock, identifiers
from finora.orm.references import TenantForeignKey, TenantReference
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.sealing.fields import SealedCharField, SealedEmailField
from sales.managers import ReceiptManager
from sales.models.invoice import Invoice
from sales.models.row import BookRow
from sales.numbers import NUMBER_LENGTH


class Receipt(BookRow):
    """Money that came in: frozen from the start, and voided where it was wrong."""

    class Method(models.TextChoices):
        CASH = "cash"
        BANK_TRANSFER = "bank_transfer"
        CARD = "card"
        POS = "pos", "POS"
        CHEQUE = "cheque"
        MOBILE_MONEY = "mobile_money"
        OTHER = "other"

    business = BusinessField(related_name="receipts")
    public_id = models.CharField(
        "id", max_length=40, default=identifiers.receipt_id, editable=False
    )
    number = models.CharField(max_length=NUMBER_LENGTH, editable=False)
    # Nobody's for a sale over the counter.
    customer = TenantForeignKey(Customer, related_name="receipts", null=True)
    date = models.DateField()
    amount_kobo = models.BigIntegerField("amount")
    allocated_kobo = models.BigIntegerField("allocated", default=0)
    method = models.CharField("payment method", max_length=13, choices=Method)
    paid_by = SealedCharField(place="receipt.paid_by", max_length=200, null=True, blank=True)
    paid_by_email = SealedEmailField(
        place="receipt.paid_by_email", max_length=254, null=True, blank=True
    )
    reference = SealedCharField(place="receipt.reference", max_length=100, null=True, blank=True)
    voided_at = models.DateTimeField("voided", null=True, blank=True, editable=False)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    objects = ReceiptManager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            # A customer with history stays, and so does what allocations point at.
            TenantReference(field="customer", name="receipt_customer"),
            models.UniqueConstraint(fields=["business", "id"], name="receipt_key_unique"),
            # The API names receipts by it, always together with the business.
            models.UniqueConstraint(
                fields=["business", "public_id"], name="receipt_public_id_unique"
            ),
            # Whoever keeps the books: no number stands for two.
            models.UniqueConstraint(fields=["business", "number"], name="receipt_number_unique"),
            # No more is allocated than was paid, and of a voided one nothing: balances count on it.
            models.CheckConstraint(
                condition=Q(amount_kobo__gt=0)
                & Q(allocated_kobo__gte=0, allocated_kobo__lte=F("amount_kobo"))
                & (Q(voided_at=None) | Q(allocated_kobo=0)),
                name="receipt_allocated_within_amount",
            ),
            # Whose invoices it pays is whose balance it changes.
            models.CheckConstraint(
                condition=Q(allocated_kobo=0) | Q(customer__isnull=False),
                name="receipt_allocated_has_customer",
            ),
        ]
        indexes = [
            # GET /v1/receipts and its cursor, with from and to; voided ones it leaves out.
            models.Index(
                fields=["business", "date", "id"],
                condition=Q(voided_at=None),
                name="receipt_list",
            ),
            # The same of one customer; balances are recomputed by it.
            models.Index(fields=["business", "customer", "date", "id"], name="receipt_of_customer"),
            # The staff's list, which shows the voided ones too.
            models.Index(fields=["business", "date", "id"], name="receipt_list_all"),
            # The same of the voided ones, which are few. Of indexes that serve equally SQLite takes
            # the one made last.
            models.Index(
                fields=["business", "date", "id"],
                condition=Q(voided_at__isnull=False),
                name="receipt_void",
            ),
        ]

    @property
    def unallocated_kobo(self) -> int:
        """What of it pays no invoice: of a voided one nothing."""
        return 0 if self.voided_at else self.amount_kobo - self.allocated_kobo

    @property
    def says_who_paid(self) -> bool:
        """Whether it holds a text, in which somebody may be named."""
        return any((self.paid_by, self.paid_by_email, self.reference))


class Allocation(TenantRow):
    """How much of a receipt pays an invoice; it goes when the receipt is voided."""

    business = BusinessField(related_name="allocations")
    receipt = TenantForeignKey(Receipt, related_name="allocations")
    invoice = TenantForeignKey(Invoice, related_name="allocations")
    amount_kobo = models.BigIntegerField("amount")

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            TenantReference(field="receipt", name="allocation_receipt"),
            TenantReference(field="invoice", name="allocation_invoice"),
            # A receipt names an invoice once; its allocations are found by it.
            models.UniqueConstraint(
                fields=["business", "receipt", "invoice"], name="allocation_unique"
            ),
            # Sums of what is paid only grow by it.
            models.CheckConstraint(
                condition=Q(amount_kobo__gt=0), name="allocation_amount_positive"
            ),
        ]
        indexes = [
            # What paid an invoice, on its page; and what it is held against when books are checked.
            models.Index(fields=["business", "invoice"], name="allocation_of_invoice"),
        ]

    def __str__(self) -> str:
        return f"allocation {self.pk}"
