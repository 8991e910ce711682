from __future__ import annotations

import hashlib

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bench.reference.models import ApiKey


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[ApiKey, None]:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            return ApiKey.objects.get(digest=hashlib.sha256(key.encode()).hexdigest()), None
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed from None
