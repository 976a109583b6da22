"""Where a call of a model goes, as far as a lookup knows. No plugin is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._base.frozen import EMPTY
from .._base.url_template import parse
from .._base.variable_names import base_url_variable
from .._catalog.usable import can_call
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from .values import plain

if TYPE_CHECKING:
    from collections.abc import Collection

    from .._world import World
    from ..models import ProviderConfig

Environ = Mapping[str, str]


def call(provider: ProviderConfig, model: str, environ: Environ) -> dict[str, Any]:
    """URL, dialect and variables for `model` (a bare id, or "" for any model of the provider), as
    JSON values. For variables it says only whether they are set, never the value of a key."""
    from .._resolve.dialects import dialect_of

    override = provider.model_overrides.get(model, EMPTY)
    own = base_url_variable(provider.id)
    url, said_by = _url(provider, override, environ)
    return {
        "url": url,
        "url_from": said_by,
        "dialect": dialect_of(
            provider.id, override.get("npm") or provider.npm, override.get("shape")
        ),
        "keys": {variable: _is_set(variable, environ) for variable in provider.api_key_env_vars},
        "places": {variable: _is_set(variable, environ) for variable in _places(url)},
        "url_variable": own,
        "unroutable": provider.unroutable,
        "usable": can_call(provider, override.get("api"), environ),
    }


def checked_call(provider: ProviderConfig, model: str, world: World) -> dict[str, Any]:
    """`call`, and why `resolve` refuses to send the keys that are set, except for what `call` says
    itself. A gateway that answers by its own `endpoint` is not asked."""
    from .._resolve.bindings import bindings_of
    from .._resolve.routing import resolve
    from ..errors import MissingCredentialError, ResolveError
    from ..models import ModelInfo

    goes = call(provider, model, world.environ)

    def refusal(trusted_hosts: Collection[str]) -> str | None:
        asked, bound = ModelInfo(model or "any", provider.id), bindings_of(world)
        try:
            resolve(
                provider, asked, environ=world.environ, bound=bound, trusted_hosts=trusted_hosts
            )
        except MissingCredentialError:
            return None
        except ResolveError as error:
            return str(error)
        return None

    # Without a key there is nothing to refuse, and the bundle need not be read. The project's file
    # is read only if that may help.
    asks = any(goes["keys"].values()) and goes["url"] is not None and not goes["unroutable"]
    refused = (asks and refusal(()) and refusal(world.settings.trusted_hosts)) or None
    return {**goes, "usable": goes["usable"] and not refused, "refused": refused}


def _url(
    provider: ProviderConfig, override: Mapping[str, str], environ: Environ
) -> tuple[str | None, str | None]:
    """The URL, and where it is from. None if it is unknown here."""
    own = base_url_variable(provider.id)
    if typed := environ.get(own, "").strip():
        try:
            parse(typed)
        except ValueError:
            return None, own  # it may hold a password
        return typed, own
    known = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    if api := override.get("api") or provider.url:
        return api, "gateway"
    return known, "well known" if known else None


def _places(url: str | None) -> tuple[str, ...]:
    try:
        return tuple(parse(url).variables) if url else ()
    except ValueError:
        return ()


def _is_set(variable: str, environ: Environ) -> bool:
    return bool(environ.get(variable, "").strip())


def is_usable(provider: ProviderConfig, environ: Environ) -> bool:
    """Whether the environment has what a call of one of its models needs."""
    urls = (None, *(override.get("api") for override in provider.model_overrides.values()))
    return any(can_call(provider, url, environ) for url in dict.fromkeys(urls))


def provider_fields(provider: ProviderConfig, environ: Environ) -> dict[str, Any]:
    """Its record with the bare ids of its models, and the values of `call` for missing ones."""
    from .._base.frozen import thaw

    about = call(provider, "", environ)
    keys = about["keys"]
    return {
        "id": provider.id,
        "name": provider.name,
        "gateway": provider.gateway,
        "url": about["url"],
        "dialect": about["dialect"],
        "api_key_env_vars": [*provider.api_key_env_vars],
        "api_key_header": provider.api_key_header,
        "key": any(keys.values()) if keys else None,
        "usable": about["usable"],
        "doc_url": provider.doc_url,
        "npm": provider.npm,
        "unroutable": provider.unroutable,
        "model_overrides": thaw(provider.model_overrides),
        "models": [*provider.models],
    }


def provider_cell(row: Mapping[str, Any], name: str) -> str:
    """The text in a column of a provider, from its `provider_fields`."""
    value = row[name]
    return str(len(value)) if name == "models" else plain(value)
