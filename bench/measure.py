"""One database's measurements, in a process with its settings; the result goes to a JSON file."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import django
import psutil  # type: ignore[import-untyped]
from django.core.management import call_command
from django.db import connection

from bench.plan import MIDDLE, SMALL


def _version() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            return f"SQLite {cursor.fetchone()[0]}"
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def main(task: dict[str, Any]) -> None:
    django.setup()
    # They need Django's apps.
    from bench import queries, sections, world
    from bench.truth import Truth

    env, count = task["env"], task["count"]
    call_command("migrate", verbosity=0)
    sections.say(f"{_version()}: making the customers")
    small, middle, large = map(world.directory, (SMALL, MIDDLE, count))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    truth, truths = Truth(large.business), {}
    for of in (small, middle):
        truths[of.count] = Truth(of.business)
    kinds = queries.choose(truth)
    result: dict[str, Any] = {
        "database": _version(),
        "count": count,
        "python": platform.python_version(),
        "django": django.get_version(),
        "queries": kinds,
    }
    result["first"] = {
        str(of.count): sections.first_search(of, known, env)
        for of, known in ((middle, truths[middle.count]), (large, truth))
    }
    result["search"] = sections.search(large, truth, kinds, env, task["rivals"])
    cursors, result["walk"] = sections.walk(large, truth, env)
    small_cursors, _ = sections.walk(small, truths[small.count], env)
    by_count = {small.count: small_cursors, large.count: cursors}
    result["list"] = sections.lists(small, large, by_count, env)
    sections.say("filling the reference's tables")
    reference = {
        **env,
        "DATABASE_URL": task["reference"],
        "DJANGO_SETTINGS_MODULE": "bench.reference.settings",
    }
    world.copy_to_reference(large, reference)
    database = task["postmaster"] and psutil.Process(task["postmaster"])
    result["requests"] = sections.requests(large, truth, env, reference, database)
    Path(task["result"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main(json.load(sys.stdin))
