"""What a sync in the background did, in a few lines for the log, and showing them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from .._base.printable import printable
from ..report import Change, SyncReport

logger = logging.getLogger("registry_core")

_NAMED = 3
_WARNINGS = 5


def news(
    added: Sequence[str],
    removed: Sequence[str],
    deprecated: Sequence[str],
    updated: Sequence[Change],
) -> Iterator[str]:
    """What has changed, as in a `SyncReport`: two lines at most."""
    counts = [f"{len(added)} models added", f"{len(removed)} removed"]
    names = [f"+{id}" for id in added[:_NAMED]]
    names += [f"-{id}" for id in removed[:_NAMED]]
    if deprecated:
        counts.append(f"{len(deprecated)} deprecated")
        names += [f"deprecated {id}" for id in deprecated[:_NAMED]]
    if names:
        every = len(added) + len(removed) + len(deprecated)
        yield f"{', '.join(counts)}: {', '.join(names)}{_more(names, every)}"
    if updated:
        first = [str(one) for one in prices_first(updated)[:_NAMED]]
        yield f"changed: {', '.join(first)}{_more(first, len(updated))}"


def warnings(report: SyncReport, known: Iterable[str]) -> tuple[list[str], frozenset[str]]:
    """What is wrong though the sync went well, of which `known` was said before; and all of it."""
    every = [str(one) for one in report.problems if not one.fatal]
    new = [text for text in every if text not in set(known)]
    left = len(new) - _WARNINGS
    more = [f"{left} more warnings: registry-core sync shows them"] if left > 0 else []
    return [*new[:_WARNINGS], *more], frozenset(every)


def prices_first(changes: Sequence[Change]) -> Sequence[Change]:
    """What costs somebody money must not be lost among dates."""
    return sorted(changes, key=lambda one: not one.field.startswith("cost"))


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


def _more(first: Sequence[str], count: int) -> str:
    return f", and {count - len(first)} more" if count > len(first) else ""
