"""The SQLite file and its companions: for the owner alone, whatever the umask."""

import os
import sqlite3
import subprocess
import sys

import pytest

from finora.orm.sqlite import PrivateConnection

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def connect(path):
    connection = sqlite3.connect(path, factory=PrivateConnection, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    return connection


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_new_file_and_its_companions_are_private(tmp_path, kind):
    connection = connect(kind(tmp_path / "d.sqlite3"))
    connection.execute("CREATE TABLE t (x)")
    private = dict.fromkeys(["d.sqlite3", "d.sqlite3-wal", "d.sqlite3-shm"], 0o600)
    assert modes(tmp_path) == private
    connection.close()


def test_a_relative_path_is_a_file_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connect("d.sqlite3").close()
    assert modes(tmp_path) == {"d.sqlite3": 0o600}


def test_what_lies_there_open_is_closed(tmp_path):
    before = sqlite3.connect(tmp_path / "d.sqlite3", isolation_level=None)
    before.execute("PRAGMA journal_mode=WAL")
    before.execute("CREATE TABLE t (x)")
    (tmp_path / "d.sqlite3-journal").touch()
    assert set(modes(tmp_path).values()) != {0o600}
    connect(tmp_path / "d.sqlite3").close()
    assert set(modes(tmp_path).values()) == {0o600}
    before.close()


def test_memory_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    connect(":memory:").close()
    assert modes(tmp_path) == {}


def test_another_connection_drops_no_lock_of_this_process(tmp_path):
    """As closing a second descriptor of the file would: then another process could write, too."""
    first = connect(tmp_path / "d.sqlite3")
    first.execute("CREATE TABLE t (x)")
    first.execute("PRAGMA journal_mode=DELETE")
    first.execute("BEGIN IMMEDIATE")
    os.chmod(tmp_path / "d.sqlite3", 0o644)
    sqlite3.connect(tmp_path / "d.sqlite3", factory=PrivateConnection).close()
    write = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')"
    other = subprocess.run(
        [sys.executable, "-c", write, tmp_path / "d.sqlite3"], capture_output=True, text=True
    )
    assert "locked" in other.stderr
    first.close()


def test_the_deployments_own_file_is_private(tmp_path):
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "FINORA_DATA_DIR": str(tmp_path),
            "SECRET_KEY": "",
            "FIELD_ENCRYPTION_KEY": "",
            "BLIND_INDEX_KEY": "",
        },
        check=True,
    )
    assert modes(tmp_path) == {"demo-keys.json": 0o600, "finora.sqlite3": 0o600}
