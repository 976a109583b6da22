"""models.dev as a gateway of registry-core: every provider and model of its catalog."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from registry_core import GatewayError, ModelGateway, hookimpl
from registry_core.known_providers import KNOWN_PROVIDERS, NOTHING_KNOWN, KnownProvider
from registry_core.records import is_credential, parsed, provider_from_record

if TYPE_CHECKING:
    from registry_core import GatewayClient, PluginSettings, ProviderConfig

URL = "https://models.dev/api.json"
#: Option → variable that it is also read from.
OPTION_VARIABLES = {"url": "REGISTRY_CORE_MODELS_DEV_URL"}

#: Provider → values that models.dev lacks, or that replace its own. They are the same as in Mastra
#: 1.71.0, so that a model string means the same in both.
OVERRIDES: Mapping[str, Mapping[str, Any]] = {
    "groq": {"url": KNOWN_PROVIDERS["groq"].url},
    "mistral": {"url": KNOWN_PROVIDERS["mistral"].url},
    "moonshotai": {"url": "https://api.moonshot.ai/anthropic/v1", "npm": "@ai-sdk/anthropic"},
    "moonshotai-cn": {"url": "https://api.moonshot.cn/anthropic/v1", "npm": "@ai-sdk/anthropic"},
}

#: Provider → key variables beside those that models.dev lists; Mastra's come first.
_KNOWN_VARIABLES: Mapping[str, Sequence[str]] = {
    "google": ("GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"),
}
#: Endings of key variables, best first, as in Mastra 1.71.0.
_KEY_SUFFIXES = ("_API_TOKEN", "_API_KEY", "_TOKEN", "_KEY", "_PAT")
#: Keys of a provider's record that have a field.
_KNOWN_KEYS = ("api", "doc", "env", "id", "models", "name", "npm")
#: Field of a provider → its name at models.dev.
_NAMES = {"url": "api", "npm": "npm"}
_OVERRIDE_KEYS = ("api", "npm", "shape")


class ModelsDevGateway(ModelGateway):
    """The whole catalog, from the `api.json` at `url`."""

    id = "models.dev"
    name = "models.dev"
    namespaced = False

    def __init__(self, url: str = URL) -> None:
        self.url = url

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return providers_from_payload(client.get_json(self.url, text_at="*/models/*"), client.warn)


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    return (ModelsDevGateway(settings.options.get("url", URL)),)


def _silent(_culprit: str, _message: str) -> None:
    """For callers that ignore losses."""


def providers_from_payload(
    payload: Any, warn: Callable[[str, str], object] = _silent
) -> dict[str, ProviderConfig]:
    """Every provider of an `api.json` by its id; pure.

    `warn(culprit, message)` is called for data that can't be used: a record is dropped alone,
    a field becomes unknown. Raises GatewayError if the payload is not an object.
    """
    if not _is_object(payload):
        raise GatewayError(
            f"expected an object of providers, got {type(payload).__name__}",
            culprit="models.dev",
            hint="check the option url (REGISTRY_CORE_MODELS_DEV_URL)",
        )
    providers: dict[str, ProviderConfig] = {}
    for id, entry in payload.items():
        provider = _provider(id, entry, warn)
        if provider is not None:
            providers[id] = provider
    return providers


def _provider(id: str, entry: Any, warn: Callable[[str, str], object]) -> ProviderConfig | None:
    if not _is_object(entry):
        warn(id, f"dropped: expected an object, got {type(entry).__name__}")
        return None
    variables = _variables(id, entry.get("env"), warn)
    override, known = OVERRIDES.get(id, {}), KNOWN_PROVIDERS.get(id, NOTHING_KNOWN)
    url = override.get("url") or entry.get("api") or None
    models = entry.get("models")
    overrides = _model_overrides(models)
    record = {
        "name": entry.get("name"),
        "url": url,
        "api_key_env_vars": key_variables(id, variables),
        "api_key_header": "Authorization" if url else known.key_header,
        "doc_url": entry.get("doc"),
        "npm": entry.get("npm"),
        "models": models,
        "model_overrides": overrides,
        "unroutable": _unroutable(known, [url, *map(_api, overrides.values())], variables),
        **override,
    }
    extra = _extra(entry, override)
    if variables != [*record["api_key_env_vars"]]:
        extra["env"] = variables
    return provider_from_record(id, {**record, "extra": extra}, warn)


def _extra(entry: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of models.dev beyond the fields of a provider. `replaced` maps our value of an
    overridden field to models.dev's."""
    extra = {key: value for key, value in entry.items() if key not in _KNOWN_KEYS}
    replaced = {ours: entry.get(_NAMES[field]) for field, ours in override.items()}
    return {**extra, "replaced": replaced} if replaced else extra


def key_variables(id: str, variables: Sequence[str]) -> tuple[str, ...]:
    """The `variables` of a provider that hold a credential, by their endings, best first.

    Without such a name it is the first of `variables`; without any, `<ID>_API_KEY`.
    """
    names = [*_KNOWN_VARIABLES.get(id, ()), *filter(is_credential, variables)]
    names = names or [*variables[:1]] or [re.sub("[^A-Z0-9]", "_", id.upper()) + "_API_KEY"]
    return tuple(sorted(dict.fromkeys(names), key=_rank))


def _rank(variable: str) -> int:
    ends = (place for place, suffix in enumerate(_KEY_SUFFIXES) if variable.endswith(suffix))
    return next(ends, len(_KEY_SUFFIXES))


def _variables(id: str, env: Any, warn: Callable[[str, str], object]) -> list[str]:
    names = env if _is_array(env) else []
    variables = [name for name in names if isinstance(name, str) and name]
    if env is not None and variables != env:
        warn(id, "env: what is not the name of a variable is left out")
    return variables


def _model_overrides(models: Any) -> dict[str, dict[str, Any]]:
    """Id of a model → the known keys of its `provider` object: its own URL, package or shape."""
    overrides: dict[str, dict[str, Any]] = {}
    for id, record in models.items() if _is_object(models) else ():
        # A text need not be parsed to see that it has none; with a backslash, names hide.
        if isinstance(record, bytes) and b'"provider"' not in record and b"\\" not in record:
            continue
        model = parsed(record)
        own = model.get("provider") if _is_object(model) else None
        known = {key: own[key] for key in _OVERRIDE_KEYS if own.get(key)} if _is_object(own) else {}
        if known:
            overrides[id] = known
    return overrides


def _api(override: Mapping[str, Any]) -> Any:
    return override.get("api")


def _unroutable(known: KnownProvider, urls: Iterable[Any], variables: Sequence[str]) -> str | None:
    """Why none of its models can be called; None if one can. `urls`: those of the provider and of
    its models."""
    if known.unroutable or known.url or any(isinstance(url, str) and url for url in urls):
        return known.unroutable
    if len(variables) > 1:
        return f"models.dev gives no URL for it, and it takes {', '.join(variables)} together"
    return "models.dev gives no URL for it"


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
