"""Reading a body: a JSON object in UTF-8 of at most 64 KiB, or the contract's error."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import IO, Any, ClassVar, NoReturn

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from finora.api import errors
from finora.api.errors import ApiError, ErrorKind

# In a request's META, where the server did not read its body to the end: the answer for that.
BODY_REFUSED = "finora.body_refused"


def too_large(limit: int) -> ApiError:
    """For a body of more than `limit` bytes."""
    return errors.BODY_TOO_LARGE(message=f"A body has at most {limit} bytes.")


def too_late() -> ApiError:
    """For a body that did not arrive in time."""
    return errors.BODY_TOO_SLOW(
        message=f"The body did not arrive within {settings.BODY_SECONDS} s."
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _exact(number: str) -> Decimal:
    """As it is written: a float would have rounded it before anybody could look."""
    try:
        return Decimal(number)
    except InvalidOperation:
        raise ValueError("a number beyond all bounds") from None


def cut_short() -> ApiError:
    """For a body that ended before its end, or whose chunks are none."""
    return errors.UNREADABLE(message="The body is not as long as the headers say.")


class FileParser(BaseParser):
    """A body as it is, of one of these types: bytes. Raises what a subclass's `refusal` is."""

    media_type = "*/*"
    types: ClassVar[tuple[str, ...]]
    most_bytes: ClassVar[int]
    refusal: ClassVar[ErrorKind]

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        if type_of(media_type) not in self.types:
            raise self.refusal()
        return _read(stream, parser_context, self.most_bytes)


def type_of(content_type: str | None) -> str:
    """A body's type, without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def _read(stream: IO[bytes], parser_context: Any, most: int) -> bytes:
    refused = parser_context["request"].META.get(BODY_REFUSED)
    if refused is not None:
        raise refused
    body = stream.read(most + 1)
    if len(body) > most:
        raise too_large(most)
    return body


class JsonObjectParser(BaseParser):
    """The standard library's reader, as it tells an unpaired surrogate from broken JSON."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> dict[str, Any]:
        # DRF lets `*/*` and `application/*` pass for any type.
        if type_of(media_type) != self.media_type:
            raise UnsupportedMediaType(media_type or "")
        body = _read(stream, parser_context, settings.MAX_BODY_BYTES)
        try:
            # RecursionError: nested too deep. ValueError: also a number of thousands of digits.
            data = json.loads(body.decode(), parse_constant=_no_constant, parse_float=_exact)
        except (ValueError, RecursionError):
            raise errors.NOT_JSON() from None
        if not isinstance(data, dict):
            raise errors.NOT_JSON()
        return data
