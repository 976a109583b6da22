"""Prints changes for a terminal, a pipe or a page."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from .output import colourful, width

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._sync.wording import Line

_NARROW = 80  # columns; on narrower terminals, the text of a name goes below it
_WIDEST = 44  # characters; texts are not aligned with longer names


def as_text(lines: Sequence[Line]) -> Iterator[str]:
    """The lines by provider, within the terminal's width. Styled if it shows colours."""
    from .._sync.wording import by_provider

    columns, names = width(), [len(_name(line)) for line in lines]
    column = min(max(names, default=0), _WIDEST, (columns or 1000) * 2 // 5)
    styled = colourful()
    for provider, group in by_provider(lines):
        yield click.style(provider, bold=True) if styled else provider
        for line in group:
            yield from _row(line, column, columns, styled=styled)


def withheld(snapshot: Snapshot) -> dict[str, int]:
    """Key of each policy that `snapshot` has passed → the number of whole providers, and of models
    of other providers, that it took out."""
    counts = Counter(snapshot.withheld.values())
    return {key: counts[key] for key in sorted({*snapshot.overlays, *counts})}


def withholding(counts: Mapping[str, int]) -> Iterator[str]:
    for key, count in counts.items():
        if count:
            yield f"policy {key}: withholds {count:,} providers and models"


def as_markdown(lines: Sequence[Line]) -> Iterator[str]:
    """A heading for each provider, with a list below it."""
    from .._sync.wording import by_provider

    for provider, group in by_provider(lines):
        yield from (f"### {_escaped(provider)}", "")
        for line in group:
            text = f": {_escaped(line.text)}" if line.text else ""
            yield f"- {_WORDS[line.sign]} {_code(_name(line))}{text}"
        yield ""


def _row(shown: Line, column: int, columns: int | None, *, styled: bool) -> Iterator[str]:
    name = _name(shown)
    head = f"  {_signed(shown.sign) if styled else shown.sign} {name}"
    if not shown.text:
        yield head
        return
    below = columns is not None and columns < _NARROW
    indent = " " * (6 if below else column + 6)
    room = 10_000 if columns is None else max(columns - len(indent), 20)
    first, *rest = textwrap.wrap(shown.text, room, break_on_hyphens=False)
    if below or len(name) > column:
        rest, first = [first, *rest], ""
        if columns is None:
            rest, first = [], f"  {shown.text}"
    else:
        first = " " * (column - len(name) + 2) + first
    yield head + (_marked(first) if styled else first)
    for line in rest:
        yield indent + (_marked(line) if styled else line)


def _name(line: Line) -> str:
    return line.name or "(the provider)"


#: Only marks have a colour, since green text on white, or red on black, is hard to read.
_COLOURS = {"+": "green", "-": "red", "!": "magenta", "~": None}
_WORDS = {"+": "**new**", "-": "**removed**", "!": "**deprecated**", "~": "**changed**"}


def _signed(sign: str) -> str:
    return click.style(sign, fg=_COLOURS[sign], bold=True)


def _marked(text: str) -> str:
    """The text with rising prices in red, and falling ones in green."""
    return re.sub(
        r"\((×[\d.e+]+|[+-]\d+%)\)",
        lambda match: click.style(match[0], fg="green" if match[1][0] == "-" else "red"),
        text,
    )


def _code(text: str) -> str:
    """A span of code, for any text."""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{text}{ticks}" if len(ticks) == 1 else f"{ticks} {text} {ticks}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
