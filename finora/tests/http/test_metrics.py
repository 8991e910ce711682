"""`/metrics`: figures for whoever runs the service, and nobody and nothing of anybody in them."""

import os
import re
import signal
import time
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from finora import clock, metrics
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused
from finora.tests.kit.fixtures import Api
from finora.tests.kit.scraped import HEADERS, TOKEN, figures, samples
from finora.tests.kit.served import START_SECONDS, Served

CALLS = "finora_http_request_duration_seconds_count"
LIMITED = "finora_rate_limited_requests_total"
PAGE = settings.BASE_DIR / "docs" / "metrics.md"

# All that may ever stand in a label, but for the names of routes.
LABELS = {
    "method": {"GET", "HEAD", "POST", "PUT", "DELETE", "other"},
    "what": {"key", "address", "login"},
    "limit": {"minute", "hour", "day", "concurrent"},
    "cache": {"hit", "miss"},
    "step": {"pack", "merge", "mend"},
}


def calls(route, status, method="GET"):
    return f"{CALLS}{{method={method},route={route},status={status}}}"


# --- Who may read it


@pytest.mark.parametrize("headers", [{}, HEADERS, {"Authorization": "Bearer "}])
def test_without_a_token_there_is_no_such_page(client, db, headers):
    assert settings.METRICS_TOKEN == ""
    refused(client.get("/metrics", headers=headers), 404, "NOT_FOUND")
    refused(client.post("/metrics", headers=headers), 404, "NOT_FOUND")


def test_it_is_for_whoever_has_the_token(client, api, scrape):
    said = client.get("/metrics", headers=HEADERS)
    assert said.status_code == 200
    assert said["Content-Type"].startswith("text/plain")
    assert said["Cache-Control"] == "no-store"
    assert client.head("/metrics", headers=HEADERS).status_code == 200
    for authorization in ("", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}A", "Bearer ä"):
        answer = client.get("/metrics", headers={"Authorization": authorization})
        refused(answer, 401, "UNAUTHORIZED")
    refused(api.get("/metrics"), 401, "UNAUTHORIZED")
    refused(client.post("/metrics", headers=HEADERS), 405, "METHOD_NOT_ALLOWED")


