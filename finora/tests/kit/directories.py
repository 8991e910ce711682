"""What search is held to: brute force over the decrypted rows, and small numbers in its upkeep."""

from customers.managers import SEARCH_LIMIT
from customers.models import Customer
from customers.search import index, reading, stand_in, store
from customers.search.models import SearchSegment
from finora.sealing import SealError
from finora.sealing.fields import SealedToken
from finora.text import fold, has_unprintable, holds, name_key

# Few rows then do what thousands do: fill segments, merge and sweep them, page, screen.
SMALL = {
    "PACK_ROWS": 4,
    "MERGE_FAN": 3,
    "LEVEL_BYTES": (600, 2_400),
    "MERGE_BYTES": 4_000,
    "SWEEP_LINES": 8,
    "SAMPLE_LINES": 3,
    "BULK_LINES": 7,
    "PAGE_ROWS": 5,
    "SCREEN_ROWS": 6,
    "LOOK_EVERY": 2,
    "ROWS": 6,
    "ASKED_AT_ONCE": 3,
}


def small_steps(monkeypatch, steps=SMALL):
    for name, value in steps.items():
        [module] = [m for m in (index, reading, stand_in) if hasattr(m, name)]
        monkeypatch.setattr(module, name, value)


def text_of(customer):
    """The name and email in the clear; an email that cannot be read is none."""
    try:
        return customer.name, customer.email
    except SealError:
        return customer.name, ""


def directory(business):
    """The active rows as (name_key, public_id, name, email), in list order."""
    rows = Customer.objects.filter(business=business, is_active=True)
    texts = [(c.public_id, *text_of(c)) for c in rows]
    return sorted((name_key(name), public_id, name, email) for public_id, name, email in texts)


def matches(rows, query, limit=SEARCH_LIMIT):
    """The public ids that a search must find among the rows of a directory()."""
    if not fold(query) or has_unprintable(query):
        return []
    found = [p for _, p, name, email in rows if holds(name, query) or holds(email, query)]
    return found[:limit]


def found(business, query, limit=SEARCH_LIMIT):
    """The public ids that a search finds."""
    return [c.public_id for c in business.customers.search(query, limit)]


def pack_all(business):
    """Everything in segments, in packs of the usual size."""
    while index.pack(business):
        pass


def segment_lines(business):
    """How many lines the business's segments hold, stale ones among them."""
    return sum(s.lines for s in segments(business))


def segments(business):
    """The business's segments, opened."""
    pks = store.rows(business.pk).values_list("id", flat=True)
    return [store.open_one(business.pk, pk) for pk in pks]


def flip(pk, byte):
    """Flips a bit of a sealed segment."""
    row = SearchSegment.objects.filter(pk=pk)
    sealed = bytearray(row.values_list("sealed", flat=True).get().stored)
    sealed[byte % len(sealed)] ^= 4
    row.update(sealed=SealedToken(bytes(sealed)))
