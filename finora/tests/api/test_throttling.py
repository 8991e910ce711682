"""Rate limits as a caller meets them."""

import re
import threading

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from customers.api import views
from finora.api import throttling
from finora.api.errors import ApiError
from finora.api.views import ApiView
from finora.audit.models import AuditEvent
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.fixtures import Api

LIST = "/v1/customers"


@pytest.fixture(autouse=True)
def fresh_counts(settings):
    settings.RATE_LIMITS = "60/minute,1000/hour,10000/day,10 concurrent"
    throttling.limiter.cache_clear()
    yield
    throttling.limiter.cache_clear()


def test_sixty_pass_and_the_next_one_does_not(api):
    for n in range(60):
        answer = api.get(LIST)
        assert answer.status_code == 200
        assert answer["X-RateLimit-Limit"] == "60"
        assert answer["X-RateLimit-Remaining"] == str(59 - n)
        limit = answer.json()["meta"]["rateLimit"]
        assert limit == {"limit": 60, "remaining": 59 - n, "reset": answer["X-RateLimit-Reset"]}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", limit["reset"])
    answer = api.get(LIST)
    assert answer.status_code == 429
    error = answer.json()["error"]
    assert error["code"] == "RATE_LIMIT"
    assert 1 <= error["retryAfter"] <= 60
    assert answer["Retry-After"] == str(error["retryAfter"])
    assert answer["X-RateLimit-Remaining"] == "0"


def test_every_answer_counts_and_says_so_errors_included(api):
    answers = [
        api.get(LIST, {"limit": "0"}),
        api.get(LIST, {"businessId": "biz_other"}),
        api.get("/v1/customers/cust_nobody"),
        api.get("/v1/nowhere"),
        api.get("/v2/customers"),
        api.call("PATCH", LIST),
        api.post(LIST, b"{"),
        api.post(LIST, b"x" * 70_000),
    ]
    remaining = [answer["X-RateLimit-Remaining"] for answer in answers]
    assert remaining == [str(59 - n) for n in range(len(answers))]
    assert all(answer.status_code >= 400 for answer in answers)


def test_each_key_has_limits_of_its_own(api, business):
    settings_of_key = ApiKey.objects.get()
    settings_of_key.rate_limits = "2/minute"
    settings_of_key.save(update_fields=["rate_limits"])
    other = Api(business)
    assert [api.get(LIST).status_code for _ in range(3)] == [200, 200, 429]
    assert other.get(LIST)["X-RateLimit-Limit"] == "60"


def test_limits_can_be_switched_off(api, settings):
    settings.RATE_LIMITS = "off"
    answer = api.get(LIST)
    assert answer.json()["meta"]["rateLimit"] is None
    assert "X-RateLimit-Limit" not in answer


def test_a_refused_call_reaches_neither_business_nor_body(api, settings):
    settings.RATE_LIMITS = "1/minute"
    api.get(LIST)
    assert api.post(LIST, b"{").status_code == 429
    assert api.get(LIST, {"businessId": "biz_other"}).status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", f"{LIST}?businessId={{}}", {}),
        ("GET", "/v1/customers/cust_nobody", {}),
        ("GET", f"{LIST}?limit=0", {}),
        ("GET", f"{LIST}?businessId=biz_other", {}),
        ("POST", f"{LIST}/find-or-create", {"email": "new@example.ng"}),
        ("POST", f"{LIST}/find-or-create", {"email": "nonsense"}),
        ("POST", LIST, {"name": "New", "email": "new@example.ng"}),
    ],
)
@pytest.mark.parametrize("refused_before", [False, True])
def test_a_refusal_goes_before_all_else_and_nothing_is_changed(
    api, business, settings, refused_before, method, path, sent
):
    """Whatever was read while the limits were asked."""
    settings.RATE_LIMITS = "1/minute"
    api.get(LIST)
    if refused_before:
        api.get(LIST)
    before = AuditEvent.objects.count()
    answer = api.call(method, path.format(business.public_id), sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT")
    assert answer["X-RateLimit-Remaining"] == "0"
    assert not business.customers.exists()
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", f"{LIST}?businessId={{}}", {}),
        ("GET", "/v1/customers/cust_nobody", {}),
        ("POST", f"{LIST}/find-or-create", {"email": "new@example.ng"}),
    ],
)
def test_who_was_refused_makes_the_database_read_nothing_but_the_key(
    api, settings, django_assert_num_queries, method, path, sent
):
    settings.RATE_LIMITS = "1/minute"
    api.get(LIST)
    api.get(LIST)
    with django_assert_num_queries(1):
        answer = api.call(method, path.format(api.business.public_id), sent)
    assert answer.status_code == 429


