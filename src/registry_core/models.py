"""What the registry holds: frozen, deeply immutable values.

Unknown is None everywhere: a missing price is not 0, a missing limit is not 0,
a missing capability is not False. Constructors are strict (they raise TypeError
or ValueError naming the field); `structure.py` is the tolerant way in for
records that a stranger sent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from attrs import Converter, field, fields_dict, frozen

from .frozen import EMPTY, FrozenDict, freeze, portable, sorted_ids

T = TypeVar("T")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value if value.isascii() else portable(value)


def _opt_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _flag(value: Any) -> bool | None:
    if value is None or value is True or value is False:
        return value
    raise TypeError(f"expected true or false, got {type(value).__name__}")


def _price(value: Any) -> float | int | None:
    if value is None:
        return None
    if type(value) is not int and type(value) is not float:
        raise TypeError(f"expected a number, got {type(value).__name__}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"expected a finite number of at least 0, got {value}")
    return value


def _tokens(value: Any) -> int | None:
    """A count of tokens; sources write 0 for "unknown"."""
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise TypeError(f"expected a whole number, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"expected a positive number, got {value}")
    return value or None


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"expected a list of texts, got {type(value).__name__}")
    return tuple(map(_text, value))


def _opt_texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else _texts(value)


def _mapping(value: Any) -> FrozenDict[str, Any]:
    if type(value) is FrozenDict:
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    frozen_value: FrozenDict[str, Any] = freeze(value)
    return frozen_value


def _tiers(value: Any) -> tuple[FrozenDict[str, Any], ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"expected a list of objects, got {type(value).__name__}")
    return tuple(map(_mapping, value))


def _nested(cls: Callable[..., T]) -> Callable[[Any], T]:
    def convert(value: Any) -> T:
        if isinstance(value, Mapping):
            return cls(**value)
        if type(value) is not cls:
            raise TypeError(f"expected an object, got {type(value).__name__}")
        return value

    return convert


def _opt_nested(cls: Callable[..., T]) -> Callable[[Any], T | None]:
    convert = _nested(cls)
    return lambda value: None if value is None else convert(value)


@frozen
class Limit:
    """Sizes in tokens; None where the source doesn't say (or says 0)."""

    context: int | None = field(default=None, converter=_tokens)
    input: int | None = field(default=None, converter=_tokens)
    output: int | None = field(default=None, converter=_tokens)


@frozen
class Cost:
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


@frozen
class Modalities:
    """What goes in and comes out: "text", "image", "audio", …; None is unknown."""

    input: tuple[str, ...] | None = field(default=None, converter=_opt_texts)
    output: tuple[str, ...] | None = field(default=None, converter=_opt_texts)


NO_LIMIT = Limit()
NO_MODALITIES = Modalities()


@frozen
class ModelInfo:
    """One model of one provider.

    `id` is the bare id (it may hold slashes); `full_id` is `provider_id/id`.
    Dates are text, as precise as the source gives them ("2024-05", "2024-05-13").
    `extra` keeps what the source says beyond these fields.
    """

    id: str = field(converter=_text)
    provider_id: str = field(converter=_text)
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
    limit: Limit = field(default=NO_LIMIT, converter=_nested(Limit))
    cost: Cost | None = field(default=None, converter=_opt_nested(Cost))
    modalities: Modalities = field(default=NO_MODALITIES, converter=_nested(Modalities))
    extra: Mapping[str, Any] = field(default=EMPTY, converter=_mapping)

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


class ModelMap(Mapping[str, ModelInfo]):
    """Base of the lazy mappings that a stored snapshot hands out."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def __repr__(self) -> str:
        return f"<{len(self)} models>"


def _models(value: Any, provider: ProviderConfig) -> Mapping[str, ModelInfo]:
    if isinstance(value, ModelMap) or type(value) is FrozenDict:
        return value
    if isinstance(value, Mapping):
        for key, model in value.items():
            if not isinstance(model, ModelInfo):
                raise TypeError(f"models[{key!r}]: expected ModelInfo, got {type(model).__name__}")
            if (model.id, model.provider_id) != (key, provider.id):
                raise ValueError(f"models[{key!r}] is {model.full_id!r}; the key is the bare id")
        return FrozenDict({key: value[key] for key in sorted_ids(value)})
    return FrozenDict({id: ModelInfo(id=id, provider_id=provider.id) for id in sorted_ids(_texts(value))})


def _variables(value: Any) -> tuple[str, ...]:
    return (_text(value),) if isinstance(value, str) else _texts(value)


@frozen
class ProviderConfig:
    """One provider, as a gateway publishes it.

    `models` is keyed by the bare id; an iterable of ids will do. `url` may hold
    `${VARIABLE}` templates. `api_key_env_vars` are alternatives: the first that
    is set wins. `model_overrides` maps a bare id to `{"api", "npm", "shape"}`,
    where the model lives elsewhere than its provider. `unroutable` says why the
    provider can't be called with a URL and a key alone; None if it can.
    """

    id: str = field(converter=_text)
    models: Mapping[str, ModelInfo] = field(
        converter=Converter(_models, takes_self=True)  # type: ignore[misc]  # attrs' typing of takes_self
    )
    name: str | None = field(default=None, converter=_opt_text)
    gateway: str | None = field(default=None, converter=_opt_text)
    url: str | None = field(default=None, converter=_opt_text)
    api_key_env_vars: tuple[str, ...] = field(default=(), converter=_variables)
    api_key_header: str | None = field(default=None, converter=_opt_text)
    doc_url: str | None = field(default=None, converter=_opt_text)
    npm: str | None = field(default=None, converter=_opt_text)
    model_overrides: Mapping[str, Mapping[str, str]] = field(default=EMPTY, converter=_mapping)
    unroutable: str | None = field(default=None, converter=_opt_text)

    @property
    def deprecated_models(self) -> tuple[str, ...]:
        """Bare ids whose status is "deprecated"; they stay in `models`."""
        return tuple(id for id, model in self.models.items() if model.status == "deprecated")


MODEL_FIELDS = tuple(name for name in fields_dict(ModelInfo) if name not in ("id", "provider_id"))
