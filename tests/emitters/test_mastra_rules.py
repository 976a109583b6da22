"""Each rule that makes our files equal to Mastra's, on one small registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from registry_core._catalog.snapshot import Snapshot
from registry_core._writers import capabilities, json_registry, typescript
from registry_core.known_providers import KNOWN_PROVIDERS
from registry_core.models import ModelInfo, ProviderConfig
from tests.emitters.samples import emit

HEADER = "Authorization"


def public(id: str, **facts: Any) -> ProviderConfig:
    facts = {"models": ["m"], "gateway": "models.dev", "api_key_header": HEADER, **facts}
    return ProviderConfig(id=id, name=id.title(), **facts)


def model(provider: str, id: str, **facts: Any) -> ModelInfo:
    return ModelInfo(id=id, provider_id=provider, **facts)


REGISTRY = Snapshot.build(
    [
        public("openai", npm="@ai-sdk/openai", api_key_env_vars=["OPENAI_API_KEY"]),
        public("mistral", npm="@ai-sdk/mistral", url="https://api.mistral.ai/v1"),
        public("vercel", npm="@ai-sdk/gateway"),
        public("google", npm="@ai-sdk/google", api_key_env_vars=["ONE_KEY", "OTHER_KEY"]),
        public("plain", npm="@ai-sdk/openai-compatible", url="https://plain.example/v1"),
        public("dialect", npm="@ai-sdk/anthropic", url="https://dialect.example/v1"),
        public("template", npm="@ai-sdk/openai-compatible", url="https://${ACCOUNT}.example/v1"),
        public("azure", npm="@ai-sdk/azure", unroutable="has no URL"),
        public("github-copilot", npm="@ai-sdk/openai-compatible", url="https://copilot.example"),
        public(
            "zoo",
            url="https://zoo.example/v1",
            doc_url="https://zoo.example/docs",
            models={
                "b": model("zoo", "b", status="deprecated", attachment=True, temperature=False),
                "a": model("zoo", "a", attachment=True, structured_output=True),
                "\ue000": model("zoo", "\ue000", status="beta"),
                "🦜": model("zoo", "🦜", status="deprecated", attachment=None),
            },
            model_overrides={
                "b": {"shape": "responses", "npm": "@ai-sdk/openai", "api": "https://b.example"},
                "a": {"npm": "@ai-sdk/openai-compatible"},
            },
        ),
        ProviderConfig(
            id="acme/openai",
            gateway="acme",
            models=["secret"],
            npm="@ai-sdk/openai-compatible",
            unroutable="ask the platform team",
            api_key_header="X-Acme-Key",
            api_key_env_vars=["ACME_TOKEN", "ACME_SITE"],
        ),
        ProviderConfig(id="openrouter", gateway="acme", models=["m"], api_key_header=HEADER),
    ]
)


def test_the_docs_list_the_same_providers_that_mastra_calls_through_a_package() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mastra.md").read_text("utf-8")
    text = " ".join(page.split())
    how = {id: one.mastra for id, one in KNOWN_PROVIDERS.items()}
    assert f"({', '.join(id for id in how if how[id] == 'sdk')})" in text
    assert [f"`{id}` is left out" in text for id in how if how[id] == "never"] == [True]


@pytest.fixture(scope="module")
def content() -> Any:
    return json.loads(emit(json_registry, REGISTRY)["provider-registry.json"])


@pytest.fixture(scope="module")
def providers(content: Any) -> Any:
    return content["providers"]


def test_the_file_has_providers_models_and_a_version(content: Any) -> None:
    assert list(content) == ["models", "providers", "version"]
    assert content["version"] == "1.0.0"
    assert content["models"] == {id: one["models"] for id, one in content["providers"].items()}


def test_a_public_provider_without_url_is_listed_only_if_there_is_an_sdk_package_for_it(
    providers: Any,
) -> None:
    assert "openai" in providers
    assert "vercel" in providers
    assert "azure" not in providers


def test_github_copilot_is_never_listed(providers: Any) -> None:
    assert "github-copilot" not in providers


def test_a_url_is_given_where_the_source_gives_one(providers: Any) -> None:
    assert "url" not in providers["openai"]
    assert providers["mistral"]["url"] == "https://api.mistral.ai/v1"
    assert providers["template"]["url"] == "https://${ACCOUNT}.example/v1"


def test_the_key_header_is_left_out_where_an_sdk_package_sets_it(providers: Any) -> None:
    assert "apiKeyHeader" not in providers["openai"]
    assert "apiKeyHeader" not in providers["mistral"]
    assert providers["plain"]["apiKeyHeader"] == HEADER


def test_generic_packages_are_not_named(providers: Any) -> None:
    assert "npm" not in providers["plain"]
    assert "npm" not in providers["vercel"]
    assert providers["dialect"]["npm"] == "@ai-sdk/anthropic"


def test_one_key_variable_is_a_text_and_several_are_a_list(providers: Any) -> None:
    assert providers["openai"]["apiKeyEnvVar"] == "OPENAI_API_KEY"
    assert providers["google"]["apiKeyEnvVar"] == ["ONE_KEY", "OTHER_KEY"]
    assert "apiKeyEnvVar" not in providers["plain"]


def test_providers_of_other_gateways_are_published_as_they_are(providers: Any) -> None:
    assert providers["acme/openai"] == {
        "apiKeyEnvVar": ["ACME_TOKEN", "ACME_SITE"],
        "apiKeyHeader": "X-Acme-Key",
        "gateway": "acme",
        "models": ["secret"],
        "npm": "@ai-sdk/openai-compatible",
    }
    assert providers["openrouter"]["apiKeyHeader"] == HEADER


def test_a_whole_record_has_sorted_keys_and_ids_in_the_order_of_javascript(providers: Any) -> None:
    expected = {
        "apiKeyHeader": HEADER,
        "deprecatedModels": ["b", "🦜"],
        "docUrl": "https://zoo.example/docs",
        "gateway": "models.dev",
        "modelOverrides": {
            "a": {"npm": "@ai-sdk/openai-compatible"},
            "b": {"api": "https://b.example", "npm": "@ai-sdk/openai", "shape": "responses"},
        },
        "models": ["a", "b", "🦜", "\ue000"],
        "name": "Zoo",
        "url": "https://zoo.example/v1",
    }
    assert json.dumps(providers["zoo"]) == json.dumps(expected)
    assert list(providers) == sorted(providers)


def test_the_json_is_indented_and_ends_with_a_newline() -> None:
    text = emit(json_registry, REGISTRY)["provider-registry.json"]
    assert text.startswith('{\n  "models": {\n    "acme/openai": [\n')
    assert text.endswith('\n  "version": "1.0.0"\n}\n')


def test_capability_files_list_the_ids_whose_flag_is_true_and_nothing_else() -> None:
    files = emit(capabilities, REGISTRY)
    assert {path: json.loads(text) for path, text in files.items()} == {
        "capabilities/zoo.json": {"attachment": ["a", "b"], "structuredOutput": ["a"]}
    }


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("wafer.ai", "wafer.ai"),
        ("acme/openai", "acme%2Fopenai"),
        ("a b+c@d:e", "a%20b%2Bc%40d%3Ae"),
        ("!~*'()-_.", "!~*'()-_."),
        ("é🦜", "%C3%A9%F0%9F%A6%9C"),
        ("../../evil", "..%2F..%2Fevil"),
    ],
)
def test_capability_files_have_the_names_that_encode_uri_component_gives(
    id: str, name: str
) -> None:
    models = {"m": model(id, "m", attachment=True)}
    files = emit(capabilities, Snapshot.build([ProviderConfig(id=id, models=models)]))
    assert list(files) == [f"capabilities/{name}.json"]


def test_what_mastra_cannot_call_has_no_capability_file_and_no_type() -> None:
    models = {"m": model("azure", "m", attachment=True)}
    registry = Snapshot.build([public("azure", models=models)])
    assert emit(capabilities, registry) == {}
    assert "azure" not in emit(typescript, registry)["provider-types.generated.d.ts"]


def test_the_same_registry_from_a_file_gives_the_same_bytes() -> None:
    stored = Snapshot.from_bytes(REGISTRY.to_bytes())
    for emitter in (json_registry, capabilities, typescript):
        assert emit(emitter, stored) == emit(emitter, REGISTRY)
