"""What the registry holds: frozen, deeply immutable values.

Unknown is None everywhere: a missing price is not 0, a missing limit is not 0,
a missing capability is not False. Constructors are strict (they raise TypeError
or ValueError saying what they expected); `structure.py` is the tolerant way in for
records that a stranger sent.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import Converter, field, fields_dict, frozen

from .frozen import EMPTY, FrozenDict, Value, freeze, portable, sorted_ids

T = TypeVar("T")

#: The longest id of a provider, and the longest bare id of a model, in characters. A full
#: id holds both. Today's ids stay below 100.
MAX_ID = 8192

#: The largest number that every JSON reader keeps exact.
_EXACT = 2**53


def _wrong(expected: str, value: object) -> TypeError:
    return TypeError(f"expected {expected}, got {type(value).__name__}")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _wrong("text", value)
    return value if value.isascii() else portable(value)


def _opt_text(value: Any) -> str | None:
    if value is None or (type(value) is str and value.isascii()):
        return value
    return _text(value)


def valid_id(value: Any) -> str:
    """An id that every file format and every language can name exactly."""
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


def valid_provider_id(value: Any) -> str:
    """`value`, if it can be a provider's id. Raises TypeError or ValueError."""
    id = valid_id(value)
    if id[0] == "/" or id[-1] == "/":
        raise ValueError("expected an id that neither starts nor ends with a slash")
    return id


def _flag(value: Any) -> bool | None:
    if value is None or value is True or value is False:
        return value
    raise _wrong("true or false", value)


def _price(value: Any) -> float | int | None:
    if value is None:
        return None
    if type(value) is not float and type(value) is not int:
        raise _wrong("a number", value)
    if not 0 <= value <= _EXACT:
        raise ValueError("expected a number from 0 to 2**53")
    return value + 0  # makes -0.0 plain 0.0: equal values, equal bytes


def _tokens(value: Any) -> int | None:
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


def _array(value: Any) -> Iterable[Any]:
    known = type(value) in (list, tuple)  # asking an abstract class takes ten times as long
    if not known and (
        issubclass(type(value), (str, Mapping)) or not issubclass(type(value), Iterable)
    ):
        raise _wrong("a list", value)
    items: Iterable[Any] = value
    return items


def as_object(value: Any) -> Mapping[str, Any]:
    if not issubclass(type(value), (dict, Mapping)):
        raise _wrong("an object", value)
    items: Mapping[str, Any] = value
    return items


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, _array(value)))


def _opt_texts(value: Any) -> tuple[str, ...] | None:
    """Texts; a list of none says nothing."""
    return None if value is None else _texts(value) or None


def _frozen_object(value: Any) -> FrozenDict[str, Any]:
    frozen_object: FrozenDict[str, Any] = freeze(as_object(value))
    return frozen_object


def _tiers(value: Any) -> tuple[FrozenDict[str, Any], ...]:
    return tuple(map(_frozen_object, _array(value)))


def _shared(cls: type[T]) -> Callable[[Any], T]:
    """Make `convert`, which takes a `cls` or its fields as an object.

    Thousands of models have the same few limits, prices and modalities: equal ones
    are one instance.
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


@frozen(eq=False, repr=False)
class Limit(Value):
    """Sizes in tokens; None where the source doesn't say (or says 0)."""

    context: int | None = field(default=None, converter=_tokens)
    input: int | None = field(default=None, converter=_tokens)
    output: int | None = field(default=None, converter=_tokens)


@frozen(eq=False, repr=False)
class Cost(Value):
    """Prices in USD per million tokens; None is unknown, 0 is free.

    `tiers` are prices that hold from a context size on, as models.dev writes
    them: `{"tier": {"type": "context", "size": 200000}, "input": …, …}`.
    """

    input: float | None = field(default=None, converter=_price)
    output: float | None = field(default=None, converter=_price)
    reasoning: float | None = field(default=None, converter=_price)
    cache_read: float | None = field(default=None, converter=_price)
    cache_write: float | None = field(default=None, converter=_price)
    input_audio: float | None = field(default=None, converter=_price)
    output_audio: float | None = field(default=None, converter=_price)
    tiers: tuple[Mapping[str, Any], ...] = field(default=(), converter=_tiers)


