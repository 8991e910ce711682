from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finora.audit.models import AuditEvent
from finora.orm.inserting import insert
from finora.orm.loading import LightlyLoaded
from finora.sealing.rows import SealedRow


class BookRow(SealedRow, LightlyLoaded):
    """A row of the books: numbered, and there for good, voided or cancelled at most."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        number: str = self.number  # type: ignore[attr-defined]
        return number

    def _do_insert(
        self, manager: Any, using: str, fields: Any, returning_fields: Any, raw: bool
    ) -> Any:
        """Django's, and the audit event with it. Not of a row that brings its key."""
        if raw or any(field.primary_key for field in fields):
            return super()._do_insert(manager, using, fields, returning_fields, raw)  # type: ignore[misc]
        row: Any = self
        created = AuditEvent.of(AuditEvent.Action.CREATED, row.business_id, row.public_id)
        return insert(using, self, created)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises TypeError: its number would be a gap."""
        raise TypeError("A row of the books is never deleted.")

    def note(self, action: str, fields: Sequence[str] = ()) -> None:
        """To be called in the change's own transaction."""
        row: Any = self
        AuditEvent.objects.record(action, row.business_id, [row.public_id], fields)
