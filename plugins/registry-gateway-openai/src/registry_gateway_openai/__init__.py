"""OpenAI-compatible servers as gateways of registry-core: your own, or any other that you name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from registry_core import (
    Disabled,
    Endpoint as Address,
    GatewayError,
    GatewayTimeoutError,
    ModelGateway,
    OfflineError,
    RegistryError,
    UnreachableError,
    hookimpl,
)
from registry_core.records import provider_from_record

from .endpoints import TABLES, Endpoint, endpoints_of
from .kinds import KINDS, TRIED, Details, Record, Server, listed_fields

if TYPE_CHECKING:
    from registry_core import GatewayClient, ModelInfo, PluginSettings, ProviderConfig


class OpenAICompatibleGateway(ModelGateway):
    """One server, whose models are published as `<id>/<model>`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.id = endpoint.id
        self.name = f"{endpoint.id} at {endpoint.url}"
        self.volatile = endpoint.loopback

    def should_enable(self, settings: PluginSettings) -> bool | Disabled:
        variable = self._endpoint.key_env
        if variable is None or self._endpoint.loopback or settings.secret(variable):
            return True
        return Disabled(f"set {variable}")

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        variable = self._endpoint.key_env
        bearer = client.secret(variable) if variable else None
        server = Server(self.id, self._endpoint.root, client, bearer)
        listed = self._listed(server)
        title, details = self._read(server, listed) if listed else ("", {})
        models: dict[str, dict[str, Any]] = {}
        for record in listed:
            id = record["id"]
            if id in models:
                client.warn(f"{self.id}/{id}", "it is listed twice; the first counts")
            else:
                models[id] = _merged(listed_fields(record), details.get(id, {}))
        if not models:
            return {}
        provider = provider_from_record(
            self.id,
            {
                "name": f"{self.id} ({title})",
                "url": self._endpoint.url,
                "api_key_env_vars": variable or (),
                "api_key_header": "Authorization",
                "npm": "@ai-sdk/openai-compatible",  # so that no id stands for another dialect
                "models": models,
            },
            client.warn,
        )
        return {self.id: provider} if provider else {}

    def endpoint(
        self,
        provider: ProviderConfig,
        model: ModelInfo,
        environ: Mapping[str, str],
        client: GatewayClient,
    ) -> Address | None:
        """Send the key to the URL that the user wrote beside it, whatever else it is bound to.

        None leaves it to the core: if there is no key, or if an overlay or a variable changes
        the route.
        """
        variable = self._endpoint.key_env
        key = client.secret(variable) if variable else None
        routed = provider.url != self._endpoint.url or model.id in provider.model_overrides
        moved = environ.get(_base_url_variable(self.id), "").strip()
        if not key or routed or moved or provider.unroutable:
            return None
        return Address(
            base_url=self._endpoint.url, model=model.id, dialect="openai", api_key=key.strip()
        )

    def _listed(self, server: Server) -> list[Record]:
        """The records with an id in OpenAI's list of models."""
        url = f"{self._endpoint.url}/models"
        try:
            answer = server.client.get_json(url, bearer=server.bearer)
            # Together AI sends the array alone, and Ollama null for no models.
            data = answer.get("data", ...) if isinstance(answer, dict) else answer
            if data is not None and not isinstance(data, list):
                raise GatewayError(
                    f"expected an object with the list data at {url}",
                    culprit=self.id,
                    hint="check its url: where the API lies below /v1, write that, too",
                )
        except (GatewayTimeoutError, OfflineError, UnreachableError):
            raise
        except GatewayError as error:
            if self._endpoint.discovered:  # another program listens there
                raise UnreachableError(
                    f"no such server: {error.message}", culprit=self.id, hint=error.hint
                ) from None
            raise
        listed: list[Record] = []
        for record in data or ():
            if isinstance(record, dict) and isinstance(record.get("id"), str):
                listed.append(record)
            else:
                server.client.warn(self.id, "a model is dropped: expected an object with an id")
        return listed

    def _read(self, server: Server, listed: list[Record]) -> tuple[str, Details]:
        """The kind of the server, and the details that its own API gives about the models."""
        named_kind = self._endpoint.kind
        for kind in TRIED if named_kind is None else (KINDS[named_kind],):
            details = kind.read(server, listed)
            if details is not None:
                return kind.title, details
        raise GatewayError(
            f"does not answer as {KINDS[named_kind or 'openai'].title} does",
            culprit=self.id,
            hint="leave kind out, and it is asked for",
        )


@hookimpl
def registry_gateways(settings: PluginSettings) -> Iterable[ModelGateway | RegistryError]:
    gateways = [
        OpenAICompatibleGateway(endpoint) if isinstance(endpoint, Endpoint) else endpoint
        for endpoint in endpoints_of(settings.options)
    ]
    if not gateways:
        settings.warn("endpoint", f"no server is named, so none is asked ({TABLES})")
    return gateways


def _merged(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`fields`, overridden by the known values of `more`."""
    merged = dict(fields)
    for name, value in more.items():
        before = merged.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[name] = before | {key: item for key, item in value.items() if item is not None}
        elif value is not None:
            merged[name] = value
    return merged


def _base_url_variable(id: str) -> str:
    """As `resolve` reads it."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in id.upper()) + "_BASE_URL"
