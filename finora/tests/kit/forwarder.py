"""One address in front of a database, which can hang or lead to another."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

HOST = "127.0.0.1"


class Forwarder:
    """Hands on what comes to 127.0.0.1:`port` to `target`: the path of a unix socket.

    `hang()`: nothing goes either way any more, and nobody is told, as when a network loses it all.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._goes = threading.Event()
        self._goes.set()
        self._links: list[socket.socket] = []
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self) -> None:
        self._goes.clear()

    def go_on(self) -> None:
        self._goes.set()

    def close(self) -> None:
        self._goes.set()
        for each in [self._listener, *self._links]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._link, args=[near], daemon=True).start()

    def _link(self, near: socket.socket) -> None:
        self._goes.wait()
        far = socket.socket(socket.AF_UNIX)
        self._links += [near, far]
        with contextlib.suppress(OSError), near, far, selectors.DefaultSelector() as ready:
            far.connect(self.target)
            other = {near: far, far: near}
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(1 << 16)
                    self._goes.wait()
                    if not data:
                        return
                    other[key.fileobj].sendall(data)
