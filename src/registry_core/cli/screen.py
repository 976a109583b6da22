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

#: The least width of a column of text.
_NARROW = 12
#: A width that a column of text may always ask for.
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
    """A column of numbers, aligned at the point."""
    folds: bool = False
    """Its texts are folded into several lines, not cut."""
    rank: int = 0
    """Columns of the highest rank are left out first if a table is too wide. 0: never left out."""


def _size() -> tuple[int, int]:
    """Columns and lines: from the environment, or else of the terminal, or else 80 and 24."""
    terminal = size() or (80, 24)
    variables = [os.environ.get(name, "") for name in ("COLUMNS", "LINES")]
    columns, lines = (
        int(variable) if variable.isdecimal() and int(variable) else known
        for variable, known in zip(variables, terminal, strict=True)
    )
    return columns, lines


def height() -> int:
    return _size()[1]


def width() -> int:
    return max(20, _size()[0])


def text(value: str, style: str = "") -> Text:
    """A text from outside. It has no markup, and no control characters for the terminal."""
    return Text(printable(value), style=style)


def _console(color: bool | None) -> Console:
    return Console(
        width=width(),
        height=height(),  # otherwise rich takes 80 columns for any dumb terminal
        force_terminal=True,
        legacy_windows=False,
        color_system="auto" if color is None else "standard" if color else None,
        no_color=None if color is None else not color,
        highlight=False,
        markup=False,
        emoji=False,
    )


def show(*parts: Any, color: bool | None) -> None:
    """Print these parts. If `color` is None, the environment decides (NO_COLOR, TERM)."""
    console = _console(color)
    with console.capture() as captured:
        console.print(Group(*parts))
    say_styled(*(line.rstrip() for line in captured.get().splitlines()))


def fitted(draw: Callable[[int], Any], most: int, room: int) -> tuple[Any, int]:
    """The drawing of as many rows as fit into `room` lines, at most `most`, and their number."""
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
        _aligned([row[place] for row in cells]) if column.right else [row[place] for row in cells]
        for place, column in enumerate(columns)
    ]
    widths = [_wide(column, own) for column, own in zip(columns, by_column, strict=True)]
    places = _fitting(columns, widths, width())
    drawn = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    fixed = sum(widths[place] + _GAP for place in places if not columns[place].folds)
    room = width() - fixed
    for place in places:
        column = columns[place]
        drawn.add_column(
            column.heading.rjust(widths[place]) if column.right else column.heading,
            overflow="fold",
            no_wrap=not column.folds,
            width=None if column.folds else widths[place],
            max_width=max(room, _NARROW) if column.folds else None,
        )
    for number in range(len(cells)):
        drawn.add_row(
            *(
                _cell(
                    by_column[place][number].rjust(widths[place] if columns[place].right else 0),
                    number in faint,
                )
                for place in places
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
    """Ends right-to-left text with a mark. Otherwise a terminal that reorders text would also move
    the numbers of the next cell."""
    if cell.isascii() or not any(
        bidirectional(character) in ("R", "AL", "AN") for character in cell
    ):
        return cell
    return f"{cell}\N{LEFT-TO-RIGHT MARK}"


def _wide(column: Column, cells: Sequence[str]) -> int:
    """The width that a column asks for. A folding column asks for at most one and a half times the
    width of most cells, so that a single long text does not push other columns out."""
    lengths = sorted(map(cell_len, cells)) or [0]
    most = lengths[-1]
    if column.folds:
        most = min(most, max(_WIDE, lengths[len(lengths) // 2] * 3 // 2))
    return max(cell_len(column.heading), most)


def _fitting(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """The places of the columns that fit."""
    places = [*range(len(columns))]

    def needed() -> int:
        return sum(widths[place] + _GAP for place in places)

    out: list[int] = []
    while needed() - _GAP > room:
        last = max(places, key=lambda place: columns[place].rank)
        if columns[last].rank == 0:
            break
        places.remove(last)
        out.append(last)
    for place in reversed(out):  # a narrower column may fit where a more important one did not
        places.append(place)
        if needed() - _GAP > room:
            places.remove(place)
    return sorted(places)


def _aligned(cells: Sequence[str]) -> list[str]:
    """Numbers, aligned at their points."""
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
