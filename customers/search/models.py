from __future__ import annotations

import uuid

from django.db import models

from finora import clock
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.sealing.fields import SealedBytesField


class SearchSegment(TenantRow):
    """One sealed, unchanging block of search lines of a business (see customers/search).

    Derived data: dropping all segments and packing again gives the same answers.
    """

    # Known before the row is written, as the sealed bytes are bound to it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = BusinessField(related_name="search_segments")
    # In bytes, opened. Plain, as the blob's length shows it anyway: merging chooses by it, and
    # a search within its memory. Before the blob, so that listing segments reads none of it.
    size = models.PositiveIntegerField()
    # Upkeep goes round: it looks at the segment that was not looked at for longest. From one with
    # many stale lines it carries the others over into new segments, some at a time; `swept` is how
    # far it came, and with the last line the segment goes.
    looked_at = models.DateTimeField(default=clock.now)
    swept = models.PositiveIntegerField(default=0)
    sealed = SealedBytesField(place="customer.search", context="id", rebuilt_by="repack_search")

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [
            # Every search lists the segments of one business.
            models.Index(fields=["business", "id"], name="search_segment_of_business"),
        ]

    def __str__(self) -> str:
        return f"segment {self.pk}, {self.size} bytes"
