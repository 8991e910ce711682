"""All that the list's filters and search leave, in one step: exported, or made inactive.

Asked for first, with their number; and asked for again when there are others by then.
"""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from customers.admin.export import EXPORT, ExportingAdmin
from customers.admin.pages import CustomerList
from customers.models import Customer
from finora.audit.models import AuditEvent
from finora.staff import passwords, refusals
from finora.staff.confirming import CONFIRMED
from finora.staff.lists import staff_id
from finora.tenants.scope import scope_of

# At most so many are made inactive in one step, which is seconds of a request; and so many of an
# export are noted each by itself. What goes out streams, however many they are.
MOST = 10_000
EVERYTHING, COUNT = "everything", "count"

DEACTIVATE = (
    "Nothing is removed: invoices and receipts keep their customer, and it can be restored. "
    "The API lists it no longer, and its email is free for a new customer."
)
EXPLANATIONS = {"export": EXPORT, "deactivate": DEACTIVATE}
BUTTONS = {"deactivate": "Deactivate all that match…", "export": "Export all that match…"}


class BulkAdmin(ExportingAdmin):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and EVERYTHING in request.POST:
            answer = self.stale_search(request) or self.everything_view(request)
            return cast(HttpResponse, answer)
        allowed = self.get_actions(request)
        offered = {name: label for name, label in BUTTONS.items() if name in allowed}
        return super().changelist_view(request, {EVERYTHING: offered, **(extra_context or {})})

    def everything_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = request.POST[EVERYTHING]
        matches = cast(CustomerList, self.get_changelist_instance(request))

        def refused() -> None:
            # Of the first page: to find all would be work for who may not.
            shown = [(row.business_id, row.public_id) for row in matches.result_list]
            refusals.note(AuditEvent.Action.EXPORT_REFUSED, shown)

        if name not in BUTTONS or name not in self.get_actions(request):
            if name == "export":
                refused()
            raise PermissionDenied
        if name == "export" and (answer := passwords.ask_again(request, refused)):
            return answer
        pks = matches.first_pks(request, MOST + 1)
        if len(pks) > MOST and name == "export":
            if matches.query:
                # All are looked for while they go out: to count them first would take as long.
                many = f"more than {MOST:,} customers"
                page = self._ask(request, name, len(pks), many)
                return page or self.file_of_search(request, matches.search_whole(request))
            rows = matches.all_that_match
            return self._ask(request, name, rows.count()) or self.file_of_all(request, rows)
        if len(pks) > MOST:
            messages.warning(
                request,
                f"More than {MOST:,} match, and no more go in one step: narrow the list by its "
                "filters or a search. Nothing was done.",
            )
            return HttpResponseRedirect(request.get_full_path())
        if name == "deactivate":
            active = Customer.objects.active().filter(pk__in=pks)
            pks = list(active.values_list("pk", flat=True))
        if page := self._ask(request, name, len(pks)):
            return page
        return self.file_of(request, pks) if name == "export" else self._deactivate(request, pks)

    def _ask(
        self, request: HttpRequest, name: str, count: int, many: str = ""
    ) -> HttpResponse | None:
        """The page that asks, with the count; None once staff have said yes to just so many."""
        if not count:
            messages.warning(request, f"Nothing to {name} among those that match.")
            return HttpResponseRedirect(request.get_full_path())
        if CONFIRMED in request.POST:
            if request.POST.get(COUNT) == str(count):
                return None
            messages.warning(request, "Others match by now, so nothing was done yet.")
        many = many or self.counted(count)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{name.capitalize()} {many}?",
            "explanation": f"These are all that the list's filters and search leave, on all its "
            f"pages. {EXPLANATIONS[name]}",
            "takes_away": name == "deactivate",
            "button": f"Yes, {name} {many}",
            "opts": self.opts,
            "everything": {EVERYTHING: name, COUNT: count},
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "staff/confirm.html", context)

    def _deactivate(self, request: HttpRequest, pks: list[int]) -> HttpResponse:
        mine = Customer.objects.in_scope(scope_of(request.user)).filter(pk__in=pks)
        with transaction.atomic():
            named = mine.active().only("pk", "public_id")
            LogEntry.objects.log_actions(staff_id(request), named, CHANGE, "Deactivated.")
            count, _ = mine.delete()
        messages.success(request, f"{self.counted(count)} deactivated. Nothing was removed.")
        return HttpResponseRedirect(request.get_full_path())
