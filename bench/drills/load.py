"""Integrations at work: each writer's calls, their answers in the ledger."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlencode

from bench.drills.client import Answer, Unanswered
from bench.drills.ledger import Ledger, Row
from bench.drills.world import World

WRITERS = 6
# Each of them may be asked for by several writers at once.
SHARED = [f"shop{n}@shared.example.ng" for n in range(8)]
PAUSE = 0.1  # seconds after a call that broke
_numbers = count(1)


class Writer(threading.Thread):
    """Creates, edits, deletes and reads customers of its own, and finds or creates shared ones."""

    def __init__(self, world: World, ledger: Ledger, stop: threading.Event, refusals: bool) -> None:
        super().__init__(daemon=True)
        self.number = next(_numbers)
        self.random = random.Random(self.number)
        self.business, self.ledger, self.stop = world.business, ledger, stop
        self.refusals = refusals
        self.client = world.client()
        self.mine: list[str] = []
        self.words = 0
        self.wrong: list[str] = []
        self.slowest = 0.0

    def word(self) -> str:
        """A word that no other customer has."""
        self.words += 1
        return f"q{self.number}x{self.words}z"

    def run(self) -> None:
        while not self.stop.is_set():
            what = self.random.random()
            if what < 0.4 or not self.mine:
                self.create()
            elif what < 0.5:
                self.find_or_create()
            elif what < 0.75:
                self.edit()
            elif what < 0.85:
                self.delete(self.mine.pop(self.random.randrange(len(self.mine))))
            else:
                self.read()
        self.client.close()

    def call(
        self, method: str, path: str, body: Row | None = None, idempotency_key: str | None = None
    ) -> Answer | None:
        """The answer if it is a success; whatever else it is, is noted."""
        try:
            answer = self.client.call(method, path, body, idempotency_key)
        except Unanswered:
            self.ledger.no_answer()
            self.stop.wait(PAUSE)
            return None
        self.slowest = max(self.slowest, answer.seconds)
        if answer.status < 300:
            return answer
        if answer.status == 503 and self.refusals:
            self.ledger.no_answer(refused=True)
            self.stop.wait(PAUSE)
            return None
        self.wrong.append(f"{method} answered {answer}")
        return None

    def create(self) -> None:
        """Sent again under its Idempotency-Key until it is answered."""
        word = self.word()
        body = {"name": f"Adébáyọ̀ {word} Obi", "email": f"{word}@own.example.ng"}
        body["phone"] = f"0803{self.number % 100:02}{self.words % 100_000:05}"
        path = "/v1/customers"
        if finds := self.random.random() < 0.3:
            path += "/find-or-create"
        self.ledger.asks(body["email"])
        first = True
        while not self.stop.is_set() or first:
            answer = self.call("POST", path, body, f"key {word}")
            if answer is not None:
                told = answer.data | {"isActive": True, "phone": body["phone"]}
                self.ledger.told(told)
                self.mine.append(told["id"])
                if finds and not told["created"]:
                    self.wrong.append(f"{told['id']}: made by nobody before")
                if answer.replayed:
                    if first:
                        self.wrong.append(f"{told['id']}: a replay of a first call")
                    self.ledger.done_unanswered.append(f"{told['id']}: its first answer was lost")
                return
            if self.wrong:
                return
            first = False

    def find_or_create(self) -> None:
        """An email that all writers use; who finds it may delete it."""
        email = self.random.choice(SHARED)
        self.ledger.asks(email)
        answer = self.call("POST", "/v1/customers/find-or-create", {"email": email.upper()})
        if answer is None:
            return
        if answer.data["email"] != email:
            self.wrong.append(f"{email}: found {answer.data['email']}")
        self.ledger.told({"id": answer.data["id"], "email": email, "isActive": True})
        if self.random.random() < 0.4:
            self.delete(answer.data["id"])

    def edit(self) -> None:
        public_id = self.random.choice(self.mine)
        word = self.word()
        changes: Row = self.random.choice(
            [
                {"name": f"Bọ́lá {word} Obi"},
                {"email": f"{word}@changed.example.ng"},
                {"phone": f"0805 {self.number % 100:02} {self.words % 100_000:05}"},
                {"name": f"Chi {word}", "email": f"{word}@both.example.ng", "phone": None},
            ]
        )
        answer = self.call("PUT", f"/v1/customers/{public_id}", changes)
        self.ledger.changed(public_id, changes, sure=answer is not None)
        if answer is None:
            self.mine.remove(public_id)

    def delete(self, public_id: str) -> None:
        answer = self.call("DELETE", f"/v1/customers/{public_id}")
        self.ledger.changed(public_id, {"isActive": False}, sure=answer is not None)

    def read(self) -> None:
        """What was just acknowledged is what every later answer says, whichever worker gives it."""
        public_id = self.random.choice(self.mine)
        answer = self.call("GET", f"/v1/customers/{public_id}")
        if answer is None:
            return
        self.wrong += self.ledger.allows(answer.data)
        query = urlencode({"businessId": self.business, "q": answer.data["email"]})
        found = self.call("GET", f"/v1/customers/search?{query}")
        if found is not None and [c["id"] for c in found.data["customers"]] != [public_id]:
            self.wrong.append(f"{public_id}: not found by its email")


class Load:
    """The writers of a stretch of a drill."""

    def __init__(self, writers: list[Writer], ledger: Ledger) -> None:
        self.writers, self._ledger = writers, ledger
        self.wrong: list[str] = []

    def goes_on(self, patience: float) -> bool:
        """Whether anything more is acknowledged within so many seconds."""
        before, end = self._ledger.acknowledged, time.monotonic() + patience
        while self._ledger.acknowledged == before and time.monotonic() < end:
            time.sleep(0.05)
        return self._ledger.acknowledged > before


@contextmanager
def load(
    world: World, ledger: Ledger, *, writers: int = WRITERS, refusals: bool = False
) -> Iterator[Load]:
    """Writers at work inside the block; what was wrong with their answers is there behind it.

    `refusals`: whether a 503 is an answer to expect.
    """
    stop = threading.Event()
    threads = [Writer(world, ledger, stop, refusals) for _ in range(writers)]
    load = Load(threads, ledger)
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        load.wrong += [line for thread in threads for line in thread.wrong]
        load.wrong += ["a writer hangs" for thread in threads if thread.is_alive()]
