"""python -m bench.drills.repack: writes all search segments anew, again and again, until killed."""

from __future__ import annotations

import os
import time

import django

PAUSE = 0.1  # seconds in which the server's writes find room


def main() -> None:
    django.setup()
    from django.core.management import call_command

    with open(os.devnull, "w") as quiet:
        while True:
            call_command("repack_search", stdout=quiet, stderr=quiet)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()
