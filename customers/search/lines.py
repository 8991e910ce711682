"""What of a customer's row goes into a line, and whether a line is still its row's present one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from customers.search.segment import Entry
from finora.sealing import SealError, keyring
from finora.tenants.models import Business

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from finora.sealing.fields import SealedToken

log = logging.getLogger("finora.search")

COLUMNS = ("business_id", "public_id", "name", "email", "packed")


class OtherKeyNeeded(SealError):
    """An email is sealed with a key that this process lacks: another one can pack its row."""

    def __init__(self) -> None:
        super().__init__("an email is sealed with a key that is not configured")


def needs_other_key(email: SealedToken) -> bool:
    """Whether the email is sealed with a key that this process lacks.

    A line without it would hide the customer from those who have the key.
    """
    key_id, held = _email().key_id(email), keyring.keys()
    # Of a damaged token no whole one is left, if any.
    return key_id is not None and len(key_id) == keyring.KEY_ID_BYTES and key_id not in held


def entries(
    rows: Iterable[tuple[Any, ...]], mark: int | None = None, *, noting: bool = False
) -> Iterator[Entry]:
    """What a segment is told about rows of COLUMNS: with their own marks, unless one is given.

    An email that cannot be opened is none: its customer stays findable by name. `noting` says so
    in the log.
    """
    open_email = _email().open_for
    for business_id, public_id, name, token, own_mark in rows:
        try:
            email = open_email(token, business_id, public_id)
        except SealError as error:
            email = ""
            if noting:
                fields = {"customer": public_id}
                log.error("email unreadable", exc_info=error, extra={"fields": fields})
        yield Entry(public_id, name, email, own_mark if mark is None else mark)


def _email() -> Any:
    # Of what a business has: the models import this module.
    customers: Any = Business._meta.get_field("customers").related_model
    return customers._meta.get_field("email")


def current(live: QuerySet[Any], lines: Sequence[tuple[str, int]]) -> list[bool]:
    """Which of these lines, given by id and mark, a search may still need.

    While a row is in the tail, its older lines lead to it whoever read the tail just before. And
    who did read it has lines without a mark, of rows that may be packed by now.
    """
    rows = live.filter(public_id__in={public_id for public_id, _ in lines})
    marks = dict(rows.values_list("public_id", "packed"))
    return [not mark or marks.get(public_id) in (mark, 0) for public_id, mark in lines]
