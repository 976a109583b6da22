"""Whether a model can be called with what an environment holds; `resolve` finds out how.

No plugin is loaded for it, and no store read: `resolve` may still refuse to send a key there.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._base.frozen import EMPTY
from .._base.url_template import operation, parse
from .._base.variable_names import base_url_variable
from ..known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN
from ..models import ProviderConfig


def has_key(provider: ProviderConfig, environ: Mapping[str, str]) -> bool:
    """Whether a key of `provider` is set, or it names none."""
    variables = provider.api_key_env_vars
    return not variables or any(environ.get(one, "").strip() for one in variables)


def routable(provider: ProviderConfig, model: str, environ: Mapping[str, str]) -> bool | None:
    """Whether there is a URL for `model` (a bare id) of `provider`. None if only the gateway
    may know it."""
    if provider.unroutable:
        return False
    url = (
        environ.get(base_url_variable(provider.id), "").strip()
        or provider.model_overrides.get(model, EMPTY).get("api")
        or provider.url
        or KNOWN_PROVIDERS.get(provider.id, NOTHING_KNOWN).url
    )
    if not url:
        return None
    try:
        template = parse(url)
        if not all(environ.get(one, "").strip() for one in template.variables):
            return False
        return operation(template.fill(environ)) is None
    except ValueError:  # no plain URL
        return False
