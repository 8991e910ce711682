"""The one shape of every answer, also where no view is reached."""

import json
import re
import threading

import pytest
from django.db import OperationalError, connection, connections

from customers.api import answers
from finora.http import probes
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused

LIST = "/v1/customers"
RANDOM = "/v1/customers/cust_01m856xg30stvj9jcm4w45f70m"
ADA = {"name": "Ada", "email": "ada@example.com"}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
KIB_64 = 64 * 1024
JSON = {"CONTENT_TYPE": "application/json"}


def body_of(size):
    """A body that is good apart from its size in bytes."""
    start = b'{"name":"Ada","email":"ada@example.com","filler":"'
    return start + b"x" * (size - len(start) - 2) + b'"}'


def every_kind_of_answer(api, business):
    customer = factories.customer(business)
    path = f"{LIST}/{customer.public_id}"
    yield api.get(LIST)
    yield api.get(f"{LIST}/search", {"q": "a"})
    yield api.post(LIST, ADA)
    yield api.post(f"{LIST}/find-or-create", ADA)
    yield api.get(path)
    yield api.put(path, {"name": "New"})
    yield api.put(path, ADA)  # 409
    yield api.delete(path)
    yield api.get(RANDOM)
    yield api.get(LIST, {"limit": "0"})
    yield api.get(LIST, {"businessId": "biz_other"})
    yield api.call("GET", LIST)
    yield api.post(LIST, b"{")
    yield api.post(LIST, {})
    yield api.post(LIST, body_of(KIB_64 + 1))
    yield api.post(LIST, b"a=b", content_type="text/plain")
    yield api.call("PATCH", LIST)
    yield api.get("/v1/nothing")
    yield api.get("/v2/customers")
    yield api.get("/nothing")
    yield api.get(LIST, headers={"authorization": ""})
    yield api.get(LIST, headers={"authorization": "Bearer no"})
    yield api.get("/healthz")
    yield api.get("/readyz")


def test_every_answer_has_the_envelope(api, business):
    ids = set()
    for response in every_kind_of_answer(api, business):
        body = response.json()
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "no-store"
        assert body["success"] is (response.status_code < 400)
        if body["success"]:
            assert set(body) == {"success", "data", "meta"}
            assert {"requestId", "timestamp", "rateLimit"} <= set(body["meta"])
            assert re.fullmatch(TIME, body["meta"]["timestamp"])
            request_id = body["meta"]["requestId"]
        else:
            assert set(body) == {"success", "error"}
            allowed = {"code", "message", "details", "retryAfter", "requestId"}
            assert {"code", "message", "requestId"} <= set(body["error"]) <= allowed
            assert all(set(d) == {"field", "message"} for d in body["error"].get("details", []))
            request_id = body["error"]["requestId"]
        assert re.fullmatch(r"req_[a-z0-9]{16}", request_id)
        assert response["X-Request-Id"] == request_id
        ids.add(request_id)
    assert len(ids) == 24


def test_a_request_id_is_ours_alone(api):
    given = "req_aaaaaaaaaaaaaaaa"
    response = api.get(LIST, headers={"x-request-id": given})
    assert response["X-Request-Id"] != given


def test_text_is_utf_8_and_not_escaped(api):
    made = api.post(LIST, ADA | {"name": "Adébáyọ̀ 😀"})
    assert "Adébáyọ̀ 😀".encode() in made.content


# --- Paths and methods --------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, f"{LIST}/search", f"{LIST}/find-or-create", RANDOM])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_a_trailing_slash_makes_no_difference(api, path, method):
    bare, slashed = (api.call(method, p, {"email": "x"}) for p in (path, path + "/"))
    assert bare.status_code == slashed.status_code
    assert bare.status_code not in (301, 302, 307, 308)
    hidden = re.compile(r'"(requestId|timestamp)":"[^"]*"')
    assert hidden.sub("", bare.content.decode()) == hidden.sub("", slashed.content.decode())


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (LIST, {"GET", "HEAD", "POST"}),
        (f"{LIST}/search", {"GET", "HEAD"}),
        (f"{LIST}/find-or-create", {"POST"}),
        (RANDOM, {"GET", "HEAD", "PUT", "DELETE"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api, business, path, allowed):
    methods = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "X"}
    for method in methods - allowed:
        response = api.call(method, f"{path}?businessId={business.public_id}")
        assert response.status_code == 405
        assert set(response["Allow"].split(", ")) == allowed
        if method != "HEAD":
            refused(response, 405, "METHOD_NOT_ALLOWED")


