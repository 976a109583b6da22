"""What differs between two snapshots: which models there are, and field by field."""

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

#: Of a provider's record, what says nothing of the provider itself.
_OF_MODELS = ("models", "flags")
#: The start of a record's line: the id of a provider, and that of a model or null.
_TEXT = rb'"(?:[^"\\]|\\.)*+"'
_IDS = re.compile(rb"\[(%b,(?:null|%b))," % (_TEXT, _TEXT))


def diff(before: Snapshot, after: Snapshot) -> Changes:
    """What `after` has, lacks, or says otherwise. Raises SnapshotDamagedError."""
    added, removed, deprecated = listed(before, after)
    return Changes(before.hash, after.hash, added, removed, deprecated, updated(before, after))


def compared(before: Snapshot, after: Snapshot) -> Changes:
    """`diff` for a sync, which damage of what was before doesn't stop: then nothing is said."""
    try:
        return diff(before, after)
    except SnapshotDamagedError as error:
        logger.debug("nothing is said of what changed: %s", error)
        return Changes(before.hash, after.hash)


def listed(
    before: Snapshot, after: Snapshot
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Full ids that are new, gone, and newly deprecated."""
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
    """Every field that differs in providers and models that both snapshots have, by id.

    Only records whose bytes differ are decoded; of equal snapshots nothing is read.
    """
    if before == after:
        return ()
    earlier = dict(map(_split, before.lines_among(before.unlike(after))))
    later = map(_split, after.lines_among(after.unlike(before)))
    changes = (
        _of(ids, earlier[ids], record)
        for ids, record in later
        if earlier.get(ids, record) != record
    )
    return tuple(sorted(chain.from_iterable(changes), key=_order))


def _split(line: bytes) -> tuple[bytes, bytes]:
    """The ids of a line, and its record, not decoded."""
    match = _IDS.match(line)
    assert match is not None
    return match[1], line[match.end() : -1]


def _of(ids: bytes, earlier: bytes, later: bytes) -> Iterator[Change]:
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
    """A record's fields, those of its objects as "cost.input"."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{key}": item for key, item in value.items()}
        elif name not in _OF_MODELS:
            found[name] = value
    return found


def together(every: Iterable[Changes]) -> Changes:
    """What some changes, one after the other, come to: what came and went again is left out, and
    of a field the first value and the last are told."""
    first = last = ""
    left_out = 0
    there: dict[str, bool] = {}  # of what came or went: whether it is there now
    deprecated: set[str] = set()
    fields: dict[tuple[str, str], dict[str, Change]] = {}
    for one in every:
        first, last, left_out = first or one.before, one.after, left_out + one.left_out
        for id, now in (*((id, True) for id in one.added), *((id, False) for id in one.removed)):
            deprecated.discard(id)
            fields.pop(("model", id), None)
            if there.pop(id, now) == now:
                there[id] = now
        deprecated |= {*one.deprecated}
        for change in one.updated:
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
    every_field = (one for known in fields.values() for one in known.values())
    updated = [one for one in every_field if one.before != one.after and one.id not in there]
    return Changes(
        first,
        last,
        tuple(sorted(id for id, now in there.items() if now)),
        tuple(sorted(id for id, now in there.items() if not now)),
        tuple(sorted(deprecated - there.keys() - again)),
        tuple(sorted(updated, key=_order)),
        left_out=left_out,
    )


def select(changes: Changes, providers: Collection[str], fields: Collection[str]) -> Changes:
    """Those of providers that match one of these globs, and of these fields ("cost.input", or
    "cost" for all of them); without any, all. With fields, nothing is said of what comes or goes.
    """

    def of(id: str) -> bool:
        parts = id.split("/")  # as many as the glob has; the rest is the model's, or deeper
        return not providers or any(
            fnmatchcase("/".join(parts[: one.count("/") + 1]), one) for one in providers
        )

    def ids(found: Iterable[str]) -> tuple[str, ...]:
        return () if fields else tuple(filter(of, found))

    def wanted(field: str) -> bool:
        return not fields or any(field == one or field.startswith(f"{one}.") for one in fields)

    return evolve(
        changes,
        added=ids(changes.added),
        removed=ids(changes.removed),
        deprecated=ids(changes.deprecated),
        updated=tuple(one for one in changes.updated if of(one.id) and wanted(one.field)),
    )


def _order(change: Change) -> tuple[str, str, str]:
    return change.id, change.kind, change.field
