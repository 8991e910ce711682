"""A program for tests: integrations that call all endpoints at once, a connection for each.

    python -m finora.tests.kit.eight CONNECTIONS ROUNDS

Says "ready", begins with the next line it reads, and prints what was wrong with the answers, as
JSON. Each has a business of its own: an answer of another's, or to another question, is wrong.
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "finora.settings"
    import django

    django.setup()
    from finora import background
    from finora.orm import prepared
    from finora.tests.kit import factories
    from finora.tests.kit.fixtures import Api

    prepared.prepare()
    connections, rounds = map(int, sys.argv[1:])
    apis = [Api(factories.business()) for _ in range(connections)]
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(connections) as pool:
        wrong = [
            line for lines in pool.map(lambda api: integrate(api, rounds), apis) for line in lines
        ]
    background.end()
    print(json.dumps(wrong))


def integrate(api, rounds: int) -> list[str]:
    from django.db import connections

    wrong: list[str] = []

    def ask(what: str, answer, status: int, told) -> dict:
        body = answer.json()
        data = body.get("data", {})
        if answer.status_code != status or not told(data):
            wrong.append(f"{what}: {answer.status_code} {body}")
        return data

    mine = api.business.public_id
    for n in range(rounds):
        word = f"{mine[-6:]}n{n}"
        body = {"name": f"Ada {word}", "email": f"{word}@example.com", "phone": "08031234567"}

        def is_it(data, body=body):
            return {name: data.get(name) for name in body} == body

        made = ask("create", api.post("/v1/customers", body), 201, is_it)
        path = f"/v1/customers/{made.get('id')}"

        def is_same(data, made=made):
            return data.get("id") == made.get("id")

        ask("get", api.get(path), 200, is_same)
        body["name"] = f"Bayo {word}"
        ask("change", api.put(path, {"name": body["name"]}), 200, is_it)
        found = {"email": body["email"]}
        ask("find", api.post("/v1/customers/find-or-create", found), 200, is_same)
        new = {"email": f"new{word}@example.com"}
        key = {"idempotency-key": word}
        for _ in range(2):
            ask(
                "find or create",
                api.post("/v1/customers/find-or-create", new, headers=key),
                201,
                lambda data, new=new: data.get("email") == new["email"],
            )
        ask(
            "search",
            api.get("/v1/customers/search", {"q": word}),
            200,
            lambda data: len(data.get("customers", [])) == 2,
        )
        ask("list", api.get("/v1/customers"), 200, lambda data, n=n: data.get("count") == n + 2)
        ask("delete", api.delete(path), 200, lambda data: True)
        ask("keys", api.get("/v1/api-keys"), 200, lambda data: len(data["apiKeys"]) == 1)
    connections.close_all()
    return wrong


if __name__ == "__main__":
    main()
