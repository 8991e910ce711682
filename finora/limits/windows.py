"""How often one key (or one address) may call.

So many a minute (rolling), an hour (from the full hour), a day (from midnight UTC) and at once:
all four are asked and counted in one step, so a refused request consumes nothing. In Redis that
step is a script, exact for all workers; without Redis each process counts for itself.

Not built on ``limits``: it counts one window per call, so four cannot be counted, or left
uncounted, together; and its memory storage loses counts between threads and keeps every key.
"""

import logging
import math
import os
import re
import secrets
import threading
import time
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields
from hashlib import sha1
from typing import NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from finora import metrics
from finora.limits.link import Link

logger = logging.getLogger("finora.rate_limits")

# Whole microseconds throughout: exact in Python, in Lua's doubles and in Redis' scores.
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND

STORE_TIMEOUT = 0.25  # seconds a request may lose to a store that does not answer
STORE_RETRY = 5.0  # seconds between two looks at a store that is away
SLOT_SECONDS = 60.0  # then the slot of a killed worker is free; longer than any request takes
LOCAL_TICKET = "local"
NAMES = ("minute", "hour", "day", "concurrent")


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

    def is_within(self, other: "Limits") -> bool:
        """Whether each limit of the other one is set here too, and no higher."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in NAMES)
        return all(theirs is None or (ours and ours <= theirs) for ours, theirs in pairs)


def parse_limits(text: str) -> Limits | None:
    """Read ``60/minute,1000/hour,10000/day,10 concurrent`` (any order, any part) or ``off``."""
    if text.strip().lower() == "off":
        return None
    parts: dict[str, int] = {}
    for part in map(str.strip, text.lower().split(",")):
        match = re.fullmatch(r"([0-9]{1,9})(?:/(minute|hour|day)| +(concurrent))", part)
        if match is None or (name := match[2] or match[3]) in parts:
            example = "'60/minute,1000/hour,10000/day,10 concurrent' or 'off'"
            raise ValueError(f"{part!r} is no rate limit, or a second one; write {example}.")
        parts[name] = int(match[1])
    return Limits(**parts)


class Verdict(NamedTuple):
    """The answer to one request; limit, remaining and reset speak of the minute."""

    allowed: bool
    limit: int | None
    remaining: int | None
    reset: float  # unix seconds: when remaining next grows
    retry_after: int | None  # whole seconds, on a refusal
    reason: str | None  # the name of the limit that refused; of several, the longest to wait for
    ticket: str | None  # the concurrency slot, for leave()


def _verdict(limits: Limits, ticket: str, now: int, leaving: int, *counts: int) -> Verdict:
    """Judge by the counts (in the order of NAMES) before this request.

    ``leaving`` is when the request came that makes room by leaving the minute: the oldest, or a
    later one after the limit was lowered. When a slot will be free nobody knows: say a second.
    """
    given = (limits.minute, limits.hour, limits.day, limits.concurrent)
    full = [
        name
        for name, limit, count in zip(NAMES, given, counts, strict=True)
        if limit and count >= limit
    ]
    minute = limits.minute
    remaining = minute and max(0, minute - counts[0] - (not full))
    reset = (leaving + MINUTE) / SECOND
    if not full:
        held = ticket if limits.concurrent else None
        return Verdict(True, minute, remaining, reset, None, None, held)
    waits = (leaving + MINUTE - now, HOUR - now % HOUR, DAY - now % DAY, SECOND)
    wait, reason = max((waits[NAMES.index(name)], name) for name in full)
    return Verdict(False, minute, remaining, reset, math.ceil(wait / SECOND), reason, None)


def _keep_the_minute(recent: list[int], now: int) -> None:
    """Drop what is older, and what a clock that was set back left in the future."""
    del recent[bisect_right(recent, now) :]
    del recent[: bisect_right(recent, now - MINUTE)]


class _LocalStore:
    """This process's own counters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, list[int]] = OrderedDict()
        self._hours: Counter[str] = Counter()
        self._days: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()
        self._rolled_at = 0

    def enter(self, key: str, limits: Limits) -> Verdict:
        with self._lock:
            now = int(time.time() * SECOND)
            self._forget(now)
            recent = self._recent.setdefault(key, [])
            _keep_the_minute(recent, now)
            used = len(recent)
            leaving = recent[max(0, used - (limits.minute or used))] if recent else now
            counts = [count.get(key, 0) for count in (self._hours, self._days, self._busy)]
            verdict = _verdict(limits, LOCAL_TICKET, now, leaving, used, *counts)
            if verdict.allowed:
                if limits.minute:
                    recent.append(now)
                if limits.hour or limits.day:
                    self._hours[key] += 1
                    self._days[key] += 1
                if limits.concurrent:
                    self._busy[key] += 1
            return verdict

    def leave(self, key: str) -> None:
        with self._lock:
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]

    def _forget(self, now: int) -> None:
        """Drop what no longer counts, so that memory follows the keys in use, with no timer."""
        if now // HOUR != self._rolled_at // HOUR:
            self._hours.clear()
            if now // DAY != self._rolled_at // DAY:
                self._days.clear()
            self._rolled_at = now
        for _ in range(min(2, len(self._recent))):  # two looked at for each one added
            key, recent = self._recent.popitem(last=False)
            _keep_the_minute(recent, now)
            if recent:
                self._recent[key] = recent


