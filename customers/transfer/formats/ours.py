"""Our own files: what export writes, and what anybody writes by hand in the API's names."""

from __future__ import annotations

from customers.rules import RULES
from customers.transfer.cells import unguard
from customers.transfer.formats.shape import Format, column, marks, named

_ALSO = {"company_name": ("company", "company name", "company_name")}
# What an export says beside the fields, and no import changes.
_OURS_TO_KNOW = ("createdAt", "accountBalanceKobo", "accountBalance", "businessId")

OURS = Format(
    "ours",
    "Our own columns",
    marks("name,email"),
    {
        rule.field: column(named(rule.api_name), *_ALSO.get(rule.field, ()))
        for rule in RULES.values()
    },
    ids=("id",),
    cleaned=dict.fromkeys(RULES, unguard),
    active=("isactive", "active"),
    unread=frozenset(map(named, _OURS_TO_KNOW)),
)
