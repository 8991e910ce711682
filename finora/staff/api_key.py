from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html

from finora import clock, identifiers
from finora.limits.windows import parse_limits
from finora.staff import filters, passwords
from finora.staff.base import DirectoryAdmin
from finora.staff.display import day, tag
from finora.tenants.models import ApiKey
from finora.tenants.models.api_key import ApiKeyQuerySet, readable_rate_limits

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ApiKey]
else:
    _ModelForm = forms.ModelForm

ISSUED_BEFORE = (
    "This form issued its key before, and nothing now. The key's text is not shown again: if it "
    "was not copied, revoke the key and issue another."
)
TICKET_LIFETIME = 12 * 60 * 60  # seconds, as a session's


def _tickets() -> TimestampSigner:
    # Not made at import: that SECRET_KEY is not set is for a system check to say.
    return TimestampSigner(salt="finora.staff.api_key.ticket")


REVOKE = "From the next request on it is refused, for good: a revoked key cannot be brought back."


class ApiKeyForm(_ModelForm):
    """Only a superuser lifts a limit: sets it to `off`, or leaves out or raises a configured one.

    What a superuser set stays when somebody else renames the key.
    """

    may_lift_limits = False
    # The id of the key that this form issues. Sent again, by a reload, it issues no second one.
    ticket = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_ticket(self) -> str:
        ticket: str = self.cleaned_data["ticket"]
        try:
            return _tickets().unsign(ticket, max_age=TICKET_LIFETIME) if ticket else ""
        except BadSignature:
            raise ValidationError("This form is too old. Open it again.") from None

    def clean_rate_limits(self) -> str:
        text: str = self.cleaned_data["rate_limits"]
        if self.may_lift_limits or not text or "rate_limits" not in self.changed_data:
            return text
        readable_rate_limits(text)
        limits, configured = parse_limits(text), parse_limits(settings.RATE_LIMITS)
        if limits is None or (configured and not limits.is_within(configured)):
            raise ValidationError(
                "Only a superuser lifts a limit. Set each of these, as it is or lower: "
                f"{settings.RATE_LIMITS}."
                if configured
                else "Only a superuser switches the limits of a key off."
            )
        return text


class ApiKeyAdmin(DirectoryAdmin):
    form = ApiKeyForm
    list_display = (
        "name", "business", "shape", "status", "expires", "last_used", "total_calls", "created",
    )  # fmt: skip
    list_select_related = ("business",)
    list_filter = (filters.BusinessFilter, filters.KeyStatusFilter)
    search_fields = ("name", "last_four", "=public_id")
    search_placeholder = "Name, last four, id or a whole key"
    ordering = ("-created_at", "-pk")
    actions = ("revoke",)
    readonly_fields = (
        "public_id", "shape", "status", "expires_at", "last_used_at", "total_calls", "environment",
        "created_at",
    )  # fmt: skip

    @admin.display(description="key")
    def shape(self, key: ApiKey) -> str:
        return format_html("<code>{}…{}</code>", key.prefix, key.last_four)

    @admin.display(description="status")
    def status(self, key: ApiKey) -> str:
        if key.revoked_at:
            return tag(f"Revoked {day(key.revoked_at)}", "bad")
        if key.business.is_suspended:
            return tag("Business suspended", "bad")
        if key.is_expired:
            return tag("Expired", "bad")
        if not key.is_usable():
            return tag(f"For {key.environment} only", "bad")
        return tag("Usable", "good")

    @admin.display(description="expires")
    def expires(self, key: ApiKey) -> str:
        if not key.is_expiring or key.is_revoked:
            return day(key.expires_at)
        days = (key.expires_at - clock.now()).days
        left = "within a day" if days < 1 else f"in {days} day{'s' if days > 1 else ''}"
        return format_html("{} {}", day(key.expires_at), tag(left, "warn"))

    @admin.display(description="last used", empty_value="never")
    def last_used(self, key: ApiKey) -> str | None:
        return day(key.last_used_at) if key.last_used_at else None

    @admin.display(description="created")
    def created(self, key: ApiKey) -> str:
        return day(key.created_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.issue_apikey")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def get_form(
        self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any
    ) -> type[ApiKeyForm]:
        form = cast(type[ApiKeyForm], super().get_form(request, obj, change=change, **kwargs))
        form.may_lift_limits = request.user.is_superuser
        return form

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("business", "name", "rate_limits", "ticket")
        return ("name", "rate_limits", "business", *self.readonly_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return () if obj is None else ("business", *self.readonly_fields)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if "_sk_" in search_term:
            return queryset.with_text(search_term), False
        return super().get_search_results(request, queryset, search_term)

    # Issuing: the page that answers the POST is the only place where the key is ever to be seen.
    # There is no redirect, so it passes through no session, message, cookie or address.

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # A key opens every value of its business.
        issues = request.method == "POST" and self.has_add_permission(request)
        if issues and (answer := passwords.ask_again(request)):
            return answer
        try:
            return super().add_view(request, form_url, extra_context)
        except IntegrityError:
            mine = cast(ApiKeyQuerySet, self.get_queryset(request))
            key = mine.with_public_id(getattr(request, "ticket", "")).first()
            if key is None:
                raise
            messages.warning(request, ISSUED_BEFORE)
            return HttpResponseRedirect(self.page_url(key.pk))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        ticket = _tickets().sign(identifiers.key_id())
        return super().get_changeform_initial_data(request) | {"ticket": ticket}

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ApiKey:
        key: ApiKey = super().save_form(request, form, change)
        if not change:
            request.ticket = form.cleaned_data["ticket"]  # type: ignore[attr-defined]
            key, text = ApiKey.objects.issue(
                key.business,
                key.name,
                rate_limits=key.rate_limits,
                public_id=request.ticket,  # type: ignore[attr-defined]
            )
            request.issued_key = text  # type: ignore[attr-defined]
        return key

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        # A new one is saved by issue(). Of another only what was changed here: who renames a key
        # does not set its limits back to what they were when the page was opened.
        if change and form.changed_data:
            obj.save(update_fields=form.changed_data)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Key issued",
            "opts": self.opts,
            "api_key": obj,
            "text": request.issued_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/tenants/apikey/issued.html", context)

    # Revoking.

    def page_actions(self, row: ApiKey) -> dict[str, str]:
        return {} if row.is_revoked else {"revoke": "Revoke"}

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: ApiKeyQuerySet) -> HttpResponse:
        rows = [key for key in queryset if not key.is_revoked]
        if page := self.confirm(request, rows, "Revoke", REVOKE):
            return page
        with transaction.atomic():
            count = queryset.revoke()
            for key in rows:
                self.log_change(request, key, "Revoked.")
        messages.success(request, f"{self.counted(count)} revoked.")
        return HttpResponseRedirect(self.after_action(request, rows))
