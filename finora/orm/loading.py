"""How rows become instances, and new ones are made: private parts of Django, and what would break.

- `Model.from_db` is documented, to be overridden; what it must leave behind is not: the columns in
  `__dict__` by attname, those deferred being absent, and a `ModelState` as `_state`. A Django that
  keeps a row's values elsewhere would load rows that look empty: finora/tests/orm/test_loading.py
  holds every kind of query against Django's own from_db.
- No `__init__`, so no pre_init and post_init: an ImageField would miss its size, and a receiver of
  a module's would wait for ever. The same tests refuse both for models that are loaded so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class LightlyLoaded(models.Model):
    """Takes a row's columns as they are, without Django's __init__ and its signals.

    Those cost more than query and decryption together for a list of 50, and a row needs neither
    defaults nor conversion: the columns were converted before. What is not among them is deferred,
    as ever.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any]) -> Self:
        instance = cls.__new__(cls)
        instance._state = state = ModelState()
        state.adding = False
        state.db = db
        instance.__dict__.update(zip(field_names, values, strict=True))
        return instance

    @classmethod
    def new(cls, **values: Any) -> Self:
        """An unsaved instance, as cls(**values) makes it of attnames, in half the time.

        A million of them are made in a bulk load. Raises TypeError for what is no column.
        """
        fixed, made = _defaults(cls)
        instance = cls.__new__(cls)
        instance._state = ModelState()
        columns = instance.__dict__
        columns.update(fixed)
        for name, make in made:
            columns[name] = None if name in values else make()
        known = len(columns)
        columns.update(values)
        if len(columns) != known:
            raise TypeError(f"{cls.__name__} has no column for one of {', '.join(values)}.")
        return instance


@cache
def _defaults(
    model: type[models.Model],
) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """What a column holds that was given nothing: always the same, or made for each row."""
    fixed, made = {}, []
    for field in model._meta.concrete_fields:
        if field.has_default() and callable(field.default):
            made.append((field.attname, field.default))
        else:
            fixed[field.attname] = field.get_default()
    return fixed, made