# Redis runs a script as one step, by its own clock. A slot is a ticket that expires, so a killed
# worker cannot keep it. What a clock that was set back left in the future does not count. Keys:
# minute, slots, counts. Limits: minute, hour, day, concurrent.
_ENTER = """
local limit, ticket, slot, clock = {}, ARGV[5], tonumber(ARGV[6]), redis.call('TIME')
for i = 1, 4 do limit[i] = tonumber(ARGV[i]) end
local now = clock[1] * 1000000 + clock[2]
local hour, day = math.floor(now / 3600000000), math.floor(now / 86400000000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], now + 1, '+inf')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], now + slot + 1, '+inf')
local used, busy = redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[2])
local counts = redis.call('HMGET', KEYS[3], 'hour' .. hour, 'day' .. day)
local count = {used, tonumber(counts[1] or 0), tonumber(counts[2] or 0), busy}
local rank = math.max(0, used - (limit[1] or used))
local leaving = redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')[2] or now
local seen = {now, tonumber(leaving), unpack(count)}
for i = 1, 4 do if limit[i] and count[i] >= limit[i] then return seen end end
if limit[1] then redis.call('ZADD', KEYS[1], now, ticket) end
if limit[2] or limit[3] then
  redis.call('HINCRBY', KEYS[3], 'hour' .. hour, 1)
  redis.call('HINCRBY', KEYS[3], 'day' .. day, 1)
end
if limit[4] then redis.call('ZADD', KEYS[2], now + slot, ticket) end
redis.call('PEXPIRE', KEYS[1], 60000)
redis.call('PEXPIRE', KEYS[2], math.ceil(slot / 1000))
redis.call('PEXPIRE', KEYS[3], math.ceil(((day + 1) * 86400000000 - now) / 1000))
return seen
"""


# A slot for as long again. Keys: slots. Arguments: ticket, microseconds.
_KEEP = """
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[1], 'XX', clock[1] * 1000000 + clock[2] + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
"""


class _SharedStore:
    """Counters in Redis, for all worker processes and machines."""

    def __init__(self, url: str) -> None:
        # No retries: a request that was counted before its answer got lost would count twice.
        timeouts = {"socket_timeout": STORE_TIMEOUT, "socket_connect_timeout": STORE_TIMEOUT}
        self._pool = redis.ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **timeouts)
        self._script = _ENTER
        self._digest = sha1(_ENTER.encode(), usedforsecurity=False).hexdigest()
        self._links: list[Link] = []  # that nobody uses at the moment
        self._process = os.getpid()

    def ask(self, key: str, limits: Limits) -> Callable[[], Verdict]:
        names = [f"finora:rate:{{{key}}}:{part}" for part in ("minute", "slots", "counts")]
        ticket = secrets.token_hex(12)
        given = (limits.minute, limits.hour, limits.day, limits.concurrent)
        arguments = [*(limit or "" for limit in given), ticket, int(SLOT_SECONDS * SECOND)]
        link = self._take()
        try:
            link.begin("EVALSHA", self._digest, len(names), *names, *arguments)
        except redis.RedisError:
            self._links.append(link)
            raise

        def verdict() -> Verdict:
            try:
                try:
                    seen = link.answer()
                except redis.ResponseError as error:
                    if not str(error).startswith("NOSCRIPT"):
                        raise
                    seen = link.ask("EVAL", self._script, len(names), *names, *arguments)
            finally:
                self._links.append(link)
            return _verdict(limits, ticket, *seen)

        return verdict

    def keep(self, key: str, ticket: str) -> None:
        link = self._take()
        try:
            slots = f"finora:rate:{{{key}}}:slots"
            link.ask("EVAL", _KEEP, 1, slots, ticket, int(SLOT_SECONDS * SECOND))
        finally:
            self._links.append(link)

    def leave(self, key: str, ticket: str) -> None:
        """Waits for no answer: `settle` does."""
        link = self._take()
        try:
            link.tell("ZREM", f"finora:rate:{{{key}}}:slots", ticket)
        finally:
            self._links.append(link)

    def settle(self) -> None:
        for _ in range(len(self._links)):
            link = self._take()
            try:
                link.settle()
            finally:
                self._links.append(link)

    def close(self) -> None:
        while self._links:
            self._links.pop().close()

    def _take(self) -> Link:
        """A link of this process: one that came with a fork would be another one's too."""
        if self._process != os.getpid():
            self._links, self._process = [], os.getpid()
        try:
            return self._links.pop()
        except IndexError:
            return Link(self._pool.make_connection())


