"""Files of customers brought in by staff: sent in pieces, looked at, confirmed, followed, undone.

No file is uploaded as one: a script sends it in pieces, each within a page's body and sealed at
once, so that a large one neither lies in memory nor holds up the process's other requests. Without
scripts a small one comes with the form.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from customers.transfer import report, tasks
from customers.transfer.models import (
    CHUNK_BYTES,
    Import,
    MissingEmail,
    OnDuplicate,
    PieceRefused,
    State,
)
from customers.transfer.reading import MAP_FIELDS
from customers.transfer.undoing import staying
from finora import clock
from finora.sealing import SealError
from finora.staff.base import DirectoryAdmin
from finora.staff.display import moment, tag
from finora.staff.filters import BusinessFilter
from finora.tenants.models import Business
from finora.tenants.scope import scope_of

# Columns whose mapping a page offers, and customers that it names.
MOST_MAPPED, MOST_NAMED = 100, 50
PIECE_BYTES = 1 << 16  # of a file that comes with the form
UNDO = (
    "Whom it created and nobody changed since becomes inactive: nothing is removed. Whoever was "
    "changed stays, and so does what it changed. One that still runs stops."
)
NOT_WHOLE = "A part of the file is missing: nothing was done. Send the file again."
_KINDS = {State.DONE: "good", State.FAILED: "bad", State.UNDONE: "warn"}
_JSON = "application/json"


class OptionsForm(forms.Form):
    """What becomes of rows that are there already, or have no email."""

    on_duplicate = forms.ChoiceField(
        label="Who is there already", choices=OnDuplicate, initial=OnDuplicate.SKIP
    )
    missing_email = forms.ChoiceField(
        label="Rows without an email", choices=MissingEmail, initial=MissingEmail.SKIP
    )


class SendForm(OptionsForm):
    """A file for one of the businesses in scope."""

    business = forms.ModelChoiceField(queryset=Business.objects.none())
    file = forms.FileField(required=False)
    field_order = ("business", "file", "on_duplicate", "missing_email")

    def __init__(self, request: HttpRequest) -> None:
        is_sent = request.method == "POST"
        super().__init__(request.POST if is_sent else None, request.FILES if is_sent else None)
        mine = Business.objects.in_scope(scope_of(request.user))
        field = cast("forms.ModelChoiceField[Business]", self.fields["business"])
        field.queryset = mine.order_by("name", "pk")


class MappingForm(OptionsForm):
    """And what columns become, where that is not as recognised."""

    def __init__(self, columns: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = [name for name, _ in columns[:MOST_MAPPED]]
        fields = [(field, field) for field in MAP_FIELDS]
        for number, (name, becomes) in enumerate(columns[:MOST_MAPPED]):
            self.fields[f"map{number}"] = forms.ChoiceField(
                label=name, choices=[("", becomes), *fields], required=False
            )

    def mapped(self) -> dict[str, str]:
        told = {name: self.cleaned_data[f"map{n}"] for n, name in enumerate(self.columns)}
        return {name: field for name, field in told.items() if field}


class ImportAdmin(DirectoryAdmin):
    subject_prefix = "imp_"
    list_display = (
        "public_id", "sent", "business", "actor_id", "tool", "status", "rows", "created", "updated",
        "skipped", "rejected",
    )  # fmt: skip
    list_select_related = ("business",)
    list_filter = (BusinessFilter,)
    ordering = ("-id",)
    actions = ("undo",)
    change_form_template = "admin/transfer/import/import.html"

    @admin.display(description="sent")
    def sent(self, import_: Import) -> str:
        return moment(import_.created_at)

    @admin.display(description="tool")
    def tool(self, import_: Import) -> str:
        return import_.format or "-"

    @admin.display(description="status")
    def status(self, import_: Import) -> str:
        return tag(import_.get_state_display().capitalize(), _KINDS.get(State(import_.state), ""))

    # Who may do what: nobody edits or removes one.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("transfer.import_customers")

    def has_change_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("transfer.undo_import")

    def get_urls(self) -> list[URLPattern]:
        def page(name: str, view: Any) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            mine: URLPattern = path(f"<int:pk>/{name}/", wrapped, name=f"transfer_import_{name}")
            return mine

        return [
            page("piece", require_POST(self.piece_view)),
            page("look", require_POST(self.look_view)),
            page("start", require_POST(self.start_view)),
            page("state", self.state_view),
            page("report", self.report_view),
            *super().get_urls(),
        ]

    def _mine(self, request: HttpRequest, pk: int, *, sends: bool = False) -> Import:
        """The import, in scope; to change it, of whoever sent it, and not started. Raises Http404,
        PermissionDenied.
        """
        import_: Import = self.get_object_or_refuse(request, pk)
        if sends:
            name = request.user.get_username()
            is_mine = (import_.actor_kind, import_.actor_id) == ("staff", name)
            if not (is_mine and self.has_add_permission(request)):
                raise PermissionDenied
        return import_

    # Sending.

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SendForm(request)
        if request.method == "POST" and form.is_valid():
            return self._open(request, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import customers",
            "opts": self.opts,
            "form": form,
            "piece_bytes": CHUNK_BYTES,
            "most_bytes": settings.MAX_IMPORT_BYTES,
        }
        return TemplateResponse(request, "admin/transfer/import/send.html", context)

    def _open(self, request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
        """A new import; with its file, where that came with the form, looked at. A script says how
        many bytes it will send.
        """
        options = {name: data[name] for name in ("on_duplicate", "missing_email")}
        by_script = request.headers.get("Accept") == _JSON
        size = _number(request.POST.get("size", "")) if by_script else 0
        if size is None:
            return HttpResponse(status=400)
        if size > settings.MAX_IMPORT_BYTES:
            return HttpResponse(status=413)
        import_: Import = data["business"].imports.open(**options, size=size)
        url = self.page_url(import_.pk)
        if data["file"]:
            import_.send(data["file"].chunks(PIECE_BYTES))
            tasks.look(import_, mapped={}, **options)
        elif by_script:
            urls = {
                name: reverse(f"admin:transfer_import_{name}", args=[import_.pk])
                for name in ("piece", "look")
            }
            return JsonResponse({"page": url, **urls})
        return HttpResponseRedirect(url)

    def piece_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A piece of the file, as the body: its number is in the address, one after the other."""
        import_ = self._mine(request, pk, sends=True)
        number = _number(request.GET.get("number", ""))
        if number is None or import_.state != State.SENDING:
            return HttpResponse(status=400)
        try:
            import_.send_chunk(number, request.body)
        except PieceRefused:
            return HttpResponse(status=400)
        return HttpResponse(status=204)

    def look_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file is whole, or to be looked at with other options."""
        import_ = self._mine(request, pk, sends=True)
        form = MappingForm(_columns(_facts(import_)), request.POST)
        if form.is_valid():
            options = {n: form.cleaned_data[n] for n in ("on_duplicate", "missing_email")}
            try:
                tasks.look(import_, mapped=form.mapped(), **options)
            except tasks.NotWhole:
                messages.error(request, NOT_WHOLE)
        return HttpResponseRedirect(self.page_url(pk))

    def start_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirmed."""
        try:
            tasks.start(self._mine(request, pk, sends=True))
        except tasks.NotWhole:
            messages.error(request, NOT_WHOLE)
        return HttpResponseRedirect(self.page_url(pk))

    # Following.

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a script asks for again and again, and what it then shows."""
        import_ = self._mine(request, pk)
        facts = _facts(import_)
        return JsonResponse({"version": _version(import_, facts), **_progress(import_)})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return super().change_view(request, object_id, form_url, {"show_close": True})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        import_: Import = context["original"]
        facts = _facts(import_)
        columns = _columns(facts)
        mapped = facts.get("mapped") or {}
        initial = {f"map{n}": mapped.get(name, "") for n, (name, _) in enumerate(columns)}
        initial |= {n: getattr(import_, n) for n in ("on_duplicate", "missing_email")}
        is_sender = import_.actor_id == request.user.get_username()
        context |= {
            "title": f"Import {import_}",
            "status": self.status(import_),
            "state": import_.state,
            "facts": facts,
            "version": _version(import_, facts),
            "progress": _progress(import_),
            "is_under_way": _is_under_way(import_, facts),
            "may_start": import_.is_whole and is_sender and self.has_add_permission(request),
            "options": MappingForm(columns, initial=initial),
            "findings": facts.get("preview", {}).get("bad", ()),
        }
        if import_.state == State.UNDONE:
            context["staying"] = self._staying(import_)
        return super().render_change_form(request, context, *args, **kwargs)

    def _staying(self, import_: Import) -> list[tuple[str, str]]:
        """The first of those that stay, each with its page."""
        ids = list(islice(staying(import_), MOST_NAMED))
        rows = import_.business.customers.filter(public_id__in=ids).order_by("pk")
        return [
            (public_id, reverse("admin:customers_customer_change", args=[pk]))
            for pk, public_id in rows.values_list("pk", "public_id")
        ]

    def report_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Every row and cell that was left out, by line, column and rule, as CSV; no value."""
        import_ = self._mine(request, pk)
        name = f"{import_.public_id}-report.csv"
        return StreamingHttpResponse(
            report.lines(import_.findings()),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    # Undoing.

    def page_actions(self, row: Import) -> dict[str, str]:
        is_over = row.state == State.UNDONE and "not_undone" not in _facts(row)
        return {} if is_over or row.state == State.SENDING else {"undo": "Undo…"}

    @admin.action(description="Undo selected imports", permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        rows = [row for row in queryset if self.page_actions(row)]
        if page := self.confirm(request, rows, "Undo", UNDO):
            return page
        for import_ in rows:
            tasks.undo(import_)
        messages.success(request, f"{self.counted(len(rows))} will be undone.")
        return HttpResponseRedirect(self.after_action(request, rows))


def _facts(import_: Import) -> dict[str, Any]:
    """What is known of a file; nothing where it does not open."""
    try:
        return import_.facts
    except SealError:
        return {}


def _columns(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Each column of a file that was looked at, and what becomes of it."""
    columns: list[tuple[str, str]] = facts.get("columns") or facts.get("header", [])
    return columns


def _is_under_way(import_: Import, facts: dict[str, Any]) -> bool:
    """Whether the page will soon say something else."""
    if import_.state == State.SENDING:
        is_looked_at = "refused" in facts or facts.get("preview", {}).get("done")
        return import_.is_whole and not is_looked_at
    if import_.state == State.UNDONE:
        return facts.keys().isdisjoint({"undone", "not_undone"})
    return import_.state in (State.WAITING, State.RUNNING)


def _version(import_: Import, facts: dict[str, Any]) -> str:
    """Another one once the page has other parts, not other numbers."""
    preview = facts.get("preview", {})
    told = [name for name in ("refused", "preview", "undone", "not_undone") if name in facts]
    return " ".join([import_.state, *told, *(["done"] if preview.get("done") else [])])


def _number(text: str) -> int | None:
    """What an address or a form says in digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _progress(import_: Import) -> dict[str, str]:
    """How far a run is, at which rate, and for how long it will take."""
    share = min(1.0, import_.read / import_.size) if import_.size else 0.0
    if not import_.started_at or not import_.rows:
        return {"percent": "0", "said": "Waiting for its turn."}
    seconds = max(0.001, (clock.now() - import_.started_at).total_seconds())
    left = seconds / share - seconds if share else 0.0
    return {
        "percent": f"{share * 100:.0f}",
        "said": f"{import_.rows:,} rows, {import_.rows / seconds:,.0f} a second, "
        f"about {left:,.0f} s left.",
    }
