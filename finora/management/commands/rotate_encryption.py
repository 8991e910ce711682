from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from finora.management.rotating import RotatingCommand, anew, unreadable
from finora.sealing import keyring, registry
from finora.sealing.models import KeyCanary
from finora.sealing.rotation import keys_in_use, reseal, retire_encryption_keys


class Command(RotatingCommand):
    """Seals everything with the first entry of FIELD_ENCRYPTION_KEY, beside live traffic.

    1. Add the new key behind the old one in every process (OLD,NEW) and restart them: all open
    both. 2. Put it in front (NEW,OLD) and restart. 3. Run this: it says that the old key is
    retired. 4. Take it out.
    Reads are right at every moment; a simultaneous edit is neither lost nor reverted; cut off at
    any moment, it is simply run again. What cannot be opened is counted and left, the rest goes on,
    and the run ends with an error.
    """

    help = "Seal every value anew with the first encryption key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--check", action="store_true", help="only say which keys are still needed"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        if options["check"]:
            return self.check_keys()
        totals = self.go_through(registry.sealed, reseal, options)
        line = f"{'Would seal' if options['dry_run'] else 'Sealed'} {anew(totals)}"
        if not options["dry_run"]:
            retired, needed = retire_encryption_keys()
            line += f" Retired, can be dropped: {', '.join(retired)}." if retired else ""
            line += f" Still needed: {', '.join(needed)}." if needed else ""
        if problems := unreadable(totals):
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
