"""A segment finds what `normalize.holds` says, in the order of (name_key, public_id)."""

import random
import struct
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.search import segment as module
from customers.search.segment import (
    Candidate,
    Entry,
    Segment,
    build,
    build_many,
    decode_id,
    encode_id,
    first_matches,
    merge,
)
from finora.text import MAX_NAME_KEY_BYTES, fold, has_unprintable, holds, name_key

pytestmark = pytest.mark.once

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"

# Few letters, so that names share them; characters that fold to several; accents, before and
# behind letters and two on one; what is special in SQL patterns, regular expressions and ids.
TRICKY = [*"aeoslikfAOS  @.%_\\'\"01c", *"ßẞŉİıﬁﷺǅςΣｅ", *"éẹọ́ṣñ\u0301\u0323\u0327´ґй가"]

letters = st.sampled_from(TRICKY) | st.characters(exclude_categories=("Cc", "Cs"))
texts = st.text(letters, max_size=8) | st.sampled_from(
    ["Ọlá", "Ola", "ola", "Adé Ọlá", "o\u0323\u0301la", "o\u0301\u0323la", "Fuß", "FUSS", "ﷺ" * 120]
)
queries = st.text(letters, min_size=1, max_size=4)


def public_id(number):
    return "cust_" + "".join(CROCKFORD[number >> 5 * k & 31] for k in range(25, -1, -1))


numbers = st.integers(0, 40) | st.integers(0, 2**128 - 1)
entries = st.builds(
    Entry,
    numbers.map(public_id),
    texts,
    texts,
    st.integers(0, 2**32 - 1),
    texts,
    st.sampled_from(["", "0001", "4567"]),
    st.booleans(),
)
directories = st.lists(entries, max_size=12)


@st.composite
def a_search(draw):
    """Batches of entries, and a query: often a piece of one of them."""
    batches = draw(st.lists(directories, min_size=1, max_size=4))
    query = draw(queries)
    all_texts = [text for batch in batches for e in batch for text in (e.name, e.email) if text]
    if all_texts and draw(st.booleans()):
        text = draw(st.sampled_from(all_texts))
        text = draw(st.sampled_from([text, text.upper(), fold(text)]))
        start = draw(st.integers(0, len(text)))
        query = text[start : start + draw(st.integers(1, 5))]
    return batches, query


def brute_force(found, query):
    if not fold(query) or has_unprintable(query):
        return []
    hits = (e for e in found if e.is_active and (holds(e.name, query) or holds(e.email, query)))
    return in_order(hits)


def in_order(found):
    return sorted({Candidate(name_key(e.name), e.public_id, e.mark) for e in found})


def search(segments, query):
    return list(first_matches(segments, query))


def names_found(query, *people):
    """The names that a search finds among (name, email) pairs, or names without an email."""
    people = [p if isinstance(p, tuple) else (p, "") for p in people]
    listed = [Entry(public_id(n), name, email) for n, (name, email) in enumerate(people)]
    found = {c.public_id for c in first_matches([build(listed)], query)}
    return [e.name for e in listed if e.public_id in found]


# --- Ids ----------------------------------------------------------------------------------------


@given(st.integers(0, 2**128 - 1))
def test_an_id_is_sixteen_bytes_and_comes_back(number):
    assert encode_id(public_id(number)) == number.to_bytes(16)
    assert decode_id(encode_id(public_id(number))) == public_id(number)


@given(st.lists(numbers.map(public_id)))
def test_stored_ids_order_as_public_ids(ids):
    assert sorted(ids, key=encode_id) == sorted(ids)


@pytest.mark.parametrize(
    "text",
    [
        "",
        public_id(7)[5:],
        public_id(7)[:-1],
        public_id(7) + "0",
        public_id(7) + "\n",
        public_id(7).upper(),
        "inv_" + public_id(7)[5:],
        "cust_8" + "0" * 25,  # more than 128 bits
        *("cust_0" + "0" * 24 + c for c in "ilou_-+ ٣"),
    ],
)
def test_what_is_no_public_id_is_refused(text):
    with pytest.raises(ValueError, match="public id"):
        encode_id(text)


