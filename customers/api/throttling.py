"""Rate limits on requests: for each key, and by address for callers without a valid one."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest

from customers.api.envelope import ApiError
from customers.api.timestamps import iso
from customers.models import ApiKey
from customers.rate_limits import Limits, RateLimiter, Verdict, parse_limits
from finora.client_address import client_address


@cache
def limiter() -> RateLimiter:
    return RateLimiter(settings.REDIS_URL or None)


@cache
def _limits(text: str) -> Limits | None:
    return parse_limits(text)


def _too_many(verdict: Verdict) -> ApiError:
    return ApiError(
        429,
        "RATE_LIMIT",
        f"Too many requests. Try again in {verdict.retry_after} s.",
        retry_after=verdict.retry_after,
    )


def enter(request: HttpRequest, key: ApiKey) -> None:
    """Counts the request for its key; `leave` must follow. Raises RATE_LIMIT."""
    limits = _limits(key.rate_limits or settings.RATE_LIMITS)
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
        raise _too_many(verdict)
    request.rate_slot = (key.public_id, verdict)  # type: ignore[attr-defined]


def leave(request: HttpRequest) -> None:
    """Frees what `enter` took; nothing when it took nothing."""
    slot = getattr(request, "rate_slot", None)
    if slot is not None:
        limiter().leave(*slot)


def count_stranger(request: HttpRequest) -> None:
    """Counts a call without a valid key for its address. Raises RATE_LIMIT."""
    limits = _limits(settings.STRANGER_LIMITS)
    if limits is None:
        return
    key = f"address {client_address(request)}"
    verdict = limiter().enter(key, limits)
    limiter().leave(key, verdict)
    if not verdict.allowed:
        raise _too_many(verdict)


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("REDIS_URL", "RATE_LIMITS", "STRANGER_LIMITS"):
        limiter.cache_clear()


setting_changed.connect(_forget)
