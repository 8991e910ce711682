"""Normal forms: order, search and exact match rest on them."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finora.sealing import normal_forms
from finora.text import MAX_NAME_KEY_BYTES, fold, has_unprintable, holds, name_key, trim

pytestmark = pytest.mark.once

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
marks = st.text(st.sampled_from("\u0300\u0301\u0323\u0308\u0327\u0345"), max_size=3)
letters = st.text(st.sampled_from("aeoọáÀßﬁİıKſσςΩỌ̀ 你محم١"), max_size=12)


# --- trim ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space", [" ", "\t", "\n", "\r", "\v", "\f", "\u00a0", "\u2003", "\u2028", "\u3000"]
)
def test_white_space_is_trimmed_outside_only(space):
    assert trim(f"{space * 2}a{space}b{space}") == f"a{space}b"


@pytest.mark.parametrize("char", ["\x1c", "\x1d", "\x1e", "\x1f", "\x85"])
def test_control_characters_that_python_strips_stay_to_be_refused(char):
    assert f" {char}a{char} ".strip() == "a"
    assert trim(f" {char}a{char} ") == f"{char}a{char}"
    assert has_unprintable(char)


@given(texts)
def test_trimming_twice_changes_nothing_more(text):
    once = trim(text)
    assert trim(once) == once
    assert once in text


# --- control characters -------------------------------------------------------------------------


@given(st.text(max_size=20))
def test_unprintable_is_what_unicode_calls_control_or_surrogate(text):
    expected = any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    assert has_unprintable(text) is expected
    breaks = any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\r\n" for c in text)
    assert has_unprintable(text, line_breaks=True) is breaks


def test_every_control_character_is_found():
    for point in [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)]:
        assert has_unprintable(f"a{chr(point)}b")
        allowed = chr(point) in "\r\n"
        assert has_unprintable(f"a{chr(point)}b", line_breaks=True) is not allowed


# --- fold ---------------------------------------------------------------------------------------


@given(texts)
def test_folding_twice_changes_nothing_more(text):
    once = fold(text)
    assert fold(once) == once


@given(st.one_of(texts, letters))
def test_case_and_normal_form_fold_alike(text):
    folded = fold(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == folded
    assert fold(text.casefold()) == folded


@given(letters, marks)
def test_marks_fold_to_nothing(text, run):
    # The iota below is a mark that folds to a letter.
    run = run.replace("\u0345", "")
    assert fold(text + run) == fold(text)


@given(texts)
def test_a_folded_text_holds_no_mark(text):
    assert not any(unicodedata.combining(c) for c in fold(text))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Adébáyọ̀", "adebayo"),
        ("ADEBAYO", "adebayo"),
        ("Straße", "strasse"),
        ("ﬁ", "fi"),
        ("Ⅷ", "viii"),
        ("İ", "i"),
        ("Ɗan", "ɗan"),
        ("", ""),
        ("\u0301", ""),
        ("a b", "a b"),
        ("a\u00a0b", "a b"),
    ],
)
def test_folding(text, folded):
    assert fold(text) == folded


# --- name_key -----------------------------------------------------------------------------------


@given(texts, texts)
def test_keys_order_as_folded_names_do(a, b):
    assert (name_key(a) < name_key(b)) is (fold(a) < fold(b))


def test_a_key_is_cut_between_characters_to_what_an_index_holds():
    key = name_key("ﷺ" * 200)
    assert 1990 < len(key) <= MAX_NAME_KEY_BYTES
    assert fold("ﷺ" * 200).startswith(key.decode())
    assert name_key("😀" * 200) == ("😀" * 200).encode()
    assert name_key("a" + "ﷺ" * 200).decode()


# --- holds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Adébáyọ̀", "adebayo", True),
        ("Adébáyọ̀", "ADEBAYO", True),
        ("Adébáyọ̀", "adé", True),
        ("Adébáyọ̀", "adè", False),
        ("Ọlá", "ọla", True),
        ("Ọ̀la", "ọla", True),
        ("O\u0300\u0323la", "ọla", True),
        ("Ola", "ọla", False),
        ("Ola", "ola", True),
        ("Ọlá", "ọlá", True),
        ("Ọla", "ọlá", False),
        ("100%", "%", True),
        ("100", "%", False),
        ("a_b", "_", True),
        ("a\\b", "\\", True),
        ("a.b", "a.b", True),
        ("axb", "a.b", False),
        ("é.*", "é.*", True),
        ("éxx", "é.*", False),
        ("anything", "\u0301", True),
        ("Straße", "SS", True),
        ("", "a", False),
    ],
)
def test_what_a_search_holds(text, query, found):
    assert holds(text, query) is found


@given(letters, letters, letters, marks)
def test_every_part_is_held(before, part, after, run):
    assert holds(before + part + run + after, part)
    assert holds(before + part + after, fold(part))


@given(letters, letters)
def test_what_is_held_is_held_without_marks(text, query):
    """So the folded index finds all that the exact check then accepts."""
    if holds(text, query):
        assert fold(query) in fold(text)


@given(letters, letters)
def test_the_spelling_of_either_makes_no_difference(text, query):
    found = holds(text, query)
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text), unicodedata.normalize(form, query)
        assert holds(*other) is found


@pytest.mark.parametrize(
    "query",
    ["ọ" * 200, "a" + "\u0301\u0323\u0300" * 66, "ﷺ" * 100 + "ọ" * 100, "ọx" * 100],
    ids=["ọ", "marks", "expanding", "ọx"],
)
def test_a_long_query_costs_no_more_than_milliseconds(query):
    """A stranger asks the longest one that search takes; seconds of it would be an attack."""
    started = time.process_time()
    assert holds(f"x{query}y", query)
    assert not holds(fold(query), query)
    assert not holds(query[1:], query)
    assert time.process_time() - started < 1


# --- email --------------------------------------------------------------------------------------


@given(texts)
def test_an_email_normalized_twice_is_the_same(text):
    assert normal_forms.email(normal_forms.email(text)) == normal_forms.email(text)


@pytest.mark.parametrize("text", ["A@B.co", " a@b.CO\n", "\u3000a@b.co\t"])
def test_emails_are_trimmed_and_lower_case(text):
    assert normal_forms.email(text) == "a@b.co"


# --- phone --------------------------------------------------------------------------------------


# How people write 0803 123 4567.
SPELLINGS = [
    "08031234567", "8031234567", "2348031234567", "+2348031234567", "002348031234567",
    "+002348031234567", "23408031234567", "+23408031234567", "0023408031234567", "0803 123 4567",
    "0803 1234567", "0803 1234 567", "08031 234 567", "0803 12 34 567", "080 3123 4567",
    "803 123 4567", "0803-123-4567", "0803-1234567", "803-123-4567", "0803.123.4567",
    "0803_123_4567", "0803_1234567", "0803/123/4567", "0803–123–4567", "0803—123—4567",
    "0803\u2011123\u20114567", "(0803) 123 4567", "(0803)1234567", "(0803)-123-4567",
    "[0803] 123 4567", "+234 803 123 4567", "+234-803-123-4567", "+234.803.123.4567",
    "+234_803_123_4567", "+234803-123-4567", "(+234) 803 123 4567", "(+234)8031234567",
    "+(234) 803 123 4567", "+234 (803) 123-4567", "+234 (0) 803 123 4567", "+234(0)8031234567",
    "+234 0803 123 4567", "+ 234 803 123 4567", "++2348031234567", "234 803 123 4567",
    "234-803-123-4567", "(234) 803 123 4567", "234 (0) 803 123 4567", "00234 803 123 4567",
    "00 234 803 123 4567", "00-234-803-123-4567", "00234 (0)803 123 4567", "(00234) 803 123 4567",
    "tel:+2348031234567", "tel:+234-803-123-4567", "Tel: 0803 123 4567", "Tel. 0803-123-4567",
    "Phone 08031234567", "GSM: 08031234567", "WhatsApp +234 803 123 4567", "08031234567 (mum)",
    "08031234567 mum", "0803 123 4567 - office", "Mum: 08031234567", "(mum) 08031234567",
    "08031234567 WhatsApp only", "08031234567.", "08031234567,", "'08031234567", '"08031234567"',
    "<08031234567>", "08031234567 ", "０８０３１２３４５６７", "＋２３４８０３１２３４５６７",
    "٠٨٠٣١٢٣٤٥٦٧", "٠٠٢٣٤٨٠٣١٢٣٤٥٦٧", " 0803\xa0123\xa04567 ", "\u202a+234 803 123 4567\u202c",
    "0803\u200b1234567", "\ufeff08031234567", "0803\u2009123\u20094567", "\t08031234567\n",
    "\u200e+234\u200e 803 123 4567",
]  # fmt: skip


@pytest.mark.parametrize(
    "spelt",
    [
        *("0{}", "+234{}", "0{}-{}", "+234 {} {} {}", "0 {}", "+234-{}-{}-{}-{}"),
        *("{}", "{} {} {}", "234{}", "234 {} {}", "00234{}", "00234-{}-{}"),
    ],
)
def test_the_short_way_of_a_mobile_number_ends_where_the_library_does(spelt):
    parts = spelt.count("{}")
    for prefix in range(700, 1000):
        for rest in "0000000", "9999999", f"{prefix * 9871 % 10**7:07}":
            number = f"{prefix}{rest}"
            step = len(number) // parts
            cut = [number[n * step : (n + 1) * step] for n in range(parts - 1)]
            text = spelt.format(*cut, number[(parts - 1) * step :])
            assert normal_forms._MOBILE.fullmatch(text)
            assert normal_forms.phone(text) == normal_forms._by_library(text) == f"+234{number}"


@pytest.mark.parametrize("text", SPELLINGS, ids=ascii)
def test_spellings_of_one_number_are_one(text):
    assert normal_forms.phone(text) == "+2348031234567"


@pytest.mark.parametrize("rest", ["0000192", "1002003", "0012345", "1200345", "1230040"])
def test_zeros_inside_a_number_are_no_prefix(rest):
    spelled = ["0803{}", "803{}", "+234803{}", "00234803{}", "+234 (0) 803 {}", "0803-{}"]
    assert {normal_forms.phone(text.format(rest)) for text in spelled} == {f"+234803{rest}"}


@pytest.mark.parametrize("text", ["+442071838750", "+44 20 7183 8750", "0044 20 7183 8750",
    "00442071838750", "+44 (0)20 7183 8750", "(+44) 20_7183_8750 (London)"])  # fmt: skip
def test_so_are_those_of_a_number_abroad(text):
    assert normal_forms.phone(text) == "+442071838750"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("n/a", "na"),
        ("N/A", "na"),
        ("none", "none"),
        ("—", ""),
        ("", ""),
        ("+", ""),
        ("😀", ""),
        ("0803 123 4567 / 0805 765 4321", "0803123456708057654321"),
        ("+44 20 7183 8750", "+442071838750"),
        ("0803 123 4567 ext. 12", "+2348031234567x12"),
        ("+234 803 123 4567 x12", "+2348031234567x12"),
        ("0803 123 4567 (ext 12)", "+2348031234567x12"),
        ("0803 123 4567 x12 (office)", "+2348031234567x12"),
        ("tel:+234-803-123-4567;ext=12", "+2348031234567x12"),
        ("911", "911"),
        ("12", "12"),
        # Words are no digits of a keypad, wherever they stand.
        ("0700 CALL DHL", "0700calldhl"),
        ("1-800-FLOWERS", "1800flowers"),
        ("0803-MUM-4567", "0803mum4567"),
        ("0803 123 mum", "0803123mum"),
        # Two numbers, or a number and another digit, are not one.
        ("08031234567 or 08057654321", "08031234567or08057654321"),
        ("08031234567 (08057654321)", "0803123456708057654321"),
        ("+2348031234567 +2348057654321", "23480312345672348057654321"),
        ("08031234567 mum 2", "08031234567mum2"),
        # What can be dialled from nearby alone has no E.164 form.
        ("234567", "234567"),
        ("00803 123 4567", "008031234567"),
        ("0000", "0000"),
    ],
)
def test_other_texts_match_by_their_letters_and_digits(text, form):
    assert normal_forms.phone(text) == form


def test_an_extension_is_another_number():
    assert normal_forms.phone("0803 123 4567 ext. 1") != normal_forms.phone("0803 123 4567")


@given(st.text(max_size=32))
def test_any_text_has_a_form_and_keeps_it(text):
    form = normal_forms.phone(text)
    assert normal_forms.phone(form) == form or not form.startswith("+")


# --- tin ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["12345678-0001", "1234567890", "1234567890123", "BN 123/45", "a", "1 - 2", "P-000"]
)
def test_shapes_of_a_tin(text):
    assert normal_forms.is_tin(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "/ -", "12.34", "12_34", "12\n34", "1234\n", "é", "１２３", "1\u00a02", "1\0"],
)
def test_shapes_of_no_tin(text):
    assert not normal_forms.is_tin(text)


@pytest.mark.parametrize(
    "text", ["12345678-0001", "123456780001", "1234 5678 0001", "1-2-3-45678 0001"]
)
def test_spellings_of_one_tin_are_one(text):
    assert normal_forms.tin(text) == "123456780001"


def test_a_slash_and_the_letters_of_a_tin_count():
    assert normal_forms.tin("bn/1-2 3") == "BN/123"
    assert normal_forms.tin("BN/123") != normal_forms.tin("BN123")
