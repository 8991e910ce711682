"""What surrounds every request, and what surrounds the pages only.

The API authenticates by key: sessions, CSRF, messages and framing rules have nothing to do there,
so all but the pages pass them by.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, cast

from axes.middleware import AxesMiddleware
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware

from finora.api.envelope import exception_handler, failure
from finora.api.errors import ApiError
from finora.api.parsers import BODY_REFUSED, too_large
from finora.audit.acting import Actor, acting
from finora.http import metrics
from finora.limits.limiter import limiter
from finora.request import new_request_id, request_id

access_log = logging.getLogger("finora.access")
PAGES = ("/admin", "/docs", "/redoc", "/static/")
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Names the request, and writes its one log line: no query, no body, no key."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        name = new_request_id()
        request.request_id = name  # type: ignore[attr-defined]
        token = request_id.set(name)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = name
            seconds = time.perf_counter() - started
            metrics.count(request, response.status_code, seconds)
            if access_log.isEnabledFor(logging.INFO):
                match = request.resolver_match
                access_log.info(
                    "request",
                    extra={
                        "fields": {
                            "method": request.method,
                            "route": match.route if match else None,
                            "status": response.status_code,
                            "ms": round(seconds * 1000, 2),
                            "key": getattr(request, "api_key_id", None),
                        }
                    },
                )
            limiter().settle()
            return response
        finally:
            request_id.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """The envelope for views outside the API, also where DEBUG would show its own page."""
        if request.path_info.startswith("/admin"):
            return None
        return exception_handler(error, {"request": request})


class _PagesOnly:
    """Makes a middleware of Django's step aside for what is not a page.

    With all those behind it that are for pages too, at one step: each would cost 3 µs.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)  # type: ignore[call-arg]
        # Django wraps each one, by functools.wraps, so that no exception passes it.
        behind = getattr(get_response, "__wrapped__", None)
        self._beyond: GetResponse = (
            behind._beyond if isinstance(behind, _PagesOnly) else get_response
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PAGES):
            return self._beyond(request)
        response: HttpResponseBase = super().__call__(request)  # type: ignore[misc]
        return response


class PagesStaticMiddleware(_PagesOnly, WhiteNoiseMiddleware):
    pass


class PagesSessionMiddleware(_PagesOnly, SessionMiddleware):
    pass


class PagesCommonMiddleware(_PagesOnly, CommonMiddleware):
    pass


class PagesCsrfMiddleware(_PagesOnly, CsrfViewMiddleware):
    def process_view(
        self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any
    ) -> HttpResponseForbidden | None:
        # Django calls it past __call__: a POST to a path outside the API would get HTML.
        if not request.path_info.startswith(PAGES):
            return None
        return super().process_view(request, callback, callback_args, callback_kwargs)


class PagesAuthenticationMiddleware(_PagesOnly, AuthenticationMiddleware):
    pass


class PagesBodyMiddleware(_PagesOnly, MiddlewareMixin):
    """Refuses a body that the server did not read, or that is larger than a page's may be.

    It stands before anything that reads one: Django looks for a CSRF token there first.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(PAGES) and (refusal := self.refusal(request)):
            return failure(request, refusal)
        return super().__call__(request)

    def refusal(self, request: HttpRequest) -> ApiError | None:
        if (refused := request.META.get(BODY_REFUSED)) is not None:
            return cast(ApiError, refused)
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if length <= settings.MAX_STRANGER_BODY_BYTES:
            return None
        limit = settings.MAX_PAGE_BODY_BYTES
        if not request.user.is_authenticated:
            limit = settings.MAX_STRANGER_BODY_BYTES
        return too_large(limit) if length > limit else None


class PagesMessageMiddleware(_PagesOnly, MessageMiddleware):
    pass


class PagesActorMiddleware(_PagesOnly, MiddlewareMixin):
    """Notes who is at the admin, for the audit trail; the session is read only if it is asked."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        def staff() -> Actor:
            name = request.user.get_username()
            return Actor("staff", name, request.request_id)  # type: ignore[attr-defined]

        with acting(staff):
            return super().__call__(request)


class PagesTimeZoneMiddleware(_PagesOnly, MiddlewareMixin):
    """Pages show times in the staff's zone; what is stored and what the API answers is UTC."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with timezone.override(settings.STAFF_TIME_ZONE):
            return super().__call__(request)


class PagesFrameMiddleware(_PagesOnly, XFrameOptionsMiddleware):
    pass


class PagesPolicyMiddleware(_PagesOnly, CSPMiddleware):
    pass


class PagesLoginMiddleware(_PagesOnly, AxesMiddleware):
    pass
