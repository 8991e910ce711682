from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from finora.management.keyed import KeyedCommand
from finora.sealing import keyring
from finora.sealing.models import KeyCanary
from finora.sealing.rotation import Count, keys_in_use, reseal, retire_encryption_keys
from finora.tenants.models import Business

SHOWN = 20  # ids of segments


class Command(KeyedCommand):
    """Seals everything with the first entry of FIELD_ENCRYPTION_KEY, beside live traffic.

    1. Add the new key behind the old one in every process (OLD,NEW) and restart them: all open
    both. 2. Put it in front (NEW,OLD) and restart. 3. Run this, until it says that the old key is
    retired: answers that were stored for repeated calls need it for up to a day. 4. Take it out.
    Reads are right at every moment; a simultaneous edit is neither lost nor reverted; cut off at
    any moment, it is simply run again.
    """

    help = "Seal every value and search segment anew with the first encryption key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")
        parser.add_argument(
            "--check", action="store_true", help="only say which keys are still needed"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        if options["check"]:
            return self.check_keys()
        total, shown = Count(), time.monotonic()
        for business in Business.objects.order_by("id"):
            for count in reseal(business, dry_run=options["dry_run"]):
                total += count
                if time.monotonic() - shown > 2:
                    shown = time.monotonic()
                    self.stderr.write(f"{business.public_id}: {total.rows:,} customers seen")
        said = "Would seal" if options["dry_run"] else "Sealed"
        line = (
            f"{said} {total.changed:,} of {total.rows:,} customers"
            f" and {total.segments:,} search segments anew."
        )
        if not options["dry_run"]:
            retired, needed = retire_encryption_keys()
            line += f" Retired, can be dropped: {', '.join(retired)}." if retired else ""
            line += f" Still needed: {', '.join(needed)}." if needed else ""
        problems = []
        if total.unreadable:
            problems.append(f"{total.unreadable:,} customers could not be opened.")
        if missing := total.missing_segments:
            problems.append(
                f"{len(missing):,} search segments could not be opened, which repack_search"
                f" replaces: {', '.join(map(str, missing[:SHOWN]))}"
                + (" and more." if len(missing) > SHOWN else ".")
            )
        if problems:
            raise CommandError(" ".join([line, *problems]))
        return line

    def check_keys(self) -> str:
        used = keys_in_use()
        first, *older = keyring.keys()
        lines = [f"Entry 1 ({first.hex()}, seals): {used.pop(first, 0):,} values."]
        unretired = KeyCanary.objects.ids_of(KeyCanary.Setting.ENCRYPTION)
        for position, key_id in enumerate(older, start=2):
            count, name = used.pop(key_id, 0), key_id.hex()
            if count:
                verdict = "still needed"
            elif name in unretired:
                verdict = "to be retired by a run without --check"
            else:
                verdict = "can be dropped"
            lines.append(f"Entry {position} ({name}): {count:,} values, {verdict}.")
        if strangers := sum(used.values()):
            lines.append(f"No configured key: {strangers:,} values.")
        needed = sum(1 for line in lines[1:] if not line.endswith("can be dropped."))
        if needed:
            raise CommandError("\n".join(lines))
        return "\n".join(lines)
