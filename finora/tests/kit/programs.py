"""Programs that no wheel brings, and that a bare machine may lack."""

from __future__ import annotations

import os
import shutil

import pytest


def needed(name: str, what: str) -> str:
    """The program's path. Where it is not installed the test is left out, and the last line of the
    run says `what` that was and how to have it."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{what} (install {name}; on Debian: apt-get install {name})")
    return path


def required(name: str, what: str) -> str:
    """The program's path. Where it is not installed the test fails, and says `what` for and how to
    have it."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        pytest.fail(
            f"{name} is needed for {what}, and is not installed. On Debian: apt-get install {name}",
            pytrace=False,
        )
    return path
