"""What a terminal shows, drawn by rich. Imported only if there is one, or colour is wanted.

Colours are those that the user's theme has for text on its background, and none of them says
anything that the words beside it do not. A text is red or magenta, which can be read on black and
on white; green is for one word. Dim is only what nobody knows, or what is gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from unicodedata import bidirectional

from attrs import frozen
from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .._base.printable import printable
from .output import say_styled, size

#: A column of text is not made narrower than that.
_NARROW = 12
#: A column of text may always want that.
_WIDE = 30
_GAP = 2

STYLES = {
    "deprecated": "red",
    "failed": "red",
    "retired": "red",
    "retires": "magenta",
    "not": "red",
    "set": "bold green",
}


@frozen
class Column:
    heading: str
    right: bool = False
    """Numbers: aligned at the point."""
    folds: bool = False
    """Written over several lines rather than cut."""
    rank: int = 0
    """The higher, the sooner it is left out of a table that is too wide; 0: never."""


def _size() -> tuple[int, int]:
    """Columns and lines: as the environment says, else of the terminal, else as most have."""
    found = size() or (80, 24)
    said = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    columns, lines = (
        int(one) if one.isdecimal() and int(one) else known
        for one, known in zip(said, found, strict=True)
    )
    return columns, lines


def height() -> int:
    return _size()[1]


def width() -> int:
    return max(20, _size()[0])


def text(value: str, style: str = "") -> Text:
    """A stranger's text: nothing in it is markup, or obeyed by a terminal."""
    return Text(printable(value), style=style)


def _console(color: bool | None) -> Console:
    return Console(
        width=width(),
        height=height(),  # else rich takes any dumb terminal for one of 80 columns
        force_terminal=True,
        legacy_windows=False,
        color_system="auto" if color is None else "standard" if color else None,
        no_color=None if color is None else not color,
        highlight=False,
        markup=False,
        emoji=False,
    )


def show(*parts: Any, color: bool | None) -> None:
    """`color` None: as the environment wants it (NO_COLOR, TERM)."""
    console = _console(color)
    with console.capture() as captured:
        console.print(Group(*parts))
    say_styled(*(line.rstrip() for line in captured.get().splitlines()))


def fitted(draw: Callable[[int], Any], most: int, room: int) -> tuple[Any, int]:
    """What `draw` gives of so many rows that it takes no more than `room` lines, and of how
    many; at most of `most`."""
    console = _console(None)
    rows = max(1, min(most, room))
    while True:
        drawn = draw(rows)
        over = len(console.render_lines(drawn)) - 1 - room
        if over <= 0 or rows == 1:
            return drawn, rows
        rows = max(1, rows - over)


def table(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], dim: Iterable[int] = ()
) -> Table:
    """Fits the width: the columns of the highest rank are left out, then text is folded, and a
    text that is far longer than most is folded before that. Cells of the rows whose place is in
    `dim` are dimmed."""
    cells = [[_shielded(printable(cell)) for cell in row] for row in rows]
    faint = {*dim}
    by_column = [
        _aligned([row[place] for row in cells]) if one.right else [row[place] for row in cells]
        for place, one in enumerate(columns)
    ]
    widths = [_wide(one, own) for one, own in zip(columns, by_column, strict=True)]
    kept = _kept(columns, widths, width())
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    fixed = sum(widths[place] + _GAP for place in kept if not columns[place].folds)
    room = width() - fixed
    for place in kept:
        one = columns[place]
        drawn.add_column(
            one.heading.rjust(widths[place]) if one.right else one.heading,
            overflow="fold",
            no_wrap=not one.folds,
            width=None if one.folds else widths[place],
            max_width=max(room, _NARROW) if one.folds else None,
        )
    for number in range(len(cells)):
        drawn.add_row(
            *(
                _cell(
                    by_column[place][number].rjust(widths[place] if columns[place].right else 0),
                    number in faint,
                )
                for place in kept
            )
        )
    return drawn


def _cell(value: str, faint: bool) -> Text:
    word = value.split(" ")[0].rstrip(":")
    style = STYLES.get(word, "")
    if value.strip() == "?" or (faint and not style):
        style = "dim"
    shown = Text(value)
    shown.stylize(style, 0, len(word) if style == STYLES["set"] else len(value))
    return shown


def _shielded(cell: str) -> str:
    """Text that runs from right to left ends with a mark: where a terminal reorders, it would
    else take the numbers of the next cell along."""
    if cell.isascii() or not any(bidirectional(one) in ("R", "AL", "AN") for one in cell):
        return cell
    return f"{cell}\N{LEFT-TO-RIGHT MARK}"


def _wide(column: Column, cells: Sequence[str]) -> int:
    """What a column wants; of one that folds, no more than half as much again as most cells
    do, so that a single long text does not cost the others their columns."""
    lengths = sorted(map(cell_len, cells)) or [0]
    most = lengths[-1]
    if column.folds:
        most = min(most, max(_WIDE, lengths[len(lengths) // 2] * 3 // 2))
    return max(cell_len(column.heading), most)


def _kept(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """The places of those that fit."""
    kept = [*range(len(columns))]

    def needed() -> int:
        return sum(widths[one] + _GAP for one in kept)

    out: list[int] = []
    while needed() - _GAP > room:
        last = max(kept, key=lambda one: columns[one].rank)
        if columns[last].rank == 0:
            break
        kept.remove(last)
        out.append(last)
    for place in out:  # what is narrower may fit where another didn't
        kept.append(place)
        if needed() - _GAP > room:
            kept.remove(place)
    return sorted(kept)


def _aligned(cells: Sequence[str]) -> list[str]:
    """Numbers with their points below each other."""
    rests = [len(cell.partition(".")[2]) if "." in cell else -1 for cell in cells]
    most = max(rests, default=-1)
    if not all(cell[-1:].isdigit() or cell == "?" for cell in cells):
        return [*cells]
    return [cell + " " * (most - rest) for cell, rest in zip(cells, rests, strict=True)]


def pairs(rows: Iterable[tuple[str, Text]]) -> Table:
    """Labels and values."""
    drawn = Table.grid(padding=(0, _GAP, 0, 0))
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for label, value in rows:
        drawn.add_row(label, value)
    return drawn
