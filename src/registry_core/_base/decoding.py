"""JSON as servers send it: strict where that will do, else what can be salvaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

Decode = Callable[[Any], Any]


def loads(text: bytes) -> Any:
    """The JSON value in `text`. Raises ValueError, or RecursionError if it is nested too deeply.

    What Python's parser can salvage is taken: NaN and numbers that are not finite as None
    (unknown), lone surrogates as they are, bytes that are not UTF-8 as U+FFFD.
    """
    decode, _ = _strict()
    try:
        return decode(text)
    except (ValueError, RecursionError):
        return _salvaged(text)


def outline(text: bytes, path: str) -> Any:
    """As `loads`, but the objects at `path` stay text: at "*/models/*" those that lie two below
    each "models" of the outermost object. Where something has to be salvaged, they don't."""
    try:
        return _outlined(text, *path.split("/"))
    except (ValueError, RecursionError):
        return _salvaged(text)


def _outlined(text: bytes, head: str, *rest: str) -> Any:
    decode, fields_of = _strict()
    if not text.startswith(b"{"):
        return decode(text)
    found: dict[str, Any] = fields_of(text)
    for key, value in found.items():
        if head not in ("*", key):
            found[key] = decode(value)
        elif rest:
            found[key] = _outlined(bytes(value), *rest)
        else:
            kept = bytes(value)
            found[key] = kept if kept.startswith(b"{") else decode(kept)
    return found


@cache
def _strict() -> tuple[Decode, Decode]:
    """What parses a value, and what finds the fields of an object, each of them as text."""
    from msgspec import Raw  # here, since `resolve` does without, and subinterpreters can't have it
    from msgspec.json import Decoder

    return Decoder().decode, Decoder(dict[str, Raw]).decode


def _salvaged(text: bytes) -> Any:
    readable = text.decode("utf-8-sig", "replace")
    return json.loads(readable, parse_constant=lambda _name: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) != float("inf") else None
