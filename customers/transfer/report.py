"""What was left out of an import, as CSV: line, column, field and rule, and no value."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from customers.transfer.cells import guard
from customers.transfer.findings import Finding

_ROW = {True: "left out", False: "imported", None: ""}
HEADER = ("line", "column", "field", "rule", "row")


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Each line, as it comes; the mark ahead tells Excel that it is UTF-8."""
    text = StringIO()
    writer = csv.writer(text)

    def line(*cells: object) -> str:
        text.seek(0)
        text.truncate()
        writer.writerow(cells)
        return text.getvalue()

    yield "\ufeff" + line(*HEADER)
    for each in findings:
        row = _ROW[each.rejects]
        yield line(each.line, guard(each.column), each.field, each.message, row)
