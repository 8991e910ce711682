"""Reads each statement that is sent, by a parser of SQL: does it keep to one business?"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlglot
from django.apps import apps
from django.db import connection
from django.db.backends.signals import connection_created
from sqlglot import expressions as e

from finora.orm.tenant import TenantRow
from finora.tenants.models import Business

OWNER = "business_id"


@cache
def tenant_tables() -> frozenset[str]:
    return frozenset(m._meta.db_table for m in apps.get_models() if issubclass(m, TenantRow))


class Watch:
    """What was sent about tenants' rows, and what of that asks more than one business.

    `fans_out` names the functions that may read beyond one, as `module.function`; none may write
    or lock so. One that was met is in `met`.
    """

    def __init__(self, fans_out: Collection[str]) -> None:
        self.fans_out = fans_out
        self.seen: list[str] = []
        self.wrong: list[str] = []
        self.met: set[str] = set()

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        text = sql if isinstance(sql, str) else str(sql)
        found = problems(text)
        if found is not None:
            self.seen.append(text)
            for problem, is_read in found:
                allowed = self._fanning_out() if is_read else None
                if allowed:
                    self.met.add(allowed)
                else:
                    self.wrong.append(f"{problem}: {text}")
        return execute(sql, params, many, context)

    def _fanning_out(self) -> str | None:
        frame = sys._getframe(1)
        while frame is not None:
            name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
            if name in self.fans_out:
                return name
            frame = frame.f_back  # type: ignore[assignment]
        return None


@contextmanager
def each_of_one_business(*fans_out: str) -> Iterator[Watch]:
    """Within it each statement about a tenant's rows names their business: also what goes to
    libpq directly, by COPY, and what other threads send. Fails with those that do not.
    """
    watch = Watch(fans_out)
    here = threading.get_ident()

    def watched(connection: Any, **_: Any) -> None:
        if threading.get_ident() != here:
            connection.execute_wrappers.append(watch)

    connection_created.connect(watched)
    try:
        with connection.execute_wrapper(watch):
            yield watch
    finally:
        connection_created.disconnect(watched)
    assert not watch.wrong, "\n\n".join(watch.wrong)
    assert watch.seen, "nothing was asked of a tenant's rows"


@cache
def problems(sql: str) -> list[tuple[str, bool]] | None:
    """What is wrong with a statement, and whether it is a read; None where it is of no tenant."""
    if not any(f'"{table}"' in sql for table in tenant_tables()):
        return None
    if sql.startswith("COPY "):
        return []
    if sql.startswith(("DROP ", "CREATE ", "ALTER ", "SELECT nextval")):
        return None
    tree = sqlglot.parse_one(sql.replace("%s", "NULL").replace("%%", "%"), dialect="postgres")
    found: list[tuple[str, bool]] = []
    for node in tree.find_all(e.Select, e.Update, e.Delete):
        tables = _tables(node)
        mine = {alias for alias, name in tables.items() if name in tenant_tables()}
        if not mine:
            continue
        is_read = isinstance(tree, e.Select | e.Union) and not node.args.get("locks")
        others = {tables[alias] for alias in tables.keys() - mine} - {Business._meta.db_table}
        if others:
            found.append((f"joins {sorted(others)}", False))
        if isinstance(node, e.Update):
            found += [
                ("sets the business", False) for each in node.expressions if each.this.name == OWNER
            ]
        unnamed = mine - _named(node, mine)
        found += [(f"names no business of {alias}", is_read) for alias in sorted(unnamed)]
    return found


def _tables(node: Any) -> dict[str, str]:
    """The tables of this query itself, by alias; none of a query inside it."""
    if not isinstance(node, e.Select):
        return {node.this.alias_or_name: node.this.name}
    source = node.args.get("from_") or node.args.get("from")
    from_ = [source.this] if source else []
    sources = [*from_, *(join.this for join in node.args.get("joins") or ())]
    return {each.alias_or_name: each.name for each in sources if isinstance(each, e.Table)}


def _named(node: Any, mine: Collection[str]) -> set[str]:
    """Those whose business is said, by a value or by that of another that has one said."""
    conditions = [node.args["where"].this] if node.args.get("where") else []
    if isinstance(node, e.Select):
        conditions += [
            join.args["on"] for join in node.args.get("joins") or () if join.args.get("on")
        ]
    named: set[str] = set()
    while True:
        more = {
            alias
            for alias in mine
            if alias not in named and any(_says(each, alias, named, mine) for each in conditions)
        }
        if not more:
            return named
        named |= more


def _says(condition: Any, alias: str, named: Collection[str], mine: Collection[str]) -> bool:
    condition = condition.unnest()
    if isinstance(condition, e.And):
        return any(_says(side, alias, named, mine) for side in (condition.left, condition.right))
    if isinstance(condition, e.Or):
        return all(_says(side, alias, named, mine) for side in (condition.left, condition.right))
    if not isinstance(condition, e.EQ):
        return False
    for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
        one, other = one.unnest(), other.unnest()
        if not (isinstance(one, e.Column) and one.name == OWNER and one.table in (alias, "")):
            continue
        if isinstance(other, e.Column):
            # Not by a row's around this query: Citus asks every shard for that.
            return other.name == OWNER and other.table in named
        return other.find(e.Column, e.Select) is None
    return False
