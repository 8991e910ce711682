"""The main process and its workers: they start, reload and end together, and nothing is lost.

    TERM, INT   the workers finish what they began and end; so does the main process, within 10 s
    HUP         one worker after the other is replaced; the new one answers before the old one ends
    KILL        of the main process: its workers see it, finish what they began and end

The main process holds the sockets that workers accept from (`finora/http/listening.py`): a call
that comes while they change waits there. The port is this server's alone: a second one on it does
not start.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from granian import _futures
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import MPServer

from finora import metrics
from finora.http.listening import BACKLOG, Dealer, listen
from finora.tasks.worker import Worker

log = logging.getLogger("finora.http")

WORKER_SECONDS = 7  # to finish what was begun
ANOTHER_SECONDS = 1  # before the place of a worker of tasks that ended is filled
MAIN_SECONDS = 9  # to end, whatever happens
PARENT_LOOK_SECONDS = 0.25
# Of each worker. An idle one costs a file and some memory, and nothing else.
MAX_CONNECTIONS = 4096
OTHER_FILES = 256
# Both for the first byte of a request on a connection and for the last one of its headers.
HEADER_SECONDS = 30
MAX_HEADER_BYTES = 32 * 1024


class Server(MPServer):
    """Granian, with these promises. Its own `respawn` and `kill` settings keep none of them."""

    def __init__(self) -> None:
        files = _as_many_files_as_allowed()
        super().__init__(
            "finora.rsgi:application",
            address=settings.HOST,
            port=settings.PORT,
            interface=Interfaces.RSGI,
            workers=settings.WORKERS,
            loop=Loops.asyncio,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MAX_HEADER_BYTES
            ),
            backlog=BACKLOG,
            backpressure=min(MAX_CONNECTIONS, max(files - OTHER_FILES, OTHER_FILES)),
            respawn_failed_workers=True,
            workers_kill_timeout=WORKER_SECONDS,
            websockets=False,
            log_access=False,
        )
        self._spawned: list[Any] = []
        self._on_tasks: dict[int, Any] = {}  # its process, by its place
        self.on_startup(self._work_on_tasks)
        self.on_reload(self._replace_on_tasks)
        self.on_shutdown(self._end_tasks)
        # What a worker inherits until granian gives it handlers of its own, once it is loaded:
        # the main process's would swallow the signal.
        os.register_at_fork(after_in_child=_forget_signals)

    def _init_shared_socket(self) -> None:
        self._sso = None
        self._listeners = listen(settings.HOST, settings.PORT, self.workers)
        self._dealer = Dealer(self._listeners)

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> Any:
        place = kwargs["idx"] % len(self._listeners)
        self._shd = SocketHolder(self._listeners[place].fileno(), False, BACKLOG)  # type: ignore
        is_dealt = len(self._listeners) > 1
        if is_dealt:
            kwargs["callback_loader"] = partial(
                _load, kwargs["callback_loader"], self._dealer, place
            )
        worker = super()._spawn_worker(*args, **kwargs)
        if is_dealt:
            worker._watcher = partial(  # type: ignore[method-assign]
                self._watch, worker, place, worker._watcher
            )
        self._spawned = [one for one in self._spawned if one.is_alive()] + [worker]
        return worker

    def _watch(self, worker: Any, place: int, note_end: Callable[[], None]) -> None:
        """In a thread of its own, as granian has one for each worker."""
        worker.join()
        self._dealer.end(place, worker.inner.pid)
        note_end()

    def _start_on_tasks(self, place: int) -> None:
        self._on_tasks[place] = multiprocessing.get_context("fork").Process(target=self._work)
        self._on_tasks[place].start()

    def _work_on_tasks(self) -> None:
        for place in range(settings.TASK_WORKERS):
            self._start_on_tasks(place)
            threading.Thread(target=self._keep_working, args=[place], daemon=True).start()

    def _keep_working(self, place: int) -> None:
        while not self.interrupt_signal:
            process = self._on_tasks[place]
            process.join()
            if process.exitcode:
                log.error("a worker of tasks ended, another begins")
                time.sleep(ANOTHER_SECONDS)
            if not self.interrupt_signal:
                self._start_on_tasks(place)

    def _replace_on_tasks(self) -> None:
        for process in self._on_tasks.values():
            process.terminate()

    def _work(self) -> NoReturn:
        """In a process of its own, which does not keep the port when it outlives the main one."""
        self._drop_shared_socket()
        end_with_parent()
        metrics.start()
        Worker().run()
        os._exit(0)  # as `serve` does

    def _end_tasks(self) -> None:
        """The web's workers have ended; `_end` sees to these."""
        while any(one.is_alive() for one in self._on_tasks.values()):
            time.sleep(0.05)

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        for idx in workers:
            if self.interrupt_signal:
                return
            super()._respawn_workers([idx], *args, **kwargs)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        if not self.interrupt_signal:
            super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]
            threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> NoReturn:
        """The main thread may be in the middle of a reload, or about to wait for a signal."""
        deadline = time.monotonic() + MAIN_SECONDS
        while time.monotonic() < deadline:
            self.main_loop_interrupt.set()
            self._each_alive("terminate")
            time.sleep(0.1)
        self._each_alive("kill")
        os._exit(1)

    def _each_alive(self, end: str) -> None:
        for worker in [*self._spawned, *self._on_tasks.values()]:
            if worker.is_alive():
                getattr(worker, end)()


def end_with_parent() -> None:
    """In a worker: it ends as by TERM when the main process is gone, and surely soon after."""
    # Not getppid() now: it may be gone already.
    main = multiprocessing.parent_process()
    parent = main.pid if main else os.getppid()

    def watch() -> NoReturn:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(WORKER_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def hear_signals_once(loop: asyncio.AbstractEventLoop, heard: Callable[[], None]) -> None:
    """In a worker, before granian sets its handlers, whose third call would block for ever: the
    main process, a supervisor and a terminal may all send one. `heard` is called with the first.
    """
    add = loop.add_signal_handler
    were_heard: list[int] = []

    def add_once(number: int, handler: Callable[..., Any], *args: Any) -> None:
        def hear() -> None:
            were_heard.append(number)
            if len(were_heard) == 1:
                heard()
                handler(*args)

        add(number, hear)

    loop.add_signal_handler = add_once  # type: ignore[method-assign,assignment]


def hear_requests_first(take: Callable[[Any, Any], bool]) -> None:
    """In a worker, before granian begins: what `take` takes, by its scope and protocol, is not
    begun in the event loop. granian calls it in a thread of its own."""
    usual = _futures._cbsched_aioschedule

    def scheduling(*args: Any) -> Callable[[Any], None]:
        begin = usual(*args)  # type: ignore[no-untyped-call]

        def hear(watcher: Any) -> None:
            if not take(watcher.scope, watcher.proto):
                begin(watcher)

        return hear

    _futures._cbsched_aioschedule = scheduling


def _forget_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal's goes to all, and is the main's


def _load(load: Callable[[], Any], dealer: Dealer, place: int) -> Any:
    application = load()
    dealer.begin(place)
    return application


def _as_many_files_as_allowed() -> int:
    """Raises this process's bound on open files to what it may be, and says how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
