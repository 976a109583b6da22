"""Findings as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import asdict, frozen

#: From the least to the most urgent.
LEVELS = ("unknown", "deprecated", "retiring", "withheld", "retired")


@frozen(order=True)
class Finding:
    """One place with the name of a model that can't, or soon can't, be used."""

    path: str
    """The path as given, or below a given folder, with forward slashes."""
    line: int
    """Counts from 1, like `column`, which counts characters."""
    column: int
    text: str
    """The name as it is written there."""
    id: str | None
    """The full id of the model; None if unknown."""
    level: str
    """One of `LEVELS`."""
    message: str
    retires_on: str | None = None
    """An ISO date; None if unknown."""
    successor: str | None = None
    """A full or bare id; None if unknown."""
    suggestions: tuple[str, ...] = ()
    """Full ids that were probably meant, if the level is "unknown"."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "suggestions": [*self.suggestions]}


@frozen
class Findings:
    """All findings, sorted by path and line."""

    findings: tuple[Finding, ...] = ()
    files: int = 0
    """The number of files that were checked."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Path and reason of each file that could not be read."""
    known: int = 0
    """How many findings a baseline left out."""
    dated: bool = True
    """Whether any date of retirement is known. If not, no model is "retired"."""

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def at_least(self, level: str) -> tuple[Finding, ...]:
        """The findings as urgent as `level`, or more."""
        wanted = LEVELS[LEVELS.index(level) :]
        return tuple(finding for finding in self.findings if finding.level in wanted)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with `"schema": 1`."""
        return {"schema": 1, "findings": [finding.to_dict() for finding in self.findings]}
