"""Module-level helpers over the registry of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from .models import CAPABILITIES, ModelInfo, ProviderConfig
from .registry import ModelRegistry

if TYPE_CHECKING:
    from datetime import datetime

    from .endpoint import Endpoint
    from .report import Changes

V = TypeVar("V")


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


def resolve(id: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Where and how to call this model. Raises ResolveError; see `ModelRegistry.resolve`."""
    return ModelRegistry.get_instance().resolve(id, environ)


def changes(since: datetime | None = None) -> tuple[Changes, ...]:
    """What each sync of the last 90 days has changed, oldest first; of those since then, an aware
    time. Raises StoreError."""
    return ModelRegistry.get_instance().changes(since)
