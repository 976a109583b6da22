"""Which providers Mastra can call, and what it leaves out of their records.

Read from the output of Mastra 1.71.0 (see `docs/mastra.md`). The registry holds
every provider whole; these rules are for Mastra's own files, and only for providers
of the models.dev gateway: those of other gateways are published as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models import ProviderConfig
    from ..snapshot import Snapshot

_GATEWAY = "models.dev"

#: Called through an SDK package that knows the URL and the key header by itself.
_WITH_SDK = frozenset(
    {
        "anthropic",
        "cerebras",
        "deepinfra",
        "deepseek",
        "google",
        "groq",
        "mistral",
        "openai",
        "openrouter",
        "perplexity",
        "togetherai",
        "vercel",
        "xai",
    }
)
#: Needs a login that an API key can't replace.
_EXCLUDED = frozenset({"github-copilot"})
#: The packages that Mastra uses for whoever names none, and so doesn't name.
_GENERIC_PACKAGES = frozenset({"@ai-sdk/gateway", "@ai-sdk/openai-compatible"})


def callable_providers(snapshot: Snapshot) -> Iterator[tuple[ProviderConfig, tuple[str, ...]]]:
    """The providers that Mastra's files list, each with its sorted bare model ids."""
    models = snapshot.get_models()
    for id, provider in snapshot.get_providers().items():
        if can_call(provider):
            yield provider, models[id]


def can_call(provider: ProviderConfig) -> bool:
    """Whether Mastra can call it: there is an SDK package for it, or a URL to send to."""
    if provider.gateway != _GATEWAY:
        return True
    if provider.id in _EXCLUDED:
        return False
    return provider.id in _WITH_SDK or provider.url is not None


def key_header(provider: ProviderConfig) -> str | None:
    """The header of the key, None where an SDK package sets it."""
    knows_itself = provider.gateway == _GATEWAY and provider.id in _WITH_SDK
    return None if knows_itself else provider.api_key_header


def package(provider: ProviderConfig) -> str | None:
    """The SDK package, None where it is a generic one."""
    generic = provider.gateway == _GATEWAY and provider.npm in _GENERIC_PACKAGES
    return None if generic else provider.npm
