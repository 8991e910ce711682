"""How each sealed field of a customer is shown to who may not read it."""

from __future__ import annotations

from collections.abc import Callable

from finora.staff import masking

MASKS: dict[str, Callable[[str], str]] = {
    "email": masking.email,
    "phone": masking.phone,
    "tin": masking.tin,
    "address": masking.address,
}
