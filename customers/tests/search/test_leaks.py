"""Someone who reads the whole database learns counts and sizes, not what is sealed."""

import base64
import itertools
import random
import re
import zlib

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from customers.models import Customer
from customers.search import index, store
from customers.search.models import SearchSegment
from finora.staff.models import StaffSession
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted
from finora.tests.kit.directories import found, pack_all, small_steps

pytestmark = pytest.mark.django_db

# Columns that may hold the sealed values, sealed or as keyed hashes, and nothing else.
SEALED = {"email", "phone", "address", "tin", "sealed"}
HASHES = {"email_hash", "phone_hash", "tin_hash", "key_hash", "body_hash", "digest"}
# Signed or hashed by Django: random to the eye. Sessions are looked into.
RANDOM = {"password", "session_key", "session_data", "session_hash"}
# Four random hex digits each of an API key, which may be the four digits of a phone or a TIN.
RANDOM |= {"prefix", "last_four"}
# The name and what is folded from it are plain; so is the company's.
PLAIN = {"name", "name_key", "company_name"}

# No four letters in a row of these are found in hex, in an id (which has no i, l, o, u) or by
# chance in a time; and no part of one is a word that stands elsewhere, such as in a name.
LOCAL_PARTS = ["quillomio", "ollulunip", "zuuloivox", "upilliowo", "oixullimu"]
STREETS = ["Ouluvillio", "Iolumbuxi", "Uvoliopillu", "Lixxouliu", "Ojuilloqu"]


def person(n):
    digits = f"{7111 + n * 37}"
    return {
        "name": f"Ada {n}",
        "companyName": f"Shop {n}",
        "email": f"{LOCAL_PARTS[n % 5]}.{n}@{LOCAL_PARTS[(n + 1) % 5]}.com",
        "phone": f"+23480{digits}{digits}"[:14],
        "address": f"{n} {STREETS[n % 5]} Close\n{STREETS[(n + 2) % 5]}",
        "tin": f"{digits}{digits}-0001",
    }


def pieces(values, of=r"[a-z]+|\d+", length=4):
    """Each run of so many letters or digits of what is personal in these values, folded."""
    found = set()
    for value in values:
        for word in re.findall(of, value.lower()):
            found |= {word[i : i + length] for i in range(len(word) - length + 1)}
    return found - {"0001", "clos", "lose"}


