"""How an exception is told without any value: its message may quote a row."""

import traceback
from types import TracebackType


def describe(error: BaseException) -> list[str]:
    """An exception and its causes: class and frames, innermost last, without any value."""
    lines = [type(error).__qualname__, *_frames(error.__traceback__)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines if cause is None else [*describe(cause), "which led to", *lines]


def _frames(tb: TracebackType | None) -> list[str]:
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(tb, limit=-12)]
