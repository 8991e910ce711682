"""Serializers read bodies: naira become kobo here, exactly."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from finora.api.fields import Day, Number, Objects, OneOf, Text
from finora.sealing import normal_forms
from finora.sealing.validators import (
    email_shape,
    no_control_characters,
    no_control_characters_but_breaks,
)
from sales.errors import NotValid
from sales.lines import (
    DESCRIPTION_LENGTH,
    MOST_KOBO,
    MOST_LINES,
    QUANTITY_PLACES,
    RATE_PLACES,
    Line,
)
from sales.models import Receipt

KOBO_PLACES = 2


def _amount(**kwargs: Any) -> Number:
    return Number(places=KOBO_PLACES, most=MOST_KOBO // 100, **kwargs)


class LineItemBody(serializers.Serializer):  # type: ignore[type-arg]
    """One line of an invoice."""

    description = Text(max_length=DESCRIPTION_LENGTH, validators=[no_control_characters_but_breaks])
    quantity = Number(places=QUANTITY_PLACES, most=1_000_000, required=False)
    unitPrice = _amount(help_text="In naira.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        line = Line(attrs["description"], attrs.get("quantity", 1000), attrs["unitPrice"])
        try:
            if line.amount_kobo > MOST_KOBO:
                raise NotValid("quantity", "The line comes to more than 100,000,000 naira.")
        except NotValid as error:
            raise ValidationError({error.field: [error.message]}) from None
        return line


class InvoiceBody(serializers.Serializer):  # type: ignore[type-arg]
    """POST /v1/invoices, and with partial=True PUT: only what is named changes."""

    customerId = Text(source="customer_id", max_length=40, validators=[no_control_characters])
    invoiceDate = Day(source="invoice_date", required=False, help_text="Today by default.")
    dueDate = Day(
        source="due_date",
        required=False,
        allow_null=True,
        help_text="Not before its date. Without one it is never overdue.",
    )
    lineItems = Objects(LineItemBody, source="lines", least=1, most=MOST_LINES)
    vatRate = Number(
        source="vat_rate",
        places=RATE_PLACES,
        most=100,
        zero=True,
        required=False,
        help_text="In percent: 7.5 by default.",
    )
    status = OneOf(("draft", "sent"), required=False, help_text="`draft` by default.")


class InvoiceEditBody(InvoiceBody):
    """PUT /v1/invoices/{id}."""

    status = OneOf(
        ("draft", "sent", "cancelled"),
        required=False,
        help_text="The others follow from what is paid and from the due date.",
    )


class AllocationBody(serializers.Serializer):  # type: ignore[type-arg]
    """How much of a receipt pays an invoice."""

    invoiceId = Text(max_length=40, validators=[no_control_characters])
    amountAllocated = _amount(help_text="In naira.")


class ReceiptBody(serializers.Serializer):  # type: ignore[type-arg]
    """POST /v1/receipts."""

    date = Day(required=False, help_text="Today by default.")
    amount = _amount(source="amount_kobo", help_text="In naira.")
    paymentMethod = OneOf(Receipt.Method.values, source="method")
    paidBy = Text(
        source="paid_by",
        required=False,
        allow_null=True,
        max_length=200,
        validators=[no_control_characters],
    )
    paidByEmail = Text(
        source="paid_by_email",
        normal=normal_forms.email,
        required=False,
        allow_null=True,
        max_length=254,
        validators=[email_shape, no_control_characters],
    )
    customerId = Text(
        source="customer_id",
        required=False,
        allow_null=True,
        max_length=40,
        validators=[no_control_characters],
        help_text="By default that of the invoices it is allocated to.",
    )
    reference = Text(
        required=False, allow_null=True, max_length=100, validators=[no_control_characters]
    )
    allocations = Objects(AllocationBody, most=100, required=False)

    def validate_allocations(self, given: list[dict[str, Any]]) -> dict[str, int]:
        """Kobo by an invoice's id. Raises ValidationError for one that is named twice."""
        found: dict[str, int] = {}
        for place, each in enumerate(given):
            if each["invoiceId"] in found:
                problem = {place: {"invoiceId": ["This invoice is named before."]}}
                raise ValidationError(problem)  # type: ignore[arg-type]  # keys are places
            found[each["invoiceId"]] = each["amountAllocated"]
        return found
