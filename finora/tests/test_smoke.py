def test_create_and_list(api):
    r = api.post("/v1/customers", {"name": "Ada", "email": "ADA@example.com"})
    assert r.status_code == 201, r.content
    assert api.get("/v1/customers").json()["data"]["count"] == 1
