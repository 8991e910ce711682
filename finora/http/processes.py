"""The main process and its workers: they start, reload and end together, and nothing is lost.

    TERM, INT   the workers finish what they began and end; so does the main process, within 10 s
    HUP         one worker after the other is replaced; the new one answers before the old one ends
    KILL        of the main process: its workers see it, finish what they began and end

All workers accept from one socket, which the main process holds: a call that comes while they
change waits in it. It is this server's alone: a second server on the port does not start.
"""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import MPServer

WORKER_SECONDS = 7  # to finish what was begun
MAIN_SECONDS = 9  # to end, whatever happens
BIND_SECONDS = 10  # a server that was here before may still be ending
PARENT_LOOK_SECONDS = 0.25
BACKLOG = 1024
# Of each worker. An idle one costs a file and some memory, and nothing else.
MAX_CONNECTIONS = 4096
OTHER_FILES = 256
# Both for the first byte of a request on a connection and for the last one of its headers.
HEADER_SECONDS = 30
MAX_HEADER_BYTES = 32 * 1024
READ_SECONDS = 30


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
        # What a worker inherits until granian gives it handlers of its own, once it is loaded:
        # the main process's would swallow the signal.
        os.register_at_fork(after_in_child=_forget_signals)

    def _init_shared_socket(self) -> None:
        self._sso = _listener(settings.HOST, settings.PORT)
        self._shd = SocketHolder(self._sso.fileno(), False, BACKLOG)  # type: ignore

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> Any:
        worker = super()._spawn_worker(*args, **kwargs)
        self._spawned = [one for one in self._spawned if one.is_alive()] + [worker]
        return worker

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
        for worker in self._spawned:
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


def _forget_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal's goes to all, and is the main's


def _listener(host: str, port: int) -> socket.socket:
    """The socket, whose options its connections inherit. Raises OSError where it cannot be had."""
    v6 = ":" in host
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        try:
            listener = socket.create_server(
                (host, port),
                family=socket.AF_INET6 if v6 else socket.AF_INET,
                dualstack_ipv6=v6 and socket.has_dualstack_ipv6(),
                backlog=BACKLOG,
            )
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # of a client that does not take its answer
                listener.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READ_SECONDS * 1000
                )
            return listener
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _as_many_files_as_allowed() -> int:
    """Raises this process's bound on open files to what it may be, and says how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
