"""Draw what some commands print on a terminal: docs/terminal.svg, the picture in the README.

    python tools/make_terminal_picture.py [FILE]

They are run as they are, on the bundled data, in an empty store. Nothing but the standard library
draws: each piece of text has its place and its width, so any monospaced font will do.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

FILE = Path(__file__).parents[1] / "docs" / "terminal.svg"
COMMANDS = (
    "sync --offline",
    "list -p openai,anthropic,google --supports tools,vision --sort price --all --limit 7",
    "show openai/gpt-5",
)
COLUMNS, LINES = 102, 60
WIDE, HIGH, MARGIN = 8.4, 19, 18  # of a character at 14 px; of a line; around all
#: What SGR codes stand for: a dark theme.
STYLES = {
    "1": 'font-weight="bold"',
    "2": 'fill="#8b949e"',
    "31": 'fill="#ff7b72"',
    "32": 'fill="#56d364"',
    "35": 'fill="#d2a8ff"',
}
_SGR = re.compile(r"\x1b\[([\d;]*)m")


def printed(command: str, home: Path) -> str:
    """By `registry-core COMMAND` on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environ = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "REGISTRY_CORE_STORE_DIR": str(home / "store"),
        "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev,registry-gateway-netlify",
        "OPENAI_API_KEY": "set",
    }
    argv = [sys.executable, "-m", "registry_core", *command.split()]
    with subprocess.Popen(argv, stdout=theirs, stderr=theirs, env=environ, cwd=home) as process:
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    if process.returncode:
        raise SystemExit(f"{command}: exit status {process.returncode}")
    store = str(home / "store")
    return text.decode().replace("\r\n", "\n").replace(store, "~/.venv/share/registry-core")


def drawn(line: str, number: int) -> Iterator[str]:
    """The elements of a line."""
    place, codes = 0, set[str]()
    for index, piece in enumerate(_SGR.split(line)):
        if index % 2:  # what lies between pieces of text
            codes = {code for code in (codes | {*piece.split(";")}) if code not in ("", "0")}
            if piece in ("", "0"):
                codes = set()
            continue
        for word in re.finditer(r"\S+(?: \S+)*", piece):
            styles = " ".join(STYLES[code] for code in sorted(codes))
            yield (
                f'<text x="{MARGIN + (place + word.start()) * WIDE:.1f}"'
                f' y="{MARGIN + (number + 1) * HIGH - 5}"'
                f' textLength="{len(word[0]) * WIDE:.1f}" {styles}>{escape(word[0])}</text>'
            )
        place += len(piece)


def main() -> None:
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        for command in COMMANDS:
            lines += [f"\x1b[32m$\x1b[0m \x1b[1mregistry-core {command}\x1b[0m"]
            lines += [*printed(command, Path(home)).rstrip("\n").lstrip("\n").split("\n"), ""]
    wide, high = COLUMNS * WIDE + 2 * MARGIN, (len(lines) - 1) * HIGH + 2 * MARGIN
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high}"'
        f' width="{wide:.0f}" height="{high}" font-size="14" fill="#e6edf3" xml:space="preserve"'
        ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace">'
    )
    ground = '<rect width="100%" height="100%" rx="10" fill="#161b22"/>'
    elements = [one for number, line in enumerate(lines) for one in drawn(line, number)]
    file.write_text("\n".join([head, ground, *elements, "</svg>", ""]), "utf-8")


if __name__ == "__main__":
    main()