def test_who_guesses_is_limited_like_other_strangers(client, db, scrape, settings):
    settings.STRANGER_LIMITS = "2/minute"
    wrong = {"Authorization": "Bearer guess"}
    codes = [client.get("/metrics", headers=wrong).status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    assert client.get("/metrics", headers=HEADERS).status_code == 200


def test_it_is_scraped_from_inside_without_tls(client, db, scrape, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics", headers=HEADERS).status_code == 200
    assert client.get("/docs").status_code == 301


# --- What it says


def test_requests_are_counted_by_route_method_and_status(api, client, scrape):
    ada = factories.customer(api.business)
    api.get(f"/v1/customers/{ada.public_id}")
    api.get(f"/v1/customers/{ada.public_id}/")
    api.get("/v1/customers/cust_nobody")
    api.post("/v1/customers", {"name": "Obi"})
    client.get("/healthz")
    client.generic("BREW", "/nowhere/at/all")
    client.get("/static/nothing.css")
    seen = {name: n for name, n in scrape().items() if name.startswith(CALLS)}
    assert seen == {
        calls("customer", 200): 2,
        calls("customer", 404): 1,
        calls("customers", 400, "POST"): 1,
        calls("healthz", 200): 1,
        calls("not-found", 404, "other"): 1,
        calls("not-found", 404): 1,
    }
    assert scrape()[calls("metrics", 200)] == 1  # the first one


def test_refusals_by_rate_limits_are_counted(api, staff, scrape, settings):
    settings.RATE_LIMITS, settings.STRANGER_LIMITS = "1/minute,9/day", "1/minute"
    settings.LOGIN_LIMITS = "1/hour"
    for _ in range(3):
        api.get("/v1/customers")
        Api(api.business, "nonsense").get("/v1/customers")
        Client().post(reverse("admin:login"), {"username": "ada", "password": "no"})
    seen = {name: n for name, n in scrape().items() if name.startswith(LIMITED)}
    assert seen == {
        f"{LIMITED}{{limit=minute,what=key}}": 2,
        f"{LIMITED}{{limit=minute,what=address}}": 2,
        f"{LIMITED}{{limit=hour,what=login}}": 2,
    }


def test_a_limit_store_that_is_away_is_told(api, scrape, settings):
    assert scrape()["finora_rate_limit_store_away"] == 0
    settings.RATE_LIMITS, settings.REDIS_URL = "9/minute", "redis://127.0.0.1:1/0"
    accepted(api.get("/v1/customers"))
    assert scrape()["finora_rate_limit_store_away"] == 1


def test_keys_that_expire_are_counted(api, scrape):
    assert scrape()["finora_api_keys_expiring"] == 0
    factories.api_key(api.business, expires_at=clock.now() + timedelta(days=13))
    factories.api_key(api.business, expires_at=clock.now() - timedelta(days=1))
    assert scrape()["finora_api_keys_expiring"] == 1


def test_rows_that_cannot_be_opened_are_counted(api, staff, scrape):
    ada, obi = factories.customer(api.business), factories.customer(api.business)
    factories.store(ada, "email", factories.stored(obi, "email"))
    refused(api.get(f"/v1/customers/{ada.public_id}"), 500, "INTERNAL_ERROR")
    assert len(accepted(api.get("/v1/customers"))["customers"]) == 1
    assert scrape()["finora_unreadable_rows_total"] == 2


def test_a_database_that_is_away_takes_its_own_figures_with_it_and_no_others(
    client, api, scrape, log, monkeypatch
):
    accepted(api.get("/v1/customers"))

    def fail(*args):
        raise OperationalError("could not connect to server at 10.0.0.7")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        seen = scrape()
    assert seen[calls("customers", 200)] == 1
    assert not metrics.asked.keys() & seen.keys()
    assert "10.0.0.7" not in log.getvalue()


def test_every_figure_is_documented():
    table = re.findall(r"^\| `(finora_\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    totals = {"Counter": "_total", "Gauge": "", "Histogram": ""}
    known = {f"{series.name}{totals[series.kind]}": series.labels for series in metrics.declared}
    known |= {name: {} for name in metrics.asked}
    known = {name: labels for name, labels in known.items() if not name.startswith("finora_test")}
    assert {name: sorted(re.findall(r"`(\w+)`", labels)) for name, labels in table} == {
        name: sorted(labels) for name, labels in known.items()
    }


# --- What it never says


PEOPLE = [
    {
        "name": "Quillomio Ollulunip",
        "email": "zuuloivox.9731@upilliowo.com",
        "phone": "+2348064197753",
        "address": "19 Ouluvillio Close, Iolumbuxi",
        "tin": "64197753-0001",
        "companyName": "Ojuilloqu Bakery",
    },
    {
        "name": "Lixxouliu Uvoliopillu",
        "email": "oixullimu.4682@quizzolup.com",
        "phone": "+2348075286642",
        "address": "46 Jixxulo Street, Uppolliwa",
        "tin": "75286642-0001",
        "companyName": "Wuzzilopo Motors",
    },
]


def use_all_of_it(api, staff):
    """Calls and pages of all kinds, with personal values wherever one can be put."""
    ids = []
    for person in PEOPLE:
        ids.append(accepted(api.post("/v1/customers", person), 201)["id"])
        for value in person.values():
            api.get("/v1/customers/search", {"q": value[:20]})
            for place in ("/v1/customers/{}", "/v1/{}", "/{}", "/admin/{}", "/static/{}", "/v{}"):
                api.call("GET", place.format(quote(value, safe="")))
            api.call(re.sub(r"\W", "", value.upper()), "/v1/customers")
            Api(api.business, re.sub(r"\W", "", value)).get("/v1/customers")
            staff.get(reverse("admin:customers_customer_changelist"), {"q": value})
        api.get("/v1/customers", {"email": person["email"]})
        api.put(f"/v1/customers/{ids[-1]}", {"address": person["address"]})
        row = Customer.objects.get(public_id=ids[-1])
        staff.get(reverse("admin:customers_customer_change", args=[row.pk]))
    api.post("/v1/customers/find-or-create", PEOPLE[0])
    api.get("/v1/customers", {"businessId": api.business.name})
    api.delete(f"/v1/customers/{ids[0]}")
    return ids


@pytest.mark.django_db
def test_no_label_ever_holds_a_personal_value_or_a_name(client, staff, scrape):
    business = factories.business(name="Kwassaliwo Hardware Ltd")
    api = Api(business)
    known = [business.public_id, business.name, api.key, *use_all_of_it(api, staff)]
    text = client.get("/metrics", headers=HEADERS).content.decode()
    seen = samples(text)
    assert sum(value for name, _, value in seen if name == CALLS) > 100

    pieces = {word for value in known for word in re.findall(r"\w{5,}", value)}
    for person in PEOPLE:
        pieces |= {word for value in person.values() for word in re.findall(r"\w{3,}", value)}
    pieces -= {"Ltd", "Close", "Street", "com", "0001", "live", "test"}
    assert len(pieces) > 25
    assert [piece for piece in pieces if piece.lower() in text.lower()] == []

    routes = {labels.pop("route") for _, labels, _ in seen if "route" in labels}
    named = {"customers", "customer", "customer-search", "customer-find-or-create", "not-found"}
    assert named | {"no-such-path", "admin:customers_customer_change"} <= routes
    assert all(route in ("none", "other") or is_a_url_name(route) for route in routes)
    for name, labels, _ in seen:
        assert name.startswith("finora_")
        assert re.fullmatch(r"\d{3}", labels.pop("status", "200"))
        assert float(labels.pop("le", "1")) > 0
        assert labels.keys() <= LABELS.keys()
        assert all(value in LABELS[label] for label, value in labels.items())


def is_a_url_name(route):
    """Whether the code of a URL configuration has it as a name."""
    given = rf"""name=["']{re.escape(route.rpartition(":")[2])}["']"""
    sources = [settings.BASE_DIR / "finora" / "urls.py", settings.BASE_DIR / "finora/api/urls.py"]
    sources.append(settings.BASE_DIR / "customers" / "api" / "urls.py")
    own = any(re.search(given, path.read_text()) for path in sources)
    return own or re.fullmatch(r"admin:\w+", route) is not None


# --- Several workers


@pytest.mark.django_db(transaction=True)
def test_whichever_worker_is_asked_tells_of_all_and_of_those_before(tmp_path):
    keys = (settings.FINORA_DATA_DIR / "demo-keys.json").read_bytes()
    (tmp_path / "demo-keys.json").write_bytes(keys)
    env = {"FINORA_DATA_DIR": str(tmp_path), "TMPDIR": str(tmp_path), "METRICS_TOKEN": TOKEN}
    served = Served(tmp_path / "log", 2, **env).wait()
    try:
        refused = calls("not-found", 404)

        def count():
            status, _, body = served.call("GET", "/metrics", headers=HEADERS)
            assert status == 200
            return figures(body.decode()).get(refused, 0)

        for _ in range(20):
            assert served.call("GET", "/nowhere")[0] == 404
        assert {count() for _ in range(10)} == {20}
        [directory] = tmp_path.glob("finora-metrics-*")
        assert os.stat(directory).st_mode & 0o777 == 0o700
        before = {one.pid for one in served.family()[1:]}
        served.send(signal.SIGHUP)
        deadline = time.monotonic() + START_SECONDS
        while before & {one.pid for one in served.family()[1:]}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for _ in range(20):
            assert served.call("GET", "/nowhere")[0] == 404
        assert {count() for _ in range(10)} == {40}
    finally:
        served.stop()
    assert not directory.exists()
