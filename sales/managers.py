"""What a business does with its books: `business.invoices.record(…)`, `business.receipts.void(…)`.

Money changes under locks that are taken in one order, so that no two changes wait for each other:
customers' rows by their keys, then invoices and receipts by theirs, then the number series. All
rows that one change touches belong to one customer, so its row alone keeps any two changes apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import models, transaction

from finora import clock
from finora.orm.prepared import Prepared, Slot
from finora.orm.related import managed_by
from finora.tenants.models.business import Business
from sales.errors import BooksRefuse, InvoiceFrozen, NotValid
from sales.lines import Line
from sales.numbers import NumberSeries
from sales.querysets import LIVE, InvoiceQuerySet, ReceiptQuerySet

NOT_PAYABLE = "Each invoice named here must be an open one, of the receipt's customer."
NO_CUSTOMER = "This business has no such customer."
PAID = ("partially_paid", "paid")
# The columns behind a name of record(), where they are others.
COLUMNS = {
    "customer_id": ["customer"],
    "lines": ["quantities_and_prices", "descriptions", "subtotal_kobo", "vat_kobo", "total_kobo"],
    "vat_rate": ["vat_rate", "vat_kobo", "total_kobo"],
}

# The queries of the request path (see finora/orm/prepared.py).


def _of_business(rows: Any) -> Any:
    mine = rows.in_business(Slot("business_id", models.BigIntegerField()))
    return mine.with_customer_id()


def _one(rows: Any) -> Any:
    return _of_business(rows).filter(public_id=Slot("public_id", models.CharField()))


def _place(rows: Any) -> Any:
    return rows.after(Slot("day", models.DateField()), Slot("pk", models.BigIntegerField()))


def _page(rows: Any, size: int) -> Any:
    return _of_business(rows).listed().newest_first()[:size]


def _page_behind(rows: Any, size: int) -> Any:
    return _place(_of_business(rows).listed().newest_first())[:size]


class Books:
    """What both managers share. Its verbs are of one business."""

    model: Any
    _one: Prepared[Any]
    _page: Prepared[Any]
    _page_behind: Prepared[Any]

    @property
    def business(self) -> Business:
        """Whose these are. Raises TypeError where they are nobody's."""
        return managed_by(self, Business)

    def get_shown(self, public_id: str) -> Any:
        """One of them, with its customer's id. Raises DoesNotExist."""
        found = self._one.rows(business_id=self.business.pk, public_id=public_id)
        if not found:
            raise self.model.DoesNotExist
        return found[0]

    def page(self, size: int, after: tuple[date, int] | None = None) -> list[Any]:
        """The newest `size`, behind a date and a key; each with its customer's id."""
        business_id = self.business.pk
        if after is None:
            return self._page.rows(size, business_id=business_id)
        day, pk = after
        return self._page_behind.rows(size, business_id=business_id, day=day, pk=pk)


