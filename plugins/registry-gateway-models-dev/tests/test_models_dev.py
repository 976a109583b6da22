"""models.dev's payload becomes providers; what is broken in it costs only itself."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from registry_gateway_models_dev import (
    OPTION_VARIABLES,
    OVERRIDES,
    URL,
    ModelsDevGateway,
    key_variables,
    providers_from_payload,
    registry_gateways,
)

from registry_core import GatewayError, ModelGateway
from registry_core.known_providers import KNOWN_PROVIDERS
from registry_core.testing import CannedClient, GatewayContract, plugin_settings

MODEL: dict[str, Any] = {
    "id": "gpt-x",
    "name": "GPT X",
    "family": "gpt",
    "attachment": True,
    "reasoning": False,
    "release_date": "2026-05",
    "limit": {"context": 400_000, "output": 0},
    "cost": {"input": 1.25, "output": 10, "context_over_200k": {"input": 2.5}},
    "modalities": {"input": ["text", "image"], "output": ["text"]},
    "interleaved": {"field": "reasoning_content"},
    "reasoning_options": [{"type": "effort", "values": ["low", None]}],
}


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "id": "acme",
        "name": "Acme",
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://api.acme.example/v1",
        "doc": "https://acme.example/docs",
        "models": {"gpt-x": MODEL},
        **fields,
    }


class Losses(list[tuple[str, str]]):
    def __call__(self, culprit: str, message: str) -> None:
        self.append((culprit, message))


ROUTES = {URL: {"acme": entry(models={"gpt-x": MODEL, "gpt-y": {"provider": {"npm": "x"}}})}}


class TestContract(GatewayContract):
    routes = ROUTES

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return ModelsDevGateway()


def test_the_whole_record_of_a_model_arrives() -> None:
    client = CannedClient({URL: {"acme": entry()}})

    provider = ModelsDevGateway().fetch_providers(client)["acme"]

    assert provider.name == "Acme"
    assert provider.url == "https://api.acme.example/v1"
    assert provider.api_key_env_vars == ("ACME_API_KEY",)
    assert provider.api_key_header == "Authorization"
    assert provider.doc_url == "https://acme.example/docs"
    assert provider.npm == "@ai-sdk/openai-compatible"
    assert provider.unroutable is None
    model = provider.models["gpt-x"]
    assert (model.name, model.family, model.release_date) == ("GPT X", "gpt", "2026-05")
    assert (model.attachment, model.reasoning, model.tool_call) == (True, False, None)
    assert (model.limit.context, model.limit.output) == (400_000, None)
    assert model.cost is not None
    assert (model.cost.input, model.cost.output, model.cost.cache_read) == (1.25, 10, None)
    assert model.modalities.input == ("text", "image")
    assert model.extra == {
        "interleaved": {"field": "reasoning_content"},
        "reasoning_options": ({"type": "effort", "values": ("low", None)},),
        "cost": {"context_over_200k": {"input": 2.5}},
    }
    assert client.warnings == []


def test_losses_are_reported_through_the_client() -> None:
    client = CannedClient({URL: {"acme": entry(), "broken": 7}})

    assert list(ModelsDevGateway().fetch_providers(client)) == ["acme"]
    assert [problem.culprit for problem in client.warnings] == ["broken"]


def test_the_public_url_is_asked_unless_the_settings_name_another() -> None:
    def gateway(options: dict[str, Any]) -> Any:
        (gateway,) = registry_gateways(plugin_settings(options))
        return gateway

    assert gateway({}).url == URL == "https://models.dev/api.json"
    assert gateway({"url": "http://mirror.example"}).url == "http://mirror.example"
    assert (gateway({}).id, gateway({}).namespaced) == ("models.dev", False)
    assert OPTION_VARIABLES == {"url": "REGISTRY_CORE_MODELS_DEV_URL"}


@pytest.mark.parametrize(
    ("variables", "kept"),
    [
        (
            ["A_ACCOUNT", "A_KEY", "A_PAT", "A_TOKEN", "A_API_KEY", "A_API_TOKEN"],
            ["A_API_TOKEN", "A_API_KEY", "A_TOKEN", "A_KEY", "A_PAT"],
        ),
        (["MULTI_API_KEY", "MULTI_TOKEN"], ["MULTI_API_KEY", "MULTI_TOKEN"]),
        (["MULTI_TOKEN", "MULTI_API_KEY"], ["MULTI_API_KEY", "MULTI_TOKEN"]),
        (["B_API_KEY", "A_API_KEY", "B_API_KEY"], ["B_API_KEY", "A_API_KEY"]),
        (["A_BEARER_TOKEN_B", "A_SECRET", "A_KEY"], ["A_KEY", "A_BEARER_TOKEN_B", "A_SECRET"]),
        (["A_RESOURCE_NAME", "A_REGION", "A_PROJECT_ID", "A_TOKEN_URL", "A_KEY"], ["A_KEY"]),
        (["ACME_ACCOUNT", "ACME_REGION"], ["ACME_ACCOUNT"]),  # what Mastra takes for the key
        (["ACME"], ["ACME"]),
    ],
)
def test_every_credential_is_kept_best_first_and_no_place(
    variables: list[str], kept: list[str]
) -> None:
    assert key_variables("acme", variables) == tuple(kept)


def test_a_provider_without_variables_has_one_named_after_it() -> None:
    providers = providers_from_payload({"my-ai.v2": entry(env=[])})

    assert providers["my-ai.v2"].api_key_env_vars == ("MY_AI_V2_API_KEY",)


@pytest.mark.parametrize("id", sorted(OVERRIDES))
def test_overrides_outrank_the_payload(id: str) -> None:
    provider = providers_from_payload({id: entry()})[id]

    for name, value in OVERRIDES[id].items():
        assert getattr(provider, name) == value


@pytest.mark.parametrize("env", [["GEMINI_API_KEY"], ["GOOGLE_API_KEY", "GEMINI_API_KEY"], []])
def test_google_takes_each_of_its_variables_whatever_the_payload_names(env: list[str]) -> None:
    providers = providers_from_payload({"google": entry(api=None, env=env)})

    assert providers["google"].api_key_env_vars == (
        "GOOGLE_API_KEY",
        "GOOGLE_GENERATIVE_AI_API_KEY",
        "GEMINI_API_KEY",
    )


@pytest.mark.parametrize(
    ("id", "header"),
    [("anthropic", "x-api-key"), ("google", "x-goog-api-key"), ("openai", "Authorization")],
)
def test_a_provider_of_known_address_is_routable_without_a_url(id: str, header: str) -> None:
    provider = providers_from_payload({id: entry(api=None)})[id]

    assert provider.url is None
    assert provider.unroutable is None
    assert provider.api_key_header == header


def test_a_model_that_lives_elsewhere_has_an_override() -> None:
    own = {"api": "https://eu.acme.example/v1", "npm": "@ai-sdk/anthropic", "note": "x"}
    models = {
        "a": {**MODEL, "provider": own},
        "b": {**MODEL, "provider": {"shape": "responses"}},
        "c": {**MODEL, "provider": {"note": "x"}},
        "d": MODEL,
    }
    provider = providers_from_payload({"acme": entry(models=models)})["acme"]

    assert provider.model_overrides == {
        "a": {"api": "https://eu.acme.example/v1", "npm": "@ai-sdk/anthropic"},
        "b": {"shape": "responses"},
    }


def test_deprecated_models_stay_and_are_marked() -> None:
    models = {"old": {**MODEL, "status": "deprecated"}, "new": MODEL}
    provider = providers_from_payload({"acme": entry(models=models)})["acme"]

    assert list(provider.models) == ["new", "old"]
    assert provider.deprecated_models == ("old",)


@pytest.mark.parametrize("id", sorted(id for id, one in KNOWN_PROVIDERS.items() if one.unroutable))
def test_a_provider_that_takes_more_than_a_key_says_why(id: str) -> None:
    provider = providers_from_payload({id: entry()})[id]

    assert provider.unroutable == KNOWN_PROVIDERS[id].unroutable
    assert "gpt-x" in provider.models


def test_a_provider_without_a_url_says_so() -> None:
    providers = providers_from_payload(
        {
            "one": entry(api=None, env=["ONE_KEY"]),
            "two": entry(api="", env=["TWO_HOST", "TWO_KEY"]),
        }
    )

    assert providers["one"].unroutable == "models.dev gives no URL for it"
    reason = "models.dev gives no URL for it, and it takes TWO_HOST, TWO_KEY together"
    assert providers["two"].unroutable == reason


def test_a_provider_without_a_url_is_routable_where_one_of_its_models_has_one() -> None:
    own = {"provider": {"api": "https://${ACME_RESOURCE_NAME}.acme.example/v1"}}
    shaped = {"provider": {"shape": "responses"}}
    env = ["ACME_RESOURCE_NAME", "ACME_API_KEY"]
    providers = providers_from_payload(
        {
            "acme": entry(api=None, env=env, models={"here": own, "nowhere": MODEL}),
            "shapes": entry(api=None, env=env, models={"m": shaped}),
            "amazon-bedrock": entry(api=None, models={"m": own}),
        }
    )

    assert providers["acme"].unroutable is None
    assert "models.dev gives no URL" in str(providers["shapes"].unroutable)
    known = KNOWN_PROVIDERS["amazon-bedrock"].unroutable
    assert providers["amazon-bedrock"].unroutable == known


def test_a_broken_entry_is_dropped_alone_and_named() -> None:
    losses = Losses()
    payload: dict[str, Any] = {"list": [], "null": None, "": entry(), "acme": entry()}

    assert list(providers_from_payload(payload, losses)) == ["acme"]
    assert [culprit for culprit, _ in losses] == ["list", "null", ""]


def test_a_field_of_a_wrong_type_becomes_unknown_and_is_named() -> None:
    losses = Losses()
    own = {"api": 7, "shape": "responses"}
    models = {"gpt-x": {**MODEL, "limit": {"context": "much", "output": 9}, "provider": own}}
    fields = {"name": 7, "api": ["x"], "env": ["ACME_KEY", None], "models": models}
    provider = providers_from_payload({"acme": entry(**fields)}, losses)["acme"]

    assert provider.name is None
    assert provider.url is None
    assert provider.unroutable == "models.dev gives no URL for it"
    assert provider.api_key_env_vars == ("ACME_KEY",)
    assert provider.model_overrides == {"gpt-x": {"shape": "responses"}}
    assert provider.models["gpt-x"].limit.context is None
    assert provider.models["gpt-x"].limit.output == 9
    named = [f"{culprit}: {message.split()[0]}" for culprit, message in losses]
    assert named == [
        "acme: env:",
        "acme/gpt-x: limit.context",
        "acme: name",
        "acme: url",
        "acme: model_overrides.gpt-x.api",
    ]


def test_models_that_are_no_object_are_reported() -> None:
    losses = Losses()

    assert not providers_from_payload({"acme": entry(models="all")}, losses)["acme"].models
    assert [culprit for culprit, _ in losses] == ["acme"]


@pytest.mark.parametrize("payload", [None, [], "<html>", 7])
def test_a_payload_that_is_no_object_is_refused(payload: Any) -> None:
    with pytest.raises(GatewayError, match="expected an object of providers"):
        providers_from_payload(payload)


def test_the_entry_point_names_this_module() -> None:
    pyproject = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]

    assert project["entry-points"]["registry_core"] == {"models-dev": registry_gateways.__module__}


def test_what_a_provider_has_no_field_for_is_kept() -> None:
    env = ["AZURE_RESOURCE_NAME", "AZURE_API_KEY"]
    mine = {"api": "https://api.moonshot.ai/v1", "npm": "@ai-sdk/openai-compatible"}
    payload = {
        "azure": entry(env=env, status_page="https://s.example"),
        "moonshotai": entry(**mine),
        "plain": entry(),
    }
    providers = providers_from_payload(payload)
    assert providers["azure"].extra == {"env": tuple(env), "status_page": "https://s.example"}
    ours = OVERRIDES["moonshotai"]
    replaced = {ours["url"]: mine["api"], ours["npm"]: mine["npm"]}
    assert providers["moonshotai"].extra == {"replaced": replaced}
    assert providers["plain"].extra == {}


@pytest.mark.parametrize("key", ['"provider"', r'"pro\u0076ider"'])
def test_the_place_of_a_model_is_found_in_its_text_however_it_is_spelt(key: str) -> None:
    text = b'{"acme": {"models": {"m": {%b: {"api": "https://m.example"}}, "n": {}}}}'
    client = CannedClient({URL: text % key.encode()})

    provider = ModelsDevGateway().fetch_providers(client)["acme"]

    assert provider.model_overrides == {"m": {"api": "https://m.example"}}
    assert [*provider.models] == ["m", "n"]
