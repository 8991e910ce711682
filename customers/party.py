"""The buyer's party of an e-invoice (NRS), made of a customer.

A pure reading: an address stays one text, and its parts are read from it where they can be.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from finora.text import fold, trim

HOME = "NG"
# Last words of addresses that are not in Nigeria, folded.
COUNTRIES = {
    "nigeria": HOME,
    "federal republic of nigeria": HOME,
    "ng": HOME,
    "ghana": "GH",
    "benin republic": "BJ",
    "republic of benin": "BJ",
    "togo": "TG",
    "cameroon": "CM",
    "niger republic": "NE",
    "chad": "TD",
    "cote d'ivoire": "CI",
    "kenya": "KE",
    "south africa": "ZA",
    "united kingdom": "GB",
    "uk": "GB",
    "united states": "US",
    "usa": "US",
    "united arab emirates": "AE",
    "uae": "AE",
    "china": "CN",
    "india": "IN",
}
_SEPARATOR = re.compile(r"[,;\r\n]+")
# Nigeria's postal codes are six digits, before the city's name or behind it.
_ZONE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_STATE = re.compile(r"(?:.*\bstate|f\.?c\.?t\.?)\Z")


class Address(NamedTuple):
    """What an address says of each part, and None of what it does not."""

    street_name: str | None = None
    city_name: str | None = None
    postal_zone: str | None = None
    country: str | None = None


def read(address: str) -> Address:
    """Reads an address as it is written here: street, district, city, state, country, from left to
    right. The last part that is neither a state nor a country is the city, if a street stands
    before it; all that stands before the city is the street.
    """
    parts = [part for each in _SEPARATOR.split(address) if (part := _trimmed(each))]
    country = COUNTRIES.get(fold(parts[-1])) if parts else None
    if country is not None:
        parts.pop()
    zone = None
    for place in reversed(range(len(parts))):
        if (found := _ZONE.search(parts[place])) and "box" not in fold(parts[place]):
            zone = found[0]
            parts[place] = _trimmed(parts[place].replace(zone, "").strip(" -"))
            break
    parts = [part for part in parts if part]
    if len(parts) > 1 and _STATE.match(fold(parts[-1])):
        parts.pop()
    city = parts.pop() if len(parts) > 1 and not parts[-1][0].isdigit() else None
    return Address(", ".join(parts) or None, city, zone, country)


def _trimmed(part: str) -> str:
    """Without white space and the last full stop; empty where no letter and no digit is left."""
    part = trim(part).rstrip(".")
    return part if any(map(str.isalnum, part)) else ""
