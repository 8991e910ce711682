"""The server's entry. A misconfigured process does not start: it says what is wrong."""

import gc
import io
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finora.settings")

from django.core.management import call_command
from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connections, reset_queries

application = get_wsgi_application()

# Behind it: models can be imported only once Django's apps are loaded.
from finora import metrics  # noqa: E402
from finora.api.authentication import flush_usage_at_exit  # noqa: E402
from finora.orm import prepared  # noqa: E402
from finora.sealing.models import KeyCanary  # noqa: E402

call_command("check", databases=["default"], stdout=io.StringIO())
# The keys are those of the database; one that writes here for the first time says so in it.
KeyCanary.objects.plant()
flush_usage_at_exit()
metrics.start()
prepared.prepare()
# What looked at the database until here was this thread; requests come in others.
connections.close_all()
# Of what Django asks ahead of each request, where the one before asked the same at its end.
request_started.disconnect(close_old_connections)
request_started.disconnect(reset_queries)
# What is imported by now lives as long as the process: the collector need not look at it again.
gc.collect()
gc.freeze()