class InvoiceManager(Books, models.Manager.from_queryset(InvoiceQuerySet)):  # type: ignore[misc]
    """Filters of InvoiceQuerySet on all invoices, and the verbs of `business.invoices`."""

    _one: Prepared[Any] = Prepared(_one, planned_once=True)
    _page: Prepared[Any] = Prepared(_page, (51,), planned_once=True)
    _page_behind: Prepared[Any] = Prepared(_page_behind, (51,), planned_once=True)

    def record(
        self,
        *,
        customer_id: str,
        invoice_date: date,
        due_date: date | None,
        lines: Sequence[Line],
        vat_rate: int,
        status: str = "draft",
    ) -> Any:
        """A new invoice, a draft or sent at once.

        Raises NotValid, and BooksRefuse for a customer that is not there or not active.
        """
        business = self.business
        invoice = self.model(
            business=business, invoice_date=invoice_date, due_date=due_date, status=status
        )
        invoice.bill(lines, vat_rate)
        _refuse_due_before(invoice)
        with transaction.atomic():
            invoice.customer = _customer(business, customer_id)
            _refuse_inactive(invoice.customer)
            [invoice.number] = NumberSeries.objects.take(
                business.pk, NumberSeries.Kind.INVOICE, invoice_date.year
            )
            invoice.save()
            if invoice.owed_kobo:
                business.customers.add_to_balances({invoice.customer_id: invoice.owed_kobo})
        return invoice

    def edit(self, public_id: str, changes: Mapping[str, Any]) -> Any:
        """Changes what is named, by the names of record(): of a draft all, of an issued invoice its
        due date, and its status, which is cancelled for good.

        What is named and holds its value already is no change. Raises DoesNotExist, NotValid,
        BooksRefuse, InvoiceFrozen, and SealError.
        """
        customers = self.business.customers
        mine = self.business.invoices.with_public_id(public_id)
        while True:
            with transaction.atomic():
                holder = mine.values_list("customer__public_id", flat=True).get()
                wanted = changes.get("customer_id", holder)
                locked = customers.lock_all({holder, wanted})
                if wanted not in locked:
                    raise BooksRefuse("customer_id", NO_CUSTOMER)
                invoice = mine.filter(customer=locked[holder]).select_for_update().first()
                if invoice is None:
                    continue  # it became another customer's just now
                owed = invoice.owed_kobo
                invoice.customer = locked[holder]
                changed = _apply(invoice, changes, locked[wanted])
                if changed:
                    invoice.save(update_fields=changed)
                    invoice.note("updated", changed)
                if invoice.owed_kobo != owed:
                    customers.add_to_balances({invoice.customer_id: invoice.owed_kobo - owed})
                return invoice


def _customer(business: Business, public_id: str) -> Any:
    """Locked. Raises BooksRefuse."""
    try:
        return business.customers.lock(public_id)
    except business.customers.model.DoesNotExist:
        raise BooksRefuse("customer_id", NO_CUSTOMER) from None


def _refuse_inactive(customer: Any) -> None:
    if not customer.is_active:
        raise BooksRefuse("customer_id", "The customer is inactive: no invoice is made out to it.")


def _refuse_due_before(invoice: Any) -> None:
    if invoice.due_date is not None and invoice.due_date < invoice.invoice_date:
        raise NotValid("due_date", "It is due before its date.")


def _apply(invoice: Any, changes: Mapping[str, Any], customer: Any) -> list[str]:
    """Sets what is named and differs, on an invoice that is locked; answers which columns."""
    was = invoice.status
    now = {**invoice.__dict__, "customer_id": invoice.customer.public_id}
    if "lines" in changes:
        now["lines"] = invoice.lines
    differing = {name: value for name, value in changes.items() if now[name] != value}
    if was in PAID and differing.get("status") == "sent":
        del differing["status"]  # so it was, and more by now
    editable = {"draft": differing.keys(), "cancelled": set()}.get(was, LIVE)
    if frozen := differing.keys() - editable:
        raise InvoiceFrozen(min(frozen))
    match differing.get("status", was):
        case "cancelled" if invoice.paid_kobo:
            raise BooksRefuse("status", "Something is paid of it: void its receipts first.")
        case "draft" if was != "draft":
            raise InvoiceFrozen
    if was == "draft" and differing and differing != {"status": "cancelled"}:
        _refuse_inactive(customer)
    if differing.keys() & {"lines", "vat_rate"}:
        invoice.bill(
            changes.get("lines") or invoice.lines, changes.get("vat_rate", invoice.vat_rate)
        )
    for name in differing.keys() & {"invoice_date", "due_date", "status"}:
        setattr(invoice, name, differing[name])
    invoice.customer = customer
    _refuse_due_before(invoice)
    return [column for name in sorted(differing) for column in COLUMNS.get(name, [name])]


