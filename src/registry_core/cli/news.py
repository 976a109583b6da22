"""What differs, for a terminal, a pipe or a page."""

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

_NARROW = 80  # columns; below, what is said of a name goes under it
_WIDEST = 44  # characters of a name that all others are aligned with


def as_text(lines: Sequence[Line]) -> Iterator[str]:
    """By provider, within the terminal's width; styled if it shows colours."""
    from .._sync.wording import by_provider

    columns, names = width(), [len(_name(one)) for one in lines]
    column = min(max(names, default=0), _WIDEST, (columns or 1000) * 2 // 5)
    styled = colourful()
    for provider, some in by_provider(lines):
        yield click.style(provider, bold=True) if styled else provider
        for one in some:
            yield from _row(one, column, columns, styled=styled)


def withheld(snapshot: Snapshot) -> dict[str, int]:
    """Key of each policy that `snapshot` has passed → how many providers, as a whole, and models
    of others it took out."""
    counts = Counter(snapshot.withheld.values())
    return {key: counts[key] for key in sorted({*snapshot.overlays, *counts})}


def withholding(counts: Mapping[str, int]) -> Iterator[str]:
    for key, count in counts.items():
        if count:
            yield f"policy {key}: withholds {count:,} providers and models"


def as_markdown(lines: Sequence[Line]) -> Iterator[str]:
    """A heading for each provider, a list below it."""
    from .._sync.wording import by_provider

    for provider, some in by_provider(lines):
        yield from (f"### {_escaped(provider)}", "")
        for one in some:
            text = f": {_escaped(one.text)}" if one.text else ""
            yield f"- {_WORDS[one.sign]} {_code(_name(one))}{text}"
        yield ""


def _row(one: Line, column: int, columns: int | None, *, styled: bool) -> Iterator[str]:
    name = _name(one)
    head = f"  {_signed(one.sign) if styled else one.sign} {name}"
    if not one.text:
        yield head
        return
    below = columns is not None and columns < _NARROW
    indent = " " * (6 if below else column + 6)
    room = 10_000 if columns is None else max(columns - len(indent), 20)
    first, *rest = textwrap.wrap(one.text, room, break_on_hyphens=False)
    if below or len(name) > column:
        rest, first = [first, *rest], ""
        if columns is None:
            rest, first = [], f"  {one.text}"
    else:
        first = " " * (column - len(name) + 2) + first
    yield head + (_marked(first) if styled else first)
    for line in rest:
        yield indent + (_marked(line) if styled else line)


def _name(one: Line) -> str:
    return one.name or "(the provider)"


#: Marks alone have a colour: green on white, or red on black, is hard to read as a text.
_COLOURS = {"+": "green", "-": "red", "!": "magenta", "~": None}
_WORDS = {"+": "**new**", "-": "**removed**", "!": "**deprecated**", "~": "**changed**"}


def _signed(sign: str) -> str:
    return click.style(sign, fg=_COLOURS[sign], bold=True)


def _marked(text: str) -> str:
    """With prices that rise in red, those that fall in green."""
    return re.sub(
        r"\((×[\d.e+]+|[+-]\d+%)\)",
        lambda found: click.style(found[0], fg="green" if found[1][0] == "-" else "red"),
        text,
    )


def _code(text: str) -> str:
    """A span of code that holds any text."""
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{text}{ticks}" if len(ticks) == 1 else f"{ticks} {text} {ticks}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)
