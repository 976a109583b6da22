"""Which variable may be sent to which origin.

A registry is data from the network, and says both which variable holds a key and where
to send it. Somebody who can change that data could ask for any secret at any address. So a
variable goes only where it is *bound* for that provider:

- for a provider of the bundle, by the bundle, which came with the package;
- for any other, by the first sync that saw it, except variables that were already bound
  elsewhere, and keys of more than one vendor;
- for a registry frozen from a file that the user chose, by that file, with the same
  exceptions.

URLs are logged everywhere, and a secret may have any name. So what is filled into one is a
place: by the bundle, where it has it there, else by its name (`_base.variable_names`).

Names of variables are compared without case, as Windows' environment compares them: there
`openai_api_key` holds the key of OpenAI, too.

What the user names (trusted hosts, `<PROVIDER>_BASE_URL`) is in `routing`.
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
    from ..models import ProviderConfig

#: A variable, and an origin (`scheme://host[:port]`, as in the URL template).
Pair = tuple[str, str]

#: What syncs remember: provider id → its pairs.
Memory = Mapping[str, Iterable[Pair]]

#: Stands in a pair for "nowhere": the variable is known, its provider has no URL.
NOWHERE = ""


def folded(variable: str) -> str:
    """The name as it is compared. Everywhere, not on Windows alone: the environment is
    passed in, and a mapping doesn't tell how it compares its keys.

    In upper case as `os.environ` does it (it takes "ı" for "I"), then in lower case for
    those who do that (they take the Kelvin sign for "k").
    """
    return variable.upper().lower()


def pairs(provider: ProviderConfig) -> frozenset[Pair]:
    """What `provider` asks for: key variables at all its origins, template variables at theirs."""
    origins = {template.origin for template in _templates(provider)} or {NOWHERE}
    keys = {(name, origin) for name in provider.api_key_env_vars for origin in origins}
    return _places(provider).union(keys)


def remember(
    providers: Iterable[ProviderConfig],
    bundle: Mapping[str, ProviderConfig],
    remembered: Memory,
) -> FrozenDict[str, tuple[Pair, ...]]:
    """What to remember after a sync of `providers`; sorted.

    A provider that is already remembered keeps its pairs, for ever; those of the bundle
    are never remembered, nor are those without a URL. A new one gets what it asks for,
    less the variables that the bundle or the memory binds to other origins, and less keys
    that don't begin with the same word as its first. `remembered` is what this returned last.
    """
    kept = {id: frozenset(own) for id, own in remembered.items() if id not in bundle}
    others = (one for one in providers if one.id not in bundle and one.id not in remembered)
    new = [one for one in others if any(_templates(one))]
    claims = _claims(map(pairs, bundle.values()), kept.values()) if new else {}
    kept |= {provider.id: _granted(provider, claims) for provider in new}
    return FrozenDict({id: tuple(sorted(kept[id])) for id in sorted(kept)})


@frozen
class Bindings:
    """What is bound: the providers of the bundle, and what `remember` returned for the others.

    `remembered` is None for a registry that is frozen from a file that the user chose.
    """

    bundle: Mapping[str, ProviderConfig]
    remembered: Memory | None

    def origins(self, provider: ProviderConfig, variable: str) -> frozenset[str]:
        """Where `variable` may be sent for `provider`."""
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
        """Whether `variable` may be filled into a URL of `provider` at `origin`: its provider
        comes with the bundle and has it there, or it is bound and its name says a place."""
        known = self.bundle.get(provider.id)
        if known is not None:
            return (folded(variable), origin) in {(folded(name), at) for name, at in _places(known)}
        return is_place(variable) and origin in self.origins(provider, variable)

    def known_origins(self, variable: str) -> frozenset[str]:
        """Where `variable` is bound for any provider; for messages."""
        return frozenset(self._all_claims().get(folded(variable), ())) - {NOWHERE}

    def _all_claims(self) -> dict[str, set[str]]:
        return _claims(map(pairs, self.bundle.values()), (self.remembered or {}).values())


def _templates(provider: ProviderConfig) -> Iterator[UrlTemplate]:
    default = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    overrides = (override.get("api") for override in provider.model_overrides.values())
    for url in (provider.url, default, *overrides):
        if url:
            try:
                yield parse(url)
            except ValueError:  # can't be called, so needs no binding
                continue


def _places(provider: ProviderConfig) -> frozenset[Pair]:
    templates = _templates(provider)
    return frozenset((name, one.origin) for one in templates for name in one.variables)


def _claims(*owners: Iterable[Iterable[Pair]]) -> dict[str, set[str]]:
    """Folded name → origins."""
    claims: dict[str, set[str]] = {}
    for own in (own for group in owners for own in group):
        for name, origin in own:
            claims.setdefault(folded(name), set()).add(origin)
    return claims


def _granted(provider: ProviderConfig, claims: Mapping[str, set[str]]) -> frozenset[Pair]:
    """What a provider that is not in the bundle gets of what it asks for: what nobody else
    claims elsewhere, and of its keys those of one vendor, or it could fish with a long list."""
    free = {pair for pair in pairs(provider) if pair[1] in claims.get(folded(pair[0]), (pair[1],))}
    names = {name for name, _ in free}
    keys = [name for name in provider.api_key_env_vars if name in names]
    others = {name for name in keys if _vendor(name) != _vendor(keys[0])}
    return frozenset(pair for pair in free if pair[0] not in others)


def _vendor(variable: str) -> str:
    return folded(variable).partition("_")[0]
