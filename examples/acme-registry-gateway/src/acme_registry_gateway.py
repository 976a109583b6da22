"""Acme's private models: an OpenAI-compatible server behind a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from registry_core import (
    Disabled,
    GatewayClient,
    GatewayError,
    ModelGateway,
    PluginSettings,
    ProviderConfig,
    hookimpl,
)
from registry_core.records import provider_from_record

URL = "https://llm.acme.example/v1"
TOKEN = "ACME_TOKEN"


class AcmeGateway(ModelGateway):
    id = "acme"
    name = "Acme"

    def __init__(self, url: str = URL) -> None:
        self.url = url

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        return settings.secret(TOKEN) is not None or Disabled(f"set {TOKEN}")

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        models: dict[str, Any] = {}
        match client.get_json(f"{self.url}/models", bearer=client.secret(TOKEN)):
            case {"data": [*entries]}:
                for entry in entries:
                    match entry:
                        case {"id": str(id)}:
                            models[id] = {"limit": {"context": entry.get("context_window")}}
                        case _:
                            client.warn("acme", f"a model without an id is dropped: {entry!r:.80}")
            case _:
                raise GatewayError("sent no list of models", culprit=self.id, hint="check the url")
        record = {"name": "Acme", "url": self.url, "api_key_env_vars": TOKEN, "models": models}
        provider = provider_from_record(self.id, record, client.warn)
        return {self.id: provider} if provider else {}


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway]:
    return [AcmeGateway(settings.options.get("url", URL))]
