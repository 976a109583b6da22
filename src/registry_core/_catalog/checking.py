"""Check records of models that come from outside.

A sync moves thousands of models from payloads to snapshots, and reads only few of them. So
they are checked and kept as text, and become `ModelInfo` when they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from attrs import fields

from .._base.decoding import loads
from .._base.encoding import EMPTY_IS_KNOWN, dumps
from .._base.fields import as_object, frozen_object
from .._base.suggesting import closest
from ..models import PARTS, ModelInfo, flags_of

Converters = Mapping[str, Callable[[Any], Any]]


def _converters(cls: type) -> dict[str, Callable[[Any], Any]]:
    return {attribute.alias: attribute.converter for attribute in fields(cls)}


#: The fields of a model that are objects themselves.
_PARTS: Mapping[str, Converters] = {name: _converters(cls) for name, cls in PARTS.items()}
_PLAIN: Converters = {
    name: convert
    for name, convert in _converters(ModelInfo).items()
    if name not in ("id", "provider_id", "extra", *_PARTS)
}


#: Bytes and colons of a record that is remembered at most, so that a hostile source can't fill the
#: memory: a record has no more names than colons. Of today's models none has 2,000 bytes, or 60.
_SHORT, _FEW = 4096, 64


def _ignore(_name: str) -> None:
    """For callers that ignore unknown names."""


def check_record(
    record: Mapping[str, Any], unknown: Callable[[str], object] = _ignore
) -> dict[str, Any]:
    """The fields of `ModelInfo` in `record`, without unknown values.

    Keys that `ModelInfo` doesn't have go to `extra`, those of `cost`, `limit`, … below the same
    name there. `unknown` is called with each such name ("speed", "limit.images"). Ids are
    ignored. Raises TypeError or ValueError for values that `ModelInfo` would refuse.
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
                if part or name in EMPTY_IS_KNOWN:
                    known[name] = part
                if more:
                    extra[name] = more
                    for key in more:
                        unknown(f"{name}.{key}")
        elif name == "extra":
            extra = {**as_object({} if value is None else value), **extra}
        elif name not in ("id", "provider_id"):
            extra[name] = value
            unknown(name)
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


def encode(known: Mapping[str, Any]) -> tuple[bytes, int]:
    """The text of a record from `check_record` or `of_model`, and its flags (see `ModelMap`).

    What JSON can't hold, as `extra` may, becomes unknown.
    """
    if "extra" in known:
        known = {**known, "extra": frozen_object(known["extra"])}
    return dumps(known), flags_of(known.get)


def encoded(text: bytes) -> tuple[bytes, int, frozenset[str]]:
    """The result of `encode` for a record that is JSON text, and its unknown names.

    Few texts change from one sync to the next, so results are remembered. Raises the errors of
    `check_record`, and ValueError or RecursionError for a text that is not JSON.
    """
    small = len(text) <= _SHORT and text.count(b":") <= _FEW
    return remembered(text) if small else _encoded(text)


def _encoded(text: bytes) -> tuple[bytes, int, frozenset[str]]:
    unknown = set[str]()
    return *encode(check_record(loads(text), unknown.add)), frozenset(unknown)


remembered = lru_cache(maxsize=2**14)(_encoded)


@lru_cache(maxsize=1024)
def near_miss(name: str) -> str | None:
    """The field that this unknown name probably means: "toolCall" → "tool_call"."""
    part, _, key = name.rpartition(".")
    names = _PARTS.get(part, {}) if part else {*_PLAIN, *_PARTS}
    plain = {field.replace("_", ""): field for field in names}
    nearest = closest(key.lower().replace("_", "").replace("-", ""), plain, share=0.85)
    return f"{part}.{plain[nearest[0]]}".lstrip(".") if nearest else None
