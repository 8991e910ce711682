"""The made-up customers are repeatable, distinct, valid and varied."""

import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from itertools import islice

import pytest
from django.core.validators import validate_email

from customers.management.people import people

pytestmark = pytest.mark.once

CROWD = 50_000


@pytest.fixture(scope="module")
def crowd():
    return list(people(CROWD))


@pytest.fixture(scope="module")
def words(crowd):
    return Counter(word for p in crowd for word in re.findall(r"[^\s.,]+", p.name))


def share(crowd, holds):
    return sum(map(bool, map(holds, crowd))) / len(crowd)


def plain(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


# --- Repeatable ---------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_people():
    assert list(people(2_000, seed=7)) == list(people(2_000, seed=7))


def test_another_seed_gives_other_people():
    assert not set(people(500, seed=1)) & set(people(500, seed=2))


def test_another_process_gives_the_same_people():
    program = "from customers.management.people import people; print(ascii(list(people(2_000))))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert outputs == {(ascii(list(people(2_000))) + "\n").encode()}


def test_fewer_people_are_the_first_of_more(crowd):
    assert list(people(3_000)) == crowd[:3_000]


@pytest.mark.parametrize("count", [0, 1, 10])
def test_as_many_people_as_asked_for(count):
    assert len(list(people(count))) == count


def test_people_come_one_by_one():
    assert len(list(islice(people(10**12), 3))) == 3


# --- Distinct and valid -------------------------------------------------------------------------


def test_no_two_share_an_email(crowd):
    assert len({p.email for p in crowd}) == CROWD


def test_no_two_share_a_tax_number(crowd):
    tins = [re.sub("[ -]", "", p.tin) for p in crowd if p.tin]
    assert len(set(tins)) == len(tins)


def test_emails_are_valid(crowd):
    for p in crowd[:5_000]:
        validate_email(p.email)


def test_emails_are_short_ascii_and_lower_case(crowd):
    for p in crowd:
        assert p.email.isascii()
        assert p.email == p.email.lower()
        assert len(p.email) <= 254
        assert len(p.email.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    ("field", "limit"), [("name", 200), ("company_name", 200), ("phone", 32), ("address", 500)]
)
def test_texts_are_trimmed_printable_and_fit(crowd, field, limit):
    for text in (getattr(p, field) for p in crowd if getattr(p, field) is not None):
        assert 1 <= len(text) <= limit
        assert text == text.strip()
        assert "  " not in text
        assert not any(unicodedata.category(c).startswith("C") for c in text)


def test_tax_numbers_hold_only_what_one_may(crowd):
    assert all(re.fullmatch(r"[A-Za-z0-9 /-]+", p.tin) for p in crowd if p.tin)


# --- Varied -------------------------------------------------------------------------------------


def test_one_in_five_is_a_company(crowd):
    assert share(crowd, lambda p: p.company_name) == pytest.approx(0.20, abs=0.01)


def test_most_companies_have_a_tax_number_and_few_people(crowd):
    companies = [p for p in crowd if p.company_name]
    persons = [p for p in crowd if not p.company_name]
    assert share(companies, lambda p: p.tin) > 0.8
    assert 0.02 < share(persons, lambda p: p.tin) < 0.2


def test_names_with_marks_are_some_but_not_most(crowd):
    assert 0.12 < share(crowd, lambda p: not p.name.isascii()) < 0.15


@pytest.mark.parametrize("script", ["LATIN", "ARABIC", "CJK", "DEVANAGARI"])
def test_each_script_is_there(crowd, script):
    letters = {c for p in crowd for c in p.name if c.isalpha()}
    assert any(unicodedata.name(c).startswith(script) for c in letters)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param("Adébáyọ̀ Adebayo Ọláwálé Olawale Ṣadé Sade", id="Yoruba"),
        pytest.param("Chukwuemeka Nnạmdị Ngọzi Ngozi Ọbịnna Obinna Okafọr Okafor", id="Igbo"),
        pytest.param("Abubakar Ɗanladi Danladi Aisha Modibbo", id="Hausa and Fulani"),
        pytest.param("Osaze Igbinedion", id="Edo"),
        pytest.param("Effiong Ekaette", id="Efik"),
        pytest.param("Tonye Dokubo", id="Ijaw"),
        pytest.param("Terver Akume", id="Tiv"),
        pytest.param("Oghenekaro Ibori", id="Urhobo"),
        pytest.param("Smith Johnson", id="English"),
        pytest.param("Hélène François Traoré", id="French"),
        pytest.param("João Conceição", id="Portuguese"),
        pytest.param("Khoury خوري", id="Lebanese"),
        pytest.param("Sharma शर्मा", id="Indian"),
        pytest.param("Wang", id="Chinese"),
    ],
)
def test_each_people_is_there(words, names):
    assert set(unicodedata.normalize("NFC", names).split()) <= words.keys()


