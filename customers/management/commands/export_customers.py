from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from customers.transfer.export import Export, Form, note
from finora.management import businesses
from finora.management.keyed import KeyedCommand
from finora.management.private_file import private_file


class Command(KeyedCommand):
    """Writes the customers of a business to a file, in list order; an import reads it back.

    One page of rows is in memory, however many there are. Personal values are masked without
    --reveal. The file is readable by its owner alone, and none that is there is overwritten; a run
    that fails leaves none. Noted in the audit trail before the first line, with the count.
    """

    help = "Export the customers of a business to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("business_id", metavar="BUSINESS_ID")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=("csv", "jsonl"), default="csv")
        parser.add_argument("--status", choices=("active", "inactive", "all"), default="active")
        parser.add_argument("--reveal", action="store_true", help="personal values in the clear")

    def handle(
        self,
        *args: Any,
        business_id: str,
        file: Path,
        format: Form,
        status: str,
        reveal: bool,
        **options: Any,
    ) -> str:
        business = businesses.named(business_id)
        customers = business.customers.not_erased().with_status(status)
        with private_file(file) as out:
            note(business, customers.count(), reveal=reveal)
            rows = (row for page in customers.in_pages() for row in page)
            export = Export(rows, reveal=reveal)
            out.writelines(export.lines(format))
        for public_id in export.unreadable.get(business.pk, ()):
            self.stderr.write(f"{public_id} could not be opened: what is missing says so")
        return f"Exported {export.count:,} customers{'' if reveal else ', masked'}."