# --- Searching ----------------------------------------------------------------------------------


@given(a_search())
def test_one_segment_finds_what_brute_force_finds(case):
    batches, query = case
    batch = [e for batch in batches for e in batch]
    assert search([build(batch)], query) == brute_force(batch, query)


@given(a_search())
def test_several_segments_answer_in_one_order_and_nothing_twice(case):
    batches, query = case
    every_line = [e for batch in batches for e in batch]
    assert search([build(batch) for batch in batches], query) == brute_force(every_line, query)


def test_hits_come_in_the_order_of_name_then_id_also_in_names_that_begin_alike():
    names = ["Ann", "Ann B", "anna", "ann", "ÁNN", "Ann!", "An", "Ann\u00a0B", "Zoé", "Ann" * 200]
    people = [Entry(public_id(n % 7 * 100 + n), names[n % 10], "x@y.z") for n in range(200)]
    random.Random(4).shuffle(people)
    assert search([build(people[:90]), build(people[90:])], "n") == [
        c for c in in_order(people) if b"n" in c.name_key
    ]
    assert search([build(people)], "@") == in_order(people)


def test_a_name_is_found_without_regard_to_case_and_accents():
    assert names_found("ola", "Ọlá", "OLA", "Bola Ade", "Ole") == ["Ọlá", "OLA", "Bola Ade"]
    assert names_found("STRASSE", "Große Straße", "Strase") == ["Große Straße"]
    assert names_found("fi", "Oﬁce", "Office") == ["Oﬁce", "Office"]
    assert names_found("ß", "Ross", "Roß", "Ros") == ["Ross", "Roß"]


def test_an_accent_in_the_query_must_be_in_the_text():
    names = "Ọlá", "Ola", "Ọla", "Ólà", "Ọ́la"
    assert names_found("ọl", *names) == ["Ọlá", "Ọla", "Ọ́la"]
    assert names_found("ól", *names) == ["Ólà", "Ọ́la"]
    assert names_found("ọ́", *names) == ["Ọ́la"]
    assert names_found("ẽ", *names) == []


def test_an_accent_is_looked_for_in_every_accented_line():
    # The needle is chosen by a sample: where "ọ" is rare at the start it is common further on.
    crowd = [f"A{n} Olé" for n in range(300)] + [f"B{n} Ọle" for n in range(300)] + ["Ọlé"]
    assert names_found("ọ", *crowd) == crowd[300:]
    assert names_found("é", *crowd) == [*crowd[:300], "Ọlé"]
    assert names_found("ọlé", *crowd) == ["Ọlé"]


def test_an_accent_is_found_in_the_email_as_in_the_name():
    people = [("Ada", "olé@x.co"), ("Olé", "a@x.co"), ("Adé", "olé@x.co"), ("Adé", "ole@x.co")]
    assert names_found("olé", *people) == ["Ada", "Olé", "Adé"]
    assert names_found("é@x", *people) == ["Ada", "Adé"]


def test_accents_without_a_letter_are_ignored_and_find_nothing_alone():
    assert names_found("\u0301ola", "Ola", "Óla") == ["Ola", "Óla"]
    assert names_found("\u0301", "Ola", "Óla", "´") == []


def test_a_match_lies_in_the_name_or_in_the_email_never_across():
    person = ("Ada Obi", "obi.ada@gmail.com")
    for query in "ada obi", "obi.ada", "a@gma", ".com":
        assert names_found(query, person) == ["Ada Obi"], query
    for query in "obiobi", "obi obi", "comada", "ada obi ada", "com ada":
        assert names_found(query, person, person) == [], query
    accented = ("Adá Obí", "obi@gmail.com")
    for query in "comada", "comadá", "obiobi", "obíobi", "comobi":
        assert names_found(query, accented, accented) == [], query


@pytest.mark.parametrize("query", ["cust_", "cust_01k", "01", "k", "0", "\x80", "\xbf", "ust"])
def test_an_id_is_never_a_match(query):
    ids = [f"cust_01k{'0k1z' * 5}{n:03}" for n in range(500)]
    assert search([build(Entry(id_, "Ada", "a@b.de") for id_ in ids)], query) == []


