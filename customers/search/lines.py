"""What of a customer's row goes into a line, and whether a line is still its row's present one."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef

from customers.search.segment import Entry
from finora.orm.related import owner_of
from finora.sealing import SealError, keyring, normal_forms
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from finora.sealing.tokens import SealedToken

log = logging.getLogger("finora.search")

COLUMNS = ("business_id", "public_id", "name", "email", "search_mark")
# With what staff alone look for: of these segments are made.
ALL_COLUMNS = (*COLUMNS, "phone", "company_name", "is_active")


def new_mark() -> int:
    """What tells a row's lines from those of before its last change: never 0."""
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


def of_other_keys(rows: Iterable[tuple[Any, ...]]) -> set[str]:
    """Of whom of these rows of ALL_COLUMNS that is so, by public id."""
    return {row[1] for row in rows if needs_other_key(row[3], row[5])}


def entries(rows: Iterable[tuple[Any, ...]], *, noting: bool = False) -> Iterator[Entry]:
    """What a segment is told about rows of COLUMNS or ALL_COLUMNS.

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

    for business_id, public_id, name, token, mark, *more in rows:
        email = opened("email", token, business_id, public_id)
        line = Entry(public_id, name, email, mark)
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


def not_in_tail(business: Business, public_ids: Collection[str]) -> set[str]:
    """Those of these customers who have no change there."""
    if not public_ids:
        return set()
    there = business.search_tail.filter(public_id__in=public_ids)
    return set(public_ids) - set(there.values_list("public_id", flat=True))


def current(live: QuerySet[Any], lines: Sequence[tuple[str, int]]) -> list[bool]:
    """Which of these lines, given by id and mark, a search may still need; `live` are those rows of
    `business.customers` that it may show.

    While a row is in the tail, its older lines lead to it whoever read the tail just before.
    """
    rows = live.filter(public_id__in={public_id for public_id, _ in lines})
    tail = owner_of(live, Business).search_tail.filter(public_id=OuterRef("public_id"))
    told = rows.annotate(changed=Exists(tail))
    marks = {
        public_id: None if changed else mark
        for public_id, mark, changed in told.values_list("public_id", "search_mark", "changed")
    }
    return [marks.get(public_id, 0) in (mark, None) for public_id, mark in lines]
