"""Rate limits on requests: for each key, and by address for callers without a valid one."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest

from finora.api.errors import too_many
from finora.clock import iso
from finora.limits.limiter import count_address, limiter, limits_of, refused
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


def count_stranger(request: HttpRequest) -> None:
    """Counts a call without a valid key for its address. Raises RATE_LIMIT."""
    verdict = count_address(request, "address", settings.STRANGER_LIMITS)
    if verdict and not verdict.allowed:
        raise too_many(verdict.retry_after)
