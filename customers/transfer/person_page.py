"""What is held about a customer, as a page to print: one file, that needs no other."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.template.loader import render_to_string

from customers.transfer.person import Held
from finora import clock


class Section(NamedTuple):
    """A table; one without columns has a value's name ahead of it in each row."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def page(held: Held) -> str:
    context = {
        "public_id": held["profile"]["id"],
        "at": clock.iso(clock.now()),
        "sections": [_section(name, value) for name, value in held.items()],
    }
    return render_to_string("admin/customers/customer/person.html", context)


def _section(name: str, held: Any) -> Section:
    if isinstance(held, dict):
        return Section(_words(name), [], [[_words(key), _cell(held[key])] for key in held])
    names = list(dict.fromkeys(key for row in held for key in row))
    rows = [[_cell(row.get(key)) for key in names] for row in held]
    return Section(_words(name), [_words(key) for key in names], rows)


def _words(name: str) -> str:
    """`companyName` as `Company name`."""
    spaced = "".join(f" {char.lower()}" if char.isupper() else char for char in name)
    return spaced[:1].upper() + spaced[1:]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
