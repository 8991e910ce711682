"""Invoices under load: made, one, and a list of 50, beside the fast reference, as in `calls`.

In books that hold `--count` of them already. Afterwards the books are added up, ours by
`check_balances` and the reference's by the like of it: a kobo that is not right ends the run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
from django.core.management import call_command
from django.db.models import Max, Min

from bench.calls import Subject, answered, no_autovacuum, rounds, serve
from bench.checks import Wrong, expect, say
from bench.http import Client
from bench.load import GENERATOR, Calls
from bench.plan import (
    FASTAPI,
    INVOICE,
    INVOICE_MADE,
    INVOICES,
    OURS_UNLIMITED,
    SALES_ROUTES,
)
from bench.servers import Server
from bench.world import Directory, World, directory
from finora.tenants.models import Business

EACH = 20  # invoices of a customer
FEWEST = 50  # customers
PATH = "/v1/invoices"
ITEMS = [
    {"description": "Bookkeeping, March", "quantity": 2, "unitPrice": 25_000.5},
    {"description": "Delivery within Lagos", "unitPrice": 1_190.75},
]
TOTAL_KOBO = 5_503_113  # of these, with 7.5 % of VAT
# The reference's like of `check_balances`: how many balances and how many numbers are not right.
WRONG_BALANCES = """
    SELECT count(*) FROM reference_customer c LEFT JOIN (
        SELECT customer_id, sum(total_kobo - paid_kobo) AS kobo FROM reference_invoice
        WHERE status IN ('sent', 'partially_paid') GROUP BY customer_id
    ) o ON o.customer_id = c.id
    WHERE c.business_id = %s AND c.account_balance_kobo <> coalesce(o.kobo, 0)"""
WRONG_NUMBERS = """
    SELECT count(*) FROM reference_invoicecounter c WHERE business_id = %s AND last <> (
        SELECT count(*) FROM reference_invoice i
        WHERE i.business_id = c.business_id AND i.number LIKE 'INV-' || c.year || '-%%')"""

Told = tuple[Any, ...]


def run(world: World) -> dict[str, Any]:
    count = world.count
    of = directory(max(FEWEST, count // EACH), f"sales_{count}", invoices=count)
    names = [OURS_UNLIMITED, FASTAPI] if world.on_postgres else [OURS_UNLIMITED]
    envs = {OURS_UNLIMITED: world.env}
    if world.on_postgres:
        envs[FASTAPI] = world.fill_reference(of, [of])
        with psycopg.connect(world.reference_url, autocommit=True) as connection:
            _copy(of.business, connection)
    before = of.business.invoices.count()
    pages = min(world.plan.pages, (before - 1) // 50)
    newest = list(of.business.invoices.newest_first().with_customer_id()[: 50 * pages])
    some = _spread(of.business, world.plan.customers)
    with ExitStack() as stack:
        stack.enter_context(no_autovacuum(world))
        subjects = [
            _subject(name, stack.enter_context(serve(name, envs[name])), of, newest, some)
            for name in names
        ]
        rows = rounds(world, subjects, {"database": world.postmaster}, SALES_ROUTES)
    books = {OURS_UNLIMITED: add_up(of.business)}
    if world.on_postgres:
        with psycopg.connect(world.reference_url) as connection, connection.cursor() as cursor:
            books[FASTAPI] = add_up_reference(cursor, of.business.public_id)
    for row in rows:
        if row["route"] == INVOICE_MADE:
            made = books[row["server"]] - before
            expect("as many invoices made as were answered", made >= answered(row), True)
    for name, count in books.items():
        say(f"{name}: all balances and numbers of {count:,} invoices are right")
    return {
        "generator": GENERATOR,
        "rounds": world.plan.rounds,
        "seconds": world.plan.slices * world.plan.slice_seconds,
        "rows": rows,
        "customers": of.count,
        "books": books,
    }


def _copy(business: Business, connection: psycopg.Connection[Any]) -> None:
    """The same invoices for the reference, whose customers are there; their receipts are not."""
    cursor = connection.cursor()
    cursor.execute("TRUNCATE reference_invoicecounter, reference_invoice, reference_invoiceitem")
    cursor.execute("SELECT public_id, id FROM reference_customer")
    customers = dict(cursor.fetchall())
    rows = business.invoices.with_customer_id().order_by("pk")
    columns = (
        *("id", "public_id", "number", "invoice_date", "due_date", "subtotal_kobo", "vat_rate"),
        *("vat_kobo", "total_kobo", "paid_kobo", "status", "created_at"),
    )
    into = ", ".join((*columns, "business_id", "customer_id"))
    with cursor.copy(f"COPY reference_invoice ({into}) FROM STDIN".encode()) as copy:
        for row in rows.iterator(chunk_size=2000):
            own = [getattr(row, name) for name in columns]
            copy.write_row([*own, business.public_id, customers[row.customer.public_id]])
    into = "invoice_id, description, quantity, unit_price_kobo"
    with cursor.copy(f"COPY reference_invoiceitem ({into}) FROM STDIN".encode()) as copy:
        for row in rows.iterator(chunk_size=2000):
            for line in row.lines:
                copy.write_row([row.pk, *line])
    cursor.execute(
        "SELECT setval(pg_get_serial_sequence('reference_invoice', 'id'), max(id))"
        " FROM reference_invoice"
    )
    cursor.execute(
        "INSERT INTO reference_invoicecounter (business_id, year, last)"
        " SELECT business_id, substr(number, 5, 4)::int, count(*) FROM reference_invoice"
        " GROUP BY 1, 2"
    )
    cursor.execute(
        "UPDATE reference_customer c SET account_balance_kobo = coalesce(("
        " SELECT sum(total_kobo - paid_kobo) FROM reference_invoice i"
        " WHERE i.customer_id = c.id AND status IN ('sent', 'partially_paid')), 0)"
        " WHERE business_id = %s",
        [business.public_id],
    )
    cursor.execute("VACUUM ANALYZE")
    cursor.execute("CHECKPOINT")


# What is sent.


def _subject(
    name: str, server: Server, of: Directory, newest: list[Any], rows: list[Any]
) -> Subject:
    """Looks whether each call is answered as it should be, before it is timed."""
    bodies = [
        {"customerId": public_id, "lineItems": ITEMS, "status": "sent"}
        for public_id in of.business.customers.active()
        .order_by("pk")
        .values_list("public_id", flat=True)[: len(rows)]
    ]
    with Client(server.port, of.key) as client:
        pages = list(_pages(client, of, newest))
        for row in rows[:20]:
            one = client.get(f"{PATH}/{row.public_id}")[1]["data"]
            expect(f"{name}, one", _told(one), _true(row))
        made = [client.post(PATH, bodies[0])[1]["data"] for _ in range(2)]
    totals = {(one["totalKobo"], one["amountDueKobo"], one["status"]) for one in made}
    expect(f"{name}, made", totals, {(TOTAL_KOBO, TOTAL_KOBO, "sent")})
    first, second = (int(one["invoiceNumber"].split("-")[2]) for one in made)
    expect(f"{name}, numbers", second, first + 1)
    calls = {
        INVOICE_MADE: Calls.posts(of.key, PATH, bodies),
        INVOICE: Calls.gets(of.key, (f"{PATH}/{row.public_id}" for row in rows)),
        INVOICES: Calls.gets(of.key, pages),
    }
    return Subject(name, server, calls)


def _spread(business: Business, count: int) -> list[Any]:
    """So many invoices from all over the books."""
    ends = business.invoices.aggregate(first=Min("pk"), last=Max("pk"))
    step = max(1, (ends["last"] - ends["first"]) // count)
    keys = range(ends["first"], ends["last"] + 1, step)
    return list(business.invoices.filter(pk__in=keys).with_customer_id())


def _pages(client: Client, of: Directory, newest: list[Any]) -> Iterator[str]:
    """The paths of the first lists of 50, looked at."""
    first = path = f"{PATH}?businessId={of.business.public_id}&limit=50"
    for at in range(0, len(newest), 50):
        yield path
        answer = client.get(path)[1]
        listed = list(map(_told, answer["data"]["invoices"]))
        expect("a list", listed, list(map(_true, newest[at : at + 50])))
        path = f"{first}&cursor={answer['meta'].get('nextCursor')}"


def _told(one: dict[str, Any]) -> Told:
    """What is held to the truth of an answer."""
    lines = [(line["description"], line["amountKobo"]) for line in one["lineItems"]]
    names = ("id", "invoiceNumber", "customerId", "invoiceDate", "totalKobo", "amountDueKobo")
    return (*(one[name] for name in names), lines)


def _true(row: Any) -> Told:
    lines = [(line.description, line.amount_kobo) for line in row.lines]
    date = row.invoice_date.isoformat()
    known = (row.public_id, row.number, row.customer.public_id, date, row.total_kobo, row.due_kobo)
    return (*known, lines)


# Whether all is right afterwards.


def add_up(business: Business) -> int:
    """How many invoices there are. Raises CommandError where the books do not agree."""
    call_command("check_balances", business.public_id, stdout=sys.stderr)
    return business.invoices.count()


def add_up_reference(cursor: Any, business_id: str) -> int:
    """The same of the reference's tables. Raises Wrong."""
    found = []
    for statement in (WRONG_BALANCES, WRONG_NUMBERS):
        cursor.execute(statement, [business_id])
        found += cursor.fetchone()
    if any(found):
        raise Wrong(f"the reference's books: {found[0]} wrong balances, {found[1]} wrong numbers")
    cursor.execute("SELECT count(*) FROM reference_invoice WHERE business_id = %s", [business_id])
    count: int = cursor.fetchone()[0]
    return count
