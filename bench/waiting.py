"""What a slow answer waited for: who of those at work was on a core, and who waited for one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

Times = dict[str, tuple[float, float]]  # ms on a core and waiting for one, by name


class Watch(ExitStack):
    """Processes by name, each with the children and threads that it has now. Told by Linux;
    elsewhere nothing is.
    """

    def __init__(self, processes: Mapping[str, Any]) -> None:
        super().__init__()
        self._files = {
            name: [
                # Unbuffered, and kept open: to be told takes little of what is measured.
                self.enter_context((task / "schedstat").open("rb", buffering=0))
                for one in (process, *process.children(recursive=True))
                for task in Path(f"/proc/{one.pid}/task").glob("*")
            ]
            for name, process in processes.items()
            if process
        }

    def now(self) -> Times:
        return {name: _sum(files) for name, files in self._files.items()}


def _sum(files: list[Any]) -> tuple[float, float]:
    on_core = waiting = 0
    for file in files:
        file.seek(0)
        try:
            ran, waited, _ = file.read().split()
        except OSError:  # it has ended
            continue
        on_core += int(ran)
        waiting += int(waited)
    return on_core / 1e6, waiting / 1e6


def told(before: Times, after: Times) -> str:
    """What passed between the two."""
    return ", ".join(
        f"{name} {after[name][0] - ran:.1f} ms on a core and {after[name][1] - waited:.1f} for one"
        for name, (ran, waited) in before.items()
    )