@frozen(eq=False, repr=False)
class Modalities(Value):
    """What goes in and comes out: "text", "image", "audio", …; None is unknown."""

    input: tuple[str, ...] | None = field(default=None, converter=_opt_texts)
    output: tuple[str, ...] | None = field(default=None, converter=_opt_texts)


NO_LIMIT = Limit()
NO_MODALITIES = Modalities()

_share_limit = _shared(Limit)
_share_cost = _shared(Cost)
_share_modalities = _shared(Modalities)


def _limit(value: Any) -> Limit:
    return NO_LIMIT if value is None else _share_limit(value)


def _cost(value: Any) -> Cost | None:
    return None if value is None else _share_cost(value)


def _modalities(value: Any) -> Modalities:
    if value is None:
        return NO_MODALITIES
    if type(value) is Modalities:
        return value
    items = as_object(value).items()
    return _share_modalities({key: tuple(it) if it.__class__ is list else it for key, it in items})


@frozen(eq=False, repr=False)
class ModelInfo(Value):
    """One model of one provider.

    `id` is the bare id (it may hold slashes); `full_id` is `provider_id/id`.
    Dates are text, as precise as the source gives them ("2024-05", "2024-05-13").
    `extra` keeps what the source says beyond these fields.
    """

    id: str = field(converter=valid_id)
    provider_id: str = field(converter=valid_id)
    name: str | None = field(default=None, converter=_opt_text)
    family: str | None = field(default=None, converter=_opt_text)
    status: str | None = field(default=None, converter=_opt_text)
    attachment: bool | None = field(default=None, converter=_flag)
    reasoning: bool | None = field(default=None, converter=_flag)
    tool_call: bool | None = field(default=None, converter=_flag)
    structured_output: bool | None = field(default=None, converter=_flag)
    temperature: bool | None = field(default=None, converter=_flag)
    open_weights: bool | None = field(default=None, converter=_flag)
    knowledge: str | None = field(default=None, converter=_opt_text)
    release_date: str | None = field(default=None, converter=_opt_text)
    last_updated: str | None = field(default=None, converter=_opt_text)
    limit: Limit = field(default=NO_LIMIT, converter=_limit)
    cost: Cost | None = field(default=None, converter=_cost)
    modalities: Modalities = field(default=NO_MODALITIES, converter=_modalities)
    extra: Mapping[str, Any] = field(default=EMPTY, converter=_frozen_object)

    @property
    def full_id(self) -> str:
        return f"{self.provider_id}/{self.id}"


#: The flags of `ModelInfo` that `model_supports` answers for.
CAPABILITIES = (
    "attachment",
    "open_weights",
    "reasoning",
    "structured_output",
    "temperature",
    "tool_call",
)


#: What is known of a model without decoding it, one bit each.
_FLAGS = {name: 1 << bit for bit, name in enumerate((*CAPABILITIES, "deprecated"))}
DEPRECATED = _FLAGS["deprecated"]


def flags_of(record: Mapping[str, Any]) -> int:
    """The flags of a model with these fields: what it can do, and whether it is deprecated."""
    flags = DEPRECATED if record.get("status") == "deprecated" else 0
    for name in CAPABILITIES:
        if record.get(name):
            flags |= _FLAGS[name]
    return flags


class ModelMap(Mapping[str, ModelInfo]):
    """The models of one provider, decoded as they are asked for.

    `flags`: bare id, sorted → `flags_of` its record.
    """

    __slots__ = ("_decoded", "flags", "provider_id")

    def __init__(self, provider_id: str, flags: Mapping[str, int]) -> None:
        self.provider_id = provider_id
        self.flags = flags
        self._decoded: dict[str, ModelInfo] = {}

    @abstractmethod
    def record(self, id: str) -> bytes:
        """The record of one of the models, as JSON."""

    def having(self, flag: str) -> tuple[str, ...]:
        bit = _FLAGS[flag]
        return tuple(id for id, flags in self.flags.items() if flags & bit)

    def __getitem__(self, id: str) -> ModelInfo:
        try:
            return self._decoded[id]
        except KeyError:
            pass
        if id not in self.flags:
            raise KeyError(id)
        model = decode(self.provider_id, id, self.record(id))
        return self._decoded.setdefault(id, model)

    def __iter__(self) -> Iterator[str]:
        return iter(self.flags)

    def __len__(self) -> int:
        return len(self.flags)

    def __contains__(self, id: object) -> bool:
        return id in self.flags

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __repr__(self) -> str:
        return f"<{len(self)} models>"


