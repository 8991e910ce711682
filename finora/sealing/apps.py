from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models.signals import post_migrate


class SealingConfig(AppConfig):
    name = "finora.sealing"
    verbose_name = "Sealing"

    def ready(self) -> None:
        from finora.sealing import dumps  # noqa: F401 - its receivers

        post_migrate.connect(_plant_canaries, sender=self)


def _plant_canaries(*, using: str, **_: Any) -> None:
    """A database has the canaries of its keys from its first migration on."""
    from finora.sealing.models import KeyCanary

    if using == DEFAULT_DB_ALIAS:
        tables = connection.introspection.table_names()
        if KeyCanary._meta.db_table in tables:  # not where migrations were undone
            KeyCanary.objects.plant()
