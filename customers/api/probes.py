"""For load balancers: `/healthz` says the process answers, `/readyz` that the database does."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from customers.api.envelope import failure, success, unavailable


def healthz(request: HttpRequest) -> HttpResponse:
    return success(request, {"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return failure(request, unavailable())
    return success(request, {"status": "ok"})
