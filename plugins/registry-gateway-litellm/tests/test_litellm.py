"""The deployments of a LiteLLM proxy become models that a key of it may call."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from registry_gateway_litellm import LiteLLMGateway, registry_gateways
from registry_gateway_litellm.rows import models_from_rows

from registry_core import (
    Cost,
    Disabled,
    GatewayError,
    ModelGateway,
    ModelInfo,
    SettingsError,
    UnreachableError,
)
from registry_core.testing import CannedClient, GatewayContract, plugin_settings

HERE = Path(__file__).parent
#: Captured from LiteLLM 1.106.2, less what is null or not read.
CAPTURED: dict[str, Any] = json.loads((HERE / "model_info.json").read_text("utf-8"))
NAMES: dict[str, Any] = json.loads((HERE / "v1_models.json").read_text("utf-8"))

URL = "https://llm.acme.example"
KEY = "sk-litellm-4711"
SECRETS = {"LITELLM_API_KEY": KEY}


def row(name: str = "fast", model: str = "openai/large", **info: Any) -> dict[str, Any]:
    """One deployment, as `/model/info` has it."""
    return {
        "model_name": name,
        "litellm_params": {"model": model},
        "model_info": {"id": "1", "db_model": False, "mode": "chat", **info},
    }


def model(*infos: dict[str, Any]) -> ModelInfo:
    """The model that these deployments serve together."""
    (found,) = models_from_rows("litellm", [row(**info) for info in infos]).values()
    return found


def cost(**info: Any) -> dict[str, Any] | None:
    """The prices that are known."""
    found = model(info).to_dict()["cost"]
    return found and {name: price for name, price in found.items() if price not in (None, [])}


def fetch(
    routes: dict[str, Any], secrets: dict[str, str] = SECRETS, url: str = URL
) -> tuple[dict[str, ModelInfo], CannedClient]:
    client = CannedClient(
        {f"{url}{path}": answer for path, answer in routes.items()}, secrets=secrets
    )
    provider = LiteLLMGateway(url).fetch_providers(client)["litellm"]
    return dict(provider.models), client


def refused(status: int) -> GatewayError:
    return GatewayError(f"answered {status} No", culprit="proxy", hint="none", status=status)


class TestContract(GatewayContract):
    routes: ClassVar = {f"{URL}/model/info": {"data": [row("a"), row("org/b"), row("a")]}}
    secrets = SECRETS

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return LiteLLMGateway(URL)


# What it asks


def test_the_key_is_sent_to_the_proxy_and_its_deployments_are_one_provider() -> None:
    client = CannedClient({f"{URL}/model/info": CAPTURED}, secrets=SECRETS)
    (provider,) = LiteLLMGateway(URL).fetch_providers(client).values()

    assert [(one.url, one.bearer) for one in client.requests] == [(f"{URL}/model/info", KEY)]
    assert (provider.id, provider.url) == ("litellm", f"{URL}/v1")
    assert provider.api_key_env_vars == ("LITELLM_API_KEY", "LITELLM_PROXY_API_KEY")
    assert list(provider.models) == [
        "acme/alpha",
        "claude-sonnet",
        "gpt-4o",
        "text-embedding-3-small",
    ]
    assert client.warnings == []


def test_the_first_variable_that_is_set_holds_the_key() -> None:
    _, client = fetch({"/model/info": CAPTURED}, {"LITELLM_PROXY_API_KEY": "sk-other"})
    assert client.requests[0].bearer == "sk-other"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_that_may_not_ask_one_path_asks_the_other(status: int) -> None:
    models, client = fetch({"/model/info": refused(status), "/v1/model/info": CAPTURED})
    assert len(models) == 4
    assert client.warnings == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_where_only_names_are_told_they_are_taken_and_that_is_said(status: int) -> None:
    refusals = dict.fromkeys(("/model/info", "/v1/model/info"), refused(status))
    models, client = fetch({**refusals, "/v1/models": NAMES})

    assert sorted(models) == ["acme/alpha", "claude-sonnet", "gpt-4o", "text-embedding-3-small"]
    assert models["text-embedding-3-small"] == ModelInfo(
        "text-embedding-3-small", "litellm", kind="embedding", limit={"context": 8191}
    )
    (warning,) = client.warnings
    assert "prices and capabilities are unknown" in warning.message
    assert f"/model/info answered {status}" in warning.message


def test_an_old_proxy_tells_names_and_nothing_else() -> None:
    gone = dict.fromkeys(("/model/info", "/v1/model/info"), refused(404))
    models, _ = fetch({**gone, "/v1/models": {"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}})
    assert list(models.values()) == [ModelInfo("a", "litellm"), ModelInfo("b", "litellm")]


@pytest.mark.parametrize(
    "error", [refused(502), refused(429), GatewayError("is no JSON"), UnreachableError("is off")]
)
def test_a_proxy_in_trouble_is_not_asked_for_less(error: GatewayError) -> None:
    client = CannedClient({f"{URL}/model/info": error, f"{URL}/v1/models": NAMES}, secrets=SECRETS)
    with pytest.raises(type(error)) as caught:
        LiteLLMGateway(URL).fetch_providers(client)
    assert caught.value is error
    assert client.urls == [f"{URL}/model/info"]


@pytest.mark.parametrize(
    ("status", "secrets", "hint"),
    [
        (400, SECRETS, "check LITELLM_API_KEY"),  # without its database, to a wrong key
        (400, {}, "set LITELLM_API_KEY or LITELLM_PROXY_API_KEY"),
        (401, {}, "set LITELLM_API_KEY or LITELLM_PROXY_API_KEY"),
        (500, {}, "set LITELLM_API_KEY or LITELLM_PROXY_API_KEY"),
    ],
)
def test_a_key_that_is_wrong_or_missing_is_named(
    status: int, secrets: dict[str, str], hint: str
) -> None:
    paths = ("/model/info", "/v1/model/info", "/v1/models")
    with pytest.raises(GatewayError) as caught:
        fetch(dict.fromkeys(paths, refused(status)), secrets, "http://127.0.0.1:4000")
    assert (caught.value.status, caught.value.hint) == (status, hint)


@pytest.mark.parametrize("answer", [[], {}, {"data": None}, {"data": "models"}, "proxy", 7])
def test_an_answer_of_another_shape_is_refused(answer: Any) -> None:
    with pytest.raises(GatewayError, match="the list data from /model/info") as caught:
        fetch({"/model/info": answer})
    assert caught.value.culprit == "litellm"
    assert "REGISTRY_CORE_PLUGIN_LITELLM_URL" in caught.value.hint


def test_a_wildcard_is_no_model_and_what_it_covers_is_asked_by_name() -> None:
    rows = [row("fast"), row("openai/*", "openai/*"), row("*", "*")]
    names = [{"id": "fast"}, {"id": "openai/gpt-4o", "mode": "chat"}, {"id": "openai/*"}]
    models, client = fetch({"/model/info": {"data": rows}, "/v1/models": {"data": names}})

    assert list(models) == ["fast", "openai/gpt-4o"]
    assert models["fast"].extra == {"deployments": ("openai/large",)}
    assert client.warnings == []


def test_a_key_that_may_not_ask_for_names_loses_only_those_of_a_wildcard() -> None:
    rows = {"data": [row("fast"), row("openai/*", "openai/*")]}
    models, _ = fetch({"/model/info": rows, "/v1/models": refused(403)})
    assert list(models) == ["fast"]
    with pytest.raises(GatewayError, match="answered 502"):
        fetch({"/model/info": rows, "/v1/models": refused(502)})


def test_a_proxy_for_one_model_tells_its_name_only() -> None:
    routes = {
        "/model/info": {"data": row("*", "openai/gpt-4o")},
        "/v1/models": {"data": [{"id": "gpt-4o"}]},
    }
    assert list(fetch(routes)[0]) == ["gpt-4o"]


# One deployment


def test_what_a_proxy_says_of_a_deployment() -> None:
    models = models_from_rows("litellm", CAPTURED["data"])
    assert models["gpt-4o"] == ModelInfo(
        "gpt-4o",
        "litellm",
        kind="chat",
        attachment=True,
        tool_call=True,
        structured_output=True,
        limit={"context": 128_000, "output": 16_384},
        cost={"input": 2.5, "output": 10, "cache_read": 1.25},
        modalities={"input": ["text", "image", "pdf"]},
        extra={"deployments": ["openai/gpt-4o"]},
    )
    assert models["acme/alpha"] == ModelInfo(
        "acme/alpha",
        "litellm",
        kind="chat",
        tool_call=True,
        structured_output=True,
        limit={"context": 128_000, "output": 8_192},
        cost={"input": 1, "output": 2},
        extra={"deployments": ["openai/alpha"]},
    )


def test_what_a_proxy_leaves_out_is_unknown() -> None:
    for one in ({"model_name": "fast"}, {"model_name": "fast", "model_info": None}):
        assert models_from_rows("litellm", [one]) == {"fast": ModelInfo("fast", "litellm")}


@pytest.mark.parametrize(
    ("token", "million"), [(1.5e-07, 0.15), (2e-08, 0.02), (3.2000000000000003e-06, 3.2), (0.0, 0)]
)
def test_a_price_of_a_token_becomes_that_of_a_million(token: float, million: float) -> None:
    assert cost(input_cost_per_token=token, output_cost_per_token=1e-05) == {
        "input": million,
        "output": 10,
    }


def test_each_price_has_its_field() -> None:
    assert cost(
        input_cost_per_token=1e-06,
        output_cost_per_token=2e-06,
        output_cost_per_reasoning_token=3e-06,
        cache_read_input_token_cost=4e-07,
        cache_creation_input_token_cost=5e-06,
        input_cost_per_audio_token=6e-06,
        output_cost_per_audio_token=7e-06,
        input_cost_per_token_batches=5e-07,
    ) == {
        "input": 1,
        "output": 2,
        "reasoning": 3,
        "cache_read": 0.4,
        "cache_write": 5,
        "input_audio": 6,
        "output_audio": 7,
    }


def test_a_zero_that_litellm_filled_in_is_unknown_and_one_that_was_written_is_free() -> None:
    free = {"input": 0, "output": 0}
    assert cost(input_cost_per_token=0, output_cost_per_token=0) is None
    assert cost(input_cost_per_token=0.0, output_cost_per_token=0.0) == free
    names = ["input_cost_per_token", "output_cost_per_token"]
    assert cost(**dict.fromkeys(names, 0), pricing_overrides=names) == free
    assert cost(
        input_cost_per_token=1.5e-07, output_cost_per_token=0, pricing_overrides=names[:1]
    ) == {"input": 0.15}


def test_what_is_paid_by_the_query_or_the_image_is_not_free() -> None:
    free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
    assert cost(**free, input_cost_per_query=0.002) is None
    assert cost(**free, input_cost_per_query=None) == {"input": 0, "output": 0}


def test_a_long_context_costs_what_its_tier_says() -> None:
    info = {
        "input_cost_per_token": 1.25e-06,
        "output_cost_per_token": 1e-05,
        "input_cost_per_token_above_200k_tokens": 2.5e-06,
        "output_cost_per_token_above_200k_tokens": 1.5e-05,
        "input_cost_per_token_above_200k_tokens_priority": 9e-06,
        "cache_read_input_token_cost_above_200k_tokens": None,
    }
    it = model(info)
    assert it.cost is not None
    assert it.cost.tiers == (
        {"tier": {"type": "context", "size": 200_000}, "input": 2.5, "output": 15},
    )


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("chat", "chat"),
        ("responses", "chat"),
        ("completion", "completion"),
        ("embedding", "embedding"),
        ("image_generation", "image"),
        ("image_edit", "image"),
        ("audio_transcription", "audio"),
        ("audio_speech", "audio"),
        ("moderation", "moderation"),
        ("rerank", "rerank"),
        ("video_generation", "video"),
        ("ocr", None),
        ("realtime", None),
        (None, None),
        (["chat"], None),
    ],
)
def test_the_mode_tells_the_kind(mode: Any, kind: str | None) -> None:
    assert model({"mode": mode}).kind == kind


@pytest.mark.parametrize("said", [True, False, None])
def test_a_capability_that_is_not_told_stays_unknown(said: bool | None) -> None:
    it = model(
        {
            "supports_function_calling": said,
            "supports_response_schema": said,
            "supports_reasoning": said,
        }
    )
    assert (it.tool_call, it.structured_output, it.reasoning) == (said, said, said)
    assert it.temperature is None


def test_what_goes_in_is_known_where_something_beside_text_does() -> None:
    inputs = ("supports_vision", "supports_pdf_input", "supports_audio_input")
    seen = model({**dict.fromkeys(inputs), "supports_vision": True})
    assert (seen.modalities.input, seen.attachment) == (("text", "image"), True)
    blind = model({**dict.fromkeys((*inputs, "supports_video_input"), False)})
    assert (blind.modalities.input, blind.attachment) == (("text",), False)
    unsaid = model({"supports_vision": False, "supports_pdf_input": None})
    assert (unsaid.modalities.input, unsaid.attachment) == (None, None)
    listed = model({"supported_modalities": ["text", "audio"], "supports_vision": True})
    assert (listed.modalities.input, listed.attachment) == (("text", "audio"), True)


def test_what_comes_out_is_known_where_it_is_told() -> None:
    assert model({"supports_audio_output": True}).modalities.output == ("text", "audio")
    assert model({"supported_output_modalities": ["image"]}).modalities.output == ("image",)
    assert model({"supports_audio_output": None}).modalities.output is None


@pytest.mark.parametrize("date", ["2026-09-30", "2026-09-30T00:00:00"])
def test_a_model_retires_on_the_day_from_which_calls_may_fail(date: str) -> None:
    it = model({"deprecation_date": date, "successor_model": "faster"})
    assert (it.lifecycle.retires_on, it.lifecycle.successor) == ("2026-09-30", "faster")


# Many deployments of one name


def test_deployments_of_one_name_are_one_model() -> None:
    sonnet = models_from_rows("litellm", CAPTURED["data"])["claude-sonnet"]
    assert sonnet.limit == ModelInfo("x", "x", limit={"context": 200_000, "output": 4_096}).limit
    assert sonnet.cost == Cost(input=3, output=15, cache_read=0.3, cache_write=3.75)
    assert sonnet.reasoning is None  # one of the two says so, the other says nothing
    assert sonnet.extra == {
        "deployments": (
            "anthropic/claude-sonnet-4-5-20250929",
            "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0",
        )
    }


@pytest.mark.parametrize(
    ("said", "together"),
    [
        ((True, True), True),
        ((True, False), False),
        ((True, None), None),
        ((False, None), False),
        ((None, None), None),
    ],
)
def test_a_capability_counts_if_all_say_so(said: Any, together: bool | None) -> None:
    for flags in (said, said[::-1]):
        it = model(*({"supports_function_calling": flag} for flag in flags))
        assert it.tool_call is together


def test_the_smallest_limit_that_is_known_counts() -> None:
    sizes = (None, 200_000, 128_000)
    it = model(*({"max_input_tokens": size, "max_output_tokens": None} for size in sizes))
    assert (it.limit.context, it.limit.output) == (128_000, None)


def test_a_price_counts_if_all_have_it() -> None:
    a = {"input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06}
    assert model(a, a).cost == Cost(input=1, output=2)
    assert model(a, {**a, "output_cost_per_token": 3e-06}).cost == Cost(input=1)
    assert model(a, {**a, "output_cost_per_token": None}).cost == Cost(input=1)
    assert model(a, {}).cost is None
    dearer = {**a, "input_cost_per_token_above_200k_tokens": 9e-06}
    assert model(dearer, dearer).cost == model(dearer).cost
    assert model(a, dearer).cost is None  # nobody knows what 300,000 tokens cost


def test_what_goes_in_is_what_all_take() -> None:
    see, read = {"supports_vision": True, "supports_pdf_input": True}, {"supports_pdf_input": True}
    assert model(see, read).modalities.input == ("text", "pdf")
    # Compared each with each, as many would take days in a thread that nobody ends.
    many = {"supported_modalities": [f"m{number}" for number in range(50_000)]}
    assert len(model(many, dict(many)).modalities.input or ()) == 50_000
    assert model(see, {}).modalities.input is None


def test_a_name_retires_with_the_last_that_serves_it() -> None:
    first, last = {"deprecation_date": "2026-01-31"}, {"deprecation_date": "2026-09-30"}
    assert model(first, last).lifecycle.retires_on == "2026-09-30"
    assert model(first, {}).lifecycle.retires_on is None


def test_deployments_that_differ_in_mode_have_no_kind() -> None:
    assert model({"mode": "chat"}, {"mode": "embedding"}).kind is None
    assert model({"mode": "chat"}, {"mode": None}).kind == "chat"


def test_the_order_of_deployments_does_not_count() -> None:
    rows = [
        row("a", "x/1", supports_vision=True, supports_pdf_input=True, max_input_tokens=5),
        row("a", "x/2", supports_vision=True, max_input_tokens=7, mode=None),
        row("a", "x/3", supports_vision=True, input_cost_per_token=1e-06),
    ]
    assert models_from_rows("litellm", rows) == models_from_rows("litellm", rows[::-1])


# Rows that are no models, or somebody's


def test_a_deployment_that_is_blocked_counts_for_nothing() -> None:
    rows = [row("a", max_input_tokens=5, blocked=True), row("a", max_input_tokens=7)]
    models = models_from_rows("litellm", [*rows, row("b", blocked=True), row("c", blocked=False)])
    assert list(models) == ["a", "c"]
    assert models["a"].limit.context == 7


def test_a_price_of_an_image_size_is_no_model() -> None:
    prices = [
        "openai/1024-x-1024/dall-e-2",
        "openai/hd/1024-x-1792/dall-e-3",
        "max-x-max/9-steps/a",
    ]
    names = ["openai/dall-e-3", "a-x-b/c", "1024-x-1024"]
    assert list(models_from_rows("p", [row(name) for name in (*prices, *names)])) == names


def test_the_deployment_of_a_team_has_the_name_by_which_the_team_calls_it() -> None:
    team = {"team_id": "t1", "team_public_model_name": "ours"}
    assert list(models_from_rows("p", [row("model_name_t1_0af3", **team)])) == ["ours"]
    assert list(models_from_rows("p", [row("ours", **team)])) == ["ours"]
    assert list(models_from_rows("p", [row("model_name_t2_0af3", **team)])) == [
        "model_name_t2_0af3"
    ]


def test_names_may_hold_slashes_and_anything_else() -> None:
    names = ["openai/gpt-4o", "a/b/c:free", "gpt 4o", "büro", "litellm/x"]
    assert list(models_from_rows("p", [row(name) for name in names])) == names


def test_broken_rows_and_fields_cost_only_themselves_and_are_named() -> None:
    losses: list[tuple[str, str]] = []
    broken = row(
        "b",
        max_input_tokens="long",
        supports_reasoning="yes",
        input_cost_per_token="low",
        supported_modalities=7,
        deprecation_date="soon",
    )
    bare = {"model_name": "c", "model_info": "none"}
    rows = [None, {}, {"model_name": 7}, row(""), row("a"), broken, bare]
    models = models_from_rows("p", rows, lambda *loss: losses.append(loss))

    assert list(models) == ["a", "b", "c"]
    assert models["b"] == ModelInfo("b", "p", kind="chat", extra={"deployments": ["openai/large"]})
    assert [culprit for culprit, _ in losses].count("p") == 4
    named = [message.split()[0] for culprit, message in losses if culprit == "p/b"]
    assert sorted(named) == [
        "cost.input",
        "lifecycle.retires_on",
        "limit.context",
        "modalities.input",
        "reasoning",
    ]


# Where calls go


def test_calls_go_to_the_proxy_with_its_key() -> None:
    gateway = LiteLLMGateway(URL)
    client = CannedClient({f"{URL}/model/info": CAPTURED}, secrets=SECRETS)
    provider = gateway.fetch_providers(client)["litellm"]
    endpoint = gateway.endpoint(provider, provider.models["acme/alpha"], SECRETS, client)
    assert endpoint is not None
    assert (endpoint.base_url, endpoint.model) == (f"{URL}/v1", "acme/alpha")
    assert (endpoint.dialect, endpoint.api_key) == ("openai", KEY)


def test_the_core_decides_where_there_is_no_key_or_somebody_routes_elsewhere() -> None:
    gateway = LiteLLMGateway(URL)
    client = CannedClient({f"{URL}/model/info": CAPTURED}, secrets=SECRETS)
    provider = gateway.fetch_providers(client)["litellm"]
    alpha = provider.models["acme/alpha"]
    elsewhere = {"acme/alpha": {"api": "https://other.example/v1"}}

    assert gateway.endpoint(provider, alpha, {}, CannedClient()) is None
    assert LiteLLMGateway().endpoint(provider, alpha, SECRETS, client) is None
    own = {**SECRETS, "LITELLM_BASE_URL": "https://other.example/v1"}
    assert gateway.endpoint(provider, alpha, own, client) is None
    for changes in (
        {"url": "https://other.example/v1"},
        {"model_overrides": elsewhere},
        {"unroutable": "not from here"},
    ):
        assert gateway.endpoint(provider.replace(**changes), alpha, SECRETS, client) is None


def test_no_id_stands_for_another_dialect() -> None:
    gateway = LiteLLMGateway(URL, id="anthropic")
    client = CannedClient({f"{URL}/model/info": CAPTURED}, secrets=SECRETS)
    assert gateway.fetch_providers(client)["anthropic"].npm == "@ai-sdk/openai-compatible"


# The options


def gateway_of(**options: Any) -> LiteLLMGateway:
    (gateway,) = registry_gateways(plugin_settings(options))
    assert isinstance(gateway, LiteLLMGateway)
    return gateway


def test_without_a_url_it_is_disabled_and_says_what_to_set() -> None:
    for options in ({}, {"url": ""}):
        enabled = gateway_of(**options).should_enable(plugin_settings(options, secrets=SECRETS))
        assert isinstance(enabled, Disabled)
        assert "REGISTRY_CORE_PLUGIN_LITELLM_URL" in enabled.reason
        assert "[tool.registry-core.plugin.litellm]" in enabled.reason


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:4000", True),
        ("http://localhost:4000", True),
        ("http://[::1]:4000", True),
        ("http://0.0.0.0:4000", True),
        ("https://llm.acme.example", False),
        ("http://127.evil.example", False),
    ],
)
def test_a_proxy_on_this_machine_needs_no_key_and_may_come_and_go(url: str, local: bool) -> None:
    gateway = gateway_of(url=url)
    assert gateway.volatile is local
    enabled = gateway.should_enable(plugin_settings())
    assert enabled is True if local else isinstance(enabled, Disabled)
    assert gateway.should_enable(plugin_settings(secrets=SECRETS)) is True


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://llm.acme.example", "https://llm.acme.example"),
        ("https://llm.acme.example/", "https://llm.acme.example"),
        ("https://llm.acme.example/v1", "https://llm.acme.example"),
        ("https://llm.acme.example/litellm/v1/", "https://llm.acme.example/litellm"),
        ("http://0.0.0.0:4000", "http://127.0.0.1:4000"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ],
)
def test_any_url_of_the_proxy_will_do(url: str, base: str) -> None:
    assert gateway_of(url=url).url == base


@pytest.mark.parametrize(
    "url",
    [
        7,
        True,
        "proxy",
        "llm.acme.example:4000",
        "ftp://llm.acme.example",
        "file:///etc/hostname",
        "http://",
        "http://user:hidden@llm.acme.example",
        "http://llm.acme.example?key=hidden",
        "http://[",
        "http://llm.acme.example:hidden",
    ],
)
def test_a_url_that_can_not_be_used_is_refused_and_not_shown(url: Any) -> None:
    with pytest.raises(SettingsError, match="the option url of the plugin litellm") as caught:
        gateway_of(url=url)
    assert "REGISTRY_CORE_PLUGIN_LITELLM_URL" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_variable_of_the_key_and_the_id_can_be_chosen() -> None:
    gateway = gateway_of(url=URL, key_env="ACME_KEY", id="acme")
    client = CannedClient({f"{URL}/model/info": CAPTURED}, secrets={"ACME_KEY": "k", **SECRETS})
    (provider,) = gateway.fetch_providers(client).values()
    assert (gateway.id, provider.id, provider.api_key_env_vars) == ("acme", "acme", ("ACME_KEY",))
    assert provider.models["gpt-4o"].full_id == "acme/gpt-4o"
    assert client.requests[0].bearer == "k"
    assert gateway_of(url=URL, key_env=["A", "B"]).key_env == ("A", "B")


@pytest.mark.parametrize("names", [7, None, "", [], [""], [7], {"a": 1}, "sk-1234", ["sk-1234"]])
def test_names_of_variables_that_are_none_are_refused_and_not_shown(names: Any) -> None:
    with pytest.raises(SettingsError, match="the option key_env of the plugin litellm") as caught:
        gateway_of(url=URL, key_env=names)
    assert "1234" not in str(caught.value)


def test_the_entry_point_names_this_module() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["registry_core"] == {"litellm": registry_gateways.__module__}
