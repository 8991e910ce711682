"""The sockets that a server's workers accept from, and which of them is dealt a new connection.

On Linux each worker has a socket of its own on the one port. From a shared one, whichever worker
wakes first takes all that have come: of 8 kept connections often all 8. The main process holds
every socket, so a connection that waits in one outlives its worker, and a filter in the kernel
deals new ones to the workers that answer. Elsewhere the workers share one socket.
"""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import socket
import struct
import sys
import time
from contextlib import suppress

BIND_SECONDS = 10  # a server that was here before may still be ending
BACKLOG = 1024
READ_SECONDS = 30  # for a client to take its answer
HAS_DEALING = sys.platform == "linux"

# linux/filter.h: a filter as of old, whose answer is the place of a socket among those of the port.
_SO_ATTACH_REUSEPORT_CBPF = 51
_NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF
_LOAD_BYTE, _LOAD_HALF, _LOAD_HALF_BEHIND, _LOAD_LENGTH = 0x30, 0x28, 0x48, 0xB1
_JUMP, _JUMP_IF_EQUAL, _SHIFT, _DIVIDE, _REMAINDER, _ANSWER = 0x05, 0x15, 0x74, 0x34, 0x94, 0x06
# A client's next connection comes from a port that is 2 to 16 higher (2, before Linux 6): so
# each run of ten goes to one worker and the next to another. Of 8 connections to two workers this
# makes 6:2 or worse of 12 to 17 in a hundred, and a hash, which the kernel would take, of 29.
_PORTS = 10


def listen(host: str, port: int, workers: int) -> list[socket.socket]:
    """One socket for each worker, or one for all of them. Raises OSError where it can't be had:
    a second server on the port does not start."""
    first = _bound(host, port)
    if workers == 1 or not HAS_DEALING:
        return [first]
    # Only now: until then a socket of another server, which may share the port with such as say
    # so too, was in its way, and it was in theirs.
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return [first, *(_create(host, port, reuse_port=True) for _ in range(workers - 1))]


def _bound(host: str, port: int) -> socket.socket:
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        try:
            return _create(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _create(host: str, port: int, reuse_port: bool = False) -> socket.socket:
    v6 = ":" in host
    listener = socket.create_server(
        (host, port),
        family=socket.AF_INET6 if v6 else socket.AF_INET,
        dualstack_ipv6=v6 and socket.has_dualstack_ipv6(),
        backlog=BACKLOG,
        reuse_port=reuse_port,
    )
    # Its connections inherit these.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # of a client that does not take its answer
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READ_SECONDS * 1000)
    return listener


class Dealer:
    """Has the kernel deal new connections to the workers that have loaded and live.

    Before the first one has, each waits at any of their sockets.
    """

    def __init__(self, listeners: list[socket.socket]) -> None:
        self._listeners = listeners
        # The process that answers at each; 0 is none. Of all processes.
        self._answering = multiprocessing.RawArray("i", len(listeners))

    def begin(self, place: int) -> None:
        """In a worker, once it has loaded: it answers at this place from now on, and no other."""
        for at, listener in enumerate(self._listeners):
            if at != place:
                listener.close()
        self._answering[place] = os.getpid()
        self._deal(self._listeners[place])

    def end(self, place: int, process: int | None) -> None:
        """In the main process: this one is gone. What waits there is its successor's, and if that
        one answers already, nothing changes."""
        if self._answering[place] == process:
            self._answering[place] = 0
            with suppress(OSError):  # closed: the server ends
                self._deal(self._listeners[place])

    def _deal(self, listener: socket.socket) -> None:
        told: list[int] = []
        # Another process may do the same at the same time: who is last has seen both changes.
        while (answering := list(self._answering)) != told and any(answering):
            _attach(listener, [at for at, process in enumerate(answering) if process])
            told = answering


def _attach(listener: socket.socket, places: list[int]) -> None:
    """A filter to all sockets of the port. Raises OSError if the kernel takes none."""
    lines = [
        (_LOAD_BYTE, 0, 0, _NETWORK_HEADER),
        (_SHIFT, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 2, 6),  # IPv6: the port stands at 40
        (_LOAD_HALF, 0, 0, _NETWORK_HEADER + 40),
        (_JUMP, 0, 0, 2),
        (_LOAD_LENGTH, 0, 0, _NETWORK_HEADER),  # IPv4: behind the options
        (_LOAD_HALF_BEHIND, 0, 0, _NETWORK_HEADER),
        (_DIVIDE, 0, 0, _PORTS),
        (_REMAINDER, 0, 0, len(places)),
    ]
    for at, place in enumerate(places):
        lines += [(_JUMP_IF_EQUAL, 0, 1, at), (_ANSWER, 0, 0, place)]
    lines.append((_ANSWER, 0, 0, places[0]))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = struct.pack("HP", len(lines), ctypes.addressof(code))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
