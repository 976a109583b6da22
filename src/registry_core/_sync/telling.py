"""Describes a sync in the background in a few log lines, and shows them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from .._base.printable import printable
from .._emit.emission import relative_name, unknown_in
from .wording import ABILITY, END, NEW, OTHER, PRICE, START, Line, lines

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._world import World
    from ..report import Changes, SyncReport

logger = logging.getLogger("registry_core")

#: For each log line: its word, what it is about, and how many models it names.
_NEWS = (("new", START, 3), ("prices", PRICE, 2), ("leaving", END, 3), ("changed", ABILITY, 2))
_LINES = 3
_WARNINGS = 5
_PERIODS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def plan(world: World, seconds: float | None = None) -> Iterator[str]:
    """What a sync will do: which gateways it asks, and what it writes. `seconds`: the interval
    beside a dev server, which also watches the files."""
    settings = world.settings
    if settings.unasked is None:
        gateways = (
            ", ".join(gateway.gateway.id for gateway in world.host.gateways()) or "no gateway"
        )
        often = f" every {_period(seconds)}" if seconds else ""
        yield f"asks {gateways}{often}"
    if settings.output is not None:
        yield f"writes all files to {settings.output}"
    elif settings.project is not None and settings.outputs:
        folders: dict[str, list[str]] = {}
        for emitter, folder in sorted(settings.outputs.items()):
            folders.setdefault(relative_name(settings.project, folder), []).append(emitter)
        targets = [f"{folder} ({', '.join(emitters)})" for folder, emitters in folders.items()]
        files = world.source.files() if world.source else ()
        settings_files = [
            path.name for path in files if path.parent == settings.project and path.is_file()
        ]
        watches = f"; watches {' and '.join(['them', *settings_files])}" if seconds else ""
        yield f"writes to {', '.join(targets)} in {settings.project}{watches}"
    elif seconds:
        yield "writes no file of a project: no [tool.registry-core.output] names a folder"


def mistakes(world: World) -> list[str]:
    """Names in the project's settings that do not exist, as far as the store can tell."""
    loaded = world.load()
    if loaded.origin != "stored":
        return []  # the first sync says so
    scope = world.settings.types_providers if world.settings.outputs else None
    return [
        str(problem) for problem in unknown_in(scope, loaded.without_volatile(), loaded.snapshot)
    ]


def news(changes: Changes | SyncReport, after: Snapshot) -> list[str]:
    """What has changed, with names and prices: at most three lines. `after`: what is served."""
    all_lines = lines(changes, after)
    texts: list[str] = []
    unnamed = len(all_lines)
    for word, about, most in _NEWS:
        chosen = [line for line in all_lines if line.about == about]
        if word == "changed" and not chosen:
            chosen = [line for line in all_lines if line.about == OTHER]
        if chosen and len(texts) < _LINES:
            named = "; ".join(map(_mention, chosen[:most]))
            texts.append(f"{word}: {named}{_more(chosen[:most], len(chosen))}")
            unnamed -= len(chosen)
    if unnamed and texts:
        texts[-1] += f"; {unnamed} more changed"
    return texts


def _mention(line: Line) -> str:
    if line.sign == NEW:
        return f"{line.id} ({line.text})" if line.text else line.id
    return f"{line.id} {line.text or 'removed'}"


def warnings(report: SyncReport, known: Iterable[str]) -> tuple[list[str], frozenset[str]]:
    """The warnings of a sync that are not in `known`, as log lines, and all its warnings."""
    texts = [str(problem) for problem in report.problems if not problem.fatal]
    new = [text for text in texts if text not in set(known)]
    left_out = len(new) - _WARNINGS
    more = [f"{left_out} more warnings: registry-core sync shows them"] if left_out > 0 else []
    return [*new[:_WARNINGS], *more], frozenset(texts)


class _Lines(logging.StreamHandler[TextIO]):
    """Shows the lines of a refresh on standard error if the application has set up no logging.
    Frameworks set up none for libraries, and Python then shows only warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("registry-core: %(message)s"))
        self.addFilter(lambda _: not logging.root.handlers and logger.handlers == [self])

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def show_lines() -> None:
    """Show the lines, unless they or the application's logging are set up already."""
    if logger.level == logging.NOTSET and not logger.hasHandlers():
        logger.addHandler(_Lines())
        logger.setLevel(logging.INFO)


def hide_lines() -> None:
    """Stop showing the lines."""
    for handler in list(logger.handlers):
        if isinstance(handler, _Lines):
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)


def _period(seconds: float) -> str:
    """Such as "hour" or "90 minutes"."""
    for unit, size in _PERIODS:
        if seconds >= size and seconds % size == 0:
            return unit if seconds == size else f"{seconds / size:.0f} {unit}s"
    return f"{seconds:g} seconds"


def _more(first: Sequence[object], count: int) -> str:
    return f", and {count - len(first)} more" if count > len(first) else ""