def test_chinese_names_have_no_space_within(crowd):
    names = [p.name for p in crowd if re.search("[\u4e00-\u9fff]", p.name) and not p.company_name]
    assert names
    assert not any(" " in name for name in names)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_marks_are_written_in_both_normal_forms(crowd, form):
    other = "NFD" if form == "NFC" else "NFC"
    assert any(
        unicodedata.is_normalized(form, p.name) and not unicodedata.is_normalized(other, p.name)
        for p in crowd
    )


def test_names_are_many(crowd, words):
    assert len({plain(word).lower() for word in words}) > 900
    assert len({p.name for p in crowd}) > 0.8 * CROWD


@pytest.mark.parametrize(
    ("common", "rare"), [("Okafor", "Uwazuruike"), ("Babatunde", "Adeoye"), ("Aisha", "Kande")]
)
def test_some_names_are_far_more_common_than_others(words, common, rare):
    assert words[common] > 4 * words[rare] > 0


def test_the_given_name_stands_first_or_last(crowd):
    first = share(crowd, lambda p: p.name.startswith("Chukwuemeka "))
    last = share(crowd, lambda p: p.name.endswith(" Chukwuemeka"))
    assert 0.2 < last / (first + last) < 0.45


@pytest.mark.parametrize(("test", "least"), [(str.isupper, 0.04), (str.islower, 0.02)])
def test_some_names_are_in_one_case(crowd, test, least):
    assert least < share(crowd, lambda p: test(p.name)) < 0.12


@pytest.mark.parametrize("title", ["Alhaji", "Chief", "Dr.", "Mrs", "Engr.", "Hajiya"])
def test_some_names_bear_a_title(crowd, title):
    assert any(p.name.startswith(f"{title} ") for p in crowd)


@pytest.mark.parametrize(
    "part",
    ["Ltd", "Nigeria Ltd", "& Sons", "Ventures", "Enterprises", "PLC", "Global Resources"],
)
def test_companies_are_called_as_companies_are(crowd, part):
    companies = [p.company_name for p in crowd if p.company_name and not p.company_name.isupper()]
    assert any(part in company for company in companies)


def test_companies_are_known_by_their_name_or_by_a_person(crowd):
    companies = [p for p in crowd if p.company_name]
    own = share(companies, lambda p: p.company_name.startswith(p.name))
    assert own == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize(
    ("domain", "expected"), [("gmail.com", 0.60), ("yahoo.com", 0.15), ("hotmail.com", 0.04)]
)
def test_emails_are_where_people_have_them(crowd, domain, expected):
    assert share(crowd, lambda p: p.email.endswith(f"@{domain}")) == pytest.approx(
        expected, abs=0.02
    )


@pytest.mark.parametrize("ending", [".com", ".com.ng", ".ng"])
def test_companies_have_domains_of_their_own(crowd, ending):
    pattern = re.compile(r"(info|sales)\d*@[a-z]+" + re.escape(ending))
    assert any(pattern.fullmatch(p.email) for p in crowd if p.company_name)


def test_emails_of_people_follow_from_their_names(crowd):
    persons = [p for p in crowd if not p.company_name and p.name.isascii()]
    letters = [
        (re.findall("[a-z]{2,}", p.name.lower()), p.email.partition("@")[0]) for p in persons
    ]
    assert share(letters, lambda pair: any(word in pair[1] for word in pair[0])) > 0.95


@pytest.mark.parametrize(
    "spelling",
    [
        r"0\d{10}",
        r"0\d{3} \d{3} \d{4}",
        r"\+234\d{10}",
        r"\+234 \d{3} \d{3} \d{4}",
        r"234\d{10}",
        r"n/a",
        r"\+44 .*",
    ],
)
def test_phones_are_spelled_as_people_do(crowd, spelling):
    assert any(re.fullmatch(spelling, p.phone) for p in crowd if p.phone)


@pytest.mark.parametrize("shape", [r"\d{8}-\d{4}", r"\d{10}", r"\d{13}"])
def test_tax_numbers_have_each_known_shape(crowd, shape):
    assert any(re.fullmatch(shape, p.tin) for p in crowd if p.tin)


@pytest.mark.parametrize("field", ["phone", "address", "tin", "company_name"])
def test_what_may_be_missing_sometimes_is(crowd, field):
    assert 0.01 < share(crowd, lambda p: getattr(p, field) is None) < 0.9


@pytest.mark.parametrize("city", ["Lagos", "Abuja", "Kano", "Port Harcourt", "Aba, Abia State"])
def test_addresses_are_all_over_the_country(crowd, city):
    assert any(p.address.endswith(f", {city}") for p in crowd if p.address)
