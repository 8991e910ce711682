"""GET /v1/api-keys, DELETE /v1/api-keys/{keyId}, GET /v1/usage."""

from datetime import timedelta

from finora import clock
from finora.tenants.models import ApiKey
from finora.tests.kit import factories
from finora.tests.kit.fixtures import Api


def test_a_business_sees_its_own_active_keys(api, business, other_business):
    factories.api_key(other_business)
    revoked, _ = factories.api_key(business)
    ApiKey.objects.filter(pk=revoked.pk).revoke()
    factories.api_key(business, expires_at=clock.now() - timedelta(seconds=1))
    data = api.get("/v1/api-keys").json()["data"]
    assert data["count"] == 1
    row = data["apiKeys"][0]
    assert list(row) == [
        "keyId", "keyPrefix", "keyLastFour", "name", "environment",
        "isActive", "createdAt", "lastUsedAt", "totalCalls", "expiresAt",
    ]  # fmt: skip
    assert row["keyPrefix"] == api.key[:12]
    assert row["keyLastFour"] == api.key[-4:]
    assert row["isActive"] is True
    assert row["environment"] == "test"
    assert api.key not in str(data)


def test_a_revoked_key_is_refused_at_once_and_for_good(api, business):
    key, text = factories.api_key(business)
    other = Api(business, text)
    assert other.get("/v1/customers").status_code == 200
    path = f"/v1/api-keys/{key.public_id}"
    for _ in range(2):
        answer = api.delete(path)
        assert answer.status_code == 200
        assert answer.json()["data"] == {"keyId": key.public_id, "isActive": False}
    assert other.get("/v1/customers").json()["error"]["code"] == "INVALID_API_KEY"


def test_a_key_may_revoke_itself(api):
    key = ApiKey.objects.get()
    assert api.delete(f"/v1/api-keys/{key.public_id}").status_code == 200
    assert api.get("/v1/customers").status_code == 401


def test_another_businesss_key_is_not_there(api, other_business):
    key, _ = factories.api_key(other_business)
    foreign = api.delete(f"/v1/api-keys/{key.public_id}")
    random = api.delete("/v1/api-keys/key_00000000000000000000000000")
    assert foreign.status_code == random.status_code == 404
    assert foreign.json()["error"]["message"] == random.json()["error"]["message"]
    assert ApiKey.objects.get(pk=key.pk).is_usable()


def test_usage_counts_all_keys_of_the_business(api, business, other_api):
    other_api.get("/v1/customers")
    key, text = factories.api_key(business)
    Api(business, text).get("/v1/customers")
    api.get("/v1/customers")
    ApiKey.objects.filter(pk=key.pk).revoke()
    data = api.get("/v1/usage").json()["data"]
    assert data["totalCallsThisMonth"] == data["totalCallsAllTime"] == 3
    assert data["lastCallAt"].endswith("Z")


def test_a_new_month_counts_from_zero(api):
    api.get("/v1/usage")
    last_month = clock.now().date().replace(day=1) - timedelta(days=3)
    ApiKey.objects.update(month=last_month.replace(day=1), month_calls=500, total_calls=700)
    data = api.get("/v1/usage").json()["data"]
    assert data["totalCallsThisMonth"] == 1
    assert data["totalCallsAllTime"] == 701
