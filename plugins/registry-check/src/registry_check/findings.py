"""What was found, as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import asdict, frozen

#: From the least to the most urgent.
LEVELS = ("unknown", "deprecated", "retiring", "withheld", "retired")


@frozen(order=True)
class Finding:
    """One place that names a model which is, or soon will be, of no use."""

    path: str
    """As it was given, or found below what was given; with forward slashes."""
    line: int
    """From 1, as `column`, which counts characters."""
    column: int
    text: str
    """As it is written there."""
    id: str | None
    """The full id that it stands for; None if unknown."""
    level: str
    """One of `LEVELS`."""
    message: str
    retires_on: str | None = None
    """An ISO date; None if unknown."""
    successor: str | None = None
    """A full or bare id; None if unknown."""
    suggestions: tuple[str, ...] = ()
    """Full ids that were probably meant, where the level is "unknown"."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "suggestions": [*self.suggestions]}


@frozen
class Findings:
    """All findings, sorted by path and line."""

    findings: tuple[Finding, ...] = ()
    files: int = 0
    """How many files were looked at."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Path and reason of each file that could not be read."""
    dated: bool = True
    """Whether the day is known on which any model at all retires: else none is "retired"."""

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def at_least(self, level: str) -> tuple[Finding, ...]:
        """Those as urgent as `level`, or more."""
        wanted = LEVELS[LEVELS.index(level) :]
        return tuple(one for one in self.findings if one.level in wanted)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with `"schema": 1`."""
        return {"schema": 1, "findings": [one.to_dict() for one in self.findings]}
