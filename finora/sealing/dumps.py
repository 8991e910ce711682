"""dumpdata writes what is sealed as the table holds it; here loaddata takes it back, unopened."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from finora.sealing import registry
from finora.sealing.derived import derived_from
from finora.sealing.tokens import SealedToken


class _DumpedToken(SealedToken):
    """A token on its way from a dump into the table: loaddata reads it, and it stays shut."""

    __slots__ = ()


@receiver(pre_save)
def _take_back(sender: type[models.Model], instance: models.Model, raw: bool, **_: Any) -> None:
    """loaddata saves raw, and what it read are sealed values. Raises SealError for others."""
    if not raw:
        return
    for field in registry.sealed.of(sender):
        value = instance.__dict__.get(field.attname)
        if value is not None and not isinstance(value, SealedToken):
            token = _DumpedToken(value if isinstance(value, str) else bytes(value))
            source = field.open(token, instance)
            setattr(instance, field.attname, token)
            for derived in derived_from(sender, field.name):
                setattr(instance, derived.attname, derived.derive(source, instance))


@receiver(post_save)
def _have_taken_back(
    sender: type[models.Model], instance: models.Model, raw: bool, **_: Any
) -> None:
    """Such an instance is then like any other that was loaded."""
    if not raw:
        return
    for field in registry.sealed.of(sender):
        value = instance.__dict__.get(field.attname)
        if isinstance(value, _DumpedToken):
            setattr(instance, field.attname, SealedToken(value.stored))
