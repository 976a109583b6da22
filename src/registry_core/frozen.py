"""Deeply immutable containers.

``types.MappingProxyType`` can be neither pickled nor deep-copied, and snapshots
must survive both, hence a ``dict`` that refuses every mutator.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A ``dict`` that cannot be changed; hashable when its values are."""

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("this mapping is read-only; build a new one instead")

    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]  # narrower on purpose
    clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]  # ditto

    def __hash__(self) -> int:  # type: ignore[override]  # dict sets it to None
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict[K, V]:
        return self


EMPTY: FrozenDict[Any, Any] = FrozenDict()


def freeze(value: Any) -> Any:
    """A JSON value made immutable: objects to `FrozenDict`, arrays to tuples.

    What JSON cannot carry between programs is made portable: a number that is
    not finite becomes None (unknown), a lone surrogate becomes U+FFFD.
    """
    if isinstance(value, str):
        return portable(value)
    if isinstance(value, Mapping):
        if type(value) is FrozenDict:
            return value
        return FrozenDict({portable(str(key)): freeze(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(map(freeze, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def thaw(value: Any) -> Any:
    """The inverse of `freeze`: plain dicts and lists, for JSON encoders."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


def portable(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot encode, as U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def sorted_ids(ids: Iterable[str]) -> list[str]:
    """Ids in UTF-16 code unit order: JavaScript's, and so that of every peer's files."""
    return sorted(ids, key=_utf16)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
