"""Figures for whoever runs the service, in Prometheus' form: counted from `start` on, else free.

A series is declared beside what it counts, with every value that its labels may have; whatever else
they are given becomes `other`. So no path, no name and nobody's value gets into a label.

The workers of a server share a directory that their main process makes (`shared`). Each writes a
file there, and whoever is asked sums them all up: prometheus_client's multiprocess mode, but that a
worker that ended leaves its file to the next one. So counts go on across reloads, and there are
never more files than processes at a time.
"""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.signals import setting_changed
from django.db import Error

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger("finora.metrics")

OTHER = "other"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # the library's name for it, in the environment
# Files are mapped into memory, where a write that finds the disk full kills the process: so each
# has its room beforehand, for some 400 combinations of route, method and status.
FILE_BYTES = 1 << 20

declared: list[_Series] = []
_registry: CollectorRegistry | None = None  # while this process counts

Values = Iterable[str] | Callable[[], Iterable[str]]


class _Series:
    """`labels`: of each name all values, or what answers them at the first one that is counted."""

    kind: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, name: str, about: str, **labels: Values) -> None:
        self.name, self.about, self.labels = name, about, labels
        self._family: Any = None  # none while nobody counts
        self._children: dict[tuple[str, ...], Any] = {}
        declared.append(self)
        if _registry is not None:
            self.start(_registry)

    def start(self, registry: CollectorRegistry) -> None:
        import prometheus_client

        make = getattr(prometheus_client, self.kind)
        names = [*self.labels]
        self._family = make(self.name, self.about, names, registry=registry, **self.options)
        self._children = {} if names else {(): self._family}

    def stop(self) -> None:
        self._family = None

    @cached_property
    def _known(self) -> list[frozenset[str]]:
        return [frozenset(v() if callable(v) else v) for v in self.labels.values()]

    def _child(self, given: tuple[str, ...]) -> Any:
        child = self._children.get(given)
        if child is None:
            pairs = zip(given, self._known, strict=True)
            values = tuple(value if value in known else OTHER for value, known in pairs)
            child = self._family.labels(*values)
            if (
                values == given
            ):  # so what is kept has a bound; and the library's own look-up is slower
                self._children[given] = child
        return child


class Counter(_Series):
    kind = "Counter"

    def add(self, *labels: str, count: int = 1) -> None:
        if self._family is not None:
            self._child(labels).inc(count)


class Gauge(_Series):
    """Of all living processes together."""

    kind = "Gauge"
    options = {"multiprocess_mode": "livesum"}

    def set(self, value: float) -> None:
        if self._family is not None:
            self._child(()).set(value)


class Histogram(_Series):
    """Durations, in seconds."""

    kind = "Histogram"
    options = {"buckets": BUCKETS}

    def observe(self, seconds: float, *labels: str) -> None:
        if self._family is not None:
            self._child(labels).observe(seconds)

    @contextmanager
    def time(self, *labels: str) -> Iterator[None]:
        """Of what ends without an exception."""
        started = time.perf_counter()
        yield
        self.observe(time.perf_counter() - started, *labels)


asked: dict[str, tuple[str, Callable[[], float]]] = {}


def asked_of_database(
    name: str, about: str
) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Registers a gauge that is the answer of a query, which whoever scrapes waits for."""

    def register(query: Callable[[], float]) -> Callable[[], float]:
        asked[name] = about, query
        return query

    return register


class _Asked:
    def collect(self) -> Iterator[Any]:
        """All that the database answers: while it is away the other figures are worth the more."""
        from prometheus_client.core import GaugeMetricFamily

        for name, (about, query) in asked.items():
            try:
                yield GaugeMetricFamily(name, about, query())
            except Error as error:
                log.warning("a figure is left out", exc_info=error, extra={"fields": {"is": name}})


class _Shared:
    """The figures of all processes that have a file in this directory. Raises OSError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = 0
        while (lock := self._locked(self._number)) is None:
            self._number += 1
        self._lock = lock  # it goes with this process, however that ends
        for kind in ("counter", "histogram", "gauge_livesum"):
            with (directory / f"{kind}_{self._number}.db").open("ab") as file:
                file.write(bytes(max(0, FILE_BYTES - file.tell())))

    def number(self) -> int:
        """This process's: the lowest that no living one had."""
        return self._number

    def _locked(self, number: int) -> int | None:
        lock = os.open(self._directory / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def collect(self) -> Iterable[Any]:
        from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

        for path in self._directory.glob("*.lock"):
            number = int(path.stem)
            if (lock := self._locked(number)) is not None:  # so its process has ended
                mark_process_dead(number, str(self._directory))
                os.close(lock)
        found: Iterable[Any] = MultiProcessCollector(None, str(self._directory)).collect()
        return found


_shared: _Shared | None = None


def start() -> None:
    """Counts from here on, where METRICS_TOKEN says that somebody asks: in each process that
    answers requests, before the first. With no directory to share, for this process alone."""
    global _registry, _shared
    if not settings.METRICS_TOKEN:
        return
    from prometheus_client import CollectorRegistry, disable_created_metrics, values

    if directory := os.environ.get(DIRECTORY):
        try:
            _shared = _Shared(Path(directory))
        except OSError as error:
            log.error("this process counts nothing", exc_info=error)
            return
        values.ValueClass = values.MultiProcessValue(_shared.number)
    disable_created_metrics()
    _registry = CollectorRegistry()
    for series in declared:
        series.start(_registry)


def page(accept: str) -> tuple[bytes, str]:
    """All figures and their content type, for this Accept header."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    shown = CollectorRegistry()
    for collector in (_shared or _registry, _Asked()):
        if collector is not None:
            shown.register(collector)
    encode, content_type = choose_encoder(accept)
    return encode(shown), content_type


@contextmanager
def shared() -> Iterator[None]:
    """In a main process: a directory for its workers' figures, until they have ended."""
    if not settings.METRICS_TOKEN:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="finora-metrics-") as directory:
        os.environ[DIRECTORY] = directory
        yield


def _restart(*, setting: str, **_: Any) -> None:
    global _registry
    if setting == "METRICS_TOKEN":
        _registry = None
        for series in declared:
            series.stop()
        start()


setting_changed.connect(_restart)
