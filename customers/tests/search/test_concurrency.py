"""Search beside writers, packers and repackers, and after processes that died at any moment."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from customers.management.commands import seed_customers
from customers.models import Customer
from customers.querysets import CustomerInactive
from customers.search import index, store
from customers.search.models import Unpacked
from customers.search.segment import encode_id
from finora import background
from finora.tests.kit import factories
from finora.tests.kit.directories import (
    SMALL,
    directory,
    found,
    matches,
    pack_all,
    segment_lines,
    segments,
    small_steps,
)
from finora.text import holds, name_key

pytestmark = pytest.mark.django_db(transaction=True)

# Some steps are larger than in other tests, as each one waits for the disk.
STEPS = SMALL | {"PACK_ROWS": 8, "SWEEP_LINES": 16, "BULK_LINES": 40, "PAGE_ROWS": 16}
QUERIES = ["ada", "ọlá", "o", "@b", "1", "ada 1", "stays", "zz", "e", ".co"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    small_steps(monkeypatch, STEPS)


def right(business, queries=QUERIES):
    """Whether a search says what brute force says, with all segments opened anew."""
    store.cache().clear()
    rows = directory(business)
    return all(found(business, query) == matches(rows, query) for query in queries)


def meanwhile(stop, *loops):
    """Runs the loops, each in a thread and until one fails or `stop` is set; their results."""

    def run(loop):
        try:
            return loop()
        except BaseException:
            stop.set()
            raise
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(loops)) as pool:
        return [future.result() for future in [pool.submit(run, loop) for loop in loops]]


# --- Beside others ------------------------------------------------------------------------------


class Known:
    """What was committed and is not being changed: searches must find it."""

    def __init__(self, business):
        self.texts = {p: (name, email, 0) for _, p, name, email in directory(business)}
        self.changes = count(1)
        self.lock = threading.Lock()

    def take(self, number):
        """A customer to change: until it is put back nothing is expected of it."""
        with self.lock:
            public_id = sorted(self.texts)[number % len(self.texts)]
            del self.texts[public_id]
            return public_id

    def put(self, public_id, name, email):
        with self.lock:
            self.texts[public_id] = (name, email, next(self.changes))

    def now(self):
        with self.lock:
            return dict(self.texts)


def searcher(business, known, stop, seed):
    rng = random.Random(seed)
    searches = 0
    while not stop.is_set():
        query = rng.choice(QUERIES)
        before = known.now()
        shown = business.customers.search(query)
        after = known.now()
        searches += 1
        places = [(name_key(c.name), c.public_id) for c in shown]
        assert places == sorted(set(places))
        assert len(places) <= 50
        for customer in shown:
            assert customer.business_id == business.pk
            assert holds(customer.name, query) or holds(customer.email, query)
        still = {p: texts for p, texts in before.items() if after.get(p) == texts}
        due = {
            (name_key(name), public_id)
            for public_id, (name, email, _) in still.items()
            if holds(name, query) or holds(email, query)
        }
        if len(places) == 50:
            due = {place for place in due if place <= places[-1]}
        assert due <= set(places), query
    return searches


def writer(business, known, stop, seed):
    rng, serial = random.Random(seed), count()
    while not stop.is_set():
        n = next(serial)
        name = f"{rng.choice(['Ada', 'Ọlá', 'Zoe', 'Ẹ̀bùn'])} {n}"
        email = f"{rng.choice(['ada', 'bola', 'zoe'])}.{seed}.{n}@b{n % 3}.co"
        act = rng.random()
        if act < 0.4:
            customer = factories.customer(business, name=name, email=email)
            known.put(customer.public_id, name, email)
            continue
        public_id = known.take(rng.randrange(10**6))
        customer = Customer.objects.get(public_id=public_id)
        if act < 0.6:
            customer = business.customers.edit(public_id, {"name": name})
        elif act < 0.7:
            customer = business.customers.edit(public_id, {"email": email})
        else:
            customer.delete()
            if act < 0.85:
                continue
            customer.restore()
        known.put(public_id, customer.name, customer.email)


def upkeep(business, stop):
    while not stop.is_set():
        index.step(business)


def repacker(business, stop):
    while not stop.is_set():
        index.repack(business)


def test_a_customer_at_rest_is_never_missed_and_nothing_wrong_is_shown(business):
    business.customers.import_packed(
        [Customer(business=business, name=f"Ada {n}", email=f"stays{n}@b.co") for n in range(100)]
    )
    for n in range(20):
        factories.customer(business, name=f"Ọlá {n}", email=f"stays.ola{n}@b.co")
    known, stop = Known(business), threading.Event()

    def clock():
        stop.wait(4)
        stop.set()
        return 0

    work = [lambda s=s: searcher(business, known, stop, s) for s in (1, 2)]
    work += [lambda s=s: writer(business, known, stop, s) for s in (3, 4)]
    work += [lambda: upkeep(business, stop), lambda: repacker(business, stop), clock]
    searches, more_searches, *_ = meanwhile(stop, *work)
    assert min(searches, more_searches) > 5
    assert right(business)
    pack_all(business)
    assert right(business)


@pytest.mark.parametrize("work", ["pack", "step", "repack"])
def test_two_at_once_do_no_harm(business, work):
    for n in range(60):
        factories.customer(business, name=f"Ada {n}")
    barrier = threading.Barrier(3, timeout=20)

    def run():
        for _ in range(4):
            barrier.wait()
            if work == "repack":
                index.repack(business)
            else:
                while getattr(index, work)(business):
                    pass

    def changes():
        for n in range(4):
            barrier.wait()
            for customer in Customer.objects.filter(business=business).order_by("pk")[n::9]:
                customer.save()

    meanwhile(threading.Event(), run, run, changes)
    assert right(business)
    pack_all(business)
    assert not business.search_tail.exists()
    assert right(business)
    index.repack(business)
    assert segment_lines(business) == 60


def test_a_request_leaves_packing_to_another_thread(api, monkeypatch):
    step, packers = index.step, set()

    def watched(business):
        packers.add(threading.current_thread().name)
        return step(business)

    monkeypatch.setattr(index, "step", watched)
    for n in range(40):
        body = {"name": f"Ada {n}", "email": f"ada{n}@b.co"}
        assert api.post("/v1/customers", body).status_code == 201
    background.end()
    assert packers == {"background"}
    assert api.business.search_tail.count() <= STEPS["PACK_ROWS"] + STEPS["LOOK_EVERY"]
    assert store.rows(api.business.pk).exists()
    assert right(api.business)


def test_upkeep_waits_for_nobody(business):
    """Changes and segments that somebody else has in hand are left to them."""
    if connection.vendor == "sqlite":  # there one writer has all in hand
        return
    people = [factories.customer(business, name=f"Ada {n}") for n in range(40)]
    while index.step(business):
        pass
    Unpacked.objects.add(business.pk, [customer.public_id for customer in people[:20]])
    held, done = threading.Event(), threading.Event()

    def holder():
        with transaction.atomic():
            theirs = [customer.public_id for customer in people[:5]]
            list(business.search_tail.filter(public_id__in=theirs).select_for_update())
            list(store.rows(business.pk).select_for_update())
            held.set()
            assert done.wait(20)

    def others():
        assert held.wait(20)
        started = time.monotonic()
        while index.step(business) or index.pack(business):
            pass
        assert business.search_tail.count() == 5
        assert time.monotonic() - started < 5
        done.set()

    meanwhile(done, holder, others)
    assert business.search_tail.count() == 5
    assert right(business)


def test_a_write_does_not_wait_for_a_repack(business):
    people = [factories.customer(business, name=f"Ada {n}") for n in range(50)]
    waits = []

    def edit(rows):
        def one():
            started = time.monotonic()
            people[rows % 50].save()
            waits.append(time.monotonic() - started)

        meanwhile(threading.Event(), one)

    index.repack(business, edit)
    assert len(waits) >= 3
    assert max(waits) < 5
    assert right(business)


def test_an_erasure_beside_packers_leaves_no_line_behind(business):
    people = [
        factories.customer(business, name=f"Ada {n}", email=f"ada{n}@b.co") for n in range(60)
    ]
    pack_all(business)
    stop = threading.Event()

    def writer():
        rng = random.Random(1)
        while not stop.is_set():
            person = Customer.objects.get(pk=rng.choice(people).pk)
            if not person.is_active:
                continue
            try:
                business.customers.edit(person.public_id, {"name": f"Ada {rng.randrange(10**6)}"})
            except CustomerInactive:
                continue  # erased since

    def packer():
        while not stop.is_set():
            if not index.step(business):
                index.repack(business)

    def eraser():
        try:
            for person in people[::2]:
                person.erase()
        finally:
            stop.set()

    meanwhile(stop, writer, packer, packer, eraser)
    gone = {encode_id(person.public_id) for person in people[::2]}
    store.cache().clear()
    for segment in segments(business):
        assert not [raw for raw in gone if raw in segment.to_bytes()]
    assert len(found(business, "ada")) == 30
    assert right(business)


# --- Killed -------------------------------------------------------------------------------------


@pytest.fixture
def killable():
    """Starts work in a process of its own and kills it after so many seconds: whether it had to."""
    database = str(connection.settings_dict["NAME"])
    steps = json.dumps(STEPS | {"BATCH": 40})
    process = subprocess.Popen(
        [sys.executable, "-m", "finora.tests.kit.killable", database, steps],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def line():
        text = process.stdout.readline()
        assert text, "the process ended"
        return text.strip()

    assert line() == "ready"

    def run(seconds, *work):
        print(seconds, *work, file=process.stdin, flush=True)
        status = int(line())
        assert status in (0, signal.SIGKILL), f"{work} failed by itself"
        return status == signal.SIGKILL

    yield run
    process.stdin.close()
    process.stdout.close()
    assert process.wait(20) == 0


def moments(rng, killed_in_time=True, longest=0.1):
    """When to kill: at random, mostly before the work is done, however fast the machine is."""
    while True:
        killed_in_time = yield rng.uniform(0, longest)
        longest *= 1.3 if killed_in_time else 0.6


def test_killed_at_any_moment_upkeep_loses_nothing(business, killable):
    rng = random.Random(8)
    business.customers.import_packed(
        [Customer(business=business, name=f"Ada {n}", email=f"ada{n}@b.co") for n in range(60)]
    )
    kinds = {work: moments(rng) for work in ("pack", "keep_up", "repack")}
    seconds = {work: next(moment) for work, moment in kinds.items()}
    kills = 0
    for n in range(60):
        if kills >= 24:
            break
        for customer in rng.sample(list(Customer.objects.filter(business=business)), 20):
            if not customer.is_active:
                customer.restore()
            elif rng.random() < 0.2:
                customer.delete()
            else:
                business.customers.edit(customer.public_id, {"name": f"Ọlá {n}"})
        work = rng.choice(list(kinds))
        killed = killable(seconds[work], work, business.pk)
        seconds[work] = kinds[work].send(killed)
        kills += killed
        assert right(business), f"{kills} kills, the last in {work}"
    assert kills >= 20
    index.repack(business)
    assert segment_lines(business) == Customer.objects.count()
    assert right(business)


def test_killed_at_any_moment_seeding_goes_on_where_it_stopped(business, other_business, killable):
    moment = moments(random.Random(9))
    seconds, kills, length = next(moment), 0, 0
    rows = Customer.objects.filter(business=business).order_by("pk")
    while length < 1200 or kills < 8:
        killed = killable(seconds, "seed", business.public_id, 100 * (kills + 1))
        seconds = moment.send(killed)
        kills += killed
        assert rows.count() >= length
        length = rows.count()
        assert right(business, ["ada", "@", "o"])
        if not killed:
            assert length >= 100 * (kills + 1)
            assert segment_lines(business) == length
    call_command(seed_customers.Command(), other_business.public_id, "--count", str(length))
    others = Customer.objects.filter(business=other_business).order_by("pk")
    assert [(c.name, c.email) for c in rows] == [(c.name, c.email) for c in others]