def test_only_a_405_has_an_allow_header(api, business):
    for response in every_kind_of_answer(api, business):
        assert ("Allow" in response) is (response.status_code == 405)


def test_head_is_get_without_a_body(api, business):
    customer = factories.customer(business)
    for path in (LIST, f"{LIST}/{customer.public_id}", f"{LIST}/search"):
        query = f"?businessId={business.public_id}&q=a"
        response = api.call("HEAD", path + query)
        assert response.status_code == 200
        assert response.content == b""
        assert response["X-Request-Id"].startswith("req_")
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert api.call("HEAD", path).status_code == api.call("GET", path).status_code == 200
    assert api.call("HEAD", LIST).status_code == 400
    assert api.call("HEAD", RANDOM).status_code == 404


UNKNOWN = [
    "/v1",
    "/v1/",
    "/v1/customer",
    "/v1/customers/a/b",
    "/v1/customers//",
    "/v1//customers",
    "/v1/customers/search/x",
    "/v1/nothing",
    "/v1/Customers",
    "/v1/customers%0A",
    "/v1/%00",
    "/v1/a%0Ab",
]


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_path_is_not_found_with_a_key_and_unauthorized_without(api, path):
    refused(api.get(path), 404, "NOT_FOUND")
    refused(api.post(path, b"{"), 404, "NOT_FOUND")
    refused(api.get(path, headers={"authorization": ""}), 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/customers",
        "/v",
        "/vx/customers",
        "/index.php",
        "/.env",
        "/api/v1",
        "/%0A",
        "/healthz/x",
    ],
)
def test_a_path_outside_the_api_is_not_found(api, path):
    refused(api.get(path), 404, "NOT_FOUND")
    refused(api.post(path, b"{", headers={"authorization": ""}), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/customers",
        "/v2/",
        "/v0/customers",
        "/v10/customers/x",
        "/v1.1/customers",
        "/v1beta/customers",
        "/v01/customers",
    ],
)
def test_another_version_is_told_so(api, path):
    refused(api.get(path), 400, "INVALID_VERSION")
    refused(api.post(path, b"{"), 400, "INVALID_VERSION")
    refused(api.get(path, headers={"authorization": ""}), 401, "UNAUTHORIZED")


# --- The business -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, f"{LIST}/search"])
@pytest.mark.parametrize("query", ["", "?businessId=", "?businessid=x", "?q=a&businessId="])
def test_list_and_search_need_the_business_id(api, path, query):
    refused(api.call("GET", path + query), 400, "MISSING_BUSINESS_ID", ["businessId"])


# --- Faults -------------------------------------------------------------------------------------

SECRET = "ada.secret@example.com"


@pytest.mark.parametrize("debug", [False, True])
def test_an_exception_is_an_internal_error_that_tells_nothing(
    api, business, settings, monkeypatch, log, debug
):
    settings.DEBUG = debug

    def fail(*args, **kwargs):
        raise RuntimeError(f"no luck with {SECRET}")

    monkeypatch.setattr(answers, "customer_data", fail)
    customer = factories.customer(business, email=SECRET)
    calls = [
        lambda: api.post(LIST, ADA | {"address": SECRET}),
        lambda: api.get(f"{LIST}/{customer.public_id}"),
        lambda: api.get(LIST, {"email": SECRET}),
    ]
    for call in calls:
        log.truncate(0)
        log.seek(0)
        response = call()
        error = refused(response, 500, "INTERNAL_ERROR")
        assert set(error) == {"code", "message", "requestId"}
        for told in (SECRET, "RuntimeError", "Traceback", "views.py"):
            assert told not in response.content.decode()
        [line] = [json.loads(x) for x in log.getvalue().splitlines() if '"error"' in x]
        assert line["requestId"] == error["requestId"]
        assert line["exception"][0] == "RuntimeError"
        assert SECRET not in log.getvalue()


