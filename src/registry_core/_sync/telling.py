"""What a sync in the background did, in a few lines for the log, and showing them."""

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

#: What is said of a refresh, about what, and how many are named.
_NEWS = (("new", START, 3), ("prices", PRICE, 2), ("leaving", END, 3), ("changed", ABILITY, 2))
_LINES = 3
_WARNINGS = 5
_PERIODS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def plan(world: World, every: float | None = None) -> Iterator[str]:
    """What a sync will do: whom it asks, what it writes. `every`: so many seconds, beside a dev
    server, where the files are watched, too."""
    settings = world.settings
    if settings.unasked is None:
        asked = ", ".join(one.gateway.id for one in world.host.gateways()) or "no gateway"
        often = f" every {_period(every)}" if every else ""
        yield f"asks {asked}{often}"
    if settings.output is not None:
        yield f"writes all files to {settings.output}"
    elif settings.project is not None and settings.outputs:
        folders: dict[str, list[str]] = {}
        for emitter, folder in sorted(settings.outputs.items()):
            folders.setdefault(relative_name(settings.project, folder), []).append(emitter)
        told = [f"{folder} ({', '.join(emitters)})" for folder, emitters in folders.items()]
        files = world.source.files() if world.source else ()
        own = [one.name for one in files if one.parent == settings.project and one.is_file()]
        watches = f"; watches {' and '.join(['them', *own])}" if every else ""
        yield f"writes to {', '.join(told)} in {settings.project}{watches}"
    elif every:
        yield "writes no file of a project: no [tool.registry-core.output] names a folder"


def mistakes(world: World) -> list[str]:
    """What the project's settings ask for and does not exist, as far as the store can tell."""
    loaded = world.load()
    if loaded.origin != "stored":
        return []  # the first sync says so
    scope = world.settings.types_providers if world.settings.outputs else None
    return [str(one) for one in unknown_in(scope, loaded.without_volatile(), loaded.snapshot)]


def news(changes: Changes | SyncReport, after: Snapshot) -> list[str]:
    """What has changed, with names and prices: three lines at most. `after`: what is served."""
    every = lines(changes, after)
    said: list[str] = []
    left = len(every)
    for word, about, most in _NEWS:
        some = [one for one in every if one.about == about]
        if word == "changed" and not some:
            some = [one for one in every if one.about == OTHER]
        if some and len(said) < _LINES:
            named = "; ".join(map(_named, some[:most]))
            said.append(f"{word}: {named}{_more(some[:most], len(some))}")
            left -= len(some)
    if left and said:
        said[-1] += f"; {left} more changed"
    return said


def _named(line: Line) -> str:
    if line.sign == NEW:
        return f"{line.id} ({line.text})" if line.text else line.id
    return f"{line.id} {line.text or 'removed'}"


def warnings(report: SyncReport, known: Iterable[str]) -> tuple[list[str], frozenset[str]]:
    """What is wrong though the sync went well, of which `known` was said before; and all of it."""
    every = [str(one) for one in report.problems if not one.fatal]
    new = [text for text in every if text not in set(known)]
    left = len(new) - _WARNINGS
    more = [f"{left} more warnings: registry-core sync shows them"] if left > 0 else []
    return [*new[:_WARNINGS], *more], frozenset(every)


class _Lines(logging.StreamHandler[TextIO]):
    """What a refresh says, on standard error, as long as the application has set up no logging:
    no framework does for libraries, and Python then shows warnings alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("registry-core: %(message)s"))
        self.addFilter(lambda _: not logging.root.handlers and logger.handlers == [self])

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def show_lines() -> None:
    """Begin to, unless it has by now."""
    if logger.level == logging.NOTSET and not logger.hasHandlers():
        logger.addHandler(_Lines())
        logger.setLevel(logging.INFO)


def hide_lines() -> None:
    """End it."""
    for handler in list(logger.handlers):
        if isinstance(handler, _Lines):
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)


def _period(seconds: float) -> str:
    """As "hour", "90 minutes"."""
    for unit, size in _PERIODS:
        if seconds >= size and seconds % size == 0:
            return unit if seconds == size else f"{seconds / size:.0f} {unit}s"
    return f"{seconds:g} seconds"


def _more(first: Sequence[object], count: int) -> str:
    return f", and {count - len(first)} more" if count > len(first) else ""
