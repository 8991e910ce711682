"""Idempotency-Key: a POST that is sent again, as its answer got lost, is answered again.

The claim, the work and the stored answer are one transaction. Only what was done is stored: an
error undoes its claim, so the same call can be made again when its cause is gone.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.db import transaction
from django.http import HttpResponse

from finora.api import errors
from finora.api.envelope import success
from finora.api.models import StoredAnswer
from finora.sealing import blind_index

HEADER = "Idempotency-Key"
_VARIABLE = "HTTP_IDEMPOTENCY_KEY"
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def _hashes(
    business_id: int, path: str, key: str, body: Any, asked: str
) -> list[tuple[bytes, bytes]]:
    # Keyed, as a client may put an email into its key, and the body is personal.
    canonical = (
        body if isinstance(body, bytes) else json.dumps(body, sort_keys=True, default=repr).encode()
    )
    return [
        (
            hmac.digest(secret, f"key {path} {key}".encode(), "sha256"),
            hmac.digest(secret, f"body {asked}".encode() + canonical, "sha256"),
        )
        for secret in blind_index.subkeys("idempotency", business_id)
    ]


def idempotent(
    *, kept_while: Callable[[Any, Any], bool], parameters: tuple[str, ...] = ()
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Makes a view's post() do its work once for one Idempotency-Key; without one it is as ever.

    `kept_while(view, data)` says of an answer's data whether what it tells of is still there, and
    locks it until the transaction's end: an answer about someone erased meanwhile is not kept, as
    that erasure did not see it. `parameters` are those of the query that ask for something else, as
    another body does.
    """

    def once(post: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(post)
        def answer(view: Any, request: Any, **named: str) -> HttpResponse:
            key = request.META.get(_VARIABLE)  # of every POST: to build `headers` takes longer
            if key is None:
                return post(view, request, **named)
            if not _KEY.fullmatch(key):
                raise errors.UNREADABLE(message=f"{HEADER} is a text of 1 to 255 ASCII characters.")
            path = request.path_info.rstrip("/")
            asked = "".join(f"?{request.GET.get(name, '')}" for name in parameters)
            hashes = _hashes(view.business_id, path, key, request.data, asked)
            StoredAnswer.objects.make_room(view.business_id, hashes)
            with transaction.atomic():
                stored, body_hash, claimed = StoredAnswer.objects.claim(view.business_id, hashes)
                if claimed:
                    response = post(view, request, **named)
                    kept = {
                        "data": orjson.loads(response.content)["data"],
                        "location": response.headers.get("Location"),
                    }
                    if kept_while(view, kept["data"]):
                        stored.keep(response.status_code, orjson.dumps(kept))
                    else:
                        stored.delete()
                    return response
            if bytes(stored.body_hash) != body_hash:
                raise errors.KEY_REUSED()
            kept = orjson.loads(stored.kept())
            response = success(
                request, kept["data"], status=stored.status, location=kept["location"]
            )
            response["Idempotency-Replayed"] = "true"
            return response

        answer.is_idempotent = True  # type: ignore[attr-defined]  # for the OpenAPI document
        return answer

    return once
