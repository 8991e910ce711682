"""How often one key (or one address) may call.

Sixty a minute (rolling), a thousand an hour (from the full hour), ten thousand a day (from
midnight UTC), ten at once: all four are asked and counted in one step, so a refused request
consumes nothing and each limit is exact. With a Redis URL a small script takes that step for all
workers; without one, or while Redis is away, each process counts for itself.

Not built on ``limits``: it counts one window per call, so four cannot be counted, or left
uncounted, together; and its memory storage loses counts between threads and keeps every key.
"""

import logging
import math
import re
import secrets
import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger("finora.rate_limits")

# Whole microseconds throughout: exact in Python, in Lua's doubles and in Redis' scores.
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND

STORE_TIMEOUT = 0.25  # seconds a request may lose to a store that does not answer
STORE_RETRY = 5.0  # seconds between two looks at a store that is away
SLOT_SECONDS = 60.0  # then the slot of a killed worker is free; longer than any request takes
LOCAL_TICKET = "local"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one key may do; None is no such limit."""

    minute: int | None = None
    hour: int | None = None
    day: int | None = None
    concurrent: int | None = None

    def __post_init__(self) -> None:
        for part in fields(self):
            if (limit := getattr(self, part.name)) is not None and limit < 1:
                raise ValueError(f"A rate limit must be at least 1: {part.name} is {limit}.")


def parse_limits(text: str) -> Limits | None:
    """Read ``60/minute,1000/hour,10000/day,10 concurrent`` (any order, any part) or ``off``."""
    if text.strip().lower() == "off":
        return None
    parts: dict[str, int] = {}
    for part in map(str.strip, text.lower().split(",")):
        match = re.fullmatch(r"([0-9]{1,9})(?:/(minute|hour|day)| +(concurrent))", part)
        if match is None:
            example = "'60/minute,1000/hour,10000/day,10 concurrent', or 'off'"
            raise ValueError(f"Not a rate limit: {part!r}. Write for example {example}.")
        name = match[2] or match[3]
        if name in parts:
            raise ValueError(f"The rate limit names {name!r} twice.")
        parts[name] = int(match[1])
    return Limits(**parts)


class Verdict(NamedTuple):
    """The answer to one request; limit, remaining and reset speak of the minute."""

    allowed: bool
    limit: int | None
    remaining: int | None
    reset: float  # unix seconds: when the oldest counted request leaves the minute
    retry_after: int | None  # whole seconds, on a refusal
    reason: Literal["minute", "hour", "day", "concurrent"] | None  # the one that takes longest
    ticket: str | None  # the concurrency slot, for leave()


class _Seen(NamedTuple):
    """What a store had counted before this request; times in microseconds."""

    now: int
    oldest: int  # when the first request in the rolling minute came
    blocking: int  # when the one came that has to leave the minute before another may enter
    minute: int
    hour: int
    day: int
    concurrent: int


def _verdict(limits: Limits, seen: _Seen, ticket: str) -> Verdict:
    waits: list[tuple[int, Literal["minute", "hour", "day", "concurrent"]]] = []
    if limits.minute is not None and seen.minute >= limits.minute:
        waits.append((seen.blocking + MINUTE - seen.now, "minute"))
    if limits.hour is not None and seen.hour >= limits.hour:
        waits.append((HOUR - seen.now % HOUR, "hour"))
    if limits.day is not None and seen.day >= limits.day:
        waits.append((DAY - seen.now % DAY, "day"))
    if limits.concurrent is not None and seen.concurrent >= limits.concurrent:
        waits.append((SECOND, "concurrent"))  # a guess: nobody knows when a request will end

    wait, reason = max(waits, default=(0, None))
    used = seen.minute + (not waits)
    return Verdict(
        allowed=not waits,
        limit=limits.minute,
        remaining=None if limits.minute is None else max(0, limits.minute - used),
        reset=(seen.oldest + MINUTE) / SECOND,
        retry_after=math.ceil(wait / SECOND) if waits else None,
        reason=reason,
        ticket=None if waits or limits.concurrent is None else ticket,
    )


@dataclass(slots=True)
class _Usage:
    recent: list[int] = field(default_factory=list)
    concurrent: int = 0
    hour: int = 0
    day: int = 0
    rolled_at: int = 0

    def roll(self, now: int) -> bool:
        """Drop what no longer counts; whether anything is left."""
        if self.recent and self.recent[0] <= now - MINUTE:
            del self.recent[: bisect_right(self.recent, now - MINUTE)]
        if self.rolled_at // HOUR != now // HOUR:
            self.hour = 0
            self.day = self.day if self.rolled_at // DAY == now // DAY else 0
            self.rolled_at = now
        return bool(self.recent or self.concurrent or self.hour or self.day)


class _LocalStore:
    """This process's own counters."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._usages: OrderedDict[str, _Usage] = OrderedDict()

    def enter(self, key: str, limits: Limits) -> Verdict:
        with self._lock:
            now = int(self._clock() * SECOND)
            self._forget_idle(now)
            usage = self._usages.setdefault(key, _Usage())
            usage.roll(now)
            recent, used = usage.recent, len(usage.recent)
            oldest = recent[0] if recent else now
            full = limits.minute is not None and used >= limits.minute
            blocking = recent[used - limits.minute] if full else oldest
            seen = _Seen(now, oldest, blocking, used, usage.hour, usage.day, usage.concurrent)
            verdict = _verdict(limits, seen, LOCAL_TICKET)
            if verdict.allowed:
                if limits.minute is not None:
                    recent.append(now)
                if limits.hour is not None or limits.day is not None:
                    usage.hour += 1
                    usage.day += 1
                if limits.concurrent is not None:
                    usage.concurrent += 1
            return verdict

    def leave(self, key: str) -> None:
        with self._lock:
            self._usages[key].concurrent -= 1

    def _forget_idle(self, now: int) -> None:
        # Two keys looked at for at most one added: memory follows the keys in use, with no timer.
        for _ in range(min(2, len(self._usages))):
            key, usage = self._usages.popitem(last=False)
            if usage.roll(now):
                self._usages[key] = usage


