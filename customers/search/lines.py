"""What of a customer's row goes into a line, and whether a line is still its row's present one."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from customers.search.segment import Entry
from finora.sealing import SealError, keyring, normal_forms
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from finora.sealing.tokens import SealedToken

log = logging.getLogger("finora.search")

COLUMNS = ("business_id", "public_id", "name", "email", "packed")
# With what staff alone look for: of these segments are made.
ALL_COLUMNS = (*COLUMNS, "phone", "company_name", "is_active")


def new_mark() -> int:
    """What tells the lines of one packing from those of others: never 0."""
    return 1 + secrets.randbelow(2**31 - 1)


class OtherKeyNeeded(SealError):
    """An email is sealed with a key that this process lacks: another one can pack its row."""

    def __init__(self) -> None:
        super().__init__("an email is sealed with a key that is not configured")


def needs_other_key(*tokens: SealedToken | None) -> bool:
    """Whether one of a row's values is sealed with a key that this process lacks.

    A line without it would hide the customer from those who have the key.
    """
    key_ids = (_field("email").key_id(token) for token in tokens if token is not None)
    # Of a damaged token no whole one is left, if any.
    whole = {key_id for key_id in key_ids if key_id and len(key_id) == keyring.KEY_ID_BYTES}
    return not whole <= set(keyring.keys())


def row_needs_other_key(row: tuple[Any, ...]) -> bool:
    """The same of a row of ALL_COLUMNS."""
    return needs_other_key(row[3], row[5])


def entries(
    rows: Iterable[tuple[Any, ...]], mark: int | None = None, *, noting: bool = False
) -> Iterator[Entry]:
    """What a segment is told about rows of COLUMNS or ALL_COLUMNS: with their own marks, unless
    one is given.

    A value that cannot be opened is none: its customer stays findable by name. `noting` says so
    in the log.
    """

    def opened(name: str, token: SealedToken, business_id: int, public_id: str) -> str:
        try:
            value: str = _field(name).open_for(token, business_id, public_id)
        except SealError as error:
            if noting:
                fields = {"customer": public_id}
                log.error(f"{name} unreadable", exc_info=error, extra={"fields": fields})
            return ""
        return value

    for business_id, public_id, name, token, own_mark, *more in rows:
        email = opened("email", token, business_id, public_id)
        line = Entry(public_id, name, email, own_mark if mark is None else mark)
        if more:
            phone_token, company, is_active = more
            phone = phone_token and opened("phone", phone_token, business_id, public_id)
            end = normal_forms.phone_end(phone) if phone else ""
            line = line._replace(company=company or "", phone_end=end, is_active=is_active)
        yield line


@functools.cache
def _field(name: str) -> Any:
    # Of what a business has: the models import this module.
    customers: Any = Business._meta.get_field("customers").related_model
    return customers._meta.get_field(name)


def current(live: QuerySet[Any], lines: Sequence[tuple[str, int]]) -> list[bool]:
    """Which of these lines, given by id and mark, a search may still need.

    While a row is in the tail, its older lines lead to it whoever read the tail just before. And
    who did read it has lines without a mark, of rows that may be packed by now.
    """
    rows = live.filter(public_id__in={public_id for public_id, _ in lines})
    marks = dict(rows.values_list("public_id", "packed"))
    return [not mark or marks.get(public_id) in (mark, 0) for public_id, mark in lines]
