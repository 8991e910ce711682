"""The fast reference: FastAPI, SQLAlchemy 2 Core over asyncpg, Fernet, orjson.

Built for speed with nothing odd about it: no ORM, no response models, one connection and autocommit
for each request, statements that SQLAlchemy compiles once and the driver prepares. Run by uvicorn.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import sqlalchemy as sa
from cryptography.fernet import Fernet
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, EmailStr
from sqlalchemy.dialects.postgresql import insert
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

c = customers.c
BRIEF = (c.public_id, c.name, c.email)
SHOWN = (
    *(*BRIEF, c.phone, c.address, c.tin, c.company_name),
    *(c.account_balance_kobo, c.is_active, c.created_at),
)

engine = create_async_engine(
    urlsplit(os.environ["DATABASE_URL"])._replace(scheme="postgresql+asyncpg").geturl(),
    pool_size=POOL,
    max_overflow=0,
    isolation_level="AUTOCOMMIT",  # each request is single statements
)
app = FastAPI(openapi_url=None)


def answer(data: Any, status: int = 200) -> Response:
    body = orjson.dumps({"success": True, "data": data})
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
