"""Files that are broken, strange or made to hurt: nothing crashes, and no cell is lost silently."""

import csv
import gzip
import zipfile
from io import BytesIO, StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.rules import RULES, Broken
from customers.transfer import decoding
from customers.transfer.cells import UNREADABLE, unguard
from customers.transfer.formats.plan import MORE_CELLS
from customers.transfer.reading import Reading
from customers.transfer.refused import FileRefused
from customers.transfer.rows import UNDECODABLE, NoEmail, checked

pytestmark = pytest.mark.once

HEADER = ["name", "email", "phone", "address", "tin", "companyName"]
OF_COLUMN = {rule.api_name: rule for rule in RULES.values()}


def read(data, *, pieces=7, **options):
    """Each row's outcome, and all findings; the bytes come in small pieces."""
    data = data.encode() if isinstance(data, str) else data
    size = max(1, len(data) // pieces)

    def open_it():
        return (data[at : at + size] for at in range(0, len(data), size))

    reading = Reading(open_it, **options)
    outcomes, findings = [], []
    for row in reading.rows():
        outcome, found = checked(row, reading.format, placeholder=False)
        outcomes.append(outcome)
        findings += found
    return outcomes, findings, reading


def values(data, **options):
    outcomes, findings, _ = read(data, **options)
    return [getattr(each, "values", each) for each in outcomes], findings


# Whatever comes, nothing crashes.


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    for prefix in (b"", b"name,email\n", b'name;email\n"', b'{"name":', b"\xff\xfe"):
        try:
            outcomes, findings, _ = read(prefix + data)
        except FileRefused:
            continue
        assert len(findings) >= sum(outcome is None for outcome in outcomes)


CELLS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("'\"=+-@,;\t\r\n\0 é“\u200b"),
    max_size=12,
) | st.sampled_from(["ada@example.com", "0803 123 4567", "12345678-0001", UNREADABLE])
ROWS = st.lists(st.tuples(*[CELLS] * len(HEADER)), min_size=1, max_size=5)


@settings(max_examples=150)
@given(
    ROWS,
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    # Only what ends lines is quoted by csv.writer, where not all is.
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), *((e, csv.QUOTE_ALL) for e in ("\n", "\r"))]),
)
def test_each_cell_lands_or_is_named(rows, delimiter, encoding, lines):
    end, quoting = lines
    text = StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([HEADER, *rows])
    outcomes, findings, _ = read(text.getvalue().encode(encoding))
    assert len(outcomes) == len(rows)
    told = iter(findings)
    for cells, outcome in zip(rows, outcomes, strict=True):
        expected, broken, named = {}, [], []
        for column, cell in zip(HEADER, cells, strict=True):
            rule = OF_COLUMN[column]
            if unguard(cell) == UNREADABLE:
                named.append(column)
                continue
            try:
                expected[rule.field] = rule.taken(unguard(cell))
            except Broken:
                broken.append(column)
        fields = [next(told).field for _ in (*broken, *named)]
        assert sorted(fields) == sorted((*broken, *named))
        expected = {name: value for name, value in expected.items() if value is not None}
        if broken:
            assert outcome is None
        elif "email" not in expected:
            assert isinstance(outcome, NoEmail)
        else:
            assert outcome.given == expected
    assert next(told, None) is None


@given(st.lists(st.dictionaries(st.sampled_from([*HEADER, "id", "x"]), CELLS | st.integers())))
def test_each_json_line_is_a_row(objects):
    import json

    text = "\n".join(['{"count":0}', *(json.dumps(each) for each in objects), '{"count":9}'])
    outcomes, findings, _ = read(text)
    assert len(outcomes) == len(objects)
    assert len(findings) >= sum(outcome is None for outcome in outcomes)


# One by one.


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \r\n\r\n\t"])
def test_an_empty_file_is_refused(data):
    with pytest.raises(FileRefused, match="empty"):
        read(data)


def test_a_header_alone_is_no_row():
    assert values("name,email\n") == ([], [])
    assert values("name,email") == ([], [])


