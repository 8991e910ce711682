"""A business's own API keys, and how much it calls."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from django.http import HttpResponse
from rest_framework.request import Request

from finora.api import authentication, errors
from finora.api.envelope import success
from finora.api.operations import Answer, Tag, operation
from finora.api.parameters import path_id
from finora.api.shapes import Count, Json, Says, Time
from finora.api.views import ApiView
from finora.clock import iso
from finora.tenants.models import ApiKey
from finora.tenants.models.api_key import LAST_FOUR_LENGTH, PREFIX_LENGTH

TAG = Tag("API keys", "The business's own keys, and how much they call.")
KeyId = Annotated[str, Says("KeyId", pattern="^key_[0-9a-z]+$", maxLength=40)]


def _length(characters: int) -> Says:
    return Says(minLength=characters, maxLength=characters)


class Key(TypedDict):
    """Enough of a key to recognise it, not to use it."""

    keyId: KeyId
    keyPrefix: Annotated[str, _length(PREFIX_LENGTH)]
    keyLastFour: Annotated[str, _length(LAST_FOUR_LENGTH)]
    name: str
    environment: Annotated[str, Says(enum=ApiKey.Environment.values)]
    isActive: bool
    createdAt: Time
    lastUsedAt: Time | None
    totalCalls: Count
    expiresAt: Time


class KeyList(TypedDict):
    apiKeys: list[Key]
    count: Count


class Revoked(TypedDict):
    keyId: KeyId
    isActive: Literal[False]


class Usage(TypedDict):
    totalCallsThisMonth: Annotated[Count, Says(description="Since its first day, UTC.")]
    totalCallsAllTime: Count
    lastCallAt: Time | None


EXAMPLE: Json = {
    "keyId": "key_xyz",
    "keyPrefix": "live_sk_3f9c",
    "keyLastFour": "a07e",
    "name": "WooCommerce",
    "environment": "live",
    "isActive": True,
    "createdAt": "2026-03-01T08:00:00.000Z",
    "lastUsedAt": "2026-03-20T09:14:58.012Z",
    "totalCalls": 1204,
    "expiresAt": "2026-05-30T08:00:00.000Z",
}
CALLS: Json = {
    "totalCallsThisMonth": 1204,
    "totalCallsAllTime": 48112,
    "lastCallAt": "2026-03-20T09:14:58.012Z",
}


def key_data(key: ApiKey) -> Key:
    """A key as its business sees it."""
    return {
        "keyId": key.public_id,
        "keyPrefix": key.prefix,
        "keyLastFour": key.last_four,
        "name": key.name,
        "environment": key.environment,
        "isActive": key.is_usable(),
        "createdAt": iso(key.created_at),
        "lastUsedAt": iso(key.last_used_at) if key.last_used_at else None,
        "totalCalls": key.total_calls,
        "expiresAt": iso(key.expires_at),
    }


class ApiKeysView(ApiView):
    """GET /v1/api-keys."""

    @operation(
        "listApiKeys",
        "List API keys",
        "The business's usable keys: not revoked, not expired.",
        tag=TAG,
        answers={200: Answer("The keys.", KeyList, {"one": {"apiKeys": [EXAMPLE], "count": 1}})},
    )
    def get(self, request: Request) -> HttpResponse:
        authentication.usage.flush()
        keys = ApiKey.objects.in_business(self.business_id).usable().order_by("id")
        rows = [key_data(key) for key in keys]
        data: KeyList = {"apiKeys": rows, "count": len(rows)}
        return success(request, data)


class ApiKeyView(ApiView):
    """DELETE /v1/api-keys/{keyId}: at once and for good; again, the same answer."""

    id_parameter = path_id("key", "`keyId` of the key.")

    @operation(
        "revokeApiKey",
        "Revoke an API key",
        "At once and for good; again, the same answer. A key may revoke itself.",
        tag=TAG,
        answers={
            200: Answer("Revoked.", Revoked, {"revoked": {"keyId": "key_xyz", "isActive": False}})
        },
    )
    def delete(self, request: Request, id: str) -> HttpResponse:
        keys = ApiKey.objects.in_business(self.business_id).with_public_id(id)
        if not keys.exists():
            raise errors.NOT_FOUND()
        keys.revoke()
        data: Revoked = {"keyId": id, "isActive": False}
        return success(request, data)


class UsageView(ApiView):
    """GET /v1/usage: all keys of the business together, the revoked ones too."""

    @operation(
        "getUsage",
        "Get usage",
        "The calls of all keys of the business together, the revoked ones too.",
        tag=TAG,
        answers={200: Answer("The calls.", Usage, {"calls": CALLS})},
    )
    def get(self, request: Request) -> HttpResponse:
        authentication.usage.flush()
        calls = ApiKey.objects.in_business(self.business_id).usage()
        last = calls.last_call_at
        data: Usage = {
            "totalCallsThisMonth": calls.this_month,
            "totalCallsAllTime": calls.all_time,
            "lastCallAt": iso(last) if last else None,
        }
        return success(request, data)
