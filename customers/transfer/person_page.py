"""What is held about a customer, as a page to print: one file, that needs no other."""

from __future__ import annotations

import re
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
    """`companyName` as `Company name`, `vatRate` as `VAT rate`."""
    first, *rest = re.sub("([A-Z])", r" \1", name).lower().split()
    first = first.upper() if first in ("tin", "vat") else first.capitalize()
    return " ".join([first, *rest])


def _cell(value: Any) -> str:
    """As somebody reads it: several things as a line each."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return "\n".join(map(_cell, value)) or "-"
        case dict():
            return ", ".join(f"{key}: {_cell(each)}" for key, each in value.items())
    return str(value)