class Plain(ApiView):
    """An answer that is not the envelope's."""

    def get(self, request):
        return HttpResponse("plain")


def test_no_answer_of_a_view_passes_the_limits_by(business, settings):
    settings.RATE_LIMITS = "1/minute"
    authorization = f"Bearer {factories.api_key(business)[1]}"

    def code():
        request = RequestFactory().get("/", headers={"authorization": authorization})
        try:
            return Plain.as_view()(request).status_code
        except ApiError as error:  # RequestIdMiddleware answers it
            return error.status

    assert [code(), code()] == [200, 429]


def test_what_was_asked_is_counted_and_left_where_a_call_breaks_off(
    business, monkeypatch, settings
):
    settings.RATE_LIMITS = "1 concurrent"
    _, key = factories.api_key(business)

    def broken(self, request):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(views.CustomersView, "get", broken)
        with pytest.raises(KeyboardInterrupt):
            Api(business, key).get(LIST)
    assert Api(business, key).get(LIST).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_eleventh_at_once_is_refused_and_a_slot_is_freed(monkeypatch, settings):
    from django.db import connection

    settings.RATE_LIMITS = "10 concurrent"
    business = factories.business()
    key = factories.api_key(business)[1]
    inside, go = threading.Semaphore(0), threading.Event()
    plain = views.CustomersView.get

    def slow(self, request):
        _ = self.business  # the verdict is read
        inside.release()
        go.wait(30)
        return plain(self, request)

    monkeypatch.setattr(views.CustomersView, "get", slow)
    codes = []

    def call():
        try:
            codes.append(Api(business, key).get(LIST).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=30)
    refused = Api(business, key).get(LIST)
    go.set()
    for thread in threads:
        thread.join()
    assert (refused.status_code, refused.json()["error"]["retryAfter"]) == (429, 1)
    assert codes == [200] * 10
    assert Api(business, key).get(LIST).status_code == 200


def test_strangers_are_limited_by_address(api, settings):
    settings.STRANGER_LIMITS = "3/minute"
    stranger = Api(api.business, "test_sk_" + "0" * 48)
    codes = [stranger.get(LIST).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    assert stranger.get(LIST, REMOTE_ADDR="192.0.2.9").status_code == 401
    assert api.get(LIST).status_code == 200


def test_behind_a_proxy_the_address_is_the_one_it_saw(api, settings):
    settings.STRANGER_LIMITS, settings.BEHIND_PROXY = "1/minute", True
    stranger = Api(api.business, "nonsense")

    def code(forwarded):
        return stranger.get(LIST, headers={"x-forwarded-for": forwarded}).status_code

    assert code("203.0.113.1, 198.51.100.7") == 401
    assert code("203.0.113.2, 198.51.100.7") == 429
    assert code("198.51.100.8") == 401
    assert code("2001:db8::1") == 401
    assert code("2001:db8::2") == 429
    assert code("not an address") == 401


def test_a_store_that_is_down_does_not_take_the_api_down(api, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.RATE_LIMITS = "2/minute"
    assert [api.get(LIST).status_code for _ in range(3)] == [200, 200, 429]


def test_a_slot_is_surely_free_before_the_answer_is_sent(api, monkeypatch):
    """Or a caller that makes ten at once is refused when the next one comes to another worker."""
    limiter, told = throttling.limiter(), []
    monkeypatch.setattr(limiter, "leave", lambda *_: told.append("leave"))
    monkeypatch.setattr(limiter, "settle", lambda: told.append("settle"))
    assert api.get(LIST).status_code == 200
    assert told == ["leave", "settle"]
