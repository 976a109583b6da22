"""The checks of the fields of models and providers, and the parts of a model.

A check returns the value to keep, or raises TypeError or ValueError that says what it expected.
`names_refused_field` adds the name of the field. Type checkers take the types of the
constructors from the parameters of these checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, update_wrapper
from typing import Any, Literal, TypeVar, get_args

# As do all modules that a lookup needs: `attrs` is the same, and six files more.
from attr import field, frozen

from .frozen import EMPTY, FrozenDict, Value, freeze, portable, skip_signatures

T = TypeVar("T")

#: What a model is for.
Kind = Literal["chat", "completion", "embedding", "image", "audio", "moderation", "rerank", "video"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: The maximum length of a provider id, and of a bare model id, in characters. Today's ids have
#: less than 100.
MAX_ID = 8192

#: The largest number that every JSON reader keeps exact.
_EXACT = 2**53


def names_refused_field(cls: type[T]) -> type[T]:
    """Make errors of an attrs constructor name the refused field. Costs nothing otherwise."""
    init: Callable[..., None] = cls.__init__

    def __init__(self: Any, *given: Any, **fields: Any) -> None:
        try:
            init(self, *given, **fields)
        except (TypeError, ValueError) as error:
            from .refusals import explain

            raise explain(self, given, fields, error) from None

    cls.__init__ = update_wrapper(__init__, init)  # type: ignore[method-assign]
    return cls


def _wrong(expected: str, value: object) -> TypeError:
    return TypeError(f"expected {expected}, got {type(value).__name__}")


def text(value: str) -> str:
    if type(value) is not str:
        raise _wrong("text", value)
    return value if value.isascii() else portable(value)


def opt_text(value: str | None) -> str | None:
    if value is None or (type(value) is str and value.isascii()):
        return value
    return text(value)


def valid_id(value: str) -> str:
    """`value`, if it is an id that every file format and language can represent exactly.

    Raises TypeError or ValueError.
    """
    if type(value) is not str:
        raise _wrong("an id", value)
    if not value:
        raise ValueError("expected an id, got an empty one")
    if len(value) > MAX_ID:
        raise ValueError(f"expected an id of at most {MAX_ID} characters, got {len(value)}")
    if "\0" in value:
        raise ValueError("expected an id without NUL")
    if not value.isascii() and portable(value) != value:
        raise ValueError("expected an id without lone surrogates")
    return value


def asked_id(value: str) -> str:
    """The argument of a lookup: any text, also of a subclass. Raises TypeError."""
    if not isinstance(value, str):
        raise _wrong("an id as text, such as openai/gpt-4o", value)
    return value


def valid_provider_id(value: str) -> str:
    """`value`, if it can be a provider's id. Raises TypeError or ValueError."""
    id = valid_id(value)
    if id[0] == "/" or id[-1] == "/":
        raise ValueError("expected an id that neither starts nor ends with a slash")
    return id


def flag(value: bool | None) -> bool | None:
    if value is None or value is True or value is False:
        return value
    raise _wrong("true or false", value)


def opt_kind(value: Kind | None) -> Kind | None:
    if value is None or (type(value) is str and value in KINDS):
        return value
    raise ValueError(f"expected one of {', '.join(KINDS)}, got {text(value)!r}")


def iso_date(value: str | None) -> str | None:
    """A day as "2026-09-30"."""
    if value is None:
        return None
    if type(value) is not str:
        raise _wrong("a date as text, such as 2026-09-30", value)
    from datetime import date  # few models have one

    try:
        known = date.fromisoformat(value).isoformat() == value
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"expected a date such as 2026-09-30, got {value[:40]!r}")
    return value


def _price(value: float | None) -> float | None:
    if value is None:
        return None
    if type(value) is not float and type(value) is not int:
        raise _wrong("a number", value)
    if not 0 <= value <= _EXACT:
        raise ValueError("expected a number from 0 to 2**53")
    return value + 0  # makes -0.0 plain 0.0: equal values, equal bytes


def _tokens(value: int | None) -> int | None:
    """A count of tokens; sources write 0 for "unknown"."""
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise _wrong("a whole number", value)
    if not 0 <= value <= _EXACT:
        raise ValueError("expected a whole number from 0 to 2**53")
    return value or None


def _opt_id(value: str | None) -> str | None:
    return None if value is None else valid_id(value)


def as_array(value: Iterable[T]) -> Iterable[T]:
    known = type(value) in (list, tuple)  # ten times faster than asking an abstract class
    if not known and (
        issubclass(type(value), (str, Mapping)) or not issubclass(type(value), Iterable)
    ):
        raise _wrong("a list", value)
    return value


def as_object(value: Mapping[str, T]) -> Mapping[str, T]:
    if not issubclass(type(value), (dict, Mapping)):
        raise _wrong("an object", value)
    return value


def check_each(items: Mapping[str, Any], check: Callable[[str, Any], T]) -> dict[str, T]:
    """`items` with the results of `check(key, item)`. An error names the key."""
    checked: dict[str, T] = {}
    for key, item in as_object(items).items():
        try:
            checked[text(key)] = check(key, item)
        except (TypeError, ValueError) as error:
            from .refusals import with_field

            raise with_field(str(key), error) from None
    return checked


