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
    """Gives a frozen attrs class equality, hash and `repr` by its fields.

    For a field with an alias, the attribute with that name counts, which is the public one.
    attrs could make the same methods, but it compiles them for each class at every import, and
    a process that looks up one model would wait 2 ms for methods that it never calls.
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
            f"{attribute.alias}={(attribute.repr if callable(attribute.repr) else repr)(value)}"
            for attribute, value in zip(self.__attrs_attrs__, self._fields(), strict=True)
            if attribute.repr is not False
        )
        name = self.__class__.__qualname__.rsplit(">.", 1)[-1]  # without the function around it
        return f"{name}({', '.join(shown)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        from .pydantic_schemas import of_value  # only pydantic asks

        return of_value(cls, handler, thaw)

    def _fields(self) -> tuple[Any, ...]:
        return tuple([getattr(self, attribute.alias) for attribute in self.__attrs_attrs__])


def skip_signatures(*converters: Callable[..., object]) -> None:
    """Give converters an empty signature. attrs inspects the signature of each to annotate the
    constructor, which takes longer than everything else about a field. Type checkers read the
    source instead."""
    for converter in converters:
        vars(converter)["__signature__"] = _SIGNATURE


_SIGNATURE = Signature()
_INFINITE = float("inf")  # math has it, too, but would be one more file to load
EMPTY: FrozenDict[Any, Any] = FrozenDict()


def freeze(value: Any, depth: int = 64) -> Any:
    """An immutable copy of a JSON value: objects become `FrozenDict`, arrays tuples.

    Values that JSON can't exchange between programs become None (unknown): numbers that are
    not finite or need more than 64 bits, nesting beyond `depth`, other types. A lone
    surrogate becomes U+FFFD. A value of a subclass becomes plain: encoders refuse most.
    """
    kind = value.__class__
    if issubclass(kind, str):
        return str.__str__(value) if value.isascii() else portable(value)
    if kind is bool or kind is FrozenDict:
        return value
    if issubclass(kind, int):
        return int.__int__(value) if -(2**63) <= value < 2**64 else None
    if issubclass(kind, float):
        return float.__float__(value) if abs(value) < _INFINITE else None  # False for NaN, too
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
        return {
            attribute.alias: thaw(getattr(value, attribute.alias))
            for attribute in kind.__attrs_attrs__
        }
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
    """Ids in the order of UTF-16 code units, as JavaScript sorts, and so the files of our peers."""
    ids = list(ids)
    return sorted(ids) if "".join(ids).isascii() else sorted(ids, key=_utf16)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")
