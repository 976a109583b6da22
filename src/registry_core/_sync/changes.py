"""What a sync changed, field by field."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from .._base.frozen import freeze
from .._catalog.snapshot import Snapshot
from ..errors import SnapshotDamagedError
from ..report import Change

logger = logging.getLogger("registry_core")

#: Of a provider's record, what says nothing of the provider itself.
_OF_MODELS = ("models", "flags")


def updated(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """Every field that differs in providers and models that both snapshots have, by id.

    Only records whose bytes differ are decoded; of equal snapshots nothing is read. If the
    earlier one is damaged, nothing can be compared: the later one is stored by then.
    """
    if before == after:
        return ()
    try:
        known = {*before.lines()}
    except SnapshotDamagedError as error:
        logger.debug("nothing is said of what changed: %s", error)
        return ()
    found = [change for line in after.lines() if line not in known for change in _of(line, before)]
    return tuple(sorted(found, key=lambda one: (one.id, one.kind, one.field)))


def _of(line: bytes, before: Snapshot) -> Iterator[Change]:
    provider, model, record = json.loads(line)
    earlier = before.record(provider, model)
    if earlier is None:
        return
    old, new = _fields(json.loads(earlier)), _fields(record)
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
