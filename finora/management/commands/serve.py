from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.db import connections

from finora import metrics
from finora.http.processes import Server
from finora.management.keyed import KeyedCommand


class Command(KeyedCommand):
    """Runs the production server on HOST:PORT with WORKERS processes until it is stopped.

    All system checks pass first: a misconfigured process does not start, nor one whose keys are
    not those of the database. TERM and INT end it within 10 s and HUP replaces its workers;
    neither loses an answer that was begun.
    """

    help = "Run the production server (granian) on HOST:PORT."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Serving http://{settings.HOST}:{settings.PORT} (API pages: /docs)")
        # Workers are forked: a connection that the checks left open would be one of all of them.
        connections.close_all()
        with metrics.shared():
            Server().serve()
        # All is done. To take the interpreter down as well needs seconds on a busy machine.
        self.stdout.flush()
        os._exit(0)
