from __future__ import annotations

from typing import Any

from django.conf import settings
from granian import Granian
from granian.constants import Interfaces

from customers.management.keyed import KeyedCommand


class Command(KeyedCommand):
    """Runs the production server on HOST:PORT with WORKERS processes until it is stopped.

    All system checks pass first: a misconfigured process does not start, nor one whose keys are
    not those of the database.
    """

    help = "Run the production server (granian) on HOST:PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Serving http://{settings.HOST}:{settings.PORT} (API pages: /docs)")
        Granian(
            "finora.wsgi:application",
            address=settings.HOST,
            port=settings.PORT,
            interface=Interfaces.WSGI,
            workers=settings.WORKERS,
            # Python runs one thread at a time; a second one would only make requests wait for
            # each other at random places. More parallel work means more processes.
            blocking_threads=1,
            backpressure=256,
            respawn_failed_workers=True,
            websockets=False,
            log_access=False,
        ).serve()
