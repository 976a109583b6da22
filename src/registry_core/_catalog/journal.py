"""The changes of each generation: `v1/journal.jsonl`, one line of JSON for each, oldest first.

A line names the snapshots before and after, both without volatile data. It is written before the
pointer. It counts only if the pointer, or a later line that counts, leads back to it, so lines of
killed syncs are skipped. Each line has its own checksum. If a line is damaged, only that line is
lost: the line before it counts, since a new line is only added after lines that count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args
from zlib import crc32

from attrs import evolve

from .._base.frozen import freeze
from ..errors import ArgumentError, SnapshotDamagedError
from ..report import Change, ChangeKind, Changes

if TYPE_CHECKING:
    from .store import Generation, Store

MOST_AGE = timedelta(days=90)
#: The largest size of the file and of one line, in bytes.
MOST = 2**19
MOST_LINE = 2**17

#: Stands for lines that were damaged.
_GAP = b"?\n"
_HEAD = len(b'{"checksum": "01234567", ')
_LISTS = ("added", "removed", "deprecated", "updated")

#: Reads the time and both hashes of a line without parsing it. The keys are sorted, and no value
#: before "updated" is an object. So the first key of each name belongs to the line itself. The
#: groups are atomic, since a line of a damaged file may repeat the names thousands of times.
_LINKS = re.compile(
    rb'\{"checksum": "([0-9a-f]{8})", '
    rb'(?>.*?"at": "([^"]*)", )(?>.*?"from": "([^"]*)", )(?>.*?"to": "([^"]*)", )'
)
#: A line as it is stored, and the time when it was written; None if unknown.
Line = tuple[bytes, datetime | None]


def read(
    store: Store, generation: Generation | None, since: datetime | None = None
) -> tuple[Changes, ...]:
    """The remembered changes up to this generation, oldest first; with `since`, only later ones.
    Raises ArgumentError for a time without a zone, StoreError, and SnapshotDamagedError if the
    file is not ours."""
    if since is not None and getattr(since, "tzinfo", None) is None:
        message = f"expected a time with a zone, got {since!r:.60}"
        raise ArgumentError(message, culprit="since", hint="such as datetime.now(UTC)")
    lines = (
        line for line, at in _chain(store, generation) if at and (since is None or at >= since)
    )
    return tuple(changes for changes in map(_parsed, lines) if changes is not None)


def continued(store: Store, before: Generation, changes: Changes) -> bytes:
    """The new content of the file, with `changes` after those up to `before`, within the limits of
    age and size. Raises StoreError if the file can't be read now."""
    lines = [_line(changes)]
    room = MOST - len(lines[0])
    with suppress(SnapshotDamagedError):
        for line, at in reversed(_chain(store, before)):
            room -= len(line)
            if room < 0 or (at and changes.at and changes.at - at > MOST_AGE):
                break
            lines.append(line)
    return b"".join(reversed(lines))


def adopted(store: Store, generation: Generation) -> bytes | None:
    """The lines of another store that lead to this generation. None if there are none. Raises
    StoreError."""
    with suppress(SnapshotDamagedError):
        return b"".join(line for line, _ in _chain(store, generation)) or None
    return None


def lasting(generation: Generation) -> str:
    """The hash of the snapshot that the journal describes."""
    return generation.lasting or generation.snapshot


def _chain(store: Store, generation: Generation | None) -> list[Line]:
    """The lines that count, oldest first. No line is parsed."""
    if generation is None:
        return []
    text = store.read_journal() or b""
    wanted: str | None = lasting(generation)
    chain: list[Line] = []
    for line in reversed(text.removesuffix(b"\n").split(b"\n")):
        links = _links(line)
        if links is None:
            wanted = None
        elif wanted in (None, links[2]):
            if wanted is None:
                chain.append((_GAP, None))
            chain.append((line + b"\n", links[0]))
            wanted = links[1]
    return chain[::-1]


def _links(line: bytes) -> tuple[datetime, str, str] | None:
    """The time of a line, and its snapshots before and after. None if it is damaged."""
    match = _LINKS.match(line)
    if match is None or int(match[1], 16) != crc32(b"{" + line[_HEAD:]):
        return None
    try:
        at, before, after = (text.decode() for text in match.group(2, 3, 4))
        return datetime.fromisoformat(at).astimezone(UTC), before, after
    except (ValueError, OverflowError):
        return None


def _parsed(line: bytes) -> Changes | None:
    """The changes in a line with a right checksum. None if a newer version wrote another form."""
    try:
        raw = json.loads(line)
        return Changes(
            before=_text(raw["from"]),
            after=_text(raw["to"]),
            at=datetime.fromisoformat(raw["at"]).astimezone(UTC),
            added=tuple(map(_text, raw["added"])),
            removed=tuple(map(_text, raw["removed"])),
            deprecated=tuple(map(_text, raw["deprecated"])),
            updated=tuple(map(_change, raw["updated"])),
            left_out=int(raw["left_out"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def _change(raw: Any) -> Change:
    if raw["kind"] not in get_args(ChangeKind):
        raise ValueError("not a kind of change")
    values = freeze(raw["before"]), freeze(raw["after"])
    return Change(_text(raw["id"]), raw["kind"], _text(raw["field"]), *values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _line(changes: Changes) -> bytes:
    line = _encoded(changes)
    return line if len(line) <= MOST_LINE else _encoded(_cut(changes))


def _encoded(changes: Changes) -> bytes:
    text = json.dumps(changes.to_dict(), sort_keys=True).encode()
    return b'{"checksum": "%08x", %b\n' % (crc32(text), text[1:])


def _cut(changes: Changes) -> Changes:
    """As many changes as fit into a line, prices first. The others are only counted."""
    room = MOST_LINE - len(_encoded(Changes(changes.before, changes.after, at=changes.at))) - 20
    lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
    items = [*_by_weight(changes)]
    for name, item in items:
        record = item.to_dict() if isinstance(item, Change) else item
        room -= len(json.dumps(record)) + len(", ")
        if room < 0:
            break
        lists[name].append(item)
    lists["updated"].sort(key=lambda change: (change.id, change.kind, change.field))
    final: dict[str, Any] = {name: tuple(values) for name, values in lists.items()}
    return evolve(changes, left_out=len(items) - sum(map(len, final.values())), **final)


def _by_weight(changes: Changes) -> Iterator[tuple[str, Any]]:
    yield from (("updated", change) for change in changes.updated if change.is_price)
    for name in _LISTS[:-1]:
        yield from ((name, id) for id in getattr(changes, name))
    yield from (("updated", change) for change in changes.updated if not change.is_price)
