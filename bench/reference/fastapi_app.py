"""The fast reference: FastAPI, SQLAlchemy 2 Core over asyncpg, Fernet, orjson.

Built for speed with nothing odd about it: no ORM, no response models, one connection and autocommit
for each request, or a transaction where more than one row is written, statements that SQLAlchemy
compiles once and the driver prepares. Run by uvicorn.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, EmailStr, Field
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bench.reference.keys import FIELD_ENCRYPTION_KEY, HASH_KEY

POOL = 8  # as many as the calls that are under way at once

_fernet = Fernet(FIELD_ENCRYPTION_KEY)


class Encrypted(sa.TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and _fernet.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return value and _fernet.decrypt(value).decode()


_metadata = sa.MetaData()
keys = sa.Table(
    "reference_apikey", _metadata, sa.Column("digest", sa.Text), sa.Column("business_id", sa.Text)
)
customers = sa.Table(
    "reference_customer",
    _metadata,
    sa.Column("id", sa.BigInteger),
    sa.Column("public_id", sa.Text),
    sa.Column("business_id", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("company_name", sa.Text),
    *(sa.Column(name, Encrypted) for name in ("email", "phone", "address", "tin")),
    sa.Column("email_hash", sa.Text),
    sa.Column("account_balance_kobo", sa.BigInteger),
    sa.Column("is_active", sa.Boolean),
    sa.Column("created_at", sa.DateTime(timezone=True)),
)
counters = sa.Table(
    "reference_invoicecounter",
    _metadata,
    sa.Column("business_id", sa.Text),
    sa.Column("year", sa.Integer),
    sa.Column("last", sa.Integer),
)
invoices = sa.Table(
    "reference_invoice",
    _metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("public_id", "business_id", "number", "status")),
    sa.Column("customer_id", sa.BigInteger),
    *(sa.Column(name, sa.Date) for name in ("invoice_date", "due_date")),
    sa.Column("vat_rate", sa.Integer),
    *(sa.Column(f"{name}_kobo", sa.BigInteger) for name in ("subtotal", "vat", "total", "paid")),
    sa.Column("created_at", sa.DateTime(timezone=True)),
)
items = sa.Table(
    "reference_invoiceitem",
    _metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("invoice_id", sa.BigInteger),
    sa.Column("description", sa.Text),
    sa.Column("quantity", sa.Integer),  # thousandths
    sa.Column("unit_price_kobo", sa.BigInteger),
)

c, i = customers.c, invoices.c
BRIEF = (c.public_id, c.name, c.email)
SHOWN = (
    *(*BRIEF, c.phone, c.address, c.tin, c.company_name),
    *(c.account_balance_kobo, c.is_active, c.created_at),
)

engine = create_async_engine(
    urlsplit(os.environ["DATABASE_URL"])._replace(scheme="postgresql+asyncpg").geturl(),
    pool_size=POOL,
    max_overflow=0,
    isolation_level="AUTOCOMMIT",  # most requests are single statements
)
app = FastAPI(openapi_url=None)


def answer(data: Any, status: int = 200, **meta: Any) -> Response:
    body = orjson.dumps({"success": True, "data": data, **({"meta": meta} if meta else {})})
    return Response(body, status, media_type="application/json")


@app.exception_handler(HTTPException)
async def refuse(_: Request, error: HTTPException) -> Response:
    body = orjson.dumps({"success": False, "error": {"code": error.detail}})
    return Response(body, error.status_code, media_type="application/json")


async def connected() -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


Database = Annotated[AsyncConnection, Depends(connected)]


async def caller(database: Database, authorization: Annotated[str, Header()] = "") -> str:
    """The business whose key this is."""
    scheme, _, key = authorization.partition(" ")
    digest = hashlib.sha256(key.encode()).hexdigest()
    whose = sa.select(keys.c.business_id).where(keys.c.digest == digest)
    business: str | None = await database.scalar(whose)
    if scheme != "Bearer" or business is None:
        raise HTTPException(401, "INVALID_API_KEY")
    return business


Caller = Annotated[str, Depends(caller)]


def customer(row: sa.Row[Any]) -> dict[str, Any]:
    kobo = row.account_balance_kobo
    return {
        "id": row.public_id,
        "name": row.name,
        "email": row.email,
        "phone": row.phone,
        "address": row.address,
        "tin": row.tin,
        "companyName": row.company_name,
        "accountBalanceKobo": kobo,
        "accountBalance": kobo / 100,
        "isActive": row.is_active,
        "createdAt": row.created_at,
    }


@app.get("/v1/customers")
async def page(
    database: Database,
    business: Caller,
    businessId: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    afterName: str | None = None,
    afterId: str = "",
) -> Response:
    """By name; behind a customer, whose name and id are the cursor."""
    if businessId != business:
        raise HTTPException(403, "FORBIDDEN")
    wanted = sa.select(*SHOWN).where(c.business_id == business, c.is_active)
    if afterName is not None:
        wanted = wanted.where(sa.tuple_(c.name, c.public_id) > (afterName, afterId))
    rows = await database.execute(wanted.order_by(c.name, c.public_id).limit(limit))
    found = [customer(row) for row in rows]
    return answer({"customers": found, "count": len(found)})


@app.get("/v1/customers/{id}")
async def one(database: Database, business: Caller, id: str) -> Response:
    wanted = sa.select(*SHOWN).where(c.business_id == business, c.public_id == id)
    row = (await database.execute(wanted)).first()
    if row is None:
        raise HTTPException(404, "NOT_FOUND")
    return answer(customer(row))


class Wanted(BaseModel):
    email: EmailStr
    name: str | None = None
    phone: str | None = None


@app.post("/v1/customers/find-or-create")
async def find_or_create(database: Database, business: Caller, wanted: Wanted) -> Response:
    email = wanted.email.lower()
    email_hash = hmac.digest(HASH_KEY, email.encode(), "sha256").hex()
    find = sa.select(*BRIEF).where(
        c.business_id == business, c.is_active, c.email_hash == email_hash
    )
    row = (await database.execute(find)).first()
    made = False
    if row is None:
        make = insert(customers).values(
            public_id=f"cust_{uuid4().hex}",
            business_id=business,
            name=wanted.name or email.partition("@")[0],
            email=email,
            phone=wanted.phone,
            email_hash=email_hash,
            account_balance_kobo=0,
            is_active=True,
            created_at=datetime.now(UTC),
        )
        row = (await database.execute(make.on_conflict_do_nothing().returning(*BRIEF))).first()
        made = row is not None
    if row is None:  # someone was faster
        row = (await database.execute(find)).one()
    data = {"id": row.public_id, "name": row.name, "email": row.email, "created": made}
    return answer(data, 201 if made else 200)


# Invoices.

INVOICE = (*invoices.c, c.public_id.label("customer"))
INVOICES = sa.select(*INVOICE).join(customers, c.id == i.customer_id)
ITEMS = (
    sa.select(items)
    .where(items.c.invoice_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.BigInteger))))
    .order_by(items.c.id)
)


def today() -> date:
    return datetime.now(UTC).date()


def invoice(row: Any, lines: list[Any]) -> dict[str, Any]:
    is_late = row.due_date is not None and row.due_date < today()
    is_open = row.status in ("sent", "partially_paid")
    return {
        "id": row.public_id,
        "businessId": row.business_id,
        "invoiceNumber": row.number,
        "customerId": row.customer,
        "invoiceDate": row.invoice_date,
        "dueDate": row.due_date,
        "lineItems": [
            {
                "description": line.description,
                "quantity": line.quantity / 1000,
                "unitPrice": line.unit_price_kobo / 100,
                "amountKobo": (kobo := line.quantity * line.unit_price_kobo // 1000),
                "amount": kobo / 100,
            }
            for line in lines
        ],
        "subtotalKobo": row.subtotal_kobo,
        "vatRate": row.vat_rate / 100,
        "vatAmountKobo": row.vat_kobo,
        "totalKobo": row.total_kobo,
        "total": row.total_kobo / 100,
        "amountDueKobo": 0 if row.status == "cancelled" else row.total_kobo - row.paid_kobo,
        "status": "overdue" if is_open and is_late else row.status,
        "createdAt": row.created_at,
    }


async def with_items(database: AsyncConnection, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What is answered of these invoices, whose items take one query more."""
    lines: dict[int, list[Any]] = {row.id: [] for row in rows}
    for line in await database.execute(ITEMS, {"ids": list(lines)}):
        lines[line.invoice_id].append(line)
    return [invoice(row, lines[row.id]) for row in rows]


