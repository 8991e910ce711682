"""Structured logs that hold no personal value.

One JSON object a line. Our own loggers (`finora.…`) write what they mean to; of a library's record
only the template is written, as its arguments may hold anything (Django's SQL log holds every
parameter). Of an exception: its class and where it happened, not its message (PostgreSQL's quotes
the row) and no local variables.
"""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] == "finora"
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if ours else str(record.msg),
        }
        if current := request_id.get():
            line["requestId"] = current
        if ours:
            line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        return json.dumps(line, default=str)


def describe(error: BaseException) -> list[str]:
    """An exception and its causes: class and frames, innermost last, without any value."""
    lines = [type(error).__qualname__, *_frames(error.__traceback__)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines if cause is None else [*describe(cause), "which led to", *lines]


def _frames(tb: TracebackType | None) -> list[str]:
    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(tb, limit=-12)]
