"""A letter of a query finds those with at least its marks, in time that a text's length bounds."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customers.search.segment import Entry, build, first_matches
from finora import accents, text
from finora.text import MARK, holds, marked

pytestmark = pytest.mark.once

# Few letters and marks, so that texts repeat themselves and queries nearly match.
ACUTE, DOT, GRAVE = "\u0301", "\u0323", "\u0300"
marks = st.text(st.sampled_from([ACUTE, DOT, GRAVE]), max_size=4)
letters = st.builds(str.__add__, st.sampled_from(["a", "b", "ß", "ọ́", "′", " "]), marks)
texts = st.builds(str.__add__, marks, st.lists(letters, max_size=12).map("".join))


def by_the_rule(text, query):
    """The contract's sentence, letter by letter."""

    def letters_of(string):
        found = []
        for char in marked(string):
            if not MARK.match(char):
                found.append((char, set()))
            elif found:
                found[-1][1].add(char)
        return found

    have, want = letters_of(text), letters_of(query)
    return any(
        all(a == b and s <= t for (a, s), (b, t) in zip(want, have[start:], strict=False))
        for start in range(len(have) - len(want) + 1)
    )


@pytest.fixture(params=[0, 10**9], ids=["all at once", "by regular expression"], scope="module")
def way(request):
    """Each of the two ways of looking, for all texts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accents, "_FAR", request.param)
        text.accents.cache_clear()
        yield
    text.accents.cache_clear()


@given(texts, texts)
@example("Ọlá", "ọla")
@example("Ọ̀la", "ọla")
@example("Ola", "ọla")
@example("Adébáyọ̀", "adebayo")
@example("a" + ACUTE * 9, "a" + ACUTE)
@example("a" + ACUTE + "a" + DOT, "a" + ACUTE + DOT)
@example("áạ́", "ạ́")
@example(ACUTE + "ọ", "ọ")
@example("ọ", ACUTE + "ọ")
def test_both_ways_find_what_the_rule_says(way, text, query):
    assert holds(text, query) is by_the_rule(text, query)
    assert holds(text + query + text, query)


@given(st.lists(texts, min_size=1, max_size=6), texts.filter(text.fold))
@example(["ọla"], ACUTE + "ọla")
def test_a_segment_finds_what_the_rule_says(way, names, query):
    ids = [f"cust_{n:026}" for n in range(len(names))]
    segment = build(Entry(id_, name, "") for id_, name in zip(ids, names, strict=True))
    found = {candidate.public_id for candidate in first_matches([segment], query)}
    assert found == {id_ for id_, n in zip(ids, names, strict=True) if by_the_rule(n, query)}


def test_masks_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr(accents, "_KEPT", 8)
    wanted = text.accents("ọ" * 99)
    for n in range(0x3B1, 0x3C9):
        assert not wanted.found_in(marked(f"{chr(n)}ọ" * 99))
    assert len(wanted._masks) <= 8


MARKS = "".join(map(chr, range(0x300, 0x34F)))
ATTACKS = {
    "one letter, all marks but one": ("a" + MARKS[:-1] * 2 + "b" + MARKS[-1], "a" + MARKS),
    "each letter but the last": ("ấ" * 197 + "ọ", "ấ" * 99 + "ọ" + ACUTE),
    "each letter but the last, briefly": ("ấ" * 197 + "ọ", "ấ" * 20 + "ọ" + ACUTE),
    "letters that are four": ("⁗" * 197 + "ọ", "⁗" * 100 + "′" + DOT),
    "letters that are eighteen": ("ﷺ" * 197 + "صọ", "ﷺ" * 90 + "ص" + DOT),
    "all marks on each": (("a" + MARKS[:3]) * 49 + "ọ", ("a" + MARKS[:3]) * 20 + "ọ" + GRAVE),
}


def times_of(names: list[Entry], name: str, query: str) -> tuple[float, float, float]:
    """CPU seconds to fold the names, to search them, and to compare the one as often."""
    started = time.process_time()
    segment = build(names)
    built = time.process_time()
    assert list(first_matches([segment], query)) == []
    searched = time.process_time()
    for _ in names:
        assert not holds(name, query)
    return built - started, searched - built, time.process_time() - searched


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_takes_longer_to_search_than_its_length_says(attack):
    """A search of names made for it takes about what it took to fold them, not many times that."""
    name, query = ATTACKS[attack]
    assert len(name) <= 200
    assert len(query) <= 200
    names = [Entry(f"cust_{n:026}", name, f"a{n}@b.co") for n in range(60)]
    first_matches([], query)  # makes ready what is made once
    built, searched, held = (
        min(of_three)
        for of_three in zip(*(times_of(names, name, query) for _ in range(3)), strict=True)
    )
    # What begins anew at every letter took a hundred times as long.
    assert searched < 10 * built
    assert held < 20 * built