@app.get("/v1/invoices")
async def invoice_page(
    database: Database,
    business: Caller,
    businessId: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str, Query(pattern=r"^\d{4}-\d\d-\d\d\.\d+$")] | None = None,
) -> Response:
    """Newest first; the cursor is the last one's date and key."""
    if businessId != business:
        raise HTTPException(403, "FORBIDDEN")
    wanted = INVOICES.where(i.business_id == business)
    if cursor is not None:
        day, _, key = cursor.partition(".")
        wanted = wanted.where(sa.tuple_(i.invoice_date, i.id) < (date.fromisoformat(day), int(key)))
    newest = wanted.order_by(i.invoice_date.desc(), i.id.desc()).limit(limit)
    rows = (await database.execute(newest)).all()
    found = await with_items(database, rows)
    meta = {"nextCursor": f"{rows[-1].invoice_date}.{rows[-1].id}"} if rows else {}
    return answer({"invoices": found, "count": len(found)}, **meta)


@app.get("/v1/invoices/{id}")
async def one_invoice(database: Database, business: Caller, id: str) -> Response:
    wanted = INVOICES.where(i.business_id == business, i.public_id == id)
    row = (await database.execute(wanted)).first()
    if row is None:
        raise HTTPException(404, "NOT_FOUND")
    return answer((await with_items(database, [row]))[0])