def archive():
    """A bomb, as small as it is: it is never opened."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("customers.csv", b"\0" * 10_000_000)
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (archive(), "ZIP"),
        (gzip.compress(b"name,email\n", mtime=0), "gzip"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (bytes(4096), "no text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "header"),
    ],
    ids=["zip", "gzip", "excel", "pdf", "zeros", "png"],  # the same in each of a run's processes
)
def test_what_is_no_text_is_refused_and_not_unpacked(data, said):
    with pytest.raises(FileRefused, match=said):
        read(data)


def test_ragged_rows():
    text = "name,email,phone\nAda,a@example.com\nBola,b@example.com,1,,\nChi,c@example.com,1,2\n"
    found, [finding] = values(text)
    assert found[:2] == [
        {"name": "Ada", "email": "a@example.com"},
        {"name": "Bola", "email": "b@example.com", "phone": "1"},
    ]
    assert (finding.line, finding.message, found[2]) == (4, MORE_CELLS, None)


def test_quotes_inside():
    text = 'name,email\n"Ada ""Ngozi"" Obi",a@example.com\nBola 5" pipe,b@example.com\n'
    assert [each["name"] for each in values(text)[0]] == ['Ada "Ngozi" Obi', 'Bola 5" pipe']


def test_a_quote_that_is_not_closed_takes_no_other_row_along():
    text = 'name,email\nAda,a@example.com\n"Bola,b@example.com\nChi,c@example.com\nDada,d@x.ng\n'
    found, [finding] = values(text)
    assert [each and each["name"] for each in found] == ["Ada", None, "Chi", "Dada"]
    assert (finding.line, finding.rejects) == (3, True)


def test_where_no_quote_ever_ends_few_lines_are_read_again(monkeypatch):
    monkeypatch.setattr(decoding, "MOST_CHARACTERS", 20_000)
    monkeypatch.setattr(decoding, "SHORT_LOOK", 100)
    step, looked_at = decoding.Lines.__next__, []

    def counted(self):
        looked_at.append(1)
        return step(self)

    monkeypatch.setattr(decoding.Lines, "__next__", counted)
    found, findings = values("name,email\n" + 'x","y\n' * 5_000)
    assert len(found) == len(findings) == 5_000
    assert len(looked_at) < 5_000 * 40


def test_a_cell_of_a_megabyte_is_too_long_and_the_next_row_lands():
    text = f"name,email,address\nAda,a@example.com,{'x' * (1 << 20)}\nBola,b@example.com,\n"
    found, [finding] = values(text)
    assert [each and each["name"] for each in found] == [None, "Bola"]
    assert (finding.line, finding.column) == (2, "address")
    assert "xxx" not in finding.message


def test_a_line_without_end_is_passed_over():
    text = f"name,email\nAda,{'x' * (5 << 20)}\nBola,b@example.com\n"
    found, [finding] = values(text)
    assert [each and each["name"] for each in found] == [None, "Bola"]
    assert (finding.line, finding.rejects) == (2, True)


def test_a_million_commas_and_as_many_columns():
    text = f"name,email\nAda,a@example.com{',' * 1_000_000}\nBola,b@example.com{',' * 9}1\n"
    found, [finding] = values(text)
    assert found == [{"name": "Ada", "email": "a@example.com"}, None]
    assert finding.message == MORE_CELLS
    with pytest.raises(FileRefused, match="columns"):
        read(f"name,email{',x' * 100_000}\n")


def test_nul_and_control_characters_are_named():
    found, findings = values("name,email\nA\0da,a@example.com\nBo\x1bla,b@example.com\n")
    assert found == [None, None]
    assert [finding.line for finding in findings] == [2, 3]


def test_a_cell_of_a_control_character_alone_is_no_blank_one():
    found, [finding] = values("name,email,phone\nAda,a@example.com,\x1c\n")
    assert (found, finding.column) == ([None], "phone")


def test_mixed_line_ends():
    text = "name,email\r\nAda,a@x.ng\nBola,b@x.ng\rChi,c@x.ng\r\n\n\r\nDada,d@x.ng"
    assert [each["name"] for each in values(text)[0]] == ["Ada", "Bola", "Chi", "Dada"]


def test_formulas_are_texts():
    text = 'name,email,companyName\n=1+1,a@x.ng,"=HYPERLINK(""http://x"")"\n+Ada,b@x.ng,@SUM(A1)\n'
    found, _ = values(text)
    assert [each["name"] for each in found] == ["=1+1", "+Ada"]
    assert found[0]["company_name"] == '=HYPERLINK("http://x")'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_of_unicode(encoding):
    text = "name,email\nAdébáyọ̀ “Ọlá”,a@example.com\n" + "陳大文,b@example.com\n" * 50
    found, findings = values(text.encode(encoding))
    assert (found[0]["name"], found[1]["name"], findings) == ("Adébáyọ̀ “Ọlá”", "陳大文", [])


def test_utf_16_of_other_letters_without_a_mark():
    text = "name,email\n" + "\n".join(f"{'陳大文' * 20},b{n}@x.ng" for n in range(200))
    for encoding in ("utf-16-le", "utf-16-be"):
        found, _ = values(text.encode(encoding))
        assert len(found) == 200


def test_windows_1252_with_its_quotes_is_told():
    _, _, reading = read(
        "name,email\nAda “the Boss” O’Brien – Café,a@example.com\n".encode("cp1252")
    )
    assert reading.told()["encoding"] == "Windows-1252"
    found, _ = values("name,email\nAda “the Boss” O’Brien – Café,a@example.com\n".encode("cp1252"))
    assert found[0]["name"] == "Ada “the Boss” O’Brien – Café"


def test_the_last_letter_of_a_large_file_says_its_encoding():
    plain = b"name,email\n" + b"".join(b"Ada,a%d@example.com\n" % n for n in range(50_000))
    assert len(plain) > 1 << 20
    for last, told in (
        ("Café,b@example.com\n".encode("cp1252"), "Windows-1252"),
        ("Café,b@example.com\n".encode(), "UTF-8"),
        (b"Bola,b@example.com,x\xe9", "Windows-1252"),  # the very last byte
    ):
        reading = Reading(lambda last=last: iter([plain, last]))
        assert reading.told()["encoding"] == told
    found, findings = values(plain[:1000] + b"\nCaf\xe9,b@example.com\n")
    assert found[-1]["name"] == "Café"
    assert findings[:-1] == []


def test_what_begins_with_the_mark_of_utf_8_is_that_whatever_is_broken():
    text = b"\xef\xbb\xbfname,email\nAd\xff,a@example.com\nB\xfe,b@example.com\nChi,c@example.com\n"
    found, findings = values(text)
    assert [each and each["name"] for each in found] == [None, None, "Chi"]
    assert [finding.line for finding in findings] == [2, 3]


def test_a_letter_of_utf_8_among_those_of_windows_1252_is_named_and_not_taken_for_two():
    names = [f"Café {n}" for n in range(20)]
    data = b"name,email\n"
    data += b"".join(f"{name},a@example.com\n".encode("cp1252") for name in names)
    data += "Adé,b@example.com\nỌlá,c@example.com\nÀ “Ã” é,d@example.com\n".encode()
    found, findings = values(data)
    assert [each and each["name"] for each in found] == [*names, None, None, None]
    assert [(each.line, each.column) for each in findings] == [(n, "name") for n in (22, 23, 24)]
    assert {each.message for each in findings} == {UNDECODABLE}


def test_json_lines_are_of_utf_8_and_a_broken_letter_is_named():
    data = b'{"name": "Ad\xe9", "email": "a@example.com"}\n{"email": "b@example.com"}\n'
    found, [finding] = values(data)
    assert [each and each["email"] for each in found] == [None, "b@example.com"]
    assert (finding.line, finding.column) == (1, "name")


def test_a_broken_byte_in_utf_8_is_named_and_spoils_nothing_else():
    data = "name,email\nAdé,a@example.com\nBólá,b@example.com\nChị".encode() + b"\xff,c@x.ng\n"
    found, [finding] = values(data)
    assert [each and each["name"] for each in found] == ["Adé", "Bólá", None]
    assert (finding.line, finding.column) == (4, "name")


def test_half_a_character_of_utf_16_at_the_end():
    data = "name,email\nAda,a@example.com\nBola,b@example.co".encode("utf-16") + b"\x6d"
    found, findings = values(data)
    assert found[0]["name"] == "Ada"
    assert [finding.line for finding in findings] == [3]


def test_a_separator_is_told_by_the_header():
    text = 'name;email;address\n"Ada";a@example.com;1 Marina, Lagos\n'
    assert values(text)[0][0]["address"] == "1 Marina, Lagos"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"name":"\\ud800"}', "{}"])
def test_json_made_to_hurt(text):
    found, _ = values(text, format="jsonl")
    assert len(found) == 1
    assert found[0] is None or isinstance(found[0], NoEmail)


def test_what_could_not_be_exported_is_not_imported():
    found, [finding] = values(f"name,email,phone\nAda,a@example.com,{UNREADABLE}\n")
    assert found == [{"name": "Ada", "email": "a@example.com"}]
    assert (finding.column, finding.rejects) == ("phone", False)
