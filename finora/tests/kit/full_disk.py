"""A program for tests: an SQLite database whose files may not grow any more, then may again.

    python -m finora.tests.kit.full_disk

Prints what was answered as JSON.
"""

import json
import os
import resource


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "finora.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from customers.models import Customer
    from finora.http import probes
    from finora.tests.kit import factories
    from finora.tests.kit.fixtures import Api

    call_command("migrate", verbosity=0)
    probes.WRITES_EVERY = probes.REFUSAL_STANDS = 0.0
    business = factories.business()
    ada = factories.customer(business, name="Ada")
    api, client = Api(business), Client(raise_request_exception=False)
    path = f"/v1/customers/{ada.public_id}"
    told = []

    def ask(step: str) -> None:
        answers = {
            "ready": client.get("/readyz"),
            "alive": client.get("/healthz"),
            "list": api.get("/v1/customers"),
            "create": api.post("/v1/customers", {"name": step, "email": f"{step}@example.com"}),
            "change": api.put(path, {"name": step}),
            "delete": api.delete("/v1/customers/cust_none"),
        }
        for name, answer in answers.items():
            said = answer.json().get("error", {}).get("message")
            told.append([f"{step} {name}", answer.status_code, said])

    ask("before")
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As on a full disk, no file grows. Python ignores the signal, so SQLite sees the error.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        ask("full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    ask("after")
    names = sorted(customer.name for customer in Customer.objects.all())
    cursor = connection.cursor()
    pages = cursor.execute("PRAGMA page_count").fetchone()[0]
    cursor.execute(f"PRAGMA max_page_count={pages}")
    bodies = [
        {"name": "Bayo", "email": f"{n}@example.com", "address": "x" * 500} for n in range(60)
    ]
    answers = [api.post("/v1/customers", body) for body in bodies]
    # The little that /readyz writes needs no new page.
    small = [client.get("/readyz").status_code]
    probes.REFUSAL_STANDS = 60.0
    small.append(client.get("/readyz").status_code)
    outcome = {
        "small": small,
        "told": told,
        "names": names,
        "statuses": [answer.status_code for answer in answers],
        "said": sorted({a.json()["error"]["message"] for a in answers if a.status_code != 201}),
        "count": Customer.objects.count(),
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
