"""A model as its record: the JSON object that snapshots store, much like those of payloads.

A sync moves thousands of models from payloads to snapshots and looks at few of them. So
they are checked and kept as text, and become `ModelInfo` when somebody asks for them.
Lookups don't need this module: their records were checked when they were stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from attrs import fields

from .frozen import sorted_ids
from .models import (
    Cost,
    Limit,
    Modalities,
    ModelInfo,
    ModelMap,
    ProviderConfig,
    as_object,
    flags_of,
)

Converters = Mapping[str, Callable[[Any], Any]]


def _converters(cls: type) -> dict[str, Callable[[Any], Any]]:
    return {one.name: one.converter for one in fields(cls)}


#: The fields of a model that are objects themselves.
_PARTS: Mapping[str, Converters] = {
    "limit": _converters(Limit),
    "cost": _converters(Cost),
    "modalities": _converters(Modalities),
}
_PLAIN: Converters = {
    name: convert
    for name, convert in _converters(ModelInfo).items()
    if name not in ("id", "provider_id", "extra", *_PARTS)
}
#: Of these an empty object is not the same as none.
_TELLING = ("cost",)
_JSON_ONLY = (
    orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)


class Records(ModelMap):
    """The models of one provider that was fetched: bare id → text and flags, from `encode`."""

    __slots__ = ("_encoded",)

    def __init__(self, provider_id: str, encoded: Mapping[str, tuple[bytes, int]]) -> None:
        super().__init__(provider_id, {id: encoded[id][1] for id in sorted_ids(encoded)})
        self._encoded = encoded

    def record(self, id: str) -> bytes:
        return self._encoded[id][0]

    def under(self, provider_id: str) -> Records:
        """The same models of a provider with another id."""
        return Records(provider_id, self._encoded)


def checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """What `record`, with models.dev's names, says of a model: fields of `ModelInfo`.

    What is unknown is left out; what `ModelInfo` has no field for goes to `extra` (unknown
    keys of `cost`, `limit` and `modalities` below the same name there); an `id` is ignored.
    Raises TypeError or ValueError for what `ModelInfo` would refuse.
    """
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in as_object(record).items():
        if name in _PLAIN:
            value = _PLAIN[name](value)
            if value is not None:
                known[name] = value
        elif name in _PARTS:
            if value is not None:
                part, more = _checked_part(_PARTS[name], value)
                if part or name in _TELLING:
                    known[name] = part
                if more:
                    extra[name] = more
        elif name != "id":
            extra[name] = value
    if extra:
        known["extra"] = extra
    return known


def _checked_part(converters: Converters, record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    known: dict[str, Any] = {}
    more: dict[str, Any] = {}
    for name, value in as_object(record).items():
        if name in converters:
            value = converters[name](value)
            if value is not None and value != ():
                known[name] = value
        else:
            more[name] = value
    return known, more


def of_model(model: ModelInfo) -> dict[str, Any]:
    """The record that `checked` gives for `model`."""
    known = {name: value for name in _PLAIN if (value := getattr(model, name)) is not None}
    for name, converters in _PARTS.items():
        whole = getattr(model, name)
        if whole is not None:
            pairs = ((field, getattr(whole, field)) for field in converters)
            part = {field: value for field, value in pairs if value not in (None, ())}
            if part or name in _TELLING:
                known[name] = part
    if model.extra:
        known["extra"] = model.extra
    return known


def encode(known: Mapping[str, Any]) -> tuple[bytes, int]:
    """The text of a record from `checked` or `of_model`, and its flags (see `ModelMap`).

    Raises TypeError for what JSON can't hold.
    """
    text = orjson.dumps(known, option=_JSON_ONLY)
    # A copy, since what orjson returns holds on to a buffer of many times its size.
    return bytes(memoryview(text)), flags_of(known)


def encoded(provider: ProviderConfig) -> ModelMap:
    """The models of `provider`, as records."""
    if isinstance(provider.models, ModelMap):
        return provider.models
    models = provider.models.items()
    return Records(provider.id, {id: encode(of_model(model)) for id, model in models})
