"""A plain HTTP client, as integrations have one; its connection is made anew where it broke."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

HOST = "127.0.0.1"


class Unanswered(Exception):
    """The call got no whole answer: whether it was done nobody says."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    replayed: bool
    seconds: float

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.body["data"]
        return data

    def __str__(self) -> str:
        code = self.body.get("error", {}).get("code", "")
        return f"{self.status} {code}".strip()


class Client:
    def __init__(self, port: int, key: str, timeout: float = 30) -> None:
        self.key = key
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)

    def call(
        self, method: str, path: str, body: Any = None, idempotency_key: str | None = None
    ) -> Answer:
        """Raises Unanswered."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        content = None if body is None else json.dumps(body)
        began = time.monotonic()
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
            text = answer.read()
            replayed = answer.headers.get("Idempotency-Replayed") == "true"
            seconds = time.monotonic() - began
            return Answer(answer.status, json.loads(text), replayed, seconds)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise Unanswered(type(error).__name__) from error

    def close(self) -> None:
        self._connection.close()

    def walk(self, business: str, **filters: str) -> Iterator[dict[str, Any]]:
        """Every customer of the list, page by page. Raises Unanswered, ValueError."""
        query: dict[str, Any] = {"businessId": business, "limit": 100, **filters}
        while True:
            answer = self.call("GET", "/v1/customers?" + urlencode(query))
            if answer.status != 200:
                raise ValueError(f"the list answered {answer}")
            yield from answer.data["customers"]
            cursor = answer.body["meta"].get("nextCursor")
            if cursor is None:
                return
            query["cursor"] = cursor

    def search(self, business: str, query: str) -> list[str]:
        """The ids found. Raises Unanswered, ValueError."""
        path = "/v1/customers/search?" + urlencode({"businessId": business, "q": query})
        answer = self.call("GET", path)
        if answer.status != 200:
            raise ValueError(f"a search answered {answer}")
        return [customer["id"] for customer in answer.data["customers"]]
