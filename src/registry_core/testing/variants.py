"""Damaged variants of a payload: every part, in the ways in which services fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

#: Bodies in place of the payload.
BODIES = (
    b"",
    b"<!doctype html><title>Sign in</title>",
    b'{"data": [{"id": "cut-o',
    b"null",
    b"true",
    b"7",
    b'"text"',
    b"[]",
    b"[null]",
    b"[[]]",
    b"{}",
    b'{"": null}',
    b'{"error": {"message": "no"}}',
)
_VALUES: tuple[Any, ...] = (None, False, -1, 1e300, "", "\0", "a/", [], [None], {}, {"": None})
#: Maximum number of items of a list, and of variants of a payload, that are tried.
_ITEMS = 5
_MOST = 500


def with_part_replaced(payload: Any) -> Iterator[Any]:
    """Copies of `payload`, each with one part replaced by something else."""
    return islice(_changed(payload, lambda part: iter(_VALUES)), _MOST)


def with_stray(payload: Any) -> Iterator[Any]:
    """Copies of `payload`, each with a null at the start of one of its lists or objects."""
    return islice(_changed(payload, _stray), _MOST)


def _stray(part: Any) -> Iterator[Any]:
    if isinstance(part, list):
        yield [None, *part]
    elif isinstance(part, dict):
        yield {"stray": None, **part}


def _changed(part: Any, change: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    yield from change(part)
    if issubclass(type(part), dict):
        fields: dict[str, Any] = part
        for key, value in fields.items():
            for changed in _changed(value, change):
                yield {**fields, key: changed}
    elif issubclass(type(part), list):
        items: list[Any] = part
        for index, value in enumerate(items[:_ITEMS]):
            for changed in _changed(value, change):
                yield [*items[:index], changed, *items[index + 1 :]]
