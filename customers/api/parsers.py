"""Reading a body: a JSON object in UTF-8 of at most 64 KiB, or the contract's error."""

from __future__ import annotations

import json
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from customers.api.envelope import ApiError, invalid_request

NOT_JSON = "The body must be a JSON object."


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


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
        if (media_type or "").partition(";")[0].strip().lower() != self.media_type:
            raise UnsupportedMediaType(media_type or "")
        limit = settings.MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ApiError(413, "INVALID_REQUEST", f"A body has at most {limit} bytes.")
        try:
            # RecursionError: nested too deep. ValueError: also a number of thousands of digits.
            data = json.loads(body.decode(), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise invalid_request(NOT_JSON) from None
        if not isinstance(data, dict):
            raise invalid_request(NOT_JSON)
        return data
