"""A table of texts: plain in a pipe, fitted and with colours on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._base.printable import printable
from .output import say, width


def say_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns. The first row is the heading."""
    heading, *cells = rows
    numbers = [_are_numbers(column) for column in zip(*cells, strict=True)] or [False] * len(
        heading
    )
    if width() is not None:
        from .screen import Column, show, table

        columns = [
            Column(text, right=right, folds=not right)
            for text, right in zip(heading, numbers, strict=True)
        ]
        show(table(columns, cells), color=None)
        return
    texts = [[printable(cell) for cell in row] for row in (heading, *cells)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        say(
            "  ".join(
                cell.rjust(wide) if right else cell.ljust(wide)
                for cell, wide, right in zip(row, widths, numbers, strict=True)
            ).rstrip()
        )


def _are_numbers(cells: Iterable[str]) -> bool:
    return all(cell.replace(",", "").isdecimal() for cell in cells if cell)
