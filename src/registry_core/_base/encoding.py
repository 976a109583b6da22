"""A model as its record: the JSON object that snapshots store.

Lookups don't need this module: their records were encoded when they were stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .frozen import EMPTY, Value

#: Of these an empty object is not the same as none.
TELLING = ("cost",)


def of_model(model: Value) -> dict[str, Any]:
    """The record of `model`: what its source said. What is unknown is left out."""
    said = _said(model)
    del said["id"], said["provider_id"]
    for name, value in [*said.items()]:
        if isinstance(value, Value):
            said[name] = _said(value)
            if not said[name] and name not in TELLING:
                del said[name]
    return said


def _said(value: Value) -> dict[str, Any]:
    pairs = ((one.alias, getattr(value, one.name)) for one in value.__attrs_attrs__)
    return {name: item for name, item in pairs if item not in (None, (), EMPTY)}


def dumps(record: Mapping[str, Any]) -> bytes:
    """The text of a record, its keys sorted."""
    return _encoder()(record)


@cache
def _encoder() -> Callable[[Any], bytes]:
    from msgspec.json import Encoder  # here, as in `decoding`

    return Encoder(order="sorted").encode