# Redis runs a script as one step, by its own clock (a given one is for tests). A slot is a ticket
# that expires, so a killed worker cannot keep it. Limits: minute, hour, day, concurrent.
_ENTER = """
local limit, ticket, slot, clock = {}, ARGV[5], tonumber(ARGV[6]), redis.call('TIME')
for i = 1, 4 do limit[i] = tonumber(ARGV[i]) end
local now = tonumber(ARGV[7]) or clock[1] * 1000000 + clock[2]
local hour, day = math.floor(now / 3600000000), math.floor(now / 86400000000)

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local used, busy = redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[2])
local counts = redis.call('HMGET', KEYS[3], 'hour' .. hour, 'day' .. day)
local count = {used, tonumber(counts[1] or 0), tonumber(counts[2] or 0), busy}
local function came(rank)
  return tonumber(redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')[2] or now)
end
local seen = {now, came(0), came(math.max(0, used - (limit[1] or used))), unpack(count)}
for i = 1, 4 do
  if limit[i] and count[i] >= limit[i] then return seen end
end

if limit[1] then
  redis.call('ZADD', KEYS[1], now, ticket)
  redis.call('PEXPIRE', KEYS[1], 60000)
end
if limit[2] or limit[3] then
  redis.call('HINCRBY', KEYS[3], 'hour' .. hour, 1)
  redis.call('HINCRBY', KEYS[3], 'day' .. day, 1)
  redis.call('PEXPIRE', KEYS[3], math.ceil(((day + 1) * 86400000000 - now) / 1000))
end
if limit[4] then
  redis.call('ZADD', KEYS[2], now + slot, ticket)
  redis.call('PEXPIRE', KEYS[2], math.ceil(slot / 1000))
end
return seen
"""


class _SharedStore:
    """Counters in Redis, exact across worker processes and machines."""

    def __init__(self, url: str, slot_seconds: float, clock: Callable[[], float] | None) -> None:
        # No retries: a request that was counted before its answer got lost would count twice.
        timeouts = {"socket_timeout": STORE_TIMEOUT, "socket_connect_timeout": STORE_TIMEOUT}
        self._redis = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **timeouts)
        self._script = self._redis.register_script(_ENTER)
        self._slot = int(slot_seconds * SECOND)
        self._clock = clock

    def enter(self, key: str, limits: Limits) -> Verdict:
        ticket = secrets.token_hex(12)
        given = [limits.minute, limits.hour, limits.day, limits.concurrent]
        now = None if self._clock is None else int(self._clock() * SECOND)
        arguments = ["" if value is None else value for value in [*given, ticket, self._slot, now]]
        return _verdict(limits, _Seen(*self._script(self._names(key), arguments)), ticket)

    def leave(self, key: str, ticket: str) -> None:
        self._redis.zrem(self._names(key)[1], ticket)

    def _names(self, key: str) -> list[str]:
        return [f"finora:rate:{{{key}}}:{part}" for part in ("minute", "slots", "counts")]


class RateLimiter:
    """Ask ``enter`` before a request and, once it is done, ``leave`` exactly once.

    While Redis does not answer, this process counts for itself and looks again every few seconds.
    The clock is for tests; without one, Redis' own serves all workers.
    """

    def __init__(
        self,
        redis_url: str | None,
        *,
        slot_seconds: float = SLOT_SECONDS,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._local = _LocalStore(clock or time.time)
        self._shared = _SharedStore(redis_url, slot_seconds, clock) if redis_url else None
        self._lock = threading.Lock()
        self._look_again: float | None = None  # monotonic; None while the store answers

    def enter(self, key: str, limits: Limits) -> Verdict:
        was_away = self._look_again is not None
        if self._shared is not None and self._may_ask():
            try:
                verdict = self._shared.enter(key, limits)
            except redis.RedisError as error:
                self._note(error)
            else:
                if was_away:
                    self._note(None)
                return verdict
        return self._local.enter(key, limits)

    def leave(self, key: str, verdict: Verdict) -> None:
        if verdict.ticket == LOCAL_TICKET:
            self._local.leave(key)
        elif verdict.ticket and self._shared is not None and self._look_again is None:
            try:
                self._shared.leave(key, verdict.ticket)
            except redis.RedisError as error:  # the ticket expires by itself
                self._note(error)

    def _may_ask(self) -> bool:
        """Whether to ask the store: always while it answers, else one caller now and then."""
        if self._look_again is None:
            return True
        with self._lock:
            now = time.monotonic()
            if self._look_again is not None and now < self._look_again:
                return False
            self._look_again = now + STORE_RETRY
            return True

    def _note(self, error: redis.RedisError | None) -> None:
        """Remember whether the store answers, and say so once when that changes."""
        with self._lock:
            changed = (self._look_again is None) is (error is not None)
            self._look_again = None if error is None else time.monotonic() + STORE_RETRY
        if changed and error is not None:
            logger.warning("The rate limit store is away (%s); each process counts.", type(error))
        elif changed:
            logger.warning("The rate limit store is back.")
