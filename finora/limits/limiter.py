"""This process's rate limiter, and callers counted by their address."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest

from finora import metrics
from finora.limits.windows import NAMES, Limits, RateLimiter, Verdict, parse_limits
from finora.request import client_address

# `what`: callers by their key, strangers by their address, logins by theirs.
refused = metrics.Counter(
    "finora_rate_limited_requests",
    "Requests refused by a rate limit: whose, and by which part of it.",
    what=("key", "address", "login"),
    limit=NAMES,
)


@cache
def limiter() -> RateLimiter:
    return RateLimiter(settings.REDIS_URL or None)


@cache
def limits_of(text: str) -> Limits | None:
    """What a setting says; None where it is off."""
    return parse_limits(text)


def count_address(request: HttpRequest, what: str, text: str) -> Verdict | None:
    """Counts a request for its address, apart for each `what`; None where there is no limit."""
    limits = limits_of(text)
    if limits is None:
        return None
    key = f"{what} {client_address(request)}"
    verdict = limiter().enter(key, limits)
    limiter().leave(key, verdict)
    if not verdict.allowed:
        refused.add(what, verdict.reason or "")
    return verdict


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "REDIS_URL" or setting.endswith("_LIMITS"):
        limiter.cache_clear()


setting_changed.connect(_forget)
