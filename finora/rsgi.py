"""The server's entry for granian: what `manage.py serve` runs in each of its workers."""

import asyncio

from finora.wsgi import application as django

# isort: split
from finora.http.processes import end_with_parent, hear_requests_first, hear_signals_once
from finora.http.server import Server

application = Server(django)
end_with_parent()
hear_signals_once(asyncio.get_event_loop(), application.end)
hear_requests_first(application.take)
