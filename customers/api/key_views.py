"""A business's own API keys, and how much it calls."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from customers.api import authentication
from customers.api.envelope import not_found, success
from customers.api.serializers import api_key_data
from customers.api.timestamps import iso
from customers.api.views import ApiView
from customers.models import ApiKey


class ApiKeysView(ApiView):
    """GET /v1/api-keys."""

    def get(self, request: Request) -> HttpResponse:
        authentication.usage.flush()
        keys = ApiKey.objects.in_business(self.business_id).usable().order_by("id")
        rows = [api_key_data(key) for key in keys]
        return success(request, {"apiKeys": rows, "count": len(rows)})


class ApiKeyView(ApiView):
    """DELETE /v1/api-keys/{keyId}: at once and for good; again, the same answer."""

    def delete(self, request: Request, id: str) -> HttpResponse:
        keys = ApiKey.objects.in_business(self.business_id).with_public_id(id)
        if not keys.exists():
            raise not_found()
        keys.revoke()
        return success(request, {"keyId": id, "isActive": False})


class UsageView(ApiView):
    """GET /v1/usage: all keys of the business together, the revoked ones too."""

    def get(self, request: Request) -> HttpResponse:
        authentication.usage.flush()
        calls = ApiKey.objects.in_business(self.business_id).usage()
        last = calls.last_call_at
        return success(
            request,
            {
                "totalCallsThisMonth": calls.this_month,
                "totalCallsAllTime": calls.all_time,
                "lastCallAt": iso(last) if last else None,
            },
        )
