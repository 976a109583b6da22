"""Whether a model can be called with the variables of an environment, as a quick test.

It loads no plugin and reads no store, so `resolve` may still refuse to send a key. A server on
this machine whose provider names a key counts only if that key is set, although `resolve` does
not need it: a catalog has many such servers, and most do not run.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._base.url_template import operation, parse
from .._base.variable_names import base_url_variable
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from ..models import ProviderConfig


def can_call(
    provider: ProviderConfig, own_url: str | None, environ: Mapping[str, str]
) -> bool | None:
    """Whether there is a URL for the model, and a key of `provider` is set or not needed.

    `own_url`: the URL of the model, if it differs from the provider's. The result is None if
    only the gateway may know the URL.
    """
    variables = provider.api_key_env_vars
    has_key = not variables or any(environ.get(variable, "").strip() for variable in variables)
    if provider.unroutable or not has_key:
        return False
    user_url = environ.get(base_url_variable(provider.id), "").strip()
    url = user_url or own_url or provider.url or KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    if not url:
        return None
    try:
        template = parse(url)
        if user_url and template.variables:  # `resolve` takes only plain ones from the user
            return False
        if not all(environ.get(variable, "").strip() for variable in template.variables):
            return False
        return operation(template.fill(environ)) is None
    except ValueError:  # no plain URL
        return False
