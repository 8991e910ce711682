"""PgBouncer, as Debian has it, in front of the PostgreSQL of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from finora.tests.kit.programs import required
from finora.tests.kit.stores import wait_until

PORT = 6432  # of a unix socket in a folder of its own: nobody else's


class Bouncer:
    """Lends two sessions of each database in turn, for one transaction each: what a statement
    leaves in its session the next one does not find, and the one after does."""

    def __init__(self, server: dict[str, Any], **settings: str) -> None:
        program = required("pgbouncer", "the tests behind a connection pooler")
        self.folder = Path(tempfile.mkdtemp(prefix="finora-bouncer-"))
        settings = {
            "listen_addr": "",
            "unix_socket_dir": str(self.folder),
            "listen_port": str(PORT),
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": "2",
            "server_round_robin": "1",
            "max_client_conn": "100",
            "logfile": str(self.folder / "log"),
        } | settings
        lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
        server = {
            name: server[name] for name in ("host", "port", "user", "password") if name in server
        }
        config = self.folder / "pgbouncer.ini"
        config.write_text(f"[databases]\n* = {make_conninfo(**server)}\n[pgbouncer]\n{lines}\n")
        user = None
        if (
            os.geteuid() == 0
        ):  # which it refuses to be; the server's socket may be its owner's alone
            socket = Path(str(server["host"]))
            user = socket.owner() if socket.is_absolute() else "nobody"
            shutil.chown(self.folder, user)
        self.process = subprocess.Popen(
            [program, "-q", str(config)], user=user, stderr=subprocess.DEVNULL
        )
        wait_until((self.folder / f".s.PGSQL.{PORT}").exists)

    def url(self, name: str) -> str:
        return f"postgresql://anybody@/{name}?host={self.folder}&port={PORT}"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def server_of(wrapper: Any) -> dict[str, Any]:
    """Where a connection of Django's leads, in libpq's words."""
    wrapper.ensure_connection()
    info = wrapper.connection.info
    return conninfo_to_dict(info.dsn) | {"host": info.host, "port": info.port, "user": info.user}


@contextmanager
def through(bouncer: Bouncer) -> Iterator[None]:
    """This thread's connection leads there."""
    direct = connection.settings_dict
    connection.close()
    options = direct["OPTIONS"] | {"host": str(bouncer.folder)}
    connection.settings_dict = direct | {"PORT": str(PORT), "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = direct


def open_both_sessions(bouncer: Bouncer, name: str) -> None:
    """Two transactions at once take one each; from then on they are lent in turn."""
    with psycopg.connect(bouncer.url(name)) as one, psycopg.connect(bouncer.url(name)) as other:
        pids = {c.execute("SELECT pg_backend_pid()").fetchone() for c in (one, other)}
        assert len(pids) == 2
