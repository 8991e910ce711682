"""What the books refuse. `field` is what of the call; no message holds a value that was sent."""

from __future__ import annotations


class Refused(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


class NotValid(Refused):
    """A value that breaks a rule, whatever else the books hold."""


class BooksRefuse(Refused):
    """Well-formed, but the books do not allow it."""


class InvoiceFrozen(BooksRefuse):
    """What is issued is cancelled, not edited."""

    def __init__(self, field: str = "status") -> None:
        super().__init__(field, "Only a draft changes; an issued invoice can be cancelled.")
