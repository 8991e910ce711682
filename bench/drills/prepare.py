"""python -m bench.drills.prepare KEYS LIMITS: tables, a business and keys of it, as JSON.

Run in the environment of the server that is to be attacked. The first key has the deployment's
rate limits, all others have LIMITS, where that is not empty.
"""

from __future__ import annotations

import json
import sys

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command

    from finora.tenants.models import ApiKey, Business

    call_command("migrate", verbosity=0)
    business = Business.objects.create(name="Drill")
    keys = [
        ApiKey.objects.issue(business, f"drill {n}", rate_limits=sys.argv[2] if n else "")[1]
        for n in range(int(sys.argv[1]))
    ]
    sys.stdout.write(json.dumps({"business": business.public_id, "keys": keys}))


if __name__ == "__main__":
    main()
