"""Staff's passwords: how often one may be tried, and when it is asked for again.

What shows values, takes them out or opens a way to them wants a proof of the password that is not
older than ADMIN_REAUTHENTICATION_MINUTES; a login is one, and one serves for a stretch of work. It
is asked for in the answer to the very request that needs it. That request is then sent again with
the password beside what it held, so nothing is kept meanwhile and no address holds a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse

from finora import clock
from finora.limits.limiter import count_address

PROVED = "password_proved"  # in the session: unix seconds
PASSWORD = "password"  # noqa: S105  # django-axes stores no field of this name
OPENED = "opened"
# Not carried from one page to the next: what no page of Django's shows again either.
NOT_CARRIED = frozenset({PASSWORD, "password1", "password2", "csrfmiddlewaretoken"})


class PasswordForm(forms.Form):
    """The password of whoever is logged in."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        error_messages={"required": "Type your password."},
    )

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.POST if PASSWORD in request.POST else None)
        self.request = request

    def clean_password(self) -> None:
        """As at the login, so that django-axes counts a wrong one and refuses after too many."""
        name = self.request.user.get_username()
        password = self.cleaned_data[PASSWORD]
        if authenticate(self.request, username=name, password=password) is None:
            raise forms.ValidationError("This is not your password.")


def too_many(request: HttpRequest) -> TemplateResponse | None:
    """Counts a password that is tried, for its address; the answer to one over LOGIN_LIMITS."""
    verdict = count_address(request, "login", settings.LOGIN_LIMITS)
    if verdict is None or verdict.allowed:
        return None
    context = {**admin.site.each_context(request), "retry_after": verdict.retry_after}
    headers = {"Retry-After": str(verdict.retry_after)}
    return TemplateResponse(request, "admin/locked.html", context, status=429, headers=headers)


@receiver(user_logged_in)
def _note_proof(request: HttpRequest, **_: Any) -> None:
    request.session[PROVED] = clock.now().timestamp()


def _is_proved(request: HttpRequest) -> bool:
    age: float = clock.now().timestamp() - request.session.get(PROVED, 0)
    # One from the future was made before the clock was set back.
    return 0 <= age < settings.ADMIN_REAUTHENTICATION_AGE.total_seconds()


def ask_again(
    request: HttpRequest, refused: Callable[[], None] | None = None
) -> HttpResponse | None:
    """None when the password was proved of late, or is by this request; else the answer that asks.

    `refused` is called when it was given wrong, or too often.
    """
    if _is_proved(request):
        return None
    form = PasswordForm(request)
    if form.is_bound:
        answer: HttpResponse | None = too_many(request)
        if answer is None and form.is_valid():
            # Of two who hold the session's key, only the one who knew the password goes on.
            request.session.cycle_key()
            # Whoever hears of logins hears of this: it clears the failures, and is a proof.
            user_logged_in.send(sender=type(request.user), request=request, user=request.user)
            return HttpResponseRedirect(request.get_full_path()) if OPENED in request.POST else None
        if refused:
            refused()
        if answer:
            return answer
    if request.headers.get("Accept") == "application/json":
        errors = form.errors.get(PASSWORD) or ["Type your password to go on."]
        return JsonResponse({"reauthenticate": str(errors[0])})
    carried = {name: values for name, values in request.POST.lists() if name not in NOT_CARRIED}
    if request.method == "GET":
        carried[OPENED] = ["yes"]
    context = {
        **admin.site.each_context(request),
        "title": "Your password again",
        "form": form,
        "carried": carried.items(),
        "minutes": int(settings.ADMIN_REAUTHENTICATION_AGE.total_seconds() // 60),
    }
    return TemplateResponse(request, "admin/password_again.html", context)
