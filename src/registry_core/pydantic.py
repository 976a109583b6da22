"""Model ids as fields of pydantic models, checked against the registry of this process.

Needs `pip install "registry-core[pydantic]"`. The error suggests ids. For types that type
checkers check, see `registry_core_types`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ._base.suggesting import hint
from .registry import ModelRegistry
from .shortcuts import suggest


def _known(id: str) -> str:
    """`id`, if it is the id of a model in the registry, or a role of one."""
    if ModelRegistry.get_instance().get_model(id) is None:
        raise _unknown(id, "no provider has this model")
    return id


def _possible(id: str) -> str:
    """`id`, if `resolve` could accept it: a known one, or any id of a known provider."""
    registry = ModelRegistry.get_instance()
    provider, _ = registry.split(id)
    known = provider is not None and registry.is_provider_registered(provider)
    return id if known else _known(id)


def _unknown(id: str, message: str) -> PydanticCustomError:
    registry = ModelRegistry.get_instance()
    meant = hint(id, registry.get_models(), registry.snapshot().roles)
    return PydanticCustomError(
        "unknown_model",
        "{reason}; {hint}" if meant else "{reason}",
        {"reason": message, "hint": meant, "suggestions": [*suggest(id)]},
    )


ModelIdField = Annotated[
    str, AfterValidator(_possible), Field(title="Model id", examples=["openai/gpt-4o"])
]
"""A role, or a full id of a known provider. The model may be newer than the registry."""

KnownModelIdField = Annotated[
    str, AfterValidator(_known), Field(title="Known model id", examples=["openai/gpt-4o"])
]
"""A full id of a model in the registry, or a role."""

__all__ = ["KnownModelIdField", "ModelIdField"]
