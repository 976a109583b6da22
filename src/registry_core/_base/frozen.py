"""Deeply immutable containers.

``types.MappingProxyType`` can be neither pickled nor deep-copied, and snapshots
must survive both, hence a ``dict`` that refuses every mutator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import Signature
from typing import Any, ClassVar, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A ``dict`` that cannot be changed; hashable when its values are."""

    __slots__ = ()

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("this mapping is read-only; build a new one instead")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse  # pyright: ignore[reportAssignmentType]

    def __hash__(self) -> int:  # type: ignore[override]  # dict sets it to None
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict[K, V]:
        return self


class Value:
    """What makes instances of a frozen attrs class values: equality, hash and `repr` by fields.

    Of a field with an alias, the attribute of that name counts, which is what everybody sees.
    attrs would make the same methods, but it compiles them anew for each class, whenever it is
    imported, and a process that looks one model up would wait 2 ms for what it never calls.
    """

    __slots__ = ()
    __attrs_attrs__: ClassVar[tuple[Any, ...]]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Value) and other.__class__ is self.__class__:
            return self._fields() == other._fields()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.__class__, self._fields()))

    def __repr__(self) -> str:
        shown = (
            f"{one.alias}={(one.repr if callable(one.repr) else repr)(value)}"
            for one, value in zip(self.__attrs_attrs__, self._fields(), strict=True)
            if one.repr is not False
        )
        name = self.__class__.__qualname__.rsplit(">.", 1)[-1]  # without the function around it
        return f"{name}({', '.join(shown)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        from .pydantic_schemas import of_value  # only pydantic asks

        return of_value(cls, handler, thaw)

    def _fields(self) -> tuple[Any, ...]:
        return tuple([getattr(self, one.alias) for one in self.__attrs_attrs__])


def quick(*converters: Callable[..., object]) -> None:
    """Spare attrs the signatures of these: it reads one for each field, for types that type
    checkers read in the source, and that takes longer than all else about a field."""
    for one in converters:
        vars(one)["__signature__"] = _SIGNATURE


_SIGNATURE = Signature()
_INFINITE = float("inf")  # of math, which is one more file to load, nothing else is needed
EMPTY: FrozenDict[Any, Any] = FrozenDict()


def freeze(value: Any, depth: int = 64) -> Any:
    """A JSON value made immutable: objects to `FrozenDict`, arrays to tuples.

    What JSON cannot carry between programs becomes None (unknown): numbers that are
    not finite or need more than 64 bits, nesting beyond `depth`, other types. A lone
    surrogate becomes U+FFFD.
    """
    kind = value.__class__
    if issubclass(kind, str):
        return value if value.isascii() else portable(value)
    if kind is bool or kind is FrozenDict:
        return value
    if issubclass(kind, int):
        return value if -(2**63) <= value < 2**64 else None
    if issubclass(kind, float):
        return value if abs(value) < _INFINITE else None  # nor is it NaN
    if depth and issubclass(kind, (list, tuple)):
        return tuple([freeze(item, depth - 1) for item in value])
    if depth and issubclass(kind, (dict, Mapping)):
        return FrozenDict(
            {portable(str(key)): freeze(item, depth - 1) for key, item in value.items()}
        )
    return None


def thaw(value: Any) -> Any:
    """The inverse of `freeze`: plain dicts and lists, for JSON encoders. A `Value` becomes a
    dict of its fields."""
    kind = value.__class__
    if issubclass(kind, Value):
        return {one.alias: thaw(getattr(value, one.alias)) for one in kind.__attrs_attrs__}
    if issubclass(kind, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if issubclass(kind, tuple):
        return [thaw(item) for item in value]
    return value


def portable(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot encode, as U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def sorted_ids(ids: Iterable[str]) -> list[str]:
    """Ids in UTF-16 code unit order: JavaScript's, and so that of every peer's files."""
    ids = list(ids)
    return sorted(ids) if "".join(ids).isascii() else sorted(ids, key=_utf16)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
