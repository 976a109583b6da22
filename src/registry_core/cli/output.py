"""Output that is safe for a terminal. Results go to standard output, the rest to standard error."""

from __future__ import annotations

import json as json_module
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from .._base.printable import counted, printable

if TYPE_CHECKING:
    from datetime import datetime

#: Where results go once the output is claimed. None if there is no output.
_output: TextIO | None = None
#: The descriptor of the real standard output. None if it was not claimed.
_descriptor: int | None = None


class OutputError(OSError):
    """The output can't be written. This is not an error of the command."""


def claim_output() -> None:
    """Keep standard output for results, for the rest of the process. What a plugin prints, at its
    import, in a thread, by a system call or in a child, goes to standard error."""
    global _output, _descriptor
    if sys.stdout is sys.stderr:  # claimed before
        return
    _output = sys.stdout
    if sys.stdout is sys.__stdout__ and sys.stdout and sys.stderr:
        sys.stdout.flush()
        _descriptor = os.dup(1)
        os.dup2(2, 1)
        _output = os.fdopen(_descriptor, "w", encoding="utf-8", closefd=False)
    sys.stdout = sys.stderr


@contextmanager
def others_print() -> Iterator[None]:
    """Claim the output while code runs that must not write to it."""
    global _output, _descriptor
    claimed = sys.stdout is sys.stderr
    claim_output()
    try:
        yield
    finally:
        if not claimed:
            sys.stdout = _output
            if _descriptor is not None and sys.__stdout__ and _output:
                sys.stdout = sys.__stdout__
                sys.stdout.flush()  # what that code wrote
                os.dup2(_descriptor, 1)
                _output.close()
            _output = _descriptor = None


def output_descriptor() -> int | None:
    """The descriptor of standard output, for a child. None if the child inherits it."""
    return _descriptor


def say(*lines: str) -> None:
    """Print lines, with control characters escaped."""
    _print(lines, _output)


def say_rows(rows: Iterable[Iterable[str]]) -> None:
    """Print cells with tabs between them, for a program. No cell holds a tab."""
    say_styled(*("\t".join(map(printable, row)) for row in rows))


def say_styled(*lines: str) -> None:
    """Print lines that are printable, except for our own colours."""
    _write("".join([f"{line}\n" for line in lines]), _output)


def size() -> os.terminal_size | None:
    """Columns and lines of the terminal that results go to. None if there is none."""
    return _size(_output)


def width() -> int | None:
    """Columns of the terminal that results go to. None if there is none."""
    terminal = size()
    return terminal.columns if terminal else None


def colourful() -> bool:
    """Whether results go to a terminal that shows colours, and the user wants them."""
    return _wants_colour() and width() is not None


def complain(*lines: str) -> None:
    """`say` to standard error. If that can't be written, the lines are lost."""
    try:
        _print(lines, sys.stderr)
    except OSError:
        silence(sys.stderr)


def say_json(value: Any) -> None:
    """Print JSON: UTF-8, with sorted keys, and control characters as `\\u` escapes."""
    text = json_module.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
    _write("".join(f"{_plain_json(line)}\n" for line in text.split("\n")), _output)


def age(time: datetime, now: datetime) -> str | None:
    """The age of a time, for people, such as "3 hours". None for a time in the future."""
    seconds = int((now - time).total_seconds())
    if seconds < -60:  # less may be another process that has just fetched it
        return None
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return counted(seconds // size, unit)
    return counted(max(0, seconds), "second")


def _plain_json(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(
        character if character.isprintable() else json_module.dumps(character)[1:-1]
        for character in line
    )


def _size(stream: Any) -> os.terminal_size | None:
    if stream is not None:
        with suppress(OSError, ValueError):
            terminal = os.get_terminal_size(stream.fileno())
            return terminal if terminal.columns else None
    return None


def _wants_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print(lines: Sequence[str], stream: Any) -> None:
    if not "".join(lines).isprintable():  # one check of all lines is mostly enough
        lines = [printable(line) for line in lines]
    terminal = _size(stream)
    if terminal is not None:
        lines = [part for line in lines for part in _folded(line, terminal.columns)]
        if _wants_colour():
            lines = [_LEVEL.sub(_painted, line) for line in lines]
    _write("\n".join((*lines, "")), stream)


def _folded(line: str, columns: int) -> list[str]:
    """A line broken between words, where a terminal would break it inside a word."""
    if len(line) <= columns:
        return [line]
    import textwrap

    indent = " " * (len(line) - len(line.lstrip()) + 2)
    wrapper = textwrap.TextWrapper(
        columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(line)


_LEVEL = re.compile(r"^(error|warning):")


def _painted(level: re.Match[str]) -> str:
    return f"\x1b[1;{31 if level[1] == 'error' else 35}m{level[0]}\x1b[0m"


def _write(text: str, stream: Any) -> None:
    if stream is None:  # it was closed when the process began
        return
    try:
        stream.flush()
        stream.buffer.write(text.encode())  # UTF-8 whatever the locale says
        stream.buffer.flush()
    except OSError as error:
        raise OutputError(*error.args) from error


def open_closed() -> None:
    """Open a file for each closed standard stream (`>&-`). Otherwise another file would get its
    number. Writing to standard output then fails, as it does elsewhere."""
    for name, how in (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            number = os.open(os.devnull, how)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def encode_as_utf8() -> None:
    """Make click's output, such as help, UTF-8 like ours, for any locale."""
    with suppress(AttributeError, ValueError):  # not a text stream, or closed
        cast("Any", sys.stdout).reconfigure(encoding="utf-8")


def silence(stream: Any) -> None:
    """Discard output that is not written yet. The interpreter would try again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def silence_output() -> None:
    """Note that nothing more can be written to standard output."""
    silence(_output or sys.stdout)


def settle_output() -> None:
    """At the end, discard output that can't be written any more (a pipe that nobody reads)."""
    try:
        if _output is not None:
            _output.flush()
    except (OSError, ValueError):
        silence_output()
