"""Whose CPU it is: the sampler on work that is known, and the table on figures that are."""

import time
from typing import Any

import pytest

from bench import profile
from bench.plan import OURS_LIMITED
from bench.report import spent
from finora.sealing import keyring

pytestmark = pytest.mark.once


def test_time_goes_to_the_innermost_file_that_is_of_a_part():
    end = time.thread_time() + 0.2
    with profile.sampling() as seen:
        while time.thread_time() < end:
            for _ in range(200):
                keyring.seal(b"x" * 1000, purpose="field", business_id=1, context=b"c")
    took = sum(seen.values())
    assert 0.1 < took < 0.4
    assert seen[profile.SEALING] > took / 2


def test_what_is_left_is_told_too():
    row: dict[str, Any] = {"route": "one", "server": OURS_LIMITED, "rate": 1600.0}
    row["parts"] = {"a": 100.0, "b": 50.0}
    row["cpu"] = {"server": 0.4, "database": 0.1, "redis": 0.3}
    figures = {"database": "PostgreSQL 18", "cores": 2, "rows": [row]}
    cells = [
        [c.strip() for c in line.strip("|").split("|")] for line in spent(figures).splitlines()
    ]
    told = dict(cells)
    assert told["HTTP, sockets, from thread to thread"] == "250"
    assert (told["**ours**"], told["**all**"]) == ("**400**", "**800**")
    assert told["calls/s that 2 cores have CPU for"] == "2,500"
    assert told["calls/s reached"] == "1,600 (64%)"