class ReceiptManager(Books, models.Manager.from_queryset(ReceiptQuerySet)):  # type: ignore[misc]
    """Filters of ReceiptQuerySet on all receipts, and the verbs of `business.receipts`."""

    _one: Prepared[Any] = Prepared(_one, planned_once=True)
    _page: Prepared[Any] = Prepared(_page, (51,), planned_once=True)
    _page_behind: Prepared[Any] = Prepared(_page_behind, (51,), planned_once=True)

    def record(
        self, *, customer_id: str | None = None, allocations: Mapping[str, int], **fields: Any
    ) -> Any:
        """A new receipt: `fields` are the model's, `allocations` are kobo by an invoice's id.

        Without a customer it is that of the invoices. Raises BooksRefuse, with nothing written,
        where the customer or an invoice is not there, or more would be allocated than was paid or
        is due.
        """
        business = self.business
        receipt = self.model(business=business, **fields)
        receipt.allocated_kobo = sum(allocations.values())
        if receipt.allocated_kobo > receipt.amount_kobo:
            raise BooksRefuse("allocations", "More is allocated than was paid.")
        with transaction.atomic():
            if customer_id is None and allocations:
                customer_id = self._payer_of(min(allocations))
            if customer_id is not None:
                receipt.customer = _customer(business, customer_id)
            if receipt.customer and receipt.customer.erased_at and receipt.says_who_paid:
                raise BooksRefuse("customer_id", "The customer was erased: nobody is named here.")
            invoices = self._payable(receipt.customer, allocations)
            for invoice in invoices:
                invoice.pay(allocations[invoice.public_id])
            [receipt.number] = NumberSeries.objects.take(
                business.pk, NumberSeries.Kind.RECEIPT, receipt.date.year
            )
            receipt.save()
            business.allocations.bulk_create(
                business.allocations.model(
                    business=business,
                    receipt=receipt,
                    invoice=invoice,
                    amount_kobo=allocations[invoice.public_id],
                )
                for invoice in invoices
            )
            if receipt.customer:
                business.customers.add_to_balances({receipt.customer_id: -receipt.amount_kobo})
        return receipt

    def _payer_of(self, invoice_id: str) -> str:
        """The customer of an invoice, which the business may not have. Raises BooksRefuse."""
        mine = self.business.invoices.with_public_id(invoice_id)
        customer_id: str | None = mine.values_list("customer__public_id", flat=True).first()
        if customer_id is None:
            raise BooksRefuse("allocations", NOT_PAYABLE)
        return customer_id

    def _payable(self, customer: Any, allocations: Mapping[str, int]) -> list[Any]:
        """The invoices, locked; the customer is so already. Raises BooksRefuse."""
        if not allocations:
            return []
        mine = self.business.invoices.open().filter(customer=customer, public_id__in=allocations)
        found = list(mine.select_for_update().order_by("pk"))
        if len(found) < len(allocations):
            raise BooksRefuse("allocations", NOT_PAYABLE)
        if any(invoice.due_kobo < allocations[invoice.public_id] for invoice in found):
            raise BooksRefuse("allocations", "More is allocated to an invoice than is due.")
        return found

    def void(self, public_id: str) -> Any:
        """The receipt counts no longer, and what it paid is due again; again it changes nothing.

        Raises DoesNotExist.
        """
        business = self.business
        mine = business.receipts.with_public_id(public_id)
        with transaction.atomic():
            customer_id = mine.values_list("customer__public_id", flat=True).get()
            if customer_id is not None:
                business.customers.lock(customer_id)
            receipt = mine.select_for_update(of=("self",)).with_customer_id().get()
            if receipt.voided_at:
                return receipt
            paid = business.allocations.filter(receipt=receipt)
            kobo = dict(paid.values_list("invoice_id", "amount_kobo"))
            of_these = business.invoices.filter(pk__in=kobo)
            for invoice in of_these.select_for_update().order_by("pk"):
                invoice.pay(-kobo[invoice.pk])
            paid.delete()
            receipt.allocated_kobo, receipt.voided_at = 0, clock.now()
            receipt.save(update_fields=["allocated_kobo", "voided_at"])
            receipt.note("voided")
            if receipt.customer:
                business.customers.add_to_balances({receipt.customer_id: receipt.amount_kobo})
        return receipt

    def allocations_of(self, receipts: Sequence[Any]) -> dict[int, list[tuple[str, int]]]:
        """What each of these pays, as an invoice's public id and kobo: by the receipt's key."""
        found: dict[int, list[tuple[str, int]]] = {receipt.pk: [] for receipt in receipts}
        keys = [receipt.pk for receipt in receipts if receipt.allocated_kobo]
        if keys:
            mine = self.business.allocations.filter(receipt__in=keys).order_by("pk")
            for pk, invoice, kobo in mine.values_list(
                "receipt_id", "invoice__public_id", "amount_kobo"
            ):
                found[pk].append((invoice, kobo))
        return found
