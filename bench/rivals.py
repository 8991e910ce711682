"""Other ways to search: plain text under a trigram index, keyed trigram tokens, opening all rows.

The first two live in a PostgreSQL database of their own. The planner chooses its plans.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any

import psycopg

from bench.truth import LIMIT, Truth
from customers.models import Customer
from finora import text
from finora.sealing import keyring
from finora.tenants.models import Business

_TABLES = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
DROP TABLE IF EXISTS plain, tokens;
CREATE TABLE plain (
    id text PRIMARY KEY, name_key bytea, name text COLLATE "C", email text COLLATE "C"
);
CREATE TABLE tokens (
    id text PRIMARY KEY, name_key bytea, name text, email bytea, grams integer[]
);
"""
_INDEXES = """
CREATE INDEX ON plain (name_key, id);
CREATE INDEX ON plain USING gin (name gin_trgm_ops);
CREATE INDEX ON plain USING gin (email gin_trgm_ops);
CREATE INDEX ON tokens (name_key, id);
CREATE INDEX ON tokens USING gin (grams);
VACUUM ANALYZE plain;
VACUUM ANALYZE tokens;
"""
_PLAIN = """
SELECT id FROM plain WHERE name LIKE %(like)s OR email LIKE %(like)s
ORDER BY name_key, id LIMIT 50
"""
_TOKENS = """
SELECT id, name, email FROM tokens WHERE grams @> %s
ORDER BY name_key, id LIMIT %s OFFSET %s
"""
GRAM = 3
_SECRET = os.urandom(32)


@lru_cache(maxsize=1 << 20)
def _token(gram: str) -> int:
    return int.from_bytes(hmac.digest(_SECRET, gram.encode(), sha256)[:4], signed=True)


def _tokens(*texts: str) -> list[int]:
    grams = {text[i : i + GRAM] for text in texts for i in range(len(text) - GRAM + 1)}
    return [_token(gram) for gram in grams]


class Rivals:
    """Both tables, filled with the rows of `truth`. All of them answer folded queries."""

    def __init__(self, url: str, truth: Truth) -> None:
        self._url = url
        self._connection = self._connect()
        self._connection.execute(_TABLES)
        with self._connection.cursor() as cursor:
            columns = "(id, name_key, name, email)"
            with cursor.copy(f"COPY plain {columns} FROM STDIN") as copy:
                for row, (name, email) in zip(truth.rows, truth.folded, strict=True):
                    copy.write_row((row.public_id, row.name_key, name, email))
            with cursor.copy(
                "COPY tokens (id, name_key, name, email, grams) FROM STDIN (FORMAT binary)"
            ) as copy:
                copy.set_types(["text", "bytea", "text", "bytea", "int4[]"])
                for row, (name, email) in zip(truth.rows, truth.folded, strict=True):
                    sealed = self._seal(row.email, row.public_id)
                    grams = _tokens(name, email)
                    copy.write_row((row.public_id, row.name_key, name, sealed, grams))
        for statement in filter(str.strip, _INDEXES.split(";")):
            self._connection.execute(statement)

    @staticmethod
    def _seal(email: str, public_id: str) -> bytes:
        return keyring.seal(
            email.encode(), purpose="rival", business_id=0, context=public_id.encode()
        )

    @staticmethod
    def _open(sealed: bytes, public_id: str) -> str:
        return keyring.unseal(
            sealed, purpose="rival", business_id=0, context=public_id.encode()
        ).decode()

    def _connect(self) -> psycopg.Connection:
        # Each query is planned for its own values.
        return psycopg.connect(self._url, autocommit=True, prepare_threshold=None)

    def reconnect(self) -> None:
        """What is asked next is the first of its connection."""
        self._connection.close()
        self._connection = self._connect()

    def plain_text(self, query: str) -> list[str]:
        """Nothing encrypted: LIKE, with pg_trgm's index to help."""
        escaped = "".join(f"\\{c}" if c in "\\%_" else c for c in query)
        return [id for (id,) in self._connection.execute(_PLAIN, {"like": f"%{escaped}%"})]

    def tokens(self, query: str) -> list[str]:
        """HMACs of trigrams under GIN, the hits opened and checked. For three letters or more."""
        found: list[str] = []
        limit, offset = LIMIT, 0
        wanted = _tokens(query)
        while True:
            rows = self._connection.execute(_TOKENS, (wanted, limit, offset)).fetchall()
            for id, name, email in rows:
                if query in name or query in text.fold(self._open(email, id)):
                    found.append(id)
            if len(found) >= LIMIT or len(rows) < limit:
                return found[:LIMIT]
            limit, offset = 4 * limit, offset + limit


def decrypt_and_scan(business: Business, query: str) -> list[str]:
    """Reads the customers in list order and opens one email after another."""
    return list(_scan(business, query))[:LIMIT]


def _scan(business: Business, query: str) -> Iterator[str]:
    open_email = Customer._meta.get_field("email").open_for
    rows: Iterable[tuple[str, str, Any]] = (
        Customer.objects.in_business(business.pk)
        .active()
        .in_list_order()
        .values_list("public_id", "name", "email")
        .iterator(chunk_size=2000)
    )
    left = LIMIT
    for public_id, name, token in rows:
        if query in text.fold(name) or query in text.fold(
            open_email(token, business.pk, public_id)
        ):
            yield public_id
            left -= 1
            if not left:
                return
