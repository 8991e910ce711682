"""Sealing of personal values. What everyone may know of it stands here; keys are in keyring."""

from django.dispatch import Signal

from finora.sealing.errors import SealError

__all__ = ["SealError", "erasing"]

# Sent inside the transaction that erases a row's person, with `business_id` and `public_id`: who
# keeps copies of its values forgets them. A receiver that raises undoes the erasure.
erasing = Signal()
