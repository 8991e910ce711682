"""A program for tests that kill: each line it reads says how many seconds a process that it forks
may live, and what it is to do; how the process ended is printed. Starting Python once for all is
what makes dozens of kills affordable.

    python -m finora.tests.kit.killable DATABASE_NAME CONSTANTS_AS_JSON
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "finora.settings"
    import django

    django.setup()
    from django.db import connection

    from customers.management.commands import seed_customers
    from customers.search import by_words, index, reading, stand_in, sweeping

    for name, value in json.loads(sys.argv[2]).items():
        modules = (seed_customers, index, reading, stand_in, sweeping, by_words)
        setattr(next(m for m in modules if hasattr(m, name)), name, value)
    connection.settings_dict["NAME"] = sys.argv[1]
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, work, *arguments = line.split()
        pid = os.fork()
        if not pid:
            WORK[work](*arguments)
            os._exit(0)
        killed_at = time.monotonic() + float(seconds)
        ended, status = 0, 0
        while not ended:
            if time.monotonic() > killed_at:
                os.kill(pid, signal.SIGKILL)
                killed_at = float("inf")
            time.sleep(0.001)
            ended, status = os.waitpid(pid, os.WNOHANG)
        print(status, flush=True)


def pack(business_id: str) -> None:
    from customers.search import index
    from finora.tenants.models import Business

    while index.pack(Business(pk=business_id)):
        pass


def keep_up(business_id: str) -> None:
    """Packs, merges and sweeps as long as there is anything to do."""
    from customers.search import index
    from finora.tenants.models import Business

    while index.step(Business(pk=business_id)):
        pass


def repack(business_id: str) -> None:
    from customers.search import index
    from finora.tenants.models import Business

    index.repack(Business(pk=business_id))


def seed(public_id: str, count: str) -> None:
    from django.core.management import call_command

    from customers.management.commands.seed_customers import Command

    with open(os.devnull, "w") as nothing:
        call_command(Command(), public_id, "--count", count, stdout=nothing, stderr=nothing)


WORK = {"pack": pack, "keep_up": keep_up, "repack": repack, "seed": seed}

if __name__ == "__main__":
    main()
