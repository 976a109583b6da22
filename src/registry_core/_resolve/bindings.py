"""Which variable may be sent to which origin.

A registry is data from the network. It says both which variable holds a key and where to send
it, so somebody who can change that data could get any secret. Therefore a variable goes only
to origins to which it is *bound* for that provider:

- For a provider of the bundle, the bundle binds it, which came with the package.
- For any other provider, the first sync that saw it binds it, except variables that were already
  bound elsewhere, and keys of more than one vendor.
- For a registry frozen from a file that the user chose, the file binds it, with the same
  exceptions.

URLs end up in logs, and a secret may have any name. So only places are filled into a URL:
variables that the bundle has in it, else variables whose names mean a place
(`_base.variable_names`).

Names of variables are compared without case, as in the environment of Windows, where
`openai_api_key` also holds the key of OpenAI.

The user's own choices (trusted hosts, `<PROVIDER>_BASE_URL`) are in `routing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from .._base.frozen import FrozenDict
from .._base.url_template import UrlTemplate, parse
from .._base.variable_names import is_place
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN

if TYPE_CHECKING:
    from .._world import World
    from ..models import ProviderConfig

#: A variable, and an origin (`scheme://host[:port]`, as in the URL template).
Pair = tuple[str, str]

#: The bindings that syncs remember: provider id → its pairs.
Memory = Mapping[str, Iterable[Pair]]

#: The origin in a pair whose provider has no URL.
NOWHERE = ""


def folded(variable: str) -> str:
    """The name in the form in which names are compared, on every system: the environment is
    passed in, and a mapping doesn't say how it compares keys.

    First upper case, as in `os.environ` (which maps "ı" to "I"), then lower case, as elsewhere
    (which maps the Kelvin sign to "k").
    """
    return variable.upper().lower()


def pairs(provider: ProviderConfig) -> frozenset[Pair]:
    """The pairs that `provider` asks for: key variables at all its origins, template variables at
    their own."""
    origins = {template.origin for template in _templates(provider)} or {NOWHERE}
    keys = {(name, origin) for name in provider.api_key_env_vars for origin in origins}
    return _places(provider).union(keys)


def remember(
    providers: Iterable[ProviderConfig],
    bundle: Mapping[str, ProviderConfig],
    remembered: Memory,
) -> FrozenDict[str, tuple[Pair, ...]]:
    """The bindings to remember after a sync of `providers`, sorted.

    `remembered` is the previous result. A remembered provider keeps its pairs forever. Providers
    of the bundle, and those without a URL, are not remembered. A new provider gets the pairs
    that it asks for, without variables that the bundle or the memory binds to other origins, and
    without keys that don't begin with the same word as its first key.
    """
    bound = {id: frozenset(own) for id, own in remembered.items() if id not in bundle}
    unbound = (
        provider
        for provider in providers
        if provider.id not in bundle and provider.id not in remembered
    )
    new = [provider for provider in unbound if any(_templates(provider))]
    claims = _claims(map(pairs, bundle.values()), bound.values()) if new else {}
    bound |= {provider.id: _granted(provider, claims) for provider in new}
    return FrozenDict({id: tuple(sorted(bound[id])) for id in sorted(bound)})


@frozen
class Bindings:
    """The bindings of the bundle, and those of `remember` for other providers.

    `remembered` is None for a registry that is frozen from a file that the user chose.
    """

    bundle: Mapping[str, ProviderConfig]
    remembered: Memory | None

    def origins(self, provider: ProviderConfig, variable: str) -> frozenset[str]:
        """The origins to which `variable` may be sent for `provider`."""
        known = self.bundle.get(provider.id)
        if known is not None:
            own = pairs(known)
        elif self.remembered is not None:
            own = frozenset(self.remembered.get(provider.id, ()))
        else:
            own = _granted(provider, self._all_claims())
        wanted = folded(variable)
        return frozenset(origin for name, origin in own if folded(name) == wanted) - {NOWHERE}

    def fills(self, provider: ProviderConfig, variable: str, origin: str) -> bool:
        """Whether `variable` may be filled into a URL of `provider` at `origin`: the bundle has
        it there; or, for other providers, it is bound and its name means a place."""
        known = self.bundle.get(provider.id)
        if known is not None:
            return (folded(variable), origin) in {(folded(name), at) for name, at in _places(known)}
        return is_place(variable) and origin in self.origins(provider, variable)

    def known_origins(self, variable: str) -> frozenset[str]:
        """The origins to which `variable` is bound for any provider; for messages."""
        return frozenset(self._all_claims().get(folded(variable), ())) - {NOWHERE}

    def _all_claims(self) -> dict[str, set[str]]:
        return _claims(map(pairs, self.bundle.values()), (self.remembered or {}).values())


def bindings_of(world: World) -> Bindings:
    """The bindings of what `world` serves. Raises StoreError."""
    # Nothing is remembered for a registry that is frozen from a file that the user chose.
    remembered = None if world.lookups.snapshot else world.state().bindings
    return Bindings(world.bundle.load().get_providers(), remembered)


def _templates(provider: ProviderConfig) -> Iterator[UrlTemplate]:
    default = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    overrides = (override.get("api") for override in provider.model_overrides.values())
    for url in (provider.url, default, *overrides):
        if url:
            try:
                yield parse(url)
            except ValueError:  # it can't be called, so it needs no binding
                continue


def _places(provider: ProviderConfig) -> frozenset[Pair]:
    templates = _templates(provider)
    return frozenset(
        (name, template.origin) for template in templates for name in template.variables
    )


def _claims(*owners: Iterable[Iterable[Pair]]) -> dict[str, set[str]]:
    """Folded name → origins."""
    claims: dict[str, set[str]] = {}
    for own in (own for group in owners for own in group):
        for name, origin in own:
            claims.setdefault(folded(name), set()).add(origin)
    return claims


def _granted(provider: ProviderConfig, claims: Mapping[str, set[str]]) -> frozenset[Pair]:
    """The pairs that a provider outside the bundle gets: those that no other provider claims for
    another origin, and only keys of one vendor, so that it can't try a long list."""
    free = {pair for pair in pairs(provider) if pair[1] in claims.get(folded(pair[0]), (pair[1],))}
    names = {name for name, _ in free}
    keys = [name for name in provider.api_key_env_vars if name in names]
    others = {name for name in keys if _vendor(name) != _vendor(keys[0])}
    return frozenset(pair for pair in free if pair[0] not in others)


def _vendor(variable: str) -> str:
    return folded(variable).partition("_")[0]
