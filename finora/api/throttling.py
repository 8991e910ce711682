"""Rate limits on requests: for each key, and by address for callers without a valid one."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from finora.api.errors import too_many
from finora.clock import iso
from finora.limits.limiter import count_address, limiter, limits_of, refused
from finora.limits.windows import SLOT_SECONDS
from finora.tenants.models import ApiKey


def enter(request: HttpRequest, key: ApiKey) -> None:
    """Counts the request for its key; `leave` must follow. Raises RATE_LIMIT."""
    limits = limits_of(key.rate_limits or settings.RATE_LIMITS)
    if limits is None:
        return
    verdict = limiter().enter(key.public_id, limits)
    if verdict.limit is not None:
        request.rate_limit = {  # type: ignore[attr-defined]
            "limit": verdict.limit,
            "remaining": verdict.remaining,
            "reset": iso(datetime.fromtimestamp(verdict.reset, UTC)),
        }
    if not verdict.allowed:
        refused.add("key", verdict.reason or "")
        raise too_many(verdict.retry_after)
    request.rate_slot = (key.public_id, verdict)  # type: ignore[attr-defined]


def leave(request: HttpRequest) -> None:
    """Frees what `enter` took; nothing when it took nothing."""
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
    """Keeps what `enter` took; to be called by what streams, with each part of it."""
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
