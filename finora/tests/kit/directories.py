"""What search is held to: brute force over the decrypted rows, and small numbers in its upkeep."""

from customers.finding import Search
from customers.managers import SEARCH_LIMIT
from customers.models import Customer
from customers.search import by_words, index, reading, stand_in, store, sweeping
from customers.search.models import SearchSegment
from finora.sealing import SealError, normal_forms
from finora.sealing.tokens import SealedToken
from finora.staff import masking
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
    "FEW_ROWS": 0,
    "MOST_AT_ONCE": 5,
}


def small_steps(monkeypatch, steps=SMALL):
    for name, value in steps.items():
        [module] = [m for m in (index, reading, stand_in, sweeping, by_words) if hasattr(m, name)]
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


def opened(customer, field):
    """A sealed value in the clear; one that cannot be read is none."""
    try:
        return getattr(customer, field) or ""
    except SealError:
        return ""


def is_meant(customer, typed):
    """Whether the staff's search for this must find the customer, in so many words."""
    if has_unprintable(typed):
        return False
    texts = [customer.name, opened(customer, "email"), customer.company_name or ""]
    mask = masking.phone(opened(customer, "phone"))
    ends = {mask[-4:]} if mask[-4:].isdigit() else set()
    words = [] if customer.erased_at else [word for word in typed.split() if fold(word)]
    if words and all(any(holds(t, w) for t in texts) or fold(w) in ends for w in words):
        return True
    forms = {
        "email": normal_forms.email_key,
        "phone": normal_forms.phone,
        "tin": normal_forms.tin,
    }
    business_id = customer.business_id
    for field, form in forms.items():
        try:
            value = getattr(customer, field) or ""
        except SealError:  # what it was its blind index still tells
            column = customer._meta.get_field(f"{field}_hash")
            if bytes(column.value_from_object(customer)) in column.digests(business_id, typed):
                return True
            continue
        if value and form(value) and form(value) == form(typed):
            return True
    return customer.public_id == typed.lower()


def meant(businesses, typed, **which):
    """The public ids that the staff's search must find in these businesses, by brute force."""
    rows = Customer.objects.filter(business__in=businesses, **which)
    found = [
        (row.business_id, name_key(row.name), row.public_id) for row in rows if is_meant(row, typed)
    ]
    return [public_id for _, _, public_id in sorted(found)]


def searched(businesses, typed, size=50, **which):
    """The public ids that the staff's search finds, page by page."""
    search = Search(Customer.objects.filter(**which), typed, businesses)
    rows = page = search.page(size)
    while len(page) == size:
        last = page[-1]
        page = search.page(size, (last.business_id, bytes(last.name_key), last.public_id))
        rows = rows + page
    return [row.public_id for row in rows]


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
