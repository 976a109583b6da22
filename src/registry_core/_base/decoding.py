"""Parse JSON that servers send: strictly if possible, else what can be salvaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

Decode = Callable[[Any], Any]


def loads(text: bytes) -> Any:
    """The JSON value in `text`. Raises ValueError, or RecursionError if it is nested too deeply.

    If the text is not strict JSON, Python's parser salvages what it can: NaN and numbers that
    are not finite become None (unknown), lone surrogates stay, bytes that are not UTF-8 become
    U+FFFD.
    """
    decode, _ = _strict()
    try:
        return decode(text)
    except (ValueError, RecursionError):
        return _salvaged(text)


def outline(text: bytes, path: str) -> Any:
    """As `loads`, but the objects at `path` stay text. "*" is any key: "*/models/*" are the
    objects in each "models" one level below the top. If the text has to be salvaged, they are
    parsed."""
    try:
        return _outlined(text, *path.split("/"))
    except (ValueError, RecursionError):
        return _salvaged(text)


def _outlined(text: bytes, head: str, *rest: str) -> Any:
    decode, fields_of = _strict()
    if not text.startswith(b"{"):
        return decode(text)
    fields: dict[str, Any] = fields_of(text)
    for key, raw in fields.items():
        if head not in ("*", key):
            fields[key] = decode(raw)
        elif rest:
            fields[key] = _outlined(bytes(raw), *rest)
        else:
            value = bytes(raw)
            fields[key] = value if value.startswith(b"{") else decode(value)
    return fields


@cache
def _strict() -> tuple[Decode, Decode]:
    """A parser of values, and one of objects that leaves each field as text."""
    require_msgspec()
    from msgspec import Raw
    from msgspec.json import Decoder

    return Decoder().decode, Decoder(dict[str, Raw]).decode


@cache
def require_msgspec() -> None:
    """Import msgspec, which `resolve` does without, before anything is taken from it. Raises
    ImportError in a subinterpreter that takes few extension modules: there even a refused import
    of msgspec crashes the process at its end.

    It is imported as a whole: where one thread begins with `msgspec` and another one with
    `msgspec.json`, Python may find a deadlock, and refuses one of them.
    """
    try:
        own: Any = import_module("_interpreters")  # private; from Python 3.13 on
    except ImportError:
        own = None
    if own and own.get_config(own.get_current()[0]).check_multi_interp_extensions:
        raise ImportError("msgspec can't be loaded in this subinterpreter")
    import_module("msgspec")


def _salvaged(text: bytes) -> Any:
    readable = text.decode("utf-8-sig", "replace")
    return json.loads(readable, parse_constant=lambda _name: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) != float("inf") else None
