"""For load balancers: `/healthz` says the process answers, `/readyz` that the database does."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

from customers.api.envelope import failure, reads_only, success, unavailable


@reads_only
def healthz(request: HttpRequest) -> HttpResponse:
    return success(request, {"status": "ok"})


@reads_only
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return failure(request, unavailable())
    return success(request, {"status": "ok"})
