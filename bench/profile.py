"""Where the time of a call goes: the CPU of each part, of the database, of Redis, and what is left.

Twice each call. Served under load, as in `calls`, for what everybody takes of the machine. Then in
this process, through Django alone: a timer asks a thousand times a second of CPU what runs, and
what the thread took since it asked last goes to the part of the innermost frame that is of one.
What the server takes beyond that is HTTP, sockets, and the way from granian's thread to Django's.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psutil
from django.test import RequestFactory, override_settings

from bench.calls import measure, serve, subject_of
from bench.checks import expect, say
from bench.drills import redis_store
from bench.load import Calls
from bench.plan import HIGH_LIMITS, MADE, OURS_LIMITED, OURS_UNLIMITED
from bench.world import World

SECONDS = 0.001  # of CPU, from one look to the next
DATABASE, LIMITS = "asking the database", "limits, asking Redis"
SEALING, ROWS, AUDIT = "sealing, opening, blind indexes", "rows", "audit event"
BODY, ANSWER, LOG = "the body", "the answer", "the log line"
OURS_AROUND, FRAMEWORKS = "middleware, the key", "Django, REST framework"
UPKEEP = "packing for search, behind the call"
# Whose time it is, by the name of the innermost file that holds one of these; the first counts.
FILES = {
    "finora/orm/statements.py": DATABASE,
    "/psycopg": DATABASE,
    "finora/limits/": LIMITS,
    "finora/api/throttling.py": LIMITS,
    "/redis/": LIMITS,
    "finora/sealing/": SEALING,
    "finora/text.py": SEALING,
    "finora/audit/": AUDIT,
    "finora/api/parsers.py": BODY,
    "finora/api/fields.py": BODY,
    "customers/api/serializers.py": BODY,
    "/rest_framework/serializers.py": BODY,
    "/rest_framework/fields.py": BODY,
    "finora/api/envelope.py": ANSWER,
    "customers/api/answers.py": ANSWER,
    "/django/http/response.py": ANSWER,
    "finora/http/logging.py": LOG,
    "/logging/__init__.py": LOG,
    "finora/http/": OURS_AROUND,
    "finora/api/": OURS_AROUND,
    "customers/": ROWS,
    "finora/": ROWS,
    "/django/db/backends/": DATABASE,
    "/django/db/": ROWS,
    "/django/": FRAMEWORKS,
    "/rest_framework/": FRAMEWORKS,
}
PARTS = tuple(dict.fromkeys(FILES.values()))


def run(world: World) -> dict[str, Any]:
    """Of each call, with limits and without: µs of CPU by part; and served, by whose."""
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="finora-redis-") as home,
        redis_store.running(Path(home)) as store,
    ):
        watched = {"database": world.postmaster, "redis": psutil.Process(store.process.pid)}
        limits = {"REDIS_URL": store.url, "RATE_LIMITS": HIGH_LIMITS}
        for name, own in ((OURS_LIMITED, limits), (OURS_UNLIMITED, {})):
            with serve(name, world.env | own) as server:
                subject = subject_of(name, server, world)
                served = {
                    route: measure(subject, route, watched, world.plan)
                    for route in world.plan.routes
                }
            for route, figures in served.items():
                with override_settings(**own):
                    parts = _parts(subject.calls[route], 201 if route == MADE else 200, world)
                rows.append({"route": route, "server": name, "parts": parts, **figures})
                say(f"{route}, {name}: {sum(parts.values()):.0f} µs of CPU in Django")
    return {"rows": rows}


def _parts(calls: Calls, status: int, world: World) -> dict[str, float]:
    """µs of CPU of each part, and of upkeep, a call."""
    from finora.wsgi import application  # all prepared, as in a worker

    environs = _environs(calls)

    def ask(count: int) -> None:
        for _ in range(count):
            response = application(next(environs), lambda *_: None)
            expect("the status", response.status_code, status)
            response.close()

    count = world.plan.profiled
    with _quiet():
        ask(count // 20 + 1)
        before = time.process_time() - time.thread_time()
        with sampling() as seen:
            ask(count)
        beside = time.process_time() - time.thread_time() - before
    parts = {part: seen[part] / count * 1e6 for part in PARTS}
    return parts | {UPKEEP: max(0.0, beside) / count * 1e6}


def _environs(calls: Calls) -> Iterator[dict[str, Any]]:
    """The calls in turn, told to Django in the terms of WSGI."""
    word = f"{os.urandom(4).hex()}.{{n}}"
    made = []
    for line in calls.lines:
        method, path, body = line.split("\t")
        environ = RequestFactory().generic(method, path, headers={"Host": "localhost"}).environ
        environ["HTTP_AUTHORIZATION"] = f"Bearer {calls.key}"
        if body:
            environ["CONTENT_TYPE"] = "application/json"
        made.append((environ, body.replace("{slice}.{n}", word)))
    for number, (environ, body) in enumerate(cycle(made)):
        sent = body.replace("{n}", str(number)).encode()
        length = {"CONTENT_LENGTH": str(len(sent))} if sent else {}
        yield {**environ, **length, "wsgi.input": io.BytesIO(sent)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Log lines go to a file, as a server's do."""
    handlers = logging.getLogger().handlers
    with tempfile.TemporaryFile("w") as file:
        usual = [handler.setStream(file) for handler in handlers]  # type: ignore[attr-defined]
        try:
            yield
        finally:
            for handler, stream in zip(handlers, usual, strict=True):
                handler.setStream(stream)  # type: ignore[attr-defined]


@contextmanager
def sampling() -> Iterator[Counter[str]]:
    """Seconds of CPU of this thread, which is the main one, by part."""
    seen: Counter[str] = Counter()
    last = time.thread_time()

    def look(_: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.thread_time()
        seen[_part(frame)] += now - last
        last = now

    usual = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)
    try:
        yield seen
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, usual)


_parts_of_code: dict[CodeType, str | None] = {}


def _part(frame: FrameType | None) -> str:
    while frame is not None:
        code = frame.f_code
        if code not in _parts_of_code:
            name = code.co_filename
            _parts_of_code[code] = next((FILES[each] for each in FILES if each in name), None)
        if (part := _parts_of_code[code]) is not None:
            return part
        frame = frame.f_back
    return FRAMEWORKS
