"""Structured logs that hold no personal value.

One JSON object a line. Our own loggers (`finora.…`) write what they mean to; of a library's record
only the template is written, as its arguments may hold anything (Django's SQL log holds every
parameter), and without arguments only the place that logged it, as the text may have been put
together before (asyncio's is). Of `django.security.…` only the class that is the logger's name: its
text quotes the request. Of an exception: its class and where it happened, not its message
(PostgreSQL's quotes the row) and no local variables.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from finora.failures import describe
from finora.request import request_id

# Of each record logging would look these up, and no line has them.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_encode = json.JSONEncoder(default=str).encode


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        if current := request_id.get():
            line["requestId"] = current
        if _is(record, "finora"):
            line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] and not _is(record, "django.security"):
            line["exception"] = describe(record.exc_info[1])
        return _encode(line)


def _is(record: logging.LogRecord, logger: str) -> bool:
    return f"{record.name}.".startswith(f"{logger}.")


def _message(record: logging.LogRecord) -> str:
    if _is(record, "finora"):
        return record.getMessage()
    if _is(record, "django.security"):
        return record.name.rpartition(".")[2]
    if record.args:
        return str(record.msg)
    return f"{record.pathname}:{record.lineno} {record.funcName}"
