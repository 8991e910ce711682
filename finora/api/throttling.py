"""Rate limits on requests: for each key, and by address for callers without a valid one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from finora.api.errors import ApiError, too_many
from finora.clock import iso
from finora.limits.limiter import count_address, limiter, limits_of, refused
from finora.limits.windows import SLOT_SECONDS, Verdict
from finora.tenants.models import ApiKey

# Keys whose last call here was refused.
_refused: set[str] = set()


def ask(request: HttpRequest, key: ApiKey) -> None:
    """Counts the request for its key; `judge` says whether it may go on, and `leave` must follow.

    Between the two there is time for what changes nothing: Redis works meanwhile, and who comes
    back later does not wait. Of a key that was refused last nothing is done before the verdict.
    """
    limits = limits_of(key.rate_limits or settings.RATE_LIMITS)
    if limits is None:
        return
    request.rate_asked = key.public_id, limiter().ask(key.public_id, limits)  # type: ignore[attr-defined]
    if key.public_id in _refused:
        judge(request)


def judge(request: HttpRequest) -> None:
    """Lets the request go on, if it was counted. Raises RATE_LIMIT, each time."""
    asked = request.__dict__.pop("rate_asked", None)
    if asked is not None:
        _note(request, *asked)
    if (refusal := request.__dict__.get("rate_refusal")) is not None:
        raise refusal


def _note(request: Any, key: str, answer: Callable[[], Verdict]) -> None:
    verdict = answer()
    if verdict.limit is not None:
        request.rate_limit = {
            "limit": verdict.limit,
            "remaining": verdict.remaining,
            "reset": iso(datetime.fromtimestamp(verdict.reset, UTC)),
        }
    if verdict.allowed:
        request.rate_slot = (key, verdict)
        _refused.discard(key)
        return
    refused.add("key", verdict.reason or "")
    request.rate_refusal = too_many(verdict.retry_after)
    _refused.add(key)


def leave(request: HttpRequest) -> None:
    """Frees what the request took; nothing when it took nothing."""
    with suppress(ApiError):
        judge(request)
    slot = getattr(request, "rate_slot", None)
    if slot is not None:
        limiter().leave(*slot)


def leave_with(request: HttpRequest, response: HttpResponseBase) -> None:
    """As `leave`, once the answer is over: one that streams goes on for long."""
    if not response.streaming:
        leave(request)
        return

    def left() -> None:
        leave(request)
        limiter().settle()

    response._resource_closers.append(left)  # type: ignore[attr-defined]  # what close() calls


def keep(request: HttpRequest) -> None:
    """Keeps what the request took; to be called by what streams, with each part of it."""
    slot = getattr(request, "rate_slot", None)
    kept_at = getattr(request, "rate_slot_kept_at", None)
    now = time.monotonic()
    if kept_at is None or now - kept_at > SLOT_SECONDS / 4:
        request.rate_slot_kept_at = now  # type: ignore[attr-defined]
        if slot is not None and kept_at is not None:
            limiter().keep(*slot)


def count_stranger(request: HttpRequest) -> None:
    """Counts a call without a valid key for its address. Raises RATE_LIMIT."""
    verdict = count_address(request, "address", settings.STRANGER_LIMITS)
    if verdict and not verdict.allowed:
        raise too_many(verdict.retry_after)