@pytest.mark.parametrize("debug", [False, True])
def test_debug_shows_no_html(api, settings, debug):
    settings.DEBUG = debug
    refused(api.get("/nothing"), 404, "NOT_FOUND")
    refused(api.get("/v1/nothing"), 404, "NOT_FOUND")
    refused(api.get(LIST, {"limit": "x"}), 400, "INVALID_REQUEST")
    refused(api.post(LIST, body_of(KIB_64 + 1)), 413, "INVALID_REQUEST")
    refused(api.call("PATCH", LIST), 405, "METHOD_NOT_ALLOWED")
    many = "&".join(f"a{n}=1" for n in range(2000))
    refused(api.call("GET", f"{LIST}?{many}"), 400, "INVALID_REQUEST")


@pytest.mark.parametrize("debug", [False, True])
def test_an_exception_outside_the_api_is_an_envelope_too(api, settings, monkeypatch, log, debug):
    settings.DEBUG = debug

    def fail(*args, **kwargs):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(probes, "success", fail)
    response = api.get("/healthz")
    error = refused(response, 500, "INTERNAL_ERROR")
    assert SECRET not in response.content.decode() + log.getvalue()
    assert error["requestId"] in log.getvalue()
    assert "RuntimeError" in log.getvalue()


def unreachable(call):
    """`call` in a thread whose database connection leads nowhere."""
    result = []

    def run():
        there = connection.settings_dict
        nowhere = there | {"HOST": "127.0.0.1", "PORT": "1"}
        if connection.vendor == "sqlite":
            nowhere["NAME"] = "/nonexistent/directory/db.sqlite3"
        connection.settings_dict = nowhere
        try:
            result.append(call())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


@pytest.mark.parametrize("debug", [False, True])
def test_a_database_that_cannot_be_reached_is_said_so(api, business, settings, debug):
    settings.DEBUG = debug
    calls = [
        lambda: api.get(LIST),
        lambda: api.get(f"{LIST}/search", {"q": "a"}),
        lambda: api.post(LIST, ADA),
        lambda: api.post(f"{LIST}/find-or-create", ADA),
        lambda: api.get(RANDOM),
        lambda: api.put(RANDOM, ADA),
        lambda: api.delete(RANDOM),
        lambda: api.get("/readyz"),
    ]
    for call in calls:
        response = unreachable(call)
        error = refused(response, 503, "SERVICE_UNAVAILABLE")
        assert error["retryAfter"] == int(response["Retry-After"]) > 0
        assert "127.0.0.1" not in response.content.decode()
        assert "nonexistent" not in response.content.decode()


def test_a_database_lost_in_mid_request_is_said_so(api, business, monkeypatch):
    def lost(*args, **kwargs):
        raise OperationalError(f"server closed the connection; {SECRET}")

    monkeypatch.setattr(answers, "customer_data", lost)
    factories.customer(business)
    response = api.get(LIST)
    refused(response, 503, "SERVICE_UNAVAILABLE")
    assert SECRET not in response.content.decode()


# --- Rate limits, as far as the envelope goes ---------------------------------------------------


def test_the_limit_of_the_minute_is_in_meta_and_headers_of_every_authenticated_answer(
    api, business, settings
):
    settings.RATE_LIMITS = "60/minute"
    for response in every_kind_of_answer(api, business):
        authenticated = "X-RateLimit-Limit" in response
        unauthenticated = response.status_code == 401 or response.resolver_match.route in (
            "healthz",
            "readyz",
            "",
        )
        assert authenticated is not unauthenticated
        if authenticated:
            assert response["X-RateLimit-Limit"] == "60"
            assert 0 < int(response["X-RateLimit-Remaining"]) < 60
            assert re.fullmatch(TIME, response["X-RateLimit-Reset"])
        if response.status_code < 400 and authenticated:
            limit = response.json()["meta"]["rateLimit"]
            assert limit == {
                "limit": 60,
                "remaining": int(response["X-RateLimit-Remaining"]),
                "reset": response["X-RateLimit-Reset"],
            }


def test_one_call_too_many_is_told_when_to_come_again(api, business, settings):
    settings.RATE_LIMITS = "2/minute"
    accepted(api.get(LIST))
    accepted(api.get(LIST))
    response = api.get(LIST)
    error = refused(response, 429, "RATE_LIMIT")
    assert isinstance(error["retryAfter"], int)
    assert 0 < error["retryAfter"] <= 60
    assert response["Retry-After"] == str(error["retryAfter"])
    assert response["X-RateLimit-Remaining"] == "0"
