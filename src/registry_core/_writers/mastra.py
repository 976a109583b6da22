"""Which providers Mastra can call, and what its records leave out.

The rules come from the output of Mastra 1.71.0 (see `docs/mastra.md`). They apply only to
Mastra's own files, and only to providers of the gateway models.dev. Providers of other
gateways are published unchanged. How Mastra calls each provider is a column of the table in
`known_providers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from ..models import ProviderConfig

_GATEWAY = "models.dev"
#: Prefix of model ids → the provider whose models Mastra's own router serves under it.
ALIASES = {"mastra": "openrouter"}
#: Provider → number of key variables that Mastra names, if not one.
_NAMED = {"google": 2}
#: Gateway → further variables that it names, which are not keys.
_BESIDE = {"netlify": ("NETLIFY_SITE_ID",)}
#: Generic packages, which Mastra uses by default and doesn't name.
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
    how = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).mastra
    return how == "sdk" or (how is None and provider.url is not None)


def key_variables(provider: ProviderConfig) -> tuple[str, ...]:
    """The variables that Mastra names. It requires all of them."""
    names = provider.api_key_env_vars
    if provider.gateway == _GATEWAY:
        return names[: _NAMED.get(provider.id, 1)]
    return names + _BESIDE.get(provider.gateway or "", ())


def key_header(provider: ProviderConfig) -> str | None:
    """The header of the key; None if an SDK package sets it."""
    how = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).mastra
    knows_itself = provider.gateway == _GATEWAY and how == "sdk"
    return None if knows_itself else provider.api_key_header


def package(provider: ProviderConfig) -> str | None:
    """The SDK package; None if it is a generic one."""
    generic = provider.gateway == _GATEWAY and provider.npm in _GENERIC_PACKAGES
    return None if generic else provider.npm
