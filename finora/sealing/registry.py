"""What is sealed, and what is hashed by a blind index key: each field says so by its declaration.

Changing keys, counting what needs them, erasure and dumps go by these lists, so that a new
module's field is in all of them without another line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.db import models

_PLACE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


class Declared:
    """The fields of one kind, of all models that are installed."""

    def __init__(self) -> None:
        self._fields: list[Any] = []

    def add(self, field: models.Field[Any, Any]) -> None:
        """To be called by a field that a class was given; an abstract one's are its children's."""
        meta = field.model._meta
        # Migrations make models of their own, in registries of their own.
        if meta.apps is apps and not meta.abstract:
            self._fields.append(field)

    def __iter__(self) -> Iterator[Any]:
        for field in self._fields:
            meta = field.model._meta
            if apps.all_models[meta.app_label].get(meta.model_name) is field.model:
                yield field

    def of(self, model: type[models.Model]) -> list[Any]:
        """Those of one model."""
        return [field for field in self if issubclass(model, field.model)]

    def models(self) -> list[type[models.Model]]:
        """Those that have any, by label."""
        return sorted({field.model for field in self}, key=lambda model: model._meta.label)


sealed = Declared()  # texts and blobs
blind_indexes = Declared()
blind_key_ids = Declared()  # columns that name the key of other hashes in their row


@register
def places(app_configs: Any = None, **_: Any) -> Iterator[CheckMessage]:
    """What is sealed for one place would open in another of its name."""
    for kind in (sealed, blind_indexes):
        seen: dict[str, Any] = {}
        for field in kind:
            first = seen.setdefault(field.place, field)
            if first is not field:
                yield Error(
                    f"{first} and {field} have one place, {field.place}.",
                    hint="Give each a place of its own. One that holds values keeps the name.",
                    obj=field,
                    id="finora.E031",
                )
            if not _PLACE.fullmatch(field.place):
                yield Error(
                    f"{field}: {field.place!r} is no name of a place.",
                    hint="Small letters, digits and underscores, with a dot: customer.email.",
                    obj=field,
                    id="finora.E032",
                )
