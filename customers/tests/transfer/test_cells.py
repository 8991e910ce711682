"""Cells that no spreadsheet runs, and that are read back as they were."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customers.transfer.cells import guard, unguard

RUNS = "=+-@\t\r＝＋－＠"
# What matters in a cell, thrown together; and any text.
TEXTS = st.text(st.sampled_from(f"{RUNS} '\",;|\nab\xa0")) | st.text()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+2348031234567", "'+2348031234567"), ("-1", "'-1"), ("@a", "'@a"),
        (" =1", " '=1"), ("＝1", "'＝1"), ("\tx", "'\tx"), ("a=1", "a=1"), ("a-b", "a-b"), ("", ""),
        ("a;=1", "a;'=1"), ('a,"=1', "a,\"'=1"), ("12 Broad St\n=1", "12 Broad St\n'=1"),
        ("'=1", "''=1"), ("O'Neil", "O'Neil"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_has_an_apostrophe_ahead(text, shown):
    assert guard(text) == shown
    assert unguard(shown) == text


@given(TEXTS)
@example("'=1")
@example("\t=\t=")
@example("'';' \"'＝")
def test_any_text_is_read_back_as_it_was(text):
    assert unguard(guard(text)) == text


@given(TEXTS)
def test_no_cell_runs_whatever_the_separator(text):
    for cell in re.split("[,;|\n\r\t]", guard(text)):
        assert not re.match(f'[\\s"]*[{re.escape(RUNS)}]', cell)


@given(st.lists(TEXTS, min_size=1))
def test_a_line_is_read_back_as_it_was(texts):
    out = io.StringIO(newline="")
    csv.writer(out).writerow(map(guard, texts))
    [cells] = csv.reader(io.StringIO(out.getvalue(), newline="")) if any(texts) else [texts]
    assert [unguard(cell) for cell in cells] == texts


@given(TEXTS)
def test_a_sheet_is_not_longer_than_it_must_be(text):
    assert guard(text).replace("'", "") == text.replace("'", "")
