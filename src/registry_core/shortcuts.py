"""Module-level helpers over the registry of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from .models import CAPABILITIES, ModelInfo, ProviderConfig
from .registry import ModelRegistry

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

    from ._catalog.filters import Filters, Words
    from .endpoint import Endpoint
    from .errors import ArgumentError
    from .report import Changes

V = TypeVar("V")

_MOST_TOKENS = 2**53  # up to here a float is exact


class _View(Mapping[str, V]):
    """A read-only mapping that asks the registry at each access, so that it never ages."""

    __slots__ = ("_all", "_read")

    def __init__(
        self, all: Callable[[], Mapping[str, V]], read: Callable[[ProviderConfig], V]
    ) -> None:
        self._all = all
        self._read = read

    def __getitem__(self, id: str) -> V:
        provider = get_provider_config(id)
        if provider is None:
            raise KeyError(id)
        return self._read(provider)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<{len(self)} providers>"


PROVIDER_REGISTRY: Mapping[str, ProviderConfig] = _View(
    lambda: ModelRegistry.get_instance().get_providers(), lambda provider: provider
)
"""Provider id → its configuration."""

PROVIDER_MODELS: Mapping[str, tuple[str, ...]] = _View(
    lambda: ModelRegistry.get_instance().get_models(), lambda provider: tuple(provider.models)
)
"""Provider id → its bare model ids, sorted."""


def get_model(id: str) -> ModelInfo | None:
    """The model with this full id, as "openai/gpt-4o", or of this role; else None."""
    return ModelRegistry.get_instance().get_model(id)


def find_models(text: Words | None = None, **filters: Unpack[Filters]) -> tuple[ModelInfo, ...]:
    """The models that fit all that is asked. Raises ArgumentError; see
    `ModelRegistry.find_models`, which has the arguments."""
    return ModelRegistry.get_instance().find_models(text, **filters)


def get_provider_config(id: str) -> ProviderConfig | None:
    """The provider with this id; None if it is unknown."""
    return ModelRegistry.get_instance().get_provider_config(id)


def get_registered_providers() -> tuple[str, ...]:
    """All provider ids, sorted."""
    return tuple(ModelRegistry.get_instance().get_providers())


def is_provider_registered(id: str) -> bool:
    return ModelRegistry.get_instance().is_provider_registered(id)


def is_valid_model_id(id: str) -> bool:
    """Whether the provider and the model are both known, or the model of a role."""
    return get_model(id) is not None


def model_supports(id: str, capability: str) -> bool | None:
    """True, False, or None if the model or the capability is unknown.

    Raises ValueError for a name that is no capability.
    """
    if capability not in CAPABILITIES:
        raise ValueError(f"{capability!r} is none of {', '.join(CAPABILITIES)}")
    model = get_model(id)
    supported: bool | None = None if model is None else getattr(model, capability)
    return supported


def estimate_cost(
    model: ModelInfo | str,
    *,
    input: int = 0,
    output: int = 0,
    cache_read: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    input_audio: int = 0,
    output_audio: int = 0,
) -> float | None:
    """What a call costs, in USD; None if a price that is needed is unknown.

    Counts are tokens, and each token is counted once: `input` without what was read from a
    cache, written to one, or sound; `output` without reasoning and sound. `reasoning` costs what
    output costs, unless it has a price of its own. Prices are those for a context of the size
    `input + cache_read + cache_write + input_audio`. `model`: a model, or a full id.

    Raises ArgumentError for what is no count or no model, UnknownModelError for an id that
    no provider has.
    """
    from ._base.costs import cost_of

    counts = {
        "input": input,
        "output": output,
        "cache_read": cache_read,
        "cache_write": cache_write,
        "reasoning": reasoning,
        "input_audio": input_audio,
        "output_audio": output_audio,
    }
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _MOST_TOKENS:
            raise _no_argument(name, "a whole number from 0 to 2**53", count)
    if not isinstance(model, (str, ModelInfo)):
        raise _no_argument("model", "a model or a full id", model)
    known = get_model(model) if isinstance(model, str) else model
    if known is None:
        from ._base.suggesting import hint
        from .errors import UnknownModelError

        registry = ModelRegistry.get_instance()
        near = hint(str(model), registry.get_models(), registry.snapshot().roles)
        raise UnknownModelError("no provider has this model", culprit=str(model), hint=near)
    return cost_of(known.cost, counts)


def _no_argument(name: str, expected: str, value: object) -> ArgumentError:
    from .errors import ArgumentError

    return ArgumentError(f"expected {expected}, got {value!r:.60}", culprit=name)


def suggest(text: str, most: int = 3) -> tuple[str, ...]:
    """Full ids that `text` was probably meant to be, the most likely first; at most `most`.

    The model's name counts most, without regard to case, dots, dashes and dates; then the
    provider that `text` names, also as other libraries write it ("gemini/…", "bedrock/us.…",
    "openai:…"), and the model's own maker before its resellers. Empty if nothing is alike.
    """
    return ModelRegistry.get_instance().suggest(text, most)


def resolve(id: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Where and how to call this model. Raises ResolveError; see `ModelRegistry.resolve`."""
    return ModelRegistry.get_instance().resolve(id, environ)


def changes(since: datetime | None = None) -> tuple[Changes, ...]:
    """What each sync of the last 90 days has changed, oldest first; of those since then, an aware
    time. Raises StoreError."""
    return ModelRegistry.get_instance().changes(since)
