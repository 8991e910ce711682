"""What a drill did and found, and the table of all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.drills.audit import Audit
from bench.drills.ledger import Ledger

SHOWN = 6  # findings of one drill that are written out
WIDTH = 240  # characters of each


@dataclass
class Result:
    drill: str
    db: str
    did: str = ""
    checked: str = ""
    wrong: list[str] = field(default_factory=list)
    # What this machine could not try, and why.
    untried: str = ""
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def require(self, holds: object, otherwise: str) -> None:
        """`otherwise` is a finding, noted once, unless it holds."""
        if not holds and otherwise not in self.wrong:
            self.wrong.append(otherwise)

    def account(self, ledger: Ledger, audit: Audit) -> None:
        """What was acknowledged and what was found there."""
        self.wrong += audit.wrong
        parts = [
            f"{ledger.acknowledged:,} acknowledged answers",
            f"{ledger.unanswered:,} calls without one",
            *([f"{ledger.refused:,} refused with 503"] if ledger.refused else []),
            f"{len(audit.rows):,} customers, {audit.searches} searches, {audit.lookups} lookups",
        ]
        self.checked = "; ".join([*([self.checked] if self.checked else []), *parts])

    def shown(self) -> list[str]:
        """What was found, in so many lines that somebody reads them."""
        lines = [line[:WIDTH] for line in self.wrong[:SHOWN]]
        more = len(self.wrong) - SHOWN
        return [*lines, f"and {more} more"] if more > 0 else lines

    def verdict(self) -> str:
        if self.wrong:
            return f"{len(self.wrong)} findings"
        return f"not tried: {self.untried}" if self.untried and not self.did else "nothing"


HEADS = ("drill", "on", "did", "checked", "found", "s")


def cells(result: Result) -> tuple[str, ...]:
    did = result.did + (f" (not tried: {result.untried})" if result.untried and result.did else "")
    return (
        result.drill,
        result.db,
        did,
        result.checked,
        result.verdict(),
        f"{result.seconds:.0f}",
    )


def markdown(results: list[Result], heading: str) -> str:
    """A table for the README, and below it what was found."""
    lines = [heading, "", _row(HEADS), _row(("---", "---", "---", "---", "---", "---:"))]
    lines += [_row(cells(result)) for result in results]
    for result in results:
        lines += ["" for _ in result.wrong[:1]]
        lines += [f"- {result.drill}, {result.db}: {line}" for line in result.shown()]
    return "\n".join(lines) + "\n"


def _row(values: tuple[str, ...]) -> str:
    return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |"


def text(results: list[Result]) -> str:
    """The same for a terminal: a block for each drill."""
    blocks = []
    for result in results:
        drill, db, did, checked, verdict, seconds = cells(result)
        found = [f"    ! {line}" for line in result.shown()]
        blocks += [f"{drill:9} {db:9} {seconds:>4} s  {verdict}"]
        blocks += [f"    {line}" for line in (did, checked) if line]
        blocks += found
    return "\n".join(blocks) + "\n"
