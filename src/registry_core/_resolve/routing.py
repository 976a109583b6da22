"""From a provider and a model to an `Endpoint`. Pure: the environment is passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from .._base.frozen import EMPTY
from .._config.variables import as_variable
from ..endpoint import Endpoint
from ..errors import HostChangedError, MissingCredentialError, ResolveError, UnroutableError
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from ..models import ModelInfo, ProviderConfig
from .bindings import Bindings, folded
from .dialects import dialect_of
from .url_template import BadValueError, UrlTemplate, parse

_HEADER = re.compile(r"[A-Za-z0-9-]+")

#: Words in the name of a variable that holds a secret. URLs are logged everywhere, so
#: such a variable is never filled into one.
_SECRET = frozenset(
    {"APIKEY", "AUTH", "CREDENTIAL", "CREDENTIALS", "KEY", "PASSWORD", "PAT", "SECRET", "TOKEN"}
)


def base_url_variable(provider_id: str) -> str:
    """The name of `<PROVIDER>_BASE_URL`: "my-ai.v2" gives "MY_AI_V2_BASE_URL"."""
    return f"{as_variable(provider_id)}_BASE_URL"


def resolve(
    provider: ProviderConfig,
    model: ModelInfo,
    *,
    environ: Mapping[str, str],
    bound: Bindings,
    trusted_hosts: Collection[str] = (),
) -> Endpoint:
    """How to call `model` of `provider`.

    The base URL is that of `<PROVIDER>_BASE_URL`, else of the model's override, else of
    the provider, else of the table of known providers. The key is that of the first of the
    provider's key variables that is set.

    Raises UnroutableError (the provider can't be called with a URL and a key),
    MissingCredentialError (a variable is not set), HostChangedError (a variable would go
    to an origin that it is not bound to; see `bindings`), ResolveError (a variable holds
    what can't be used). No message holds the value of a variable.
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
    template = _template(provider, override.get("api"), own_variable, own_url)
    free = bool(own_url) or _trusted(template, trusted_hosts)

    def may_send(variable: str) -> bool:
        return free or template.origin in bound.origins(provider, variable)

    key_variable = _key_variable(provider, environ, may_send)
    for variable in (*template.variables, *filter(None, (key_variable,))):
        if not may_send(variable):
            raise _host_changed(provider, variable, template, bound)

    dialect = dialect_of(provider.id, override.get("npm") or provider.npm, override.get("shape"))
    base_url = _fill(provider, template, environ)
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


def _template(
    provider: ProviderConfig, override: str | None, own_variable: str, own_url: str
) -> UrlTemplate:
    default = KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    url = own_url or override or provider.url or default
    if not url:
        raise UnroutableError(
            "has no known base URL", culprit=provider.id, hint=f"set {own_variable}"
        )
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
    if template is None:
        raise UnroutableError(
            f"has a base URL that is not plain: {url[:200]!a}",
            culprit=provider.id,
            hint=f"set {own_variable}",
        )
    keys = set(map(folded, provider.api_key_env_vars))
    for name in template.variables:
        if folded(name) in keys or _SECRET.intersection(name.upper().split("_")):
            raise UnroutableError(
                f"its base URL asks for {name}, and a secret does not go into a URL",
                culprit=provider.id,
                hint=f"set {own_variable}",
            )
    return template


def _trusted(template: UrlTemplate, trusted_hosts: Collection[str]) -> bool:
    """Whether the user trusts this host by name; one from a variable has none."""
    authority = template.origin.rpartition("//")[2]
    trusted = {host.strip().lower() for host in trusted_hosts}
    return (
        template.fixed and template.private and not trusted.isdisjoint({template.host, authority})
    )


def _key_variable(
    provider: ProviderConfig, environ: Mapping[str, str], may_send: Callable[[str], bool]
) -> str | None:
    """The first variable that is set and may be sent; the first set one if none may be."""
    variables = provider.api_key_env_vars
    present = [name for name in variables if environ.get(name, "").strip()]
    if variables and not present:
        raise MissingCredentialError(
            f"needs a key: {' or '.join(variables)} is not set",
            culprit=provider.id,
            hint=f"set {variables[0]}",
        )
    return next((name for name in present if may_send(name)), present[0] if present else None)


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
    try:
        return template.fill(environ)
    except BadValueError as error:
        raise ResolveError(
            f"holds a value that does not fit into {template.text}",
            culprit=str(error),
            hint="give only the part of the URL that it stands for",
        ) from None


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
    """The provider's own header for the key; "Authorization" means that of the dialect."""
    header = provider.api_key_header
    if key is None or header is None or header.lower() == "authorization":
        return EMPTY
    if not _HEADER.fullmatch(header):
        raise UnroutableError("names a key header that is not one", culprit=provider.id)
    return {header: key}
