"""What requests ask of the database, asked before a process says that it is ready.

A module registers its queries, for nobody, when its app is ready; `/readyz` asks them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NOBODY = 0  # no business has this id

_queries: list[Callable[[], Any]] = []


def readiness_query(query: Callable[[], Any]) -> Callable[[], Any]:
    """Registers what asks the database as requests do. What it raises of the database is why this
    process is not ready."""
    _queries.append(query)
    return query


def ask() -> None:
    """Asks all of them. Raises django.db.Error."""
    for query in _queries:
        query()
