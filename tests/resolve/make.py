"""Small providers, a small bundle, and `resolve` of them in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from registry_core._resolve.bindings import Bindings, Memory
from registry_core._resolve.routing import resolve
from registry_core.endpoint import Endpoint
from registry_core.models import ModelInfo, ProviderConfig


def provider(id: str = "acme", **fields: Any) -> ProviderConfig:
    fields.setdefault("models", ["m"])
    fields.setdefault("url", f"https://api.{id}.example/v1")
    fields.setdefault("api_key_env_vars", f"{id.upper()}_API_KEY")
    return ProviderConfig(id=id, **fields)


OPENAI = provider("openai", url=None, npm="@ai-sdk/openai")
#: Template variables, an override that lives elsewhere, and a provider without any URL.
BUNDLE = {
    "openai": OPENAI,
    "groq": provider("groq", model_overrides={"m": {"api": "https://alt.example"}}),
    "cloud": provider("cloud", url="https://api.cloud.example/${CLOUD_ACCOUNT}/v1"),
    "oddkeys": provider("oddkeys", api_key_env_vars="ODDLY_NAMED"),
    "gitlab": provider("gitlab", url=None, api_key_env_vars="GITLAB_TOKEN"),
}


def endpoint(
    config: ProviderConfig,
    environ: Mapping[str, str] | None = None,
    *,
    model: str = "m",
    bundle: Mapping[str, ProviderConfig] | None = None,
    remembered: Memory | None = None,
    frozen: bool = False,
    trusted_hosts: Collection[str] = (),
) -> Endpoint:
    """The endpoint of `config`, by default as its own bundled provider, with its keys set."""
    if bundle is None:
        bundle = {config.id: config}
    if environ is None:
        environ = dict.fromkeys(config.api_key_env_vars, "sk-test")
    return resolve(
        config,
        ModelInfo(id=model, provider_id=config.id),
        environ=environ,
        bound=Bindings(bundle, None if frozen else remembered or {}),
        trusted_hosts=trusted_hosts,
    )
