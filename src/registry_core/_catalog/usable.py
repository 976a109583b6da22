"""Whether a model can be called with what an environment holds; `resolve` finds out how.

No plugin is loaded for it, and no store read: `resolve` may still refuse to send a key there.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._base.url_template import UrlTemplate, operation, parse
from .._base.variable_names import base_url_variable
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from ..models import ProviderConfig


def usable(
    provider: ProviderConfig, own_url: str | None, environ: Mapping[str, str]
) -> bool | None:
    """Whether there is a URL for a model of `provider`, and the key for it is set, if it needs
    one: on this machine none does. `own_url`: the model's, if it has another than its provider.
    None if there is a key, and only the gateway may know the URL."""
    if provider.unroutable:
        return False
    variables = provider.api_key_env_vars
    has_key = not variables or any(environ.get(one, "").strip() for one in variables)
    said = environ.get(base_url_variable(provider.id), "").strip()
    url = said or own_url or provider.url or KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    if not url:
        return None if has_key else False
    filled = _filled(url, environ, plain=bool(said))
    return filled is not None and (has_key or filled.loopback)


def _filled(url: str, environ: Mapping[str, str], *, plain: bool) -> UrlTemplate | None:
    """The URL with its variables filled in; None if it can't be called. `plain`: it may have
    none."""
    try:
        template = parse(url)
        missing = [one for one in template.variables if not environ.get(one, "").strip()]
        if missing or (plain and template.variables):
            return None
        filled = parse(template.fill(environ))
    except ValueError:  # no plain URL
        return None
    return None if operation(filled.text) else filled
