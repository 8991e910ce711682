from __future__ import annotations

import hmac
from typing import ClassVar

from django.db import models
from encrypted_model_fields.fields import EncryptedCharField, EncryptedEmailField

from bench.reference.keys import HASH_KEY


class ApiKey(models.Model):
    """A caller; `is_authenticated` is what IsAuthenticated asks."""

    digest = models.CharField(max_length=64, unique=True)
    business_id = models.CharField(max_length=64)
    is_authenticated = True
    objects: ClassVar[models.Manager[ApiKey]] = models.Manager()

    class Meta:
        app_label = "reference"

    def __str__(self) -> str:
        return self.business_id


def email_hash(email: str) -> str:
    return hmac.digest(HASH_KEY, email.lower().encode(), "sha256").hex()


class Customer(models.Model):
    business_id = models.CharField(max_length=64)
    public_id = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    company_name = models.CharField(max_length=200, null=True)  # noqa: DJ001
    email = EncryptedEmailField()
    phone = EncryptedCharField(max_length=32, null=True)
    address = EncryptedCharField(max_length=500, null=True)
    tin = EncryptedCharField(max_length=32, null=True)
    email_hash = models.CharField(max_length=64)
    account_balance_kobo = models.BigIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    objects: ClassVar[models.Manager[Customer]] = models.Manager()

    class Meta:
        app_label = "reference"
        constraints = [
            models.UniqueConstraint(
                "business_id", "email_hash", condition=models.Q(is_active=True), name="one_email"
            )
        ]
        indexes = [
            models.Index(
                fields=["business_id", "name", "public_id"],
                condition=models.Q(is_active=True),
                name="reference_list",
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class InvoiceCounter(models.Model):
    """The last number that was given: whoever counts on holds the row until its commit."""

    business_id = models.CharField(max_length=64)
    year = models.IntegerField()
    last = models.IntegerField()
    objects: ClassVar[models.Manager[InvoiceCounter]] = models.Manager()

    class Meta:
        app_label = "reference"
        constraints = [models.UniqueConstraint("business_id", "year", name="one_counter")]

    def __str__(self) -> str:
        return f"{self.business_id} {self.year}"


class Invoice(models.Model):
    business_id = models.CharField(max_length=64)
    public_id = models.CharField(max_length=40, unique=True)
    number = models.CharField(max_length=16)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_index=False)
    invoice_date = models.DateField()
    due_date = models.DateField(null=True)
    subtotal_kobo = models.BigIntegerField()
    vat_rate = models.IntegerField()
    vat_kobo = models.BigIntegerField()
    total_kobo = models.BigIntegerField()
    paid_kobo = models.BigIntegerField()
    status = models.CharField(max_length=14)
    created_at = models.DateTimeField()
    objects: ClassVar[models.Manager[Invoice]] = models.Manager()

    class Meta:
        app_label = "reference"
        constraints = [models.UniqueConstraint("business_id", "number", name="one_number")]
        indexes = [
            models.Index(
                fields=["business_id", "invoice_date", "id"], name="reference_invoice_list"
            ),
            models.Index(
                fields=["customer", "invoice_date", "id"], name="reference_invoice_of_customer"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceItem(models.Model):
    invoice = models.ForeignKey(Invoice, models.DO_NOTHING)
    description = models.CharField(max_length=200)
    quantity = models.IntegerField()  # thousandths
    unit_price_kobo = models.BigIntegerField()
    objects: ClassVar[models.Manager[InvoiceItem]] = models.Manager()

    class Meta:
        app_label = "reference"

    def __str__(self) -> str:
        return f"item {self.pk}"
