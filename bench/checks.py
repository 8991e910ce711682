"""What a section says while it runs, and what it holds answers to."""

from __future__ import annotations

import sys
from typing import Any


class Wrong(Exception):
    """An answer that brute force does not give."""


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def expect(what: str, got: Any, wanted: Any) -> None:
    if got != wanted:
        raise Wrong(f"{what}: {got!r:.300} instead of {wanted!r:.300}")
