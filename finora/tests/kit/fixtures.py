from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db.backends.sqlite3.base import DatabaseOperations as SQLiteOperations
from django.test import Client

from finora import background
from finora.api import authentication, database_errors
from finora.http import probes
from finora.http.logging import JsonFormatter
from finora.tenants.models import Business
from finora.tests.kit import factories, scraped


class Api:
    """The API as an integration sees it: paths, bodies and answers, with a key of one business."""

    def __init__(self, business: Business, key: str | None = None) -> None:
        self.business = business
        self.key = factories.api_key(business)[1] if key is None else key
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """`body`: anything goes as JSON, bytes as they are."""
        headers = {"authorization": f"Bearer {self.key}"} | extra.pop("headers", {})
        if body is not None:
            extra.setdefault("content_type", "application/json")
            extra["data"] = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.generic(method, path, headers=headers, **extra)

    def get(self, path: str, query: dict[str, Any] | None = None, **extra: Any) -> Any:
        """A GET with the key's own businessId, unless `query` names one."""
        query = {"businessId": self.business.public_id} | (query or {})
        query = {name: value for name, value in query.items() if value is not None}
        headers = {"authorization": f"Bearer {self.key}"} | extra.pop("headers", {})
        return self.client.get(path, query, headers=headers, **extra)

    def post(self, path: str, body: Any, **extra: Any) -> Any:
        return self.call("POST", path, body, **extra)

    def put(self, path: str, body: Any, **extra: Any) -> Any:
        return self.call("PUT", path, body, **extra)

    def delete(self, path: str, **extra: Any) -> Any:
        return self.call("DELETE", path, **extra)


@pytest.fixture(autouse=True)
def no_use_counted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of different tests can have the same number."""
    monkeypatch.setattr(authentication, "usage", authentication.UsageCounter())


@pytest.fixture(autouse=True)
def no_write_tried_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What /readyz found of writes a moment ago was of another test's database."""
    monkeypatch.setattr(probes, "writing", probes._Writing())
    monkeypatch.setattr(database_errors, "_write_refused_at", float("-inf"))


@pytest.fixture(autouse=True, scope="session")
def flush_in_any_order() -> Iterator[None]:
    """SQLite looks at a TenantReference with each statement, and Django empties tables in an order
    of its own between tests that commit."""
    emptied = SQLiteOperations.execute_sql_flush

    def execute_sql_flush(self: SQLiteOperations, statements: list[str]) -> None:
        emptied(self, ["PRAGMA defer_foreign_keys = ON", *statements])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLiteOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture(autouse=True, scope="session")
def few_rounds_of_hashing() -> Iterator[None]:
    """A password is hashed as anywhere, but in a millisecond instead of half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1_000)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """What requests left to be done behind them ends before its database is emptied."""
    background.end()


@pytest.fixture
def business(db: None) -> Business:
    return factories.business()


@pytest.fixture
def other_business(db: None) -> Business:
    return factories.business()


@pytest.fixture
def api(business: Business) -> Api:
    return Api(business)


@pytest.fixture
def other_api(other_business: Business) -> Api:
    return Api(other_business)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the configured handler writes: the deployment's own lines, not pytest's."""
    handlers = logging.getLogger().handlers
    handler = next(h for h in handlers if isinstance(h.formatter, JsonFormatter))
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.fixture
def scrape(settings: Any) -> Callable[[], dict[str, float]]:
    """What is counted from here on in this process, as `/metrics` shows it now."""
    settings.METRICS_TOKEN = scraped.TOKEN

    def page() -> dict[str, float]:
        answer = Client().get("/metrics", headers=scraped.HEADERS)
        assert answer.status_code == 200, answer.content
        return scraped.figures(answer.content.decode())

    return page


@pytest.fixture
def staff(db: None, client: Client, settings: Any) -> Client:
    """A browser of a superuser; its pages name static files as they are, none being collected."""
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": static}
    client.force_login(User.objects.create_superuser("staff"))
    return client
