"""Turn a model into its record: the JSON object that snapshots store.

Lookups don't need this module, since stored records are already encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .decoding import require_msgspec
from .frozen import EMPTY, Value

#: Parts for which an empty object differs from a missing one.
EMPTY_IS_KNOWN = ("cost",)


def of_model(model: Value) -> dict[str, Any]:
    """The record of `model`, without unknown fields."""
    record = _said(model)
    del record["id"], record["provider_id"]
    for name, value in [*record.items()]:
        if isinstance(value, Value):
            record[name] = _said(value)
            if not record[name] and name not in EMPTY_IS_KNOWN:
                del record[name]
    return record


def _said(value: Value) -> dict[str, Any]:
    pairs = (
        (attribute.alias, getattr(value, attribute.name)) for attribute in value.__attrs_attrs__
    )
    return {name: item for name, item in pairs if item not in (None, (), EMPTY)}


def dumps(record: Mapping[str, Any]) -> bytes:
    """The text of a record, its keys sorted."""
    return _encoder()(record)


@cache
def _encoder() -> Callable[[Any], bytes]:
    require_msgspec()
    from msgspec.json import Encoder

    return Encoder(order="sorted").encode
