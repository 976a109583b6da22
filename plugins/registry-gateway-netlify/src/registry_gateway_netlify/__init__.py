"""Netlify's AI Gateway as a gateway of registry-core: its models, and a key for your site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeGuard
from urllib.parse import quote

from registry_core import (
    Endpoint,
    GatewayError,
    MissingCredentialError,
    ModelGateway,
    UnknownModelError,
    hookimpl,
)
from registry_core.records import provider_from_record

if TYPE_CHECKING:
    from registry_core import GatewayClient, ModelInfo, PluginSettings, ProviderConfig

API_URL = "https://api.netlify.com"
URL = f"{API_URL}/api/v1/ai-gateway/providers"
DOC_URL = "https://docs.netlify.com/build/ai-gateway/overview/"
#: Option → variable that it is also read from.
OPTION_VARIABLES = {"url": "REGISTRY_CORE_NETLIFY_URL"}

TOKEN = "NETLIFY_TOKEN"  # noqa: S105  # the name of a variable
SITE = "NETLIFY_SITE_ID"

Dialect = Literal["openai", "openai-responses", "anthropic", "google"]

#: Vendor → dialect, path below the site's URL, headers, as in Mastra 1.71.0. Any other vendor
#: uses "openai" at the URL itself.
_VENDORS: Mapping[str, tuple[Dialect, str, Mapping[str, str]]] = {
    "anthropic": ("anthropic", "/v1", {}),
    "gemini": ("google", "/v1beta", {"user-agent": "google-genai-sdk/"}),
    "openai": ("openai-responses", "", {}),
}


@dataclass(frozen=True)
class SiteKey:
    """The key of a site, which Netlify gives for a token, and the URL where it is valid."""

    key: str = field(repr=False)
    url: str
    expires_at: datetime


class NetlifyGateway(ModelGateway):
    """The list of models at `url`; keys come from the API at `api_url`, one per site and token."""

    id = "netlify"
    name = "Netlify"

    def __init__(self, url: str = URL, api_url: str = API_URL) -> None:
        self.url = url
        self.api_url = api_url

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return providers_from_payload(client.get_json(self.url), client.warn)

    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Endpoint:
        vendor, _, name = model.id.partition("/")
        if not name:
            raise UnknownModelError(
                "names no vendor",
                culprit=f"{provider.id}/{model.id}",
                hint="write netlify/<vendor>/<model>, such as netlify/openai/gpt-5",
            )
        site = self._site_key(environ.get(SITE, "").strip(), client)
        dialect, path, headers = _VENDORS.get(vendor, ("openai", "", {}))
        return Endpoint(
            base_url=site.url.rstrip("/") + path,
            model=name,
            dialect=dialect,
            api_key=site.key,
            headers=headers,
            expires_at=site.expires_at,
        )

    def _site_key(self, site: str, client: GatewayClient) -> SiteKey:
        token = client.secret(TOKEN)
        if not (token and site):
            missing = [name for name, value in ((TOKEN, token), (SITE, site)) if not value]
            raise MissingCredentialError(
                f"needs a key for your site: {' and '.join(missing)} not set",
                culprit=self.id,
                hint=f"set {TOKEN} and {SITE}",
            )
        return client.token(site, lambda: self._exchange(site, token, client))

    def _exchange(self, site: str, token: str, client: GatewayClient) -> tuple[SiteKey, datetime]:
        url = f"{self.api_url.rstrip('/')}/api/v1/sites/{quote(site, safe='')}/ai-gateway/token"
        match client.get_json(url, bearer=token):
            case {"token": str(key), "url": str(base), "expires_at": int(expires)}:
                try:
                    expires_at = datetime.fromtimestamp(expires, UTC)
                    return SiteKey(key, base, expires_at), expires_at
                except (OverflowError, ValueError, OSError):
                    pass
            case _:
                pass
        raise GatewayError(
            "sent no token, url and expires_at for the site", culprit=self.id, hint=f"check {SITE}"
        )


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    options = settings.options
    return (NetlifyGateway(options.get("url", URL), options.get("api_url", API_URL)),)


def _silent(_culprit: str, _message: str) -> None:
    """For callers that ignore losses."""


def providers_from_payload(
    payload: Any, warn: Callable[[str, str], object] = _silent
) -> dict[str, ProviderConfig]:
    """The provider `netlify`, whose models are `<vendor>/<model>`; pure.

    `warn(culprit, message)` is called for each dropped record. Raises GatewayError if the
    payload is not `{"providers": {vendor: {"models": [id, …]}}}`.
    """
    vendors = payload.get("providers") if _is_object(payload) else None
    if not _is_object(vendors):
        raise GatewayError(
            "expected an object with providers",
            culprit="netlify",
            hint="check the option url (REGISTRY_CORE_NETLIFY_URL)",
        )
    ids: list[str] = []
    for vendor, entry in vendors.items():
        models = entry.get("models") if _is_object(entry) else None
        if not (vendor and _is_array(models)):
            warn(f"netlify/{vendor}", "dropped: expected a vendor with a list of models")
            continue
        for model in models:
            if isinstance(model, str) and model:
                ids.append(f"{vendor}/{model}")
            else:
                warn(f"netlify/{vendor}", "a model is dropped: expected its id")
    provider = provider_from_record(
        "netlify",
        {
            "name": "Netlify",
            "api_key_env_vars": TOKEN,
            "api_key_header": "Authorization",
            "doc_url": DOC_URL,
            "models": ids,
        },
        warn,
    )
    return {provider.id: provider} if provider else {}


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