def tables():
    """Every table of the database with its columns and rows, as they are stored."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table == "django_migrations":  # written before any customer, with numbers in names
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            yield table, columns, cursor.fetchall()


def spellings(value):
    """The texts that a stored value is, or hides without a key."""
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        yield raw.decode("latin-1").lower()
        yield raw.decode("utf-16-le", "ignore").lower()
        try:
            yield zlib.decompress(raw).decode("latin-1").lower()
        except zlib.error:
            pass
    else:
        yield str(value).lower()


def without_chance(text):
    """Without what is random, such as ids, and times of day: four digits come up there too."""
    text = re.sub(r"(cust|biz|key|req)_[0-9a-z]+|[0-9a-f]{32,}", "", text)
    text = re.sub(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", "", text)
    text = re.sub(r"\b\d{10}\.\d+", "", text)  # seconds since 1970, in a session
    return re.sub(r"\d{4}-\d\d-\d\d[ t][\d:.+]+", "", text)


@pytest.fixture
def busy(api, business, staff, monkeypatch, django_capture_on_commit_callbacks):
    """A day in the life of a business, by its API, its staff and the operator."""
    small_steps(monkeypatch)
    values = []
    with django_capture_on_commit_callbacks(execute=True):
        ids = []
        for n in range(30):
            values.append(person(n))
            header = {"Idempotency-Key": f"key-{n}"}
            made = api.post("/v1/customers", values[-1], headers=header)
            ids.append(accepted(made, 201)["id"])
            api.post("/v1/customers", values[-1], headers=header)
            index.step(business)
        for n in range(30, 40):
            values.append(person(n))
            changed = {field: values[-1][field] for field in ("email", "phone", "address", "tin")}
            accepted(api.put(f"/v1/customers/{ids[n - 30]}", changed))
            accepted(api.post("/v1/customers/find-or-create", {"email": values[-1]["email"]}))
        for n in range(3):
            api.post("/v1/customers", values[30 + n])  # in use
            api.post("/v1/customers", {**values[n], "email": "ollulunip"})  # no email
            api.delete(f"/v1/customers/{ids[-n - 1]}")
        for value in values[::7]:
            for field in "email", "phone", "tin":
                api.get("/v1/customers", {field: value[field]})
                api.get("/v1/customers/search", {"q": value[field][:7]})
        changelist = reverse("admin:customers_customer_changelist")
        for value in values[::13]:
            for field in "email", "phone", "tin":
                staff.get(changelist, {"q": value[field]})
                staff.post(changelist, {"q": value[field]}, follow=True)
        customer = Customer.objects.get(public_id=ids[4])
        page = reverse("admin:customers_customer_change", args=[customer.pk])
        staff.get(page)
        staff.post(page, {"name": "Ada x", "email": "ollulunip", "phone": values[4]["phone"]})
        staff.post(f"{page}../reveal/", {"field": "email"})
        Customer.objects.get(public_id=ids[-1]).restore()
    while index.step(business):
        pass
    call_command("repack_search")
    Customer.objects.filter(public_id__in=ids[:5]).delete()
    pack_all(business)
    assert SearchSegment.objects.count() > 3
    assert found(business, "ollulunip")
    return values


def test_no_table_holds_a_piece_of_what_is_sealed(busy):
    values = [v[f] for v in busy for f in ("email", "phone", "address", "tin")]
    secret, numbers = pieces(values), pieces(values, r"\d+", 8)
    assert len(secret) > 150
    assert len(numbers) > 80
    seen = set()
    for table, columns, rows in tables():
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if value is None or column in SEALED | HASHES | RANDOM:
                    continue
                seen.add((table, column))
                for text in spellings(value):
                    text = without_chance(text)
                    # Four digits come up by chance in a count or a random number.
                    these = numbers if isinstance(value, int) else secret
                    leaked = [piece for piece in these if piece in text]
                    assert not leaked, f"{table}.{column} holds {leaked} in {text[:200]}"
    assert {("audit_auditevent", "fields"), ("customers_searchsegment", "size")} <= seen
    assert StaffSession.objects.exists()
    for session in StaffSession.objects.all():
        text = without_chance(str(session.get_decoded()).lower())
        assert not [piece for piece in secret if piece in text], text


def test_what_is_sealed_is_neither_plain_nor_merely_written_otherwise(busy):
    """Whole words, as four letters do come up by chance in so much that is random."""
    words = {
        w for v in busy for f in ("email", "address") for w in re.findall("[a-z]{8,}", v[f].lower())
    }
    words |= {re.sub(r"\D", "", v[f])[-8:] for v in busy for f in ("phone", "tin")}
    raw = {word.encode() for word in words}
    otherwise = {w.hex().encode() for w in raw}
    for word in raw:  # in base64 at each of the three places it can start
        spelled = {base64.b64encode(b"x" * n + word)[4:-4].lower() for n in range(3)}
        otherwise |= {text for text in spelled if len(text) >= 8}  # shorter ones come by chance
    checked = 0
    for table, columns, rows in tables():
        for column, value in ((c, v) for row in rows for c, v in zip(columns, row, strict=True)):
            if (
                column not in SEALED | HASHES
                or not value
                or not table.startswith(("customers_", "api_"))
            ):
                continue
            stored = value.encode() if isinstance(value, str) else bytes(value)
            checked += 1
            assert not any(word in stored.lower() for word in raw | otherwise), (table, column)
            if column in SEALED:
                # Random bytes do not compress.
                text = base64.b64decode(stored[3:]) if isinstance(value, str) else stored
                assert len(zlib.compress(text, 9)) >= len(text), (table, column)
            else:
                assert len(stored) == 32
    assert checked > 300


def test_a_segment_shows_its_size_and_its_age_alone(busy):
    columns = {field.column for field in SearchSegment._meta.concrete_fields}
    assert columns == {"id", "business_id", "size", "looked_at", "swept", "sealed"}
    for segment in SearchSegment.objects.all():
        sealed = segment.__dict__["sealed"].stored
        assert len(sealed) == segment.size + 1 + 4 + 12 + 16  # version, key, nonce, tag
        assert segment.id.version == 4  # random: no time, no content


def test_equal_segments_are_sealed_unequally(business):
    factories.customer(business, name="Ada", email="ada@b.co")
    sealed = set()
    for _ in range(3):
        index.repack(business)
        tokens = store.rows(business.pk).values_list("sealed", flat=True)
        sealed |= {token.stored for token in tokens}
    assert len(sealed) == 3


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    places = [0] * len(values)
    for place, n in enumerate(order):
        places[n] = place
    return places


def alike(a, b):
    """The correlation of two orders: 1 the same, -1 the opposite, near 0 none of another."""
    n = len(a)
    return 1 - 6 * sum((x - y) ** 2 for x, y in zip(ranks(a), ranks(b), strict=True)) / (n**3 - n)


def test_no_column_tells_the_order_of_what_is_sealed(business):
    rng = random.Random(5)
    count = 120
    texts = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=10)) for _ in range(count * 2)]
    rows = [
        Customer(
            business=business,
            name=f"Customer {rng.random()}",
            email=f"{texts[n]}@b.co",
            phone=f"+23480{rng.randrange(10**8):08}",
            address=texts[count + n] + "x" * 10,
            tin=f"{rng.randrange(10**8):08}",
        )
        for n in range(count)
    ]
    for customer in rows[: count // 2]:
        customer.save()
    pack_all(business)
    business.customers.import_packed(rows[count // 2 :])
    index.repack(business)
    truth = {c.public_id: c for c in rows}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM customers_customer ORDER BY id")
        columns = [column[0] for column in cursor.description]
        stored = cursor.fetchall()
    at = columns.index("public_id")
    people = [truth[row[at]] for row in stored]
    for (n, column), field in itertools.product(
        enumerate(columns), ("email", "phone", "address", "tin")
    ):
        values = [row[n] for row in stored]
        if len(set(values)) < count // 2 or column in PLAIN:
            continue
        values = [bytes(v) if isinstance(v, memoryview) else v for v in values]
        correlation = alike(values, [getattr(person, field) for person in people])
        assert abs(correlation) < 0.5, f"{column} tells the order of {field}"
