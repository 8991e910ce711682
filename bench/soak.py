"""python -m bench.soak [--db sqlite|postgres] [--rate 200] [--seconds 300] [--count N]

Writes through the API at a steady rate, and watches that the search tail stays short by itself,
that no write takes long for packing, and that each change is found, and left, at once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django

from bench.__main__ import postgres
from bench.http import HOST
from bench.servers import environment

RESULTS = Path(__file__).resolve().parent / "results"
WRITERS = 6
CHECK_EVERY = 10  # of a writer's changes one is looked for
PATIENCE = 10.0  # milliseconds that a write may wait for packing


@dataclass
class Seen:
    """What one writer saw: milliseconds, and what was not as it should be."""

    writes: list[float] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Writer(threading.Thread):
    """Creates, renames and deletes customers of its own, whose names hold a word like no other."""

    def __init__(
        self, port: int, key: str, search: str, number: int, period: float, end: float
    ) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(HOST, port, timeout=30)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.search, self.number, self.period, self.end = search, number, period, end
        self.random = random.Random(number)
        self.mine: list[tuple[str, str]] = []
        self.words = 0
        self.seen = Seen()

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        started = time.perf_counter()
        content = None if body is None else json.dumps(body)
        self.connection.request(method, path, content, self.headers)
        answer = self.connection.getresponse()
        data = json.loads(answer.read() or "{}")
        if answer.status >= 300:
            raise RuntimeError(f"{method} answered {answer.status}: {data}")
        return (time.perf_counter() - started) * 1000, data

    def word(self) -> str:
        self.words += 1
        return f"q{self.number}x{self.words}z"

    def change(self) -> list[tuple[str, list[str]]]:
        """One write; and what a search must say behind it."""
        what = self.random.random()
        if what < 0.55 or not self.mine:
            word = self.word()
            person = {"name": f"Ada {word} Obi", "email": f"{word}@soak.example.ng"}
            ms, answer = self.call("POST", "/v1/customers", person)
            self.mine.append((answer["data"]["id"], word))
            wanted = [(word, [answer["data"]["id"]])]
        else:
            place = self.random.randrange(len(self.mine))
            public_id, old = self.mine.pop(place)
            path = f"/v1/customers/{public_id}"
            wanted = [(f"{old} obi", [])]
            if what < 0.85:
                word = self.word()
                ms, _ = self.call("PUT", path, {"name": f"Bola {word} Obi"})
                self.mine.append((public_id, word))
                wanted.append((word, [public_id]))
            else:
                ms, _ = self.call("DELETE", path)
        self.seen.writes.append(ms)
        return wanted

    def run(self) -> None:
        try:
            self.write()
        except (OSError, http.client.HTTPException, ValueError, RuntimeError) as error:
            self.seen.wrong.append(f"a writer ended with {error!r}")

    def write(self) -> None:
        due = time.monotonic() + self.random.random() * self.period
        while due < self.end:
            time.sleep(max(0.0, due - time.monotonic()))
            due += self.period
            wanted = self.change()
            if len(self.seen.writes) % CHECK_EVERY == 0:
                for query, ids in wanted:
                    ms, answer = self.call("GET", self.search + quote(query))
                    self.seen.searches.append(ms)
                    found = [customer["id"] for customer in answer["data"]["customers"]]
                    if found != ids:
                        self.seen.wrong.append(f"{query}: {found} instead of {ids}")


def soak(rate: float, seconds: float, count: int, env: dict[str, str], out: Path) -> int:
    # They need Django's apps.
    from bench import queries
    from bench.checks import say
    from bench.packing import read_times
    from bench.plan import SOAKED
    from bench.report import number, spread
    from bench.servers import serving
    from bench.truth import Truth
    from bench.world import directory
    from customers.search import index

    of = directory(count)
    times = Path(env["SOAK_TIMES"])
    times.write_text("")
    with serving(SOAKED, env) as server:
        end = time.monotonic() + seconds
        make = (server.port, of.key, of.search_path)
        writers = [Writer(*make, n, WRITERS / rate, end) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        tails = []
        while any(writer.is_alive() for writer in writers):
            time.sleep(1)
            tails.append(of.business.search_tail.count())
            if len(tails) % 30 == 0:
                say(f"{len(tails)} s, tail {tails[-1]}, at most {max(tails)}")
        for writer in writers:
            writer.join()
    truth = Truth(of.business)
    kinds = queries.choose(truth)
    wrong = [line for writer in writers for line in writer.seen.wrong]
    for kind, query in kinds.items():
        found = [c.public_id for c in of.business.customers.search(query)]
        if found != truth.first(query):
            wrong.append(kind)
    writes = [ms for writer in writers for ms in writer.seen.writes]
    searches = [ms for writer in writers for ms in writer.seen.searches]
    waits, begun = read_times(times)
    steps = [ms for _, ms in begun]
    segments = of.business.search_segments.count()
    bound = index.PACK_ROWS + index.LOOK_EVERY
    slow = sum(ms > PATIENCE for ms in waits)
    report = [
        f"{len(writes) / seconds:.0f} writes a second for {seconds:.0f} s, {count:,} customers",
        *(
            f"{what}: {len(figures):,}; mean, p50, p95, p99, max"
            f" {', '.join(map(number, spread(figures)))} ms"
            for what, figures in (
                ("writes", writes),
                ("of them waiting for packing", waits),
                ("searches", searches),
                ("steps of packing", steps),
            )
            if figures
        ),
        f"{slow} writes waited more than {PATIENCE:.0f} ms for packing",
        f"the tail held at most {max(tails)} customers of {bound}; {segments} segments at the end",
        f"{len(searches) + len(kinds):,} searches checked, {len(wrong)} wrong",
        *(f"wrong: {line}" for line in wrong[:10]),
    ]
    text = "\n".join(report) + "\n"
    sys.stdout.write(text)
    out.write_text(text)
    return 1 if wrong or slow or max(tails) > bound else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--db", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rate", type=float, default=200, help="writes a second")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--count", type=int, default=20_000, help="customers there are before")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where its figures go")
    options = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="finora-soak-")).resolve()
    try:
        url = f"sqlite:///{data}/finora.sqlite3"
        if options.db == "postgres":
            server = postgres(data / "postgres")
            url = server.get_uri("finora")
        env = environment(data, url) | {"SOAK_TIMES": str(data / "times")}
        os.environ.clear()
        os.environ.update(env)
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        out = options.out / f"soak-{options.db}.txt"
        return soak(options.rate, options.seconds, options.count, env, out)
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
