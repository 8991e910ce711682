"""For load balancers: `/healthz` says the process answers, `/readyz` that the database does."""

from django.db import Error
from django.http import HttpRequest, HttpResponse

from customers.api.envelope import failure, reads_only, success, unavailable
from customers.models import ApiKey, Customer

NOBODY = 0  # no business


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return success(request, {"status": "ok"})


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        # What requests ask, for nobody. So the tables are there, and a process that has just
        # started has it behind it that the database reads what it knows of them.
        ApiKey.objects.for_request("")
        Customer.objects.search(NOBODY, "nobody")
        Customer.objects.active_among(NOBODY, [""])
    except Error:
        return failure(request, unavailable())
    return success(request, {"status": "ok"})
