"""One row's rules: the contract's own (customers.rules), and what a row without an email gets."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from customers.rules import RULES, Broken
from customers.transfer.cells import UNREADABLE
from customers.transfer.decoding import UNKNOWN
from customers.transfer.findings import Finding
from customers.transfer.formats.plan import Row
from finora.sealing import normal_forms

PLACEHOLDER_DOMAIN = "import.invalid"  # RFC 2606: such an address leads nowhere
_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
UNDECODABLE = "A letter is broken, or of another encoding than the rest of the file."
NOT_EXPORTED = "The value could not be opened when it was exported."
_UNNAMED = "Without an email a row needs an id or a name."
DEFAULT_NAME_LENGTH = RULES["name"].max_length


class Candidate(NamedTuple):
    """A row that keeps the rules. `values` are as stored; `given` those that the file itself says,
    without a name made of something else.
    """

    line: int
    values: dict[str, str]
    given: dict[str, str]


class NoEmail(NamedTuple):
    """A row that is skipped as it has none."""

    line: int


def checked(
    row: Row, format_name: str, *, placeholder: bool
) -> tuple[Candidate | NoEmail | None, list[Finding]]:
    """A row held to the rules, and what is to be told of it. None for one that is rejected."""
    findings = list(row.findings)
    given: dict[str, str] = {}
    rejected = any(finding.rejects for finding in findings)
    for field, value in row.values.items():
        rule = RULES[field]
        if value == UNREADABLE:
            column = row.columns.get(field, "")
            findings.append(Finding(row.line, column, rule.api_name, NOT_EXPORTED, False))
            continue
        try:
            taken = rule.taken(value)
        except Broken as error:
            column = row.columns.get(field, "")
            rule_told = UNDECODABLE if UNKNOWN in str(value) else str(error)
            findings.append(Finding(row.line, column, rule.api_name, rule_told, True))
            rejected = True
            continue
        if taken is not None:
            given[field] = taken
    if rejected:
        return None, findings
    values = given
    if "email" not in given:
        if not placeholder:
            return NoEmail(row.line), findings
        email = _placeholder(format_name, row.file_id or _person(given))
        if email is None:
            findings.append(Finding(row.line, "", "email", _UNNAMED, True))
            return None, findings
        given["email"] = email
    if "name" not in given:
        # As find-or-create does; but a company is better known by its own name.
        local_part = given["email"].rpartition("@")[0]
        values = {**given, "name": given.get("company_name") or local_part[:DEFAULT_NAME_LENGTH]}
    return Candidate(row.line, values, given), findings


def _person(given: dict[str, str]) -> str:
    """What tells a row without an id from others."""
    if not (name := given.get("name") or given.get("company_name")):
        return ""
    return f"{name}\0{normal_forms.phone(given.get('phone', ''))}"


def _placeholder(format_name: str, file_id: str) -> str | None:
    """The same address for the same id of the same tool, whenever it is imported."""
    if not file_id:
        return None
    name = file_id
    if not _PLAIN_ID.fullmatch(name):
        # It may be a person's name, or hold what no address does.
        name = hashlib.sha256(f"{format_name}\0{file_id}".encode(errors="replace")).hexdigest()[:32]
    return f"{format_name}-{name}@{PLACEHOLDER_DOMAIN}"
