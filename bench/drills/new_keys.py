"""A change of the encryption key and of the blind index key, spread over a life of a directory."""

from __future__ import annotations

import os
import random
import string
from collections.abc import Callable
from functools import partial


def turns(
    life: int, chance: random.Random, rotate: Callable[[], None]
) -> dict[int, Callable[[], None]]:
    """What is to be done behind which of so many steps: as the documents say it is done."""
    from cryptography.fernet import Fernet
    from django.conf import settings

    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    old_hash = settings.BLIND_INDEX_KEYS[0]
    new_hash = "".join(chance.choices(string.ascii_lowercase + string.digits, k=40))
    plan: list[Callable[[], None]] = [
        partial(_set, ENCRYPTION_KEYS=[old, new], BLIND_INDEX_KEYS=[old_hash, new_hash]),
        partial(_set, ENCRYPTION_KEYS=[new, old], BLIND_INDEX_KEYS=[new_hash, old_hash]),
        rotate,
        partial(_set, ENCRYPTION_KEYS=[new], BLIND_INDEX_KEYS=[new_hash]),
    ]
    return {life * (n + 3) // 8: turn for n, turn in enumerate(plan)}


def rotate() -> None:
    """Everything under the first keys. Raises CommandError if an older one is needed after it."""
    from django.core.management import call_command

    with open(os.devnull, "w") as quiet:
        for command in ("rotate_encryption", "rotate_blind_index"):
            call_command(command, stdout=quiet, stderr=quiet)
        call_command("rotate_encryption", "--check", stdout=quiet, stderr=quiet)


def _set(**values: list[str]) -> None:
    """For this process, as a restart with another environment does it."""
    from django.conf import settings
    from django.core.signals import setting_changed

    for name, value in values.items():
        setattr(settings, name, value)
        setting_changed.send(sender=settings, setting=name, value=value, enter=True)