@given(st.lists(st.integers(0, 2**128 - 1), max_size=20), queries)
def test_no_query_matches_in_whatever_the_ids_are(ids, query):
    lines = [Entry(public_id(n), "", "", mark=n % 2**32) for n in ids]
    assert search([build(lines)], query) == []


@pytest.mark.parametrize("special", ["%", "_", "\\", "'", '"', "*", ".", "[", "(", "+", "$", "--"])
@pytest.mark.parametrize("accent", ["", "é"])
def test_special_characters_stand_for_themselves(special, accent):
    name = f"Abé{accent}{special}x"
    assert names_found(f"{accent}{special}X", name, f"Abé{accent}x", "Abéy") == [name]


@pytest.mark.parametrize(
    "query", ["", "\n", "\x1f", "a\x1f", "a\n", "\x1fa", "\x00", "\ud800", "a\x85"]
)
def test_an_empty_query_and_one_with_control_characters_find_nothing(query):
    assert names_found(query, ("Ada", "a@b.de"), ("", ""), ("Adé", "a@b.de")) == []


@pytest.mark.parametrize("letter", ["ﷺ", "ﷺé"])
def test_a_name_longer_than_its_key_is_searched_to_its_end(letter):
    name = letter * 120 + "zed"
    assert len(fold(name).encode()) > MAX_NAME_KEY_BYTES
    assert names_found("ZED", name, letter) == [name]
    assert names_found("é", name, "e") == ([name] if "é" in letter else [])
    (hit,) = first_matches([build([Entry(public_id(1), name, "")])], "zed")
    assert hit.name_key == name_key(name)
    assert len(hit.name_key) <= MAX_NAME_KEY_BYTES


@pytest.mark.parametrize(("query", "texts"), [("a", 2), ("á", 1)])
def test_a_search_reads_no_further_than_it_is_asked(monkeypatch, query, texts):
    people = [Entry(public_id(n), f"Adá{n}" if n % 2 else f"Ada{n}", "") for n in range(1000)]
    segments = list(build_many(people, 100))
    reads = 0

    class Counting:
        count = staticmethod(module.sz.count)

        @staticmethod
        def find(*args):
            nonlocal reads
            reads += 1
            return find(*args)

    find = module.sz.find
    monkeypatch.setattr(module, "sz", Counting)
    assert len(list(islice(first_matches(segments, query), 50))) == 50
    assert reads <= texts * len(segments) + 50


# --- What a segment takes and keeps -------------------------------------------------------------


@given(directories)
def test_a_segment_comes_back_from_its_bytes(batch):
    segment = build(batch)
    again = Segment.from_bytes(segment.to_bytes())
    assert again.to_bytes() == segment.to_bytes()
    assert again.lines == segment.lines == len(lines_of(batch))
    assert again.nbytes == len(segment.to_bytes())


def test_segments_that_are_stored_stay_readable():
    """The layout byte by byte: what writes and what reads, changed alike, agree still."""
    people = [
        Entry(public_id(31), "Ada Obi", "ada@x.co", 258),
        Entry(public_id(30), "Ọlá", "", 1, "Ácme", "5678"),
        Entry(public_id(29), "Zed", "", 3, "", "0001", is_active=False),
    ]
    plain = b"ada obi\x1fada@x.co\n"
    accented = "ola\x1f\x1fo\U000f0023la\U000f0001\x1f\n".encode()
    inactive = b"zed\x1f\n"
    asides = [b"\n", "acme\x1f5678\x1fa\U000f0001cme\n".encode(), b"\x1f0001\n"]
    texts = [plain, accented, inactive, *asides]
    first = 16 + 3 * 20 + 7 * 4
    blob = b"".join(
        (
            struct.pack("=IIII", 0x5E610002, 3, 1, 2),
            bytes(15) + b"\x1f" + b"\0\0\x01\x02",
            bytes(15) + b"\x1e" + b"\0\0\0\x01",
            bytes(15) + b"\x1d" + b"\0\0\0\x03",
            struct.pack("=7I", *(first + sum(map(len, texts[:n])) for n in range(7))),
            *texts,
        )
    )
    assert build(people).to_bytes() == blob


