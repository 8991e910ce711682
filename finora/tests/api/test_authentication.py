"""Who gets in: keys, businesses, and what a key's row remembers."""

import hashlib
import json
import re
from datetime import timedelta

import pytest
from django import db

from finora import clock
from finora.api import authentication
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.answers import accepted, refused, same_but_for_the_request_id, statements
from finora.tests.kit.fixtures import Api

LIST = "/v1/customers"


def get(api, authorization):
    headers = {"authorization": authorization} if authorization is not None else {}
    return api.client.get(LIST, {"businessId": api.business.public_id}, headers=headers)


def unknown(environment="test"):
    return f"{environment}_sk_{'0' * 48}"


# --- The header ---------------------------------------------------------------------------------


def test_without_a_header_it_is_unauthorized(api):
    response = get(api, None)
    refused(response, 401, "UNAUTHORIZED")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "form",
    ["", " ", "{key}", "Bearer", "Bearer ", "Basic {key}", "Token {key}", "Bearer{key}",
     "Bearer {key} {key}", "Bearer {key},", "Bearer\t{key}", "Bearer: {key}", "Bearer {key}\xa0x"],
)  # fmt: skip
def test_what_is_not_bearer_and_one_key_is_refused(api, form):
    response = get(api, form.format(key=api.key))
    # With a comma behind it, it is a text that no key is.
    refused(response, 401, "INVALID_API_KEY" if form.endswith(",") else "UNAUTHORIZED")


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {} "])
def test_the_scheme_is_taken_in_any_case(api, form):
    accepted(get(api, form.format(api.key)))


@pytest.mark.parametrize(
    "key",
    ["x", "null", "test_sk_", "sk_test_1", "test_sk_" + "g" * 48, "test_sk_" + "0" * 100_000,
     "é" * 8, "test_sk_é", "\x00", "test_sk_\x00", "'--", "%s", "test_sk_' OR '1'='1"],
)  # fmt: skip
def test_a_malformed_key_is_no_key(api, key):
    response = get(api, f"Bearer {key}")
    refused(response, 401, "UNAUTHORIZED" if " " in key else "INVALID_API_KEY")


def test_a_key_is_matched_whole_and_exactly(api):
    for key in (api.key.upper(), api.key[:-1], api.key + "0", api.key[8:], f'"{api.key}"'):
        refused(get(api, f"Bearer {key}"), 401, "INVALID_API_KEY")


def test_what_is_stored_does_not_open(api):
    row = ApiKey.objects.get()
    digest = bytes(row.digest).hex()
    for key in (digest, f"test_sk_{digest}", row.prefix, f"{row.prefix}{row.last_four}"):
        refused(get(api, f"Bearer {key}"), 401, "INVALID_API_KEY")


# --- One answer for four reasons ----------------------------------------------------------------


def test_unknown_revoked_expired_and_foreign_keys_cannot_be_told_apart(api, business, settings):
    revoked, revoked_text = factories.api_key(business)
    ApiKey.objects.filter(pk=revoked.pk).revoke()
    _, expired = factories.api_key(business, expires_at=clock.now() - timedelta(seconds=1))
    settings.FINORA_ENVIRONMENT = "live"
    _, foreign = factories.api_key(business)
    settings.FINORA_ENVIRONMENT = "test"
    answers = [
        get(api, f"Bearer {key}")
        for key in (unknown(), revoked_text, expired, foreign, unknown("live"))
    ]
    refused(answers[0], 401, "INVALID_API_KEY")
    assert same_but_for_the_request_id(*answers)


def test_a_live_deployment_takes_live_keys_only(api, business, settings):
    settings.FINORA_ENVIRONMENT = "live"
    refused(api.get(LIST), 401, "INVALID_API_KEY")
    _, key = factories.api_key(business)
    assert re.fullmatch(r"live_sk_[0-9a-f]{48}", key)
    accepted(Api(business, key).get(LIST))


def test_a_renamed_key_of_the_other_environment_is_refused(api):
    refused(get(api, f"Bearer live_sk_{api.key[8:]}"), 401, "INVALID_API_KEY")
    ApiKey.objects.update(environment="live")
    refused(api.get(LIST), 401, "INVALID_API_KEY")


def test_a_revoked_key_is_refused_from_the_next_request_on_and_for_good(api):
    accepted(api.get(LIST))
    ApiKey.objects.all().revoke()
    refused(api.get(LIST), 401, "INVALID_API_KEY")
    at = ApiKey.objects.get().revoked_at
    assert ApiKey.objects.all().revoke() == 0
    assert ApiKey.objects.get().revoked_at == at


