"""What an invoice comes to: whole kobo, exact. Pure functions.

A quantity is counted in thousandths and a VAT rate in hundredths of a percent, so that all is
integers. Only VAT is ever rounded: half up, once for each invoice.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from sales.errors import NotValid

QUANTITY_PLACES = 3
THOUSAND = 1_000
RATE_PLACES = 2
DEFAULT_VAT_RATE = 750
HUNDRED_PERCENT = 10_000
# ₦100,000,000: of an amount in a body, and so of what an invoice adds up to before VAT.
MOST_KOBO = 10_000_000_000
MOST_LINES = 100
DESCRIPTION_LENGTH = 200


def written(number: int, places: int) -> str:
    """The number with its point moved, without zeros at its end: 1500 and 3 are `1.5`."""
    return f"{Decimal(number).scaleb(-places):f}".rstrip("0").rstrip(".")


class Line(NamedTuple):
    """`quantity` in thousandths; no description once the customer was erased."""

    description: str | None
    quantity: int
    unit_price_kobo: int

    @property
    def amount_kobo(self) -> int:
        """Raises NotValid where it is no whole number of kobo: nothing is rounded."""
        thousandths = self.quantity * self.unit_price_kobo
        if thousandths % THOUSAND:
            raise NotValid("quantity", "Quantity times unit price is no whole number of kobo.")
        return thousandths // THOUSAND


class Sums(NamedTuple):
    subtotal_kobo: int
    vat_kobo: int

    @property
    def total_kobo(self) -> int:
        return self.subtotal_kobo + self.vat_kobo


def sums(lines: Iterable[Line], vat_rate: int) -> Sums:
    """Raises NotValid as Line.amount_kobo, and where they come to more than MOST_KOBO."""
    subtotal = sum(line.amount_kobo for line in lines)
    if subtotal > MOST_KOBO:
        raise NotValid("lines", "The lines come to more than 100,000,000 naira.")
    return Sums(subtotal, (subtotal * vat_rate + HUNDRED_PERCENT // 2) // HUNDRED_PERCENT)
