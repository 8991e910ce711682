"""python -m bench.spread [--businesses 8] [--count 20000] [--servers 2] [--out FILE]

What servers keep of searched customers: nginx deals calls to servers of one worker, in turn, or by
the key that a call has (`hash $http_authorization consistent`). Every business is searched through
nginx alike; then each server says what it keeps, and PostgreSQL how large it has become.
Needs nginx (Debian: nginx-light).
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django

from bench.__main__ import postgres
from bench.http import HOST
from bench.servers import Server, _free_port, environment, serving

TOKEN = "spread-0123456789abcdefghijklmnopqrstuv"
QUERIES = ("ade", "obi", "a", "08", "example", "acme", "q")
WAYS = {"in turn": "", "by key": "hash $http_authorization consistent;"}
KEPT = "finora_search_cache_bytes"


@contextmanager
def nginx(servers: list[Server], way: str) -> Iterator[int]:
    """The port on which it deals calls to these servers."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("nginx is needed. On Debian: apt-get install nginx-light")
    port, folder = _free_port(), Path(tempfile.mkdtemp(prefix="finora-spread-"))
    upstream = "".join(f"server {HOST}:{server.port};" for server in servers)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr crit; worker_processes 1; events {{}}"
        f" http {{ access_log off; {temporary} upstream finora {{ {WAYS[way]} {upstream} }}"
        f" server {{ listen {HOST}:{port};"
        f" location / {{ proxy_pass http://finora; proxy_http_version 1.1; }} }} }}"
    )
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", "stderr"])
    try:
        time.sleep(1)
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


def get(port: int, path: str, token: str) -> bytes:
    link = http.client.HTTPConnection(HOST, port, timeout=60)
    link.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = link.getresponse()
    body = answer.read()
    link.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return body


def kept(server: Server) -> float:
    """Bytes of opened search segments that a server keeps."""
    page = get(server.port, "/metrics", TOKEN).decode()
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(KEPT))


def database_bytes() -> int:
    """On disk, with indexes, search segments and the audit trail."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def measure(directories: list[Any], env: dict[str, str], servers: int, way: str) -> dict[str, Any]:
    with ExitStack() as stack:
        every = [stack.enter_context(serving("ours", env)) for _ in range(servers)]
        before = [server.memory_mb() for server in every]
        port = stack.enter_context(nginx(every, way))
        order = random.Random(servers)  # in one order, each business would have its turn alike
        for query in QUERIES:
            for of in order.sample(directories, len(directories)):
                get(port, of.search_path + quote(query), of.key)
        return {
            "kept": [kept(server) for server in every],
            "grown": [server.memory_mb() - was for server, was in zip(every, before, strict=True)],
        }


def table(results: dict[str, dict[str, Any]], customers: int, servers: int) -> str:
    lines = [
        f"| {customers:,} customers searched, {servers} servers of one worker"
        " | kept, MB: each, all | bytes a customer | grown by, MB: each |",
        "|---|---|---|---|",
    ]
    for way, found in results.items():
        each = ", ".join(f"{n / 2**20:.1f}" for n in found["kept"])
        total = sum(found["kept"])
        grown = ", ".join(f"{n:.0f}" for n in found["grown"])
        lines.append(
            f"| dealt {way} | {each}: {total / 2**20:.1f} | {total / customers:.0f} | {grown} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.spread", description=__doc__)
    parser.add_argument("--businesses", type=int, default=8)
    parser.add_argument("--count", type=int, default=20_000, help="customers of each")
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the table there, besides printing it")
    options = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="finora-spread-data-"))
    (data / "static").mkdir()
    server = postgres(data / "postgres")
    try:
        env = environment(data, server.get_uri().replace("/postgres?", "/finora?"))
        env |= {"METRICS_TOKEN": TOKEN, "LOG_LEVEL": "ERROR", "SEARCH_CACHE_BYTES": str(2**30)}
        os.environ.update(env)
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from bench.world import directory

        call_command("migrate", verbosity=0)
        empty = database_bytes()
        directories = [directory(options.count, f"spread_{n}") for n in range(options.businesses)]
        stored = database_bytes() - empty
        connections.close_all()
        results = {way: measure(directories, env, options.servers, way) for way in WAYS}
        customers = options.count * options.businesses
        said = table(results, customers, options.servers)
        said += f"\nThe database: {stored / customers:.0f} bytes a customer.\n"
        sys.stdout.write(said)
        if options.out:
            options.out.write_text(said)
        return 0
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
