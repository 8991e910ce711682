"""Series of figures: what their labels let through, and how processes share them."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings

from finora import metrics
from finora.tests.kit.scraped import TOKEN

PROCESS = """
import sys
import django
django.setup()
from finora import metrics
metrics.start()
calls = metrics.Counter("finora_test_calls", "Calls.", of=("a", "b"))
held = metrics.Gauge("finora_test_held", "Held.")
times = metrics.Histogram("finora_test_seconds", "Times.")
calls.add("a", count=2)
held.set(5)
times.observe(0.3)
print("counted", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def declared():
    """Series that the test declares are gone with it."""
    before = [*metrics.declared]
    yield
    metrics.declared[:] = before


def test_a_value_that_is_not_listed_is_other(scrape, declared, db):
    calls = metrics.Counter("finora_test_calls", "Calls.", of=("a", "b"), by=lambda: iter("xy"))
    for of, by in [("a", "x"), ("b", "z"), ("Ada Obi", "y"), ("ada@acme.example", "08031234567")]:
        calls.add(of, by)
    assert {name: n for name, n in scrape().items() if "_test_" in name} == {
        "finora_test_calls_total{by=x,of=a}": 1,
        "finora_test_calls_total{by=other,of=b}": 1,
        "finora_test_calls_total{by=y,of=other}": 1,
        "finora_test_calls_total{by=other,of=other}": 1,
    }


def test_values_without_end_are_not_kept(scrape, declared):
    calls = metrics.Counter("finora_test_calls", "Calls.", of=("a",))
    for n in range(1000):
        calls.add(f"caller {n}")
    assert len(calls._children) <= 2


def test_nothing_is_counted_while_nobody_asks(scrape, declared, settings, db):
    calls = metrics.Counter("finora_test_calls", "Calls.")
    calls.add()
    settings.METRICS_TOKEN = ""
    calls.add()
    settings.METRICS_TOKEN = TOKEN
    calls.add()
    assert scrape()["finora_test_calls_total"] == 1


def test_a_process_that_nobody_asks_does_not_load_the_library():
    program = "import django; django.setup(); from finora import metrics; metrics.start()"
    program += "; import finora.urls, sys; print('prometheus_client' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert (run.stdout, run.returncode) == ("False\n", 0), run.stderr


# --- Several processes


@contextmanager
def process(directory):
    """One that has counted, and waits."""
    child = subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        cwd=settings.BASE_DIR,
        env=os.environ | {metrics.DIRECTORY: str(directory), "METRICS_TOKEN": TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            assert child.stdout.readline() == "counted\n"
            yield child
        finally:
            child.kill()


def test_processes_are_summed_up_and_one_that_was_killed_leaves_its_counts(tmp_path):
    reader = metrics._Shared(tmp_path)

    def seen():
        found = {s.name: s.value for family in reader.collect() for s in family.samples}
        return (
            found["finora_test_calls_total"],
            found["finora_test_seconds_count"],
            found.get("finora_test_held", 0),
        )

    with ExitStack() as stack:
        one = stack.enter_context(process(tmp_path))
        stack.enter_context(process(tmp_path))
        assert seen() == (4, 2, 10)
        files = {path.name for path in tmp_path.iterdir()}
        one.send_signal(signal.SIGKILL)
        one.wait()
        assert seen() == (4, 2, 5)
        stack.enter_context(process(tmp_path))
        assert seen() == (6, 3, 10)
        assert {path.name for path in tmp_path.iterdir()} == files  # the third has the first's
    assert seen() == (6, 3, 0)
    os.close(reader._lock)


def test_a_full_disk_kills_no_process_that_counts(tmp_path):
    """A write into a hole of a mapped file, with no room left, is a signal that ends a process."""
    shared = metrics._Shared(tmp_path)
    files = [*tmp_path.glob("*.db")]
    assert len(files) == 3
    for path in files:
        assert path.stat().st_blocks * 512 >= path.stat().st_size == metrics.FILE_BYTES
    os.close(shared._lock)


def test_a_directory_that_cannot_be_had_stops_no_start(scrape, settings, monkeypatch, log, db):
    settings.METRICS_TOKEN = ""
    monkeypatch.setenv(metrics.DIRECTORY, "/nonexistent/of/ours")
    settings.METRICS_TOKEN = TOKEN
    assert "this process counts nothing" in log.getvalue()
    assert scrape().keys() == metrics.asked.keys()