def test_a_key_ends_at_its_moment(api, monkeypatch):
    expires = ApiKey.objects.get().expires_at
    for moment, status in ((expires - timedelta(seconds=1), 200), (expires, 401)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        assert api.get(LIST).status_code == status


# --- The business -------------------------------------------------------------------------------


def test_a_suspended_business_is_refused_until_it_is_resumed(api, business):
    business.is_suspended = True
    business.save()
    for path in (LIST, f"{LIST}/x", f"{LIST}/search", "/v1/nothing", "/v2/customers"):
        refused(api.get(path), 403, "BUSINESS_SUSPENDED")
    refused(api.post(LIST, b"{broken"), 403, "BUSINESS_SUSPENDED")
    refused(api.get(LIST, {"businessId": "biz_other"}), 403, "BUSINESS_SUSPENDED")
    refused(api.call("PATCH", LIST), 403, "BUSINESS_SUSPENDED")
    business.is_suspended = False
    business.save()
    accepted(api.get(LIST))


def test_a_suspended_businesss_revoked_key_is_just_invalid(api, business):
    business.is_suspended = True
    business.save()
    ApiKey.objects.all().revoke()
    refused(api.get(LIST), 401, "INVALID_API_KEY")


def test_authentication_comes_before_everything_else(api):
    calls = [
        ("GET", f"{LIST}?limit=0", None),
        ("GET", f"{LIST}?businessId=biz_other", None),
        ("POST", LIST, b"{broken"),
        ("POST", LIST, b"x" * 100_000),
        ("PATCH", LIST, None),
        ("GET", "/v1/nothing", None),
        ("GET", "/v9/nothing", None),
    ]
    for method, path, body in calls:
        for authorization, code in (("", "UNAUTHORIZED"), ("Bearer x", "INVALID_API_KEY")):
            headers = {"authorization": authorization}
            refused(api.call(method, path, body, headers=headers), 401, code)


def test_then_the_business_then_the_request(api):
    for method in ("GET", "POST", "PATCH"):
        response = api.call(method, f"{LIST}?businessId=biz_other&limit=0", b"{broken")
        refused(response, 403, "FORBIDDEN")
    refused(api.call("GET", f"{LIST}?limit=0"), 400, "MISSING_BUSINESS_ID")


# --- What is stored -----------------------------------------------------------------------------


def test_a_key_has_192_random_bits_and_is_not_kept(business):
    row, key = factories.api_key(business)
    other, other_key = factories.api_key(business)
    assert re.fullmatch(r"test_sk_[0-9a-f]{48}", key)
    assert key != other_key
    values = ApiKey.objects.values().get(pk=row.pk)
    assert bytes(values["digest"]) == hashlib.sha256(key.encode()).digest()
    assert (values["prefix"], values["last_four"]) == (key[:12], key[-4:])
    assert key not in str(values)
    assert key[12:-4] not in str(values)
    assert key not in str(row) + repr(row) + str(vars(row))
    assert row.public_id.startswith("key_")
    assert row.public_id != other.public_id


def test_a_key_lasts_90_days(business, settings):
    row, _ = factories.api_key(business)
    assert abs(row.expires_at - row.created_at - timedelta(days=90)) < timedelta(seconds=1)
    assert row.is_usable()


def test_a_key_opens_its_own_business_only(business, other_business):
    api = Api(business)
    factories.customer(other_business)
    assert accepted(api.get(LIST))["count"] == 0


# --- What it costs and counts -------------------------------------------------------------------


def test_it_costs_one_query_and_no_cache_stands_before_it(api):
    api.get(f"{LIST}/x")
    for _ in range(2):
        assert statements(lambda: api.get("/v1/nothing")) == ["SELECT tenants_apikey"]


def test_a_header_that_can_be_no_key_costs_none(api):
    assert statements(lambda: get(api, None)) == []
    assert statements(lambda: get(api, f"Bearer {unknown('live')}")) == []


def test_use_is_written_at_most_once_a_minute(api, monkeypatch):
    now = [0.0]  # a machine that has just started
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now[0])
    writes = [statements(lambda: api.get(LIST)).count("UPDATE tenants_apikey") for _ in range(5)]
    assert writes == [1, 0, 0, 0, 0]
    assert ApiKey.objects.get().total_calls == 1
    now[0] += 59.9
    api.get(LIST)
    assert ApiKey.objects.get().total_calls == 1
    now[0] += 0.1
    api.get(LIST)
    key = ApiKey.objects.get()
    assert key.total_calls == 7
    assert abs(key.last_used_at - clock.now()) < timedelta(seconds=10)


def test_what_is_counted_is_written_when_the_process_ends(api):
    for _ in range(3):
        api.get(LIST)
    authentication.usage.flush()
    assert ApiKey.objects.get().total_calls == 3
    authentication.usage.flush()
    assert ApiKey.objects.get().total_calls == 3


def test_refused_keys_are_not_counted(api):
    ApiKey.objects.all().revoke()
    api.get(LIST)
    authentication.usage.flush()
    key = ApiKey.objects.get()
    assert (key.total_calls, key.last_used_at) == (0, None)


@pytest.mark.parametrize("error", ["OperationalError", "InterfaceError"])
def test_a_count_that_cannot_be_written_fails_no_request(api, monkeypatch, log, error):
    def fail(*args):
        authentication.usage.count(ApiKey.objects.get())  # another call comes meanwhile
        raise getattr(db, error)("locked")

    with monkeypatch.context() as patch:
        patch.setattr(type(ApiKey.objects.all()), "record_use", fail)
        accepted(api.get(LIST))
    [line] = [json.loads(x) for x in log.getvalue().splitlines() if "finora.api" in x]
    assert (line["message"], line["exception"][0]) == ("calls not recorded yet", error)
    authentication.usage.flush()
    assert ApiKey.objects.get().total_calls == 2
