"""Believable invoices and receipts, for the demo, for seeding and for benchmarks.

The same for the same seed, customers and day. Who owes what follows from them alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from customers.models import Customer
from finora.tenants.models import Business
from sales.lines import DEFAULT_VAT_RATE, Line
from sales.loading import Books
from sales.models import Invoice, Receipt

GOODS = (
    ("Bookkeeping, a month", 4_500_000),
    ("Consulting, an hour", 2_500_000),
    ("Bag of rice, 50 kg", 8_250_000),
    ("Carton of noodles", 1_190_050),
    ("Cement, a bag", 985_000),
    ("Ankara fabric, 6 yards", 1_850_000),
    ("Generator service", 6_000_000),
    ("Printer toner", 5_349_999),
    ("Delivery within Lagos", 350_000),
    ("Website care, a month", 7_500_075),
    ("School uniform", 1_275_000),
    ("Solar panel, 400 W", 18_500_000),
)
METHODS = ("bank_transfer", "bank_transfer", "bank_transfer", "cash", "pos", "card", "mobile_money")
# Of a hundred invoices: drafts, cancelled, open and partly paid ones end here; the others are paid.
DRAFT, CANCELLED, OPEN, PARTLY = 4, 7, 22, 30
DAYS_BACK, DAYS_TO_PAY = 540, 30


def make(
    business: Business, customers: Sequence[Customer], random: Random, today: date, count: int
) -> Books:
    """So many invoices of the last eighteen months, of one or another of these customers, with what
    was paid of them; now and then something is paid ahead.
    """
    books = Books()
    for customer in random.choices(customers, k=count):
        _sell(books, business, customer, random, today)
        if random.randrange(40) == 0:
            _receive(books, business, customer, random, today, random.randrange(1, 900) * 10_000)
    return books


def _sell(
    books: Books, business: Business, customer: Customer, random: Random, today: date
) -> None:
    day = today - timedelta(days=random.randrange(DAYS_BACK))
    fate = random.randrange(100)
    invoice = Invoice(
        business=business,
        customer=customer,
        invoice_date=day,
        due_date=day + timedelta(days=DAYS_TO_PAY),
        status="draft" if fate < DRAFT else "cancelled" if fate < CANCELLED else "sent",
    )
    goods = [random.choice(GOODS) for _ in range(1 + random.randrange(3))]
    lines = [Line(what, random.randrange(1, 9) * 1000, kobo) for what, kobo in goods]
    invoice.bill(lines, DEFAULT_VAT_RATE if random.randrange(8) else 0)
    books.invoices.append(invoice)
    if fate < OPEN:
        return
    paid = invoice.total_kobo // 2 if fate < PARTLY else invoice.total_kobo
    when = min(today, day + timedelta(days=random.randrange(45)))
    over = random.randrange(1, 50) * 10_000 if random.randrange(40) == 0 else 0
    receipt = _receive(books, business, customer, random, when, paid + over)
    books.pay(receipt, invoice, paid)


def _receive(
    books: Books, business: Business, customer: Customer, random: Random, day: date, kobo: int
) -> Receipt:
    receipt = Receipt(
        business=business,
        customer=customer,
        date=day,
        amount_kobo=kobo,
        method=random.choice(METHODS),
        paid_by=customer.name,
        reference=f"TRF-{random.randrange(10**6):06}",
    )
    books.receipts.append(receipt)
    return receipt