Naira = Annotated[Decimal, Field(gt=0, le=100_000_000, decimal_places=2)]


class NewItem(BaseModel):
    description: str = Field(min_length=1, max_length=200)
    quantity: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=3)] = Decimal(1)
    unitPrice: Naira


class NewInvoice(BaseModel):
    customerId: str
    invoiceDate: date = Field(default_factory=today)
    dueDate: date | None = None
    lineItems: list[NewItem] = Field(min_length=1, max_length=100)
    vatRate: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] = Decimal("7.5")
    status: Literal["draft", "sent"] = "draft"


@app.post("/v1/invoices")
async def create_invoice(database: Database, business: Caller, wanted: NewInvoice) -> Response:
    lines = [
        {
            "description": item.description,
            "quantity": int(item.quantity * 1000),
            "unit_price_kobo": int(item.unitPrice * 100),
        }
        for item in wanted.lineItems
    ]
    thousandths = [line["quantity"] * line["unit_price_kobo"] for line in lines]
    if any(each % 1000 for each in thousandths):
        raise HTTPException(422, "VALIDATION_ERROR")
    subtotal, vat_rate = sum(thousandths) // 1000, int(wanted.vatRate * 100)
    vat = (subtotal * vat_rate + 5_000) // 10_000
    total = subtotal + vat
    await database.commit()  # what looked up the key; from here on it is a transaction
    await database.execution_options(isolation_level="READ COMMITTED")
    async with database.begin():
        # The number last, as everybody waits for it until the commit.
        owing = (
            sa.update(customers)
            .where(c.business_id == business, c.public_id == wanted.customerId, c.is_active)
            .values(
                account_balance_kobo=c.account_balance_kobo
                + (total if wanted.status == "sent" else 0)
            )
            .returning(c.id)
        )
        customer_id = await database.scalar(owing)
        if customer_id is None:
            raise HTTPException(422, "BUSINESS_LOGIC_ERROR")
        year = wanted.invoiceDate.year
        counted = insert(counters).values(business_id=business, year=year, last=1)
        number = await database.scalar(
            counted.on_conflict_do_update(
                index_elements=["business_id", "year"], set_={"last": counters.c.last + 1}
            ).returning(counters.c.last)
        )
        make = insert(invoices).values(
            public_id=f"inv_{uuid4().hex}",
            business_id=business,
            number=f"INV-{year:04}-{number:05}",
            customer_id=customer_id,
            invoice_date=wanted.invoiceDate,
            due_date=wanted.dueDate,
            subtotal_kobo=subtotal,
            vat_rate=vat_rate,
            vat_kobo=vat,
            total_kobo=total,
            paid_kobo=0,
            status=wanted.status,
            created_at=datetime.now(UTC),
        )
        shown = (*invoices.c, sa.literal(wanted.customerId).label("customer"))
        row = (await database.execute(make.returning(*shown))).one()
        await database.execute(sa.insert(items), [{"invoice_id": row.id, **line} for line in lines])
    return answer(invoice(row, [SimpleNamespace(**line) for line in lines]), 201)
