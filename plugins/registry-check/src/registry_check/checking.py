"""One pass over the files: finds texts that may name models, and judges them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING

from attrs import evolve

from registry_core import StoreError

from .contents import Candidate, Reader, language_of, sightings
from .context import of_file
from .files import find, is_ignored
from .findings import Finding, Findings
from .judging import Judge
from .names import Names

if TYPE_CHECKING:
    from registry_core import ModelInfo, ModelRegistry, Snapshot

#: Nobody writes larger files by hand. Notebooks may be larger, since they hold pictures.
LARGEST, LARGEST_NOTEBOOK = 2_000_000, 50_000_000
#: Most files are smaller. Asking for the size of a file takes as long as reading this much.
_MOST_AT_ONCE = 65_536
_IGNORE = re.compile(
    rb"(?:#|//|/\*|<!--|;|--|\{/\*|REM)[^\n]*?\bregistry-core:[ \t]*ignore(-file|-next-line)?\b",
    re.IGNORECASE,
)
#: The offset, line and column at which each file starts.
_START = 0, 1, 1
_COMMENT_ONLY = re.compile(rb"\s*(?:#|//|/\*|<!--|;|--|\{/\*)")


def check(
    paths: Iterable[str | os.PathLike[str]] = (".",),
    *,
    registry: ModelRegistry | Snapshot | None = None,
    within: int = 90,
    today: date | None = None,
) -> Findings:
    """Find the model ids in these files that can't be used any more, or soon can't be used.

    `paths`: files and folders, without files that `.gitignore` excludes. `registry`: what is known
    about models; by default the registry of this process. For a registry, facts about models that
    nobody offers count too (`ModelRegistry.offline`), and models that its gateways offered before.
    For a snapshot, only its own data counts. `within`: days. `today`: by default today in UTC.

    Raises RegistryError for a path that does not exist, and what `ModelRegistry.offline` raises.
    """
    from registry_core import ModelRegistry

    registry = ModelRegistry.get_instance() if registry is None else registry
    unlisted: Mapping[str, ModelInfo] = {}
    removed: Mapping[str, str] = {}
    if isinstance(registry, ModelRegistry):
        snapshot, unlisted = registry.offline()
        removed = _removed(registry, snapshot)
    else:
        snapshot = registry
    names = Names(snapshot, {*unlisted, *removed})
    day = today or datetime.now(UTC).date()
    judge = Judge(snapshot, names, day, timedelta(days=within), unlisted, removed)
    dated = bool(unlisted or snapshot.find_ids(retires_before=date.max, limit=1))
    return evolve(Check(names, judge).run(paths), dated=dated)


def _removed(registry: ModelRegistry, snapshot: Snapshot) -> dict[str, str]:
    """Full id → the day since which no gateway offers it, as far as the registry remembers."""
    days: dict[str, str] = {}
    with suppress(StoreError):  # without the journal, only these days are unknown
        for changes in registry.changes():
            if changes.at is not None:
                days |= dict.fromkeys(changes.removed, changes.at.date().isoformat())
    known = snapshot.get_models()
    # If a whole provider is gone, it may only be switched off here.
    return {
        id: day
        for id, day in days.items()
        if not snapshot.offers(id) and snapshot.split(id)[0] in known
    }


class Check:
    """Checks files. What a run needs is made once."""

    def __init__(self, names: Names, judge: Judge) -> None:
        self._names = names
        self._judge = judge
        self._reader = Reader(judge.read, names.stems(judge.read))

    def run(self, paths: Iterable[str | os.PathLike[str]]) -> Findings:
        findings: list[Finding] = []
        skipped: list[tuple[str, str]] = []
        files = 0
        for path, rules in find(paths):
            name = os.path.basename(path)  # noqa: PTH119
            language = language_of(name)
            if language is None and "." in name:
                continue
            try:
                data = _read(path, LARGEST_NOTEBOOK if language == "notebook" else LARGEST)
                files += 1
                if language is None:
                    language = language_of(name, data[:100])
                if language is None:
                    continue
                found = self._reader.candidates(language, data)
                if not found or b"\0" in data[:8192]:
                    continue
                if rules and is_ignored(path, rules):
                    files -= 1
                    continue
                findings += self._in_file(path, language, data, found)
            except (OSError, ValueError, RecursionError, AttributeError, TypeError) as error:
                skipped.append((path, str(error) or type(error).__name__))
        return Findings(
            tuple(
                sorted(findings, key=lambda finding: (finding.path, finding.line, finding.column))
            ),
            files,
            tuple(skipped),
        )

    def _in_file(
        self, path: str, language: str, data: bytes, found: list[Candidate]
    ) -> Iterator[Finding]:
        about: frozenset[str] | None = None
        reported: set[tuple[int, int]] = set()
        ignored = _ignored_lines(data) if b"registry-core:" in data else frozenset()
        if ignored is None:
            return
        offset, line, column = _START
        for sighting in sightings(language, data, found, self._reader):
            if about is None:
                about = of_file(data, self._names, language)
            verdict = self._judge.judge(sighting.name, sighting.place, about)
            if verdict is None or (sighting.start, sighting.end) in reported:
                continue
            reported.add((sighting.start, sighting.end))
            offset, line, column = _moved(data, (offset, line, column), sighting.start)
            if line in ignored:
                continue
            yield Finding(
                PurePath(path).as_posix(), line, column, sighting.name.text, verdict.id,
                verdict.level, verdict.message, verdict.retires_on, verdict.successor,
                verdict.suggestions,
            )  # fmt: skip


def _read(path: str, largest: int) -> bytes:
    """The bytes of a file. A UTF-16 file with a byte order mark is converted to UTF-8."""
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    try:
        data = os.read(descriptor, _MOST_AT_ONCE)
        if len(data) == _MOST_AT_ONCE:
            size = os.fstat(descriptor).st_size
            if size > largest:
                raise ValueError(f"has {size:,} bytes, the limit is {largest:,}")
            while len(data) < size and (more := os.read(descriptor, size - len(data))):
                data += more
    finally:
        os.close(descriptor)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _moved(data: bytes, before: tuple[int, int, int], offset: int) -> tuple[int, int, int]:
    """An offset, its line and its column. `before`: those of another place, mostly an earlier one:
    a line of many names is read once."""
    start, line, column = before if before[0] <= offset else _START
    if ends := data.count(b"\n", start, offset):
        start, line, column = data.rfind(b"\n", start, offset) + 1, line + ends, 1
    return offset, line, column + len(data[start:offset].decode("utf-8", "replace"))


def _ignored_lines(data: bytes) -> frozenset[int] | None:
    """The lines that are not checked. None if the whole file is not checked."""
    lines: set[int] = set()
    for match in _IGNORE.finditer(data):
        if match[1] == b"-file":
            return None
        line = data.count(b"\n", 0, match.start()) + 1
        begin = data.rfind(b"\n", 0, match.start()) + 1
        alone = _COMMENT_ONLY.match(data, begin) or match[1]
        lines.update((line, line + 1) if alone else (line,))
    return frozenset(lines)