def texts(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(text, as_array(value)))


def _opt_texts(value: Iterable[str] | None) -> tuple[str, ...] | None:
    """A tuple of texts; an empty list means unknown."""
    return None if value is None else texts(value) or None


def variables(value: Iterable[str]) -> tuple[str, ...]:
    """Names of variables, from a list or a single name."""
    return (text(value),) if isinstance(value, str) else texts(value)


def frozen_object(value: Mapping[str, Any] | None) -> FrozenDict[str, Any]:
    frozen_object: FrozenDict[str, Any] = EMPTY if value is None else freeze(as_object(value))
    return frozen_object


def _tiers(value: Iterable[Mapping[str, Any]]) -> tuple[FrozenDict[str, Any], ...]:
    return tuple(frozen_object(as_object(tier)) for tier in as_array(value))


def overrides(value: Mapping[str, Mapping[str, str]]) -> FrozenDict[str, Mapping[str, str]]:
    return FrozenDict(check_each(value, lambda _, item: _override(item)))


def _override(value: Mapping[str, str]) -> Mapping[str, str]:
    return FrozenDict(check_each(value, lambda _, item: text(item)))


def _shared(cls: type[T]) -> Callable[[Any], T]:
    """A converter that takes a `cls`, or its fields as a mapping.

    Thousands of models have the same few limits, prices and modalities, so equal ones
    share one instance.
    """
    share = lru_cache(maxsize=8192, typed=True)(cls)

    def convert(value: Any) -> T:
        if isinstance(value, cls):
            return value
        fields = as_object(value)
        try:
            return share(**fields)
        except TypeError:  # an item without a hash, or of a wrong type: let `cls` say which
            return cls(**fields)

    return convert


skip_signatures(
    opt_text, valid_id, valid_provider_id, flag, opt_kind, iso_date, _price, _tokens, _opt_id
)
skip_signatures(variables, frozen_object, overrides, _opt_texts, _tiers)


@names_refused_field
@frozen(eq=False, repr=False)
class Limit(Value):
    """Sizes in tokens. None is unknown; sources also write 0 for it."""

    context: int | None = field(default=None, converter=_tokens)
    input: int | None = field(default=None, converter=_tokens)
    output: int | None = field(default=None, converter=_tokens)


@names_refused_field
@frozen(eq=False, repr=False)
class Cost(Value):
    """Prices in USD per million tokens; None is unknown, 0 is free.

    `tiers` are prices that apply above a context size, in models.dev's format:
    `{"tier": {"type": "context", "size": 200000}, "input": …, …}`.
    """

    input: float | None = field(default=None, converter=_price)
    output: float | None = field(default=None, converter=_price)
    reasoning: float | None = field(default=None, converter=_price)
    cache_read: float | None = field(default=None, converter=_price)
    cache_write: float | None = field(default=None, converter=_price)
    input_audio: float | None = field(default=None, converter=_price)
    output_audio: float | None = field(default=None, converter=_price)
    tiers: tuple[Mapping[str, Any], ...] = field(default=(), converter=_tiers)


@names_refused_field
@frozen(eq=False, repr=False)
class Modalities(Value):
    """Kinds of input and output: "text", "image", "audio", …; None is unknown."""

    input: tuple[str, ...] | None = field(default=None, converter=_opt_texts)
    output: tuple[str, ...] | None = field(default=None, converter=_opt_texts)


@names_refused_field
@frozen(eq=False, repr=False)
class Lifecycle(Value):
    """When a model ends, and its successor; None is unknown.

    Dates are days such as "2026-09-30". From `deprecated_on` on it should not be chosen any
    more, from `retires_on` on it is not served. `successor` is a full or a bare id.
    """

    deprecated_on: str | None = field(default=None, converter=iso_date)
    retires_on: str | None = field(default=None, converter=iso_date)
    successor: str | None = field(default=None, converter=_opt_id)


NO_LIMIT = Limit()
NO_MODALITIES = Modalities()
NO_LIFECYCLE = Lifecycle()

_share_limit = _shared(Limit)
_share_cost = _shared(Cost)
_share_modalities = _shared(Modalities)
_share_lifecycle = _shared(Lifecycle)


def opt_limit(value: Limit | Mapping[str, Any] | None) -> Limit:
    return NO_LIMIT if value is None else _share_limit(value)


def opt_cost(value: Cost | Mapping[str, Any] | None) -> Cost | None:
    return None if value is None else _share_cost(value)


def opt_modalities(value: Modalities | Mapping[str, Any] | None) -> Modalities:
    if value is None:
        return NO_MODALITIES
    if isinstance(value, Modalities):
        return value
    items = as_object(value).items()
    return _share_modalities(
        {key: tuple(words) if words.__class__ is list else words for key, words in items}
    )


def opt_lifecycle(value: Lifecycle | Mapping[str, Any] | None) -> Lifecycle:
    return NO_LIFECYCLE if value is None else _share_lifecycle(value)


skip_signatures(opt_limit, opt_cost, opt_modalities, opt_lifecycle)
