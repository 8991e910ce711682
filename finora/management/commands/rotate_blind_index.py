from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from finora.management.keyed import KeyedCommand
from finora.sealing.rotation import Count, rehash, retire_blind_index_keys
from finora.tenants.models import Business


class Command(KeyedCommand):
    """Computes every blind index with the first entry of BLIND_INDEX_KEY, beside live traffic.

    1. Add the new key behind the old one in every process (OLD,NEW) and restart them: all look
       up both. 2. Put it in front (NEW,OLD) and restart. 3. Run this, until it says that the old
       key is retired: repeated calls need it for up to a day. 4. Take it out. While a process has
       two keys, its changes of an email take a lock on the business, so that find-or-create stays
       exact.

    Where two active customers turn out to have one email, both are named, the rest goes on, and
    the run ends with an error: deactivate one of the two and run it again.
    """

    help = "Compute every blind index anew with the first key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")

    def handle(self, *args: Any, **options: Any) -> str:
        total, shown = Count(), time.monotonic()
        for business in Business.objects.order_by("id"):
            for count in rehash(business, dry_run=options["dry_run"]):
                total += count
                for one, other in count.duplicates:
                    self.stderr.write(f"{one} has the email of {other}: deactivate one of them")
                if time.monotonic() - shown > 2:
                    shown = time.monotonic()
                    self.stderr.write(f"{business.public_id}: {total.rows:,} customers seen")
        said = "Would hash" if options["dry_run"] else "Hashed"
        line = f"{said} {total.changed:,} of {total.rows:,} customers anew."
        if total.duplicates:
            line += f" {len(total.duplicates):,} have the email of another active customer."
        if total.unreadable:
            line += f" {total.unreadable:,} customers could not be opened."
        if total.duplicates or total.unreadable:
            raise CommandError(line)
        if options["dry_run"] or total.changed:
            # What this run saw to, a process that still had the old key in front may undo.
            return line if options["dry_run"] else f"{line} Run it again to retire the old key."
        retired, kept = retire_blind_index_keys()
        line += f" Retired, can be dropped: {', '.join(retired)}." if retired else ""
        line += f" {kept:,} stored answers need an old key, for a day at most." if kept else ""
        return line
