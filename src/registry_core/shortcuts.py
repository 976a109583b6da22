"""Module-level functions that use the registry of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from ._base.model import CAPABILITIES, ModelInfo
from .registry import ModelRegistry

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

    from ._catalog.filters import Filters, Words
    from .endpoint import Endpoint
    from .errors import ArgumentError
    from .models import ProviderConfig
    from .report import Changes

V = TypeVar("V")

_MOST_TOKENS = 2**53  # floats are exact up to here


class _View(Mapping[str, V]):
    """A read-only mapping that asks the registry at each access, so it is always current."""

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
    """The model with this full id, such as "openai/gpt-4o", or with this role; else None."""
    return ModelRegistry.get_instance().get_model(id)


def find_models(text: Words | None = None, **filters: Unpack[Filters]) -> tuple[ModelInfo, ...]:
    """The models that fit all filters. Raises ArgumentError. For the arguments see
    `ModelRegistry.find_models`."""
    return ModelRegistry.get_instance().find_models(text, **filters)


def get_provider_config(id: str) -> ProviderConfig | None:
    """The provider with this id; None if it is unknown."""
    return ModelRegistry.get_instance().get_provider_config(id)


def get_registered_providers() -> tuple[str, ...]:
    """All provider ids, sorted."""
    return tuple(ModelRegistry.get_instance().get_providers())


def is_provider_registered(id: str) -> bool:
    """Whether there is a provider with this id."""
    return ModelRegistry.get_instance().is_provider_registered(id)


def is_valid_model_id(id: str) -> bool:
    """Whether this is the full id of a known model, or a role whose model is known."""
    return get_model(id) is not None


def model_supports(id: str, capability: str) -> bool | None:
    """Whether the model has this capability; None if the model or the capability is unknown.

    Raises ArgumentError for a name that is not in `CAPABILITIES`.
    """
    if capability not in CAPABILITIES:
        raise _no_capability(capability)
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
    """The cost of a call in USD; None if a price that is needed is unknown.

    `model` is a model or a full id. Counts are tokens, and each token is counted once: `input`
    excludes tokens read from a cache or written to one, and audio; `output` excludes reasoning
    and audio. `reasoning` costs the same as output, unless it has its own price. The context,
    by which tiers are chosen, is `input + cache_read + cache_write + input_audio`.

    Raises ArgumentError for a wrong count or model, and UnknownModelError for an id that no
    provider has.
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


def _no_capability(word: object) -> ArgumentError:
    from ._base.suggesting import did_you_mean
    from ._catalog.filters import WORDS
    from .errors import ArgumentError

    meant = WORDS.get(str(word), str(word))  # as `find_models(supports=…)` takes it
    side, _, modality = meant.partition(":")
    if modality:
        asks = f"accepts({modality!r})" if side == "input" else "modalities.output"
        hint = f"that is get_model(id).{asks}"
    else:
        hint = did_you_mean(meant, CAPABILITIES)
    return ArgumentError(f"can't be {word!r:.60}", culprit="capability", hint=hint)


def _no_argument(name: str, expected: str, value: object) -> ArgumentError:
    from .errors import ArgumentError

    return ArgumentError(f"expected {expected}, got {value!r:.60}", culprit=name)


def suggest(text: str, most: int = 3) -> tuple[str, ...]:
    """Full ids that `text` probably means, the most likely first; at most `most`.

    The model's name counts most; case, dots, dashes and dates hardly matter. Next counts the
    provider that `text` names, also as other libraries write it ("gemini/…", "bedrock/us.…",
    "openai:…"). The maker of a model comes before its resellers. Empty if nothing is similar.
    Raises ArgumentError if `text` is no text.
    """
    return ModelRegistry.get_instance().suggest(text, most)


def resolve(id: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Where and how to call this model. Raises ResolveError; see `ModelRegistry.resolve`."""
    return ModelRegistry.get_instance().resolve(id, environ)


def changes(since: datetime | None = None) -> tuple[Changes, ...]:
    """What each sync changed, oldest first: of the last 90 days, or since an aware time. Raises
    StoreError."""
    return ModelRegistry.get_instance().changes(since)
