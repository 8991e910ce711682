"""One database's measurements, in a process with its settings; the result goes to a JSON file."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connection


def _version() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            return f"SQLite {cursor.fetchone()[0]}"
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def _settings() -> str:
    """How the server is set that is measured."""
    if connection.vendor == "sqlite":
        return ""
    names = ("shared_buffers", "max_wal_size", "checkpoint_timeout")
    with connection.cursor() as cursor:
        told = []
        for name in names:
            cursor.execute(f"SHOW {name}")
            told.append(f"{name} {cursor.fetchone()[0]}")
    return ", ".join(told)


def main(task: dict[str, Any]) -> None:
    django.setup()
    # They need Django's apps.
    from bench import bulk, calls, lists, packing, profile, sales, search, transfer, where
    from bench.checks import say
    from bench.world import World

    sections = {
        "bulk": bulk.run,
        "search": search.run,
        "lists": lists.run,
        "packing": packing.run,
        "transfer": transfer.run,
        "calls": calls.run,
        "sales": sales.run,
        "profile": profile.run,
        "where": where.run,
    }
    call_command("migrate", verbosity=0)
    world = World(task)
    measured = {
        "database": _version(),
        "settings": _settings(),
        "count": task["count"],
        "python": platform.python_version(),
        "django": django.get_version(),
        "cores": os.cpu_count(),
    }
    result: dict[str, Any] = {}
    for name in task["sections"]:
        started = time.monotonic()
        say(f"{measured['database']}: {name}")
        result[name] = {**measured, **sections[name](world)}
        say(f"{name} took {time.monotonic() - started:.0f} s")
    Path(task["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main(json.load(sys.stdin))