def test_bytes_that_are_no_segment_are_refused():
    blob = build([Entry(public_id(1), "Ada", "a@b.de"), Entry(public_id(2), "Adé", "")]).to_bytes()
    for end in range(len(blob)):
        with pytest.raises(ValueError, match="not a segment"):
            Segment.from_bytes(blob[:end])
    swapped = b"".join(blob[n : n + 4][::-1] for n in range(0, 16, 4)) + blob[16:]
    another_magic = b"\x01" + blob[1:]
    more_plain = blob[:8] + b"\x03\x00\x00\x00" + blob[12:]
    more_active = blob[:12] + b"\x03\x00\x00\x00" + blob[16:]
    text_elsewhere = blob[:56] + b"\x00" + blob[57:]  # the first of the starts
    for nonsense in (
        *(blob + b"x", b"x" + blob, b"\xff" * 64, bytes(64)),
        *(swapped, another_magic, more_plain, more_active, text_elsewhere),
    ):
        with pytest.raises(ValueError, match="not a segment"):
            Segment.from_bytes(nonsense)


@given(directories, st.randoms())
def test_the_order_of_the_entries_makes_no_difference(batch, rng):
    shuffled = rng.sample(batch, len(batch))
    assert build(shuffled).to_bytes() == build(batch + batch).to_bytes()


@pytest.mark.parametrize("control", ["\n", "\x1f", "\x00", "\x85", "\ud800"])
def test_texts_that_would_break_the_lines_break_nothing(control):
    bad = f"Ada{control}Obi"
    for person in (bad, ""), ("Ada", bad), (bad, bad):
        people = ("Abe", "x"), person, ("Zoe", "x")
        assert names_found("ada", *people) == [person[0]]
        assert names_found("obi", *people) == [person[0]]
        assert names_found("zoe", *people) == ["Zoe"]
        for query in control, f"a{control}o":
            assert names_found(query, *people) == []


@given(directories, st.integers(1, 5))
def test_many_entries_are_cut_into_segments_as_they_come(batch, max_lines):
    pieces = [batch[n : n + max_lines] for n in range(0, len(batch), max_lines)]
    made = build_many(iter(batch), max_lines)
    assert [s.to_bytes() for s in made] == [build(piece).to_bytes() for piece in pieces]


# --- Merging and parting ------------------------------------------------------------------------


def lines_of(batch):
    """What tells lines apart: folded texts that are equal make equal ones."""
    return {build([e]).to_bytes() for e in batch}


@given(st.lists(directories, max_size=4))
def test_a_merge_is_what_all_entries_would_have_built(batches):
    whole = build(e for batch in batches for e in batch).to_bytes()
    segments = [build(batch) for batch in batches]
    assert merge(segments).to_bytes() == merge(segments[::-1] * 2).to_bytes() == whole


def test_a_merge_keeps_every_line_of_a_customer_for_none_is_known_to_be_older():
    lines = [
        Entry(public_id(1), *texts) for texts in [("Ada", "", 1), ("Obi", "", 2), ("Ada", "@", 1)]
    ]
    merged = merge(build([e]) for e in [*lines, *lines])
    assert merged.lines == 3
    assert [c.mark for c in search([merged], "a")] == [1]
    assert [c.mark for c in search([merged], "obi")] == [2]
    assert [c.mark for c in search([merged], "@")] == [1]


@given(directories, st.randoms())
def test_marks_and_parts_are_of_the_lines_asked_for(batch, rng):
    segment = build(batch)
    marks = segment.marks(range(segment.lines))
    assert sorted(set(marks)) == sorted({(e.public_id, e.mark) for e in batch})
    lines = rng.sample(range(segment.lines), rng.randint(0, segment.lines))
    assert segment.marks(lines) == [marks[line] for line in lines]
    part = segment.part(lines)
    assert part.lines == len(lines)
    assert sorted(part.marks(range(part.lines))) == sorted(marks[line] for line in lines)
    rest = segment.part(set(range(segment.lines)) - set(lines))
    assert merge([part, rest]).to_bytes() == segment.to_bytes()
