"""A terminal, for commands that ask: they write their questions to it and read the answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# In a process of its own, as it forks.
PTY = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def typed(
    command: Sequence[str], answers: Mapping[str, str], *, cwd: Path, env: Mapping[str, str]
) -> str:
    """All that a command shows, each of these questions being answered once it is asked."""
    process = subprocess.Popen(
        [sys.executable, "-c", PTY, *command],
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        shown = b""
        for question, answer in answers.items():
            while not shown.endswith(question.encode()):
                byte = process.stdout.read(1)
                assert byte, shown.decode()
                shown += byte
            process.stdin.write(f"{answer}\n".encode())
            process.stdin.flush()
        shown += process.stdout.read()
    assert process.returncode == 0, shown.decode()
    return shown.decode()
