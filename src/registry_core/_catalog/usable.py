"""Whether a model can be called with what an environment holds; `resolve` finds out how.

No plugin is loaded for it, and no store read: `resolve` may still refuse to send a key there.
A server on this machine whose provider names a key counts with that key alone, though `resolve`
needs none: in a catalog there are many such servers, of which most do not run.
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
    """Whether a key of `provider` is set, or it names none, and there is a URL for the model.
    `own_url`: the model's, if it has another than its provider. None if only the gateway may
    know the URL."""
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
