"""The differences between two snapshots: added and removed models, and changed fields."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import chain, filterfalse
from typing import Any

from attrs import evolve

from .._base.frozen import freeze
from .._catalog.ids import lengths_of, splits
from .._catalog.snapshot import Snapshot
from ..errors import SnapshotDamagedError
from ..models import DEPRECATED
from ..report import Change, Changes

logger = logging.getLogger("registry_core")

#: The fields of a provider's record that describe its models, not the provider.
_OF_MODELS = ("models", "flags")
#: The start of a record's line: the id of a provider, and that of a model or null.
_TEXT = rb'"(?:[^"\\]|\\.)*+"'
_IDS = re.compile(rb"\[(%b,(?:null|%b))," % (_TEXT, _TEXT))


def diff(before: Snapshot, after: Snapshot) -> Changes:
    """What is new, missing or different in `after`. Raises SnapshotDamagedError."""
    added, removed, deprecated = listed(before, after)
    return Changes(before.hash, after.hash, added, removed, deprecated, updated(before, after))


def compared(before: Snapshot, after: Snapshot) -> Changes:
    """`diff` for a sync. If the snapshot before is damaged, the result has no changes."""
    try:
        return diff(before, after)
    except SnapshotDamagedError as error:
        logger.debug("nothing is said of what changed: %s", error)
        return Changes(before.hash, after.hash)


def listed(
    before: Snapshot, after: Snapshot
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The full ids that are new, removed, and newly deprecated."""
    if before == after:
        return (), (), ()
    old, new = before.unlike(after), after.unlike(before)
    lengths = lengths_of({*after.provider_ids} - new)

    def stays(id: str) -> bool:
        # "a" with "b/c" stands for the same full id as "a/b" with "c".
        return any(
            provider not in new and after.record(provider, model) is not None
            for provider, model in splits(id, lengths)
        )

    def ids(candidates: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(filterfalse(stays, candidates)))

    def flags(snapshot: Snapshot, among: Collection[str]) -> dict[str, int]:
        return {
            f"{id}/{model}": flags
            for id, models in snapshot.flags(among)
            for model, flags in models.items()
        }

    was, now = flags(before, old), flags(after, new)
    marked = (id for id in was.keys() & now.keys() if now[id] & ~was[id] & DEPRECATED)
    return ids(now.keys() - was.keys()), ids(was.keys() - now.keys()), ids(marked)


def updated(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Every changed field of providers and models that are in both snapshots, sorted by id.

    Only records whose bytes differ are decoded. If the snapshots are equal, nothing is read.
    """
    if before == after:
        return ()
    earlier = dict(map(_split, before.lines_among(before.unlike(after))))
    later = map(_split, after.lines_among(after.unlike(before)))
    changes = (
        _changes_of(ids, earlier[ids], record)
        for ids, record in later
        if earlier.get(ids, record) != record
    )
    return tuple(sorted(chain.from_iterable(changes), key=_order))


def _split(line: bytes) -> tuple[bytes, bytes]:
    """The ids of a line, and its record as bytes."""
    match = _IDS.match(line)
    assert match is not None
    return match[1], line[match.end() : -1]


def _changes_of(ids: bytes, earlier: bytes, later: bytes) -> Iterator[Change]:
    provider, model, was = json.loads(b"[%b,%b]" % (ids, earlier))
    old, new = _fields(was), _fields(json.loads(later))
    for field in old.keys() | new.keys():
        was, now = old.get(field), new.get(field)
        if was != now:
            if model is None:
                yield Change(provider, "provider", field, freeze(was), freeze(now))
            else:
                yield Change(f"{provider}/{model}", "model", field, freeze(was), freeze(now))


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, those of its objects as "cost.input"."""
    values: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            values |= {f"{name}.{key}": item for key, item in value.items()}
        elif name not in _OF_MODELS:
            values[name] = value
    return values


def together(steps: Iterable[Changes]) -> Changes:
    """Successive changes as one. What came and went again is left out. A changed field has its
    first and its last value."""
    first = last = ""
    left_out = 0
    present: dict[str, bool] = {}  # id of what came or went → whether it is there now
    deprecated: set[str] = set()
    fields: dict[tuple[str, str], dict[str, Change]] = {}
    for step in steps:
        first, last, left_out = first or step.before, step.after, left_out + step.left_out
        for id, now in (*((id, True) for id in step.added), *((id, False) for id in step.removed)):
            deprecated.discard(id)
            fields.pop(("model", id), None)
            if present.pop(id, now) == now:
                present[id] = now
        deprecated |= {*step.deprecated}
        for change in step.updated:
            known = fields.setdefault((change.kind, change.id), {})
            earlier = known.get(change.field, change)
            known[change.field] = evolve(change, before=earlier.before)
            if change.field == "status" and change.after != "deprecated":
                deprecated.discard(change.id)
    again = {
        id
        for (_, id), known in fields.items()
        if "status" in known and known["status"].before == "deprecated"
    }
    every_field = (change for known in fields.values() for change in known.values())
    updated = [
        change
        for change in every_field
        if change.before != change.after and change.id not in present
    ]
    return Changes(
        first,
        last,
        tuple(sorted(id for id, now in present.items() if now)),
        tuple(sorted(id for id, now in present.items() if not now)),
        tuple(sorted(deprecated - present.keys() - again)),
        tuple(sorted(updated, key=_order)),
        left_out=left_out,
    )


def select(changes: Changes, providers: Collection[str], fields: Collection[str]) -> Changes:
    """The changes of providers that match one of these globs in any case, and of these fields
    ("cost.input", or "cost" for all prices). Without any, all. With fields, added and removed
    models are left out.
    """
    globs = [pattern.casefold() for pattern in providers]

    def of(id: str) -> bool:
        parts = id.casefold().split("/")  # a glob is compared with as many parts as it has itself
        return not globs or any(
            fnmatchcase("/".join(parts[: glob.count("/") + 1]), glob) for glob in globs
        )

    def ids(full_ids: Iterable[str]) -> tuple[str, ...]:
        return () if fields else tuple(filter(of, full_ids))

    def wanted(field: str) -> bool:
        return not fields or any(field == name or field.startswith(f"{name}.") for name in fields)

    return evolve(
        changes,
        added=ids(changes.added),
        removed=ids(changes.removed),
        deprecated=ids(changes.deprecated),
        updated=tuple(
            change for change in changes.updated if of(change.id) and wanted(change.field)
        ),
    )


def _order(change: Change) -> tuple[str, str, str]:
    return change.id, change.kind, change.field
