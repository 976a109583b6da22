"""A command on a real terminal of a given size."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(
    *arguments: str,
    columns: int = 80,
    lines: int = 24,
    cwd: Path | None = None,
    status: int = 0,
    **environ: str,
) -> str:
    """What `registry-core ARGUMENTS` prints there, colours included, and errors if its exit
    `status` is not to be 0."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    variables = {
        **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
        "TERM": "xterm-256color",
        **environ,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "registry_core", *arguments],
        stdout=theirs,
        stderr=theirs if status else subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=variables,
        cwd=cwd,
    ) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not more:
                break
            printed += more
        os.close(ours)
        complaints = process.stderr.read().decode() if process.stderr else ""
    assert process.returncode == status, complaints
    return printed.decode().replace("\r\n", "\n")


def plain(text: str) -> list[str]:
    """Its lines, without colours."""
    return ESCAPE.sub("", text).splitlines()
