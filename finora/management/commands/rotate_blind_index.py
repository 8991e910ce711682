from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from finora.management.rotating import RotatingCommand, anew, unreadable
from finora.sealing import registry
from finora.sealing.rotation import rehash, retire_blind_index_keys


class Command(RotatingCommand):
    """Computes every blind index with the first entry of BLIND_INDEX_KEY, beside live traffic.

    1. Add the new key behind the old one in every process (OLD,NEW) and restart them: all look
       up both. 2. Put it in front (NEW,OLD) and restart. 3. Run this, until it says that the old
       key is retired: repeated calls need it for up to a day. 4. Take it out. While a process has
       two keys, its changes of an email take a lock on the business, so that find-or-create stays
       exact.

    Where two rows turn out to have one value that is to be unique, an email of two active
    customers, both are named, the rest goes on, and the run ends with an error: deactivate one of
    the two and run it again.
    """

    help = "Compute every blind index anew with the first key."

    def handle(self, *args: Any, **options: Any) -> str:
        totals = self.go_through(registry.blind_indexes, rehash, options)
        line = f"{'Would hash' if options['dry_run'] else 'Hashed'} {anew(totals)}"
        duplicates = [pair for total in totals.values() for pair in total.duplicates]
        for one, other in duplicates:
            self.stderr.write(f"{one} has a value of {other} that is unique: deactivate one")
        problems = unreadable(totals)
        if duplicates:
            problems.insert(0, f"{len(duplicates):,} have a value of another that is unique.")
        if problems:
            raise CommandError(" ".join([line, *problems]))
        if options["dry_run"]:
            return line
        if any(total.changed for total in totals.values()):
            # What this run saw to, a process that still had the old key in front may undo.
            return f"{line} Run it again to retire the old key."
        retired, kept = retire_blind_index_keys()
        line += f" Retired, can be dropped: {', '.join(retired)}." if retired else ""
        line += f" {kept:,} stored answers need an old key, for a day at most." if kept else ""
        return line
