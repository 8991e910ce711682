from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import models
from django.db.models import Count, Max

from finora import clock
from finora.orm.tenant import BusinessField, TenantQuerySet, TenantRow
from finora.sealing.fields import SealedBytesField

# Rows of one INSERT: PostgreSQL takes 65,535 parameters.
AT_ONCE = 5_000


class UnpackedQuerySet(TenantQuerySet["Unpacked"]):
    def add(self, business_id: int, public_ids: Iterable[str]) -> None:
        """These customers' lines are to be made anew."""
        rows = (self.model(business_id=business_id, public_id=each) for each in public_ids)
        self.bulk_create(rows, batch_size=AT_ONCE)

    def longest(self) -> int:
        """How many the business with most of them has."""
        tails = self.order_by().values("business_id").annotate(rows=Count("id"))
        return int(tails.aggregate(longest=Max("rows", default=0))["longest"])


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


class Unpacked(TenantRow):
    """The search tail: a change of a customer that no segment tells of yet.

    Written in the change's own transaction, one for each change, and taken away with the one that
    writes a segment. Apart from the customer, so that packing writes no customer's row again, with
    all of its index entries.
    """

    # Drawn, so that one that loaddata brings replaces none that is here.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business = BusinessField(related_name="search_tail")
    # The customer's. No foreign key: nobody removes customers, and it would be asked for each.
    public_id = models.CharField(max_length=40)
    # Whether there may be an older line of the customer, which is stale with this change.
    renews = models.BooleanField(default=True)

    objects = UnpackedQuerySet.as_manager()

    class Meta:
        indexes = [
            # Every search reads the tail of one business, packing its oldest customers first.
            models.Index(fields=["business", "public_id"], name="search_tail_of_business"),
        ]

    def __str__(self) -> str:
        return self.public_id