def decode(provider_id: str, id: str, record: bytes) -> ModelInfo:
    """The model with this record; what a newer version wrote beyond it is skipped."""
    fields: dict[str, Any] = json.loads(record)
    try:
        return ModelInfo(id=id, provider_id=provider_id, **fields)
    except TypeError:
        return ModelInfo(id=id, provider_id=provider_id, **_known(ModelInfo, fields))


def _known(cls: type, fields: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, type] = {"limit": Limit, "cost": Cost, "modalities": Modalities}
    names = fields_dict(cls)
    return {
        name: _known(parts[name], value) if name in parts and value else value
        for name, value in fields.items()
        if name in names
    }


def _models(value: Any, provider: Any) -> Mapping[str, ModelInfo]:
    if isinstance(value, ModelMap):
        return value
    if not issubclass(type(value), Mapping):
        ids = sorted_ids(map(valid_id, _array(value)))
        return FrozenDict({id: ModelInfo(id=id, provider_id=provider.id) for id in ids})
    models = as_object(value)
    for key, model in models.items():
        if type(model) is not ModelInfo:
            raise TypeError(f"models[{key!r}]: expected ModelInfo, got {type(model).__name__}")
        if (model.id, model.provider_id) != (key, provider.id):
            raise ValueError(f"models[{key!r}] is {model.full_id!r}; the key is the bare id")
    return FrozenDict({key: models[key] for key in sorted_ids(models)})


def _overrides(value: Any) -> FrozenDict[str, Mapping[str, str]]:
    return FrozenDict({_text(key): _override(item) for key, item in as_object(value).items()})


def _override(value: Any) -> FrozenDict[str, str]:
    return FrozenDict({_text(key): _text(item) for key, item in as_object(value).items()})


def _variables(value: Any) -> tuple[str, ...]:
    return (_text(value),) if isinstance(value, str) else _texts(value)


if TYPE_CHECKING:  # checkers don't see through a Converter: this is what it takes

    def _to_models(value: Mapping[str, ModelInfo] | Iterable[str]) -> Mapping[str, ModelInfo]: ...

else:
    _to_models = Converter(_models, takes_self=True)


@frozen(eq=False, repr=False)
class ProviderConfig(Value):
    """One provider, as a gateway publishes it.

    `models` is keyed by the bare id; an iterable of ids will do. `url` may hold
    `${VARIABLE}` templates. `api_key_env_vars` are alternatives: the first that
    is set wins. `model_overrides` maps a bare id to `{"api", "npm", "shape"}`,
    where the model lives elsewhere than its provider. `unroutable` says why the
    provider can't be called with a URL and a key alone; None if it can.
    """

    id: str = field(converter=valid_provider_id)
    models: Mapping[str, ModelInfo] = field(converter=_to_models)
    name: str | None = field(default=None, converter=_opt_text)
    gateway: str | None = field(default=None, converter=_opt_text)
    url: str | None = field(default=None, converter=_opt_text)
    api_key_env_vars: tuple[str, ...] = field(default=(), converter=_variables)
    api_key_header: str | None = field(default=None, converter=_opt_text)
    doc_url: str | None = field(default=None, converter=_opt_text)
    npm: str | None = field(default=None, converter=_opt_text)
    model_overrides: Mapping[str, Mapping[str, str]] = field(default=EMPTY, converter=_overrides)
    unroutable: str | None = field(default=None, converter=_opt_text)

    @property
    def deprecated_models(self) -> tuple[str, ...]:
        """Bare ids whose status is "deprecated"; they stay in `models`."""
        if isinstance(self.models, ModelMap):
            return self.models.having("deprecated")
        return tuple(id for id, model in self.models.items() if model.status == "deprecated")

    def models_with(self, capability: str) -> tuple[str, ...]:
        """Bare ids of the models that are known to have this one of `CAPABILITIES`."""
        if isinstance(self.models, ModelMap):
            return self.models.having(capability)
        return tuple(id for id, model in self.models.items() if getattr(model, capability))


MODEL_FIELDS = tuple(name for name in fields_dict(ModelInfo) if name not in ("id", "provider_id"))
