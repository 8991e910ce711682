"""Who calls: an API key, and by it exactly one business."""

from __future__ import annotations

import atexit
import logging
import re
import threading
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import Error
from django.dispatch import receiver
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from finora.api import errors
from finora.api.errors import ApiError
from finora.api.throttling import count_stranger
from finora.tenants.models import ApiKey

log = logging.getLogger("finora.api")

BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`. One query finds the key and its business.

    Nothing is cached in front of it: a revoked key is refused from the next request on.
    """

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        try:
            key = self._key(request)
        except ApiError:
            count_stranger(request._request)
            raise
        usage.count(key)
        return None, key

    def _key(self, request: Request) -> ApiKey:
        return key_of(request.META.get("HTTP_AUTHORIZATION", ""))


def key_of(authorization: str) -> ApiKey:
    """Whose this header is. Raises UNAUTHORIZED, INVALID_API_KEY."""
    match = BEARER.fullmatch(authorization)
    if match is None:
        raise errors.UNAUTHORIZED()
    text = match[1]
    if not text.startswith(f"{settings.FINORA_ENVIRONMENT}_sk_"):
        raise errors.INVALID_API_KEY()
    key = ApiKey.for_request(text)
    if key is None:
        raise errors.INVALID_API_KEY()
    return key


def is_key(authorization: str) -> bool:
    """Whether this header is somebody's."""
    try:
        key_of(authorization)
    except ApiError:
        return False
    return True


class UsageCounter:
    """Counts calls in memory and adds them to the key's row at most once a minute.

    A process that is killed loses at most its last minute of counts.
    """

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds
        self._calls: Counter[int] = Counter()
        self._written: dict[int, float] = {}
        # Of the thread that counted: no other one writes it, least of all an event loop's.
        self._due = threading.local()
        self._lock = threading.Lock()

    def count(self, key: ApiKey) -> None:
        now = time.monotonic()
        with self._lock:
            self._calls[key.pk] += 1
            if now - self._written.get(key.pk, -self.seconds) >= self.seconds:
                self._written[key.pk] = now
                self._due.__dict__.setdefault("keys", set()).add(key.pk)

    def write_due(self) -> None:
        """Writes what was not written for a minute: when a request has its answer, so that none
        waits for it, however long the database makes it wait."""
        for pk in self._due.__dict__.pop("keys", ()):
            with self._lock:
                calls = self._calls.pop(pk, 0)
            if calls:
                self._write(pk, calls)

    def flush(self) -> None:
        """Writes what is still counted: when the process ends."""
        with self._lock:
            counted, self._calls = self._calls, Counter()
            self._written.clear()
        for pk, calls in counted.items():
            self._write(pk, calls)

    def _write(self, pk: int, calls: int) -> None:
        try:
            ApiKey.objects.filter(pk=pk).record_use(calls)
        except Error as error:
            # Statistics must not fail a request that could be answered; counted again later.
            log.warning("calls not recorded yet", exc_info=error)
            with self._lock:
                self._calls[pk] += calls


usage = UsageCounter()


@receiver(request_finished)
def write_usage(**_: Any) -> None:
    usage.write_due()


def flush_usage_at_exit() -> None:
    """For server processes: writes the counts of the last minute when the process ends."""
    atexit.register(usage.flush)
