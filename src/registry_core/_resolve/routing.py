"""From a provider and a model to an `Endpoint`, with a given environment."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from .._base.frozen import EMPTY
from .._base.url_template import BadValueError, UrlTemplate, operation, parse, version
from .._base.variable_names import base_url_variable, holds_secret, is_place
from .._base.warning import warn_once
from ..endpoint import Endpoint
from ..errors import HostChangedError, MissingCredentialError, ResolveError, UnroutableError
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from ..models import ModelInfo, ProviderConfig
from .bindings import Bindings, folded
from .dialects import dialect_of

_HEADER = re.compile(r"[A-Za-z0-9-]+")


def resolve(
    provider: ProviderConfig,
    model: ModelInfo,
    *,
    environ: Mapping[str, str],
    bound: Bindings,
    trusted_hosts: Collection[str] = (),
) -> Endpoint:
    """How to call `model` of `provider`.

    The base URL is `<PROVIDER>_BASE_URL`, else the URL of the model's override, else that of the
    provider, else that of the table of known providers. The key is the first key variable of
    the provider that is set. A server on this machine needs no key.

    Raises UnroutableError (the provider can't be called with a URL and a key),
    MissingCredentialError (a variable is not set), HostChangedError (a variable would go
    to an origin that it is not bound to; see `bindings`), ResolveError (the value of a variable
    can't be used). No message contains the value of a variable.
    """
    if provider.unroutable:
        raise UnroutableError(
            f"can't be called with a URL and a key: {provider.unroutable}",
            culprit=provider.id,
            hint="call it through its own SDK, or a gateway plugin that implements `endpoint`",
        )
    override = provider.model_overrides.get(model.id, EMPTY)
    own_variable = base_url_variable(provider.id)
    own_url = environ.get(own_variable, "").strip()
    known = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN)
    own_api = override.get("api") or provider.url or known.url
    url = own_url or own_api
    if not url:
        raise UnroutableError(
            f"has no known base URL for {model.id}",
            culprit=provider.id,
            hint=f"set {own_variable}",
        )
    template = _template(provider, url, own_variable, own_url)
    free = bool(own_url) or _trusted(template, trusted_hosts)

    def may_send(variable: str) -> bool:
        return free or template.origin in bound.origins(provider, variable)

    for variable in template.variables:
        place = is_place(variable)
        if not (place and free) and not bound.fills(provider, variable, template.origin):
            if place:
                raise _host_changed(provider, variable, template, bound)
            raise _no_place(provider, f"{variable}, whose name does not mean a place")
    base_url = _fill(provider, template, environ)
    key_variable = _key_variable(provider, environ, template.origin, bound)
    if key_variable is None and provider.api_key_env_vars and not parse(base_url).loopback:
        raise _missing_key(provider)
    if key_variable and not may_send(key_variable):
        raise _host_changed(provider, key_variable, template, bound)

    ending = operation(base_url)
    if ending:  # after the checks above: the hint is only for hosts that may get the key
        raise UnroutableError(
            f"its base URL {template.text} ends in {ending}, which the client adds by itself",
            culprit=provider.id,
            hint=f"set {own_variable} to what stands before {ending}",
        )
    dialect = dialect_of(provider.id, override.get("npm") or provider.npm, override.get("shape"))
    expected = own_url and own_api and version(own_api)
    if expected and dialect != "anthropic" and not version(base_url):
        warn_once(
            f"{own_variable}: its URL has no version such as {expected}, which {provider.id}'s own"
            " has; where calls end in 404, add it"
        )
    if dialect == "anthropic" and not base_url.endswith("/v1"):
        # Anthropic's own client takes ANTHROPIC_BASE_URL without the version; its paths
        # all start with /v1.
        base_url += "/v1"
    key = _key(key_variable, environ) if key_variable else None
    return Endpoint(
        base_url=base_url,
        model=model.id,
        dialect=dialect,
        api_key=key,
        headers=_key_header(provider, key),
    )


def _template(provider: ProviderConfig, url: str, own_variable: str, own_url: str) -> UrlTemplate:
    try:
        template = parse(url)
    except ValueError:
        template = None
    if own_url and (template is None or template.variables):
        raise ResolveError(
            "is not a plain base URL",
            culprit=own_variable,
            hint="write https://host[:port]/path, with no user name, query, fragment or variable",
        )
    _refuse_operation(own_variable, own_url)
    if template is None:
        raise UnroutableError(
            f"has a base URL that is not plain: {url[:200]!a}",
            culprit=provider.id,
            hint=f"set {own_variable}",
        )
    keys = set(map(folded, provider.api_key_env_vars))
    for name in template.variables:
        if folded(name) in keys or holds_secret(name):
            raise _no_place(provider, f"{name}, and secrets are not filled into URLs")
    return template


def _no_place(provider: ProviderConfig, asked: str) -> UnroutableError:
    return UnroutableError(
        f"its base URL needs {asked}",
        culprit=provider.id,
        hint=f"set {base_url_variable(provider.id)}",
    )


def _trusted(template: UrlTemplate, trusted_hosts: Collection[str]) -> bool:
    """Whether the user trusts this host by name. A host from a variable can't be trusted."""
    authority = template.origin.rpartition("//")[2]
    trusted = {host.strip().lower() for host in trusted_hosts}
    return (
        template.fixed and template.private and not trusted.isdisjoint({template.host, authority})
    )


def _key_variable(
    provider: ProviderConfig, environ: Mapping[str, str], origin: str, bound: Bindings
) -> str | None:
    """The first key variable that is set, preferably one that is bound to `origin`, else one that
    is bound for this provider elsewhere."""

    def doubt(variable: str) -> tuple[bool, bool]:
        homes = bound.origins(provider, variable)
        return origin not in homes, not homes

    present = (name for name in provider.api_key_env_vars if environ.get(name, "").strip())
    return min(present, key=doubt, default=None)


def _missing_key(provider: ProviderConfig) -> MissingCredentialError:
    variables = provider.api_key_env_vars
    return MissingCredentialError(
        f"needs a key: {' or '.join(variables)} is not set",
        culprit=provider.id,
        hint=f"set {variables[0]}",
    )


def _host_changed(
    provider: ProviderConfig, variable: str, template: UrlTemplate, bound: Bindings
) -> HostChangedError:
    homes = bound.origins(provider, variable) or bound.known_origins(variable)
    if template.fixed and template.private:
        host = template.origin.rpartition("//")[2]
        hint = (
            f'if you trust that host: trusted_hosts = ["{host}"] under [tool.registry-core] '
            f"in pyproject.toml, or REGISTRY_CORE_TRUSTED_HOSTS={host}"
        )
    else:
        hint = f"if you trust that address: set {base_url_variable(provider.id)}"
    return HostChangedError(
        f"{variable} is bound to {' and '.join(sorted(homes)) or 'no host'}, "
        f"but would go to {template.origin}",
        culprit=provider.id,
        hint=hint,
    )


def _fill(provider: ProviderConfig, template: UrlTemplate, environ: Mapping[str, str]) -> str:
    missing = [name for name in template.variables if not environ.get(name, "").strip()]
    if missing:
        raise MissingCredentialError(
            f"its base URL {template.text} needs {' and '.join(missing)}",
            culprit=provider.id,
            hint=f"set {' and '.join(missing)}",
        )
    for name in template.variables:
        _refuse_operation(name, environ[name].strip())
    try:
        return template.fill(environ)
    except BadValueError as error:
        raise ResolveError(
            f"holds a value that does not fit into {template.text}",
            culprit=str(error),
            hint="give only the part of the URL that it stands for",
        ) from None


def _refuse_operation(variable: str, url: str) -> None:
    ending = operation(url)
    if ending:
        raise ResolveError(
            f"ends in {ending}, which the client adds by itself",
            culprit=variable,
            hint=f"write only what stands before {ending}",
        )


def _key(variable: str, environ: Mapping[str, str]) -> str:
    key = environ[variable].strip()
    if not (key.isascii() and key.isprintable()):
        raise ResolveError(
            "holds characters that no HTTP header can carry",
            culprit=variable,
            hint="check how it was set; a line break inside, a typographic quotation mark?",
        )
    return key


def _key_header(provider: ProviderConfig, key: str | None) -> Mapping[str, str]:
    """The provider's own header for the key. "Authorization" stands for that of the dialect."""
    header = provider.api_key_header
    if key is None or header is None or header.lower() == "authorization":
        return EMPTY
    if not _HEADER.fullmatch(header):
        raise UnroutableError(f"has an invalid key header: {header!r}", culprit=provider.id)
    return {header: key}
