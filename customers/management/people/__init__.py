"""Believable customers of a Nigerian business, for seeding and for benchmarks.

Nobody here is real, but an address or a number may well belong to somebody: never write to one.

Every choice is a look-up in a ready table with twelve random bits. That is fast, and it is
stable: tables are made with integers alone, and `getrandbits` gives the same bits for the same
seed on every Python, which `choice` and `shuffle` do not promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from customers.management.people.companies import (
    COMPANY_EMAILS,
    COMPANY_FORMS,
    LEGAL_FORMS,
    MAILBOXES,
    TRADES,
    WORDS,
)
from customers.management.people.contacts import (
    ADDRESS_FORMS,
    DOMAINS,
    LOCAL_PARTS,
    NUMBERS,
    PEOPLE_WITH_TIN,
    PHONE_FORMS,
    PLACES,
    PREFIXES,
    TIN_FORMS,
    TIN_STEP,
    TINS,
)
from customers.management.people.names import CASES, ORIGINS
from customers.management.people.tables import BITS, COMPANIES, CONTACTS, slug_of


@dataclass(frozen=True, slots=True)
class Person:
    """One customer, who may be a company: then `company_name` is set."""

    name: str
    email: str
    phone: str | None
    address: str | None
    tin: str | None
    company_name: str | None


def people(count: int, seed: int = 0) -> Iterator[Person]:
    """The first `count` customers of the endless row that belongs to `seed`.

    The same on every Python, and no two share an email or (up to 10⁸ customers) a TIN. The
    emails given out are held in memory, about 150 bytes a customer.
    """
    bits = Random(seed).getrandbits  # noqa: S311 – made-up people, not secrets
    roll = partial(bits, BITS)
    taken: set[str] = set()
    tax_number = bits(32)
    for _ in range(count):
        given, surnames, titles, spellings, forms = ORIGINS[roll()]
        first, last = given[roll()], surnames[roll()]
        middle = given[roll()]
        while middle is first:
            middle = given[roll()]
        spelling = spellings[roll()]
        case = CASES[roll()]
        form = forms[roll()]
        name = titles[roll()] + form(first[spelling], middle[spelling], last[spelling])
        company = None

        if roll() < COMPANIES:
            word, trade = WORDS[roll()], TRADES[roll()]
            called = COMPANY_FORMS[roll()]
            brand = called(first[spelling], last[spelling], word, trade)
            company = case(f"{brand} {LEGAL_FORMS[roll()]}")
            if roll() >= CONTACTS:
                name = brand if bits(1) else company
            # A label of a domain holds 63 characters at most.
            slug = slug_of(called(first.slug, last.slug, word, trade))[:40]
            local, domain = COMPANY_EMAILS[roll()](slug, MAILBOXES[roll()])
        else:
            number = NUMBERS[roll()]
            local = LOCAL_PARTS[roll()](first.slug, last.slug, number)
            domain = DOMAINS[roll()]

        email = f"{local}@{domain}"
        while email in taken:  # as people do: a number behind it, until it is free
            local += NUMBERS[roll()]
            email = f"{local}@{domain}"
        taken.add(email)

        tax_number = (tax_number + TIN_STEP) % TINS
        taxed = company is not None or roll() < PEOPLE_WITH_TIN
        place, streets = PLACES[roll()]
        yield Person(
            case(name),
            email,
            PHONE_FORMS[roll()](PREFIXES[roll()], f"{bits(23):07d}"),
            ADDRESS_FORMS[roll()](1 + bits(7), streets[roll()], place),
            TIN_FORMS[roll()](tax_number) if taxed else None,
            company,
        )