_away = metrics.Gauge(
    "finora_rate_limit_store_away",
    "Processes that count rate limits by themselves, as the shared store does not answer.",
)


class RateLimiter:
    """Ask ``enter`` before a request and give its verdict to ``leave``, exactly once, after it.

    ``leave`` does not wait for the store. Between it and ``settle`` there is time for what is left
    to do for the answer; with ``settle``, before that is sent, whoever calls again because of it
    finds the slot free, also at another worker.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._local = _LocalStore()
        self._shared = _SharedStore(redis_url) if redis_url else None
        self._lock = threading.Lock()
        self._look_again: float | None = None  # monotonic; None while the store answers

    def enter(self, key: str, limits: Limits) -> Verdict:
        return self.ask(key, limits)()

    def ask(self, key: str, limits: Limits) -> Callable[[], Verdict]:
        """As `enter`; but the verdict is what this answers once it is called, which it must be, and
        once: until then there is time for something else.
        """
        was_away = self._look_again is not None
        if self._shared is not None and self._may_ask():
            try:
                answer = self._shared.ask(key, limits)
            except redis.RedisError as error:
                self._note(error)
            else:
                return lambda: self._answered(answer, was_away, key, limits)
        verdict = self._local.enter(key, limits)
        return lambda: verdict

    def _answered(
        self, answer: Callable[[], Verdict], was_away: bool, key: str, limits: Limits
    ) -> Verdict:
        try:
            verdict = answer()
        except redis.RedisError as error:
            self._note(error)
            return self._local.enter(key, limits)
        if was_away:
            self._note(None)
        return verdict

    def keep(self, key: str, verdict: Verdict) -> None:
        """To be called at least each half SLOT_SECONDS while a request goes on for longer."""
        if verdict.ticket not in (None, LOCAL_TICKET) and self._shared and self._look_again is None:
            try:
                self._shared.keep(key, verdict.ticket)
            except redis.RedisError as error:
                self._note(error)

    def leave(self, key: str, verdict: Verdict) -> None:
        if verdict.ticket == LOCAL_TICKET:
            self._local.leave(key)
        elif verdict.ticket and self._shared is not None and self._look_again is None:
            try:
                self._shared.leave(key, verdict.ticket)
            except redis.RedisError as error:  # the ticket expires by itself
                self._note(error)

    def settle(self) -> None:
        if self._shared is not None and self._look_again is None:
            try:
                self._shared.settle()
            except redis.RedisError as error:
                self._note(error)

    def close(self) -> None:
        """Leaves the store's connections; what comes next opens new ones."""
        if self._shared is not None:
            self._shared.close()

    def _may_ask(self) -> bool:
        """Whether to ask the store: always while it answers, else one caller now and then."""
        with self._lock:
            if self._look_again is None:
                return True
            if (now := time.monotonic()) < self._look_again:
                return False
            self._look_again = now + STORE_RETRY
            return True

    def _note(self, error: redis.RedisError | None) -> None:
        """Remember whether the store answers, and say so once when that changes."""
        with self._lock:
            changed = (self._look_again is None) is (error is not None)
            self._look_again = None if error is None else time.monotonic() + STORE_RETRY
        if changed:
            _away.set(error is not None)
            state = f"is away ({type(error).__name__}); each process counts" if error else "is back"
            logger.warning("The rate limit store %s.", state)
