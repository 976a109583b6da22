"""Servers of each kind become providers; what is wrong with one costs that one alone."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from openai import OpenAI
from registry_gateway_openai import OpenAICompatibleGateway, registry_gateways
from registry_gateway_openai.endpoints import DEFAULT_PORTS, Endpoint
from registry_gateway_openai.kinds import KINDS, MOST_SHOWN

from registry_core import (
    Disabled,
    GatewayError,
    GatewayTimeoutError,
    HostChangedError,
    ModelGateway,
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
    RegistryError,
    Settings,
    SettingsError,
    SyncReport,
    UnreachableError,
)
from registry_core.testing import (
    CannedClient,
    GatewayContract,
    plugin_settings,
    write_distribution,
)

PAYLOADS = Path(__file__).parent / "payloads"
URL = "http://127.0.0.1:8000"


def payload(name: str) -> dict[str, Any]:
    """Path → answer."""
    answers: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return answers


def routes(name: str, url: str = URL) -> dict[str, Any]:
    """For a canned client, whose `/api/show` knows one answer."""
    found = {url + path: answer for path, answer in payload(name).items()}
    if f"{url}/api/show" in found:
        found[f"{url}/api/show"] = next(iter(found[f"{url}/api/show"].values()))
    return found


def fetched(client: CannedClient, **about: Any) -> ProviderConfig | None:
    gateway = OpenAICompatibleGateway(Endpoint("gpu", f"{URL}/v1", **about))
    return gateway.fetch_providers(client).get("gpu")


def known(model: ModelInfo) -> dict[str, Any]:
    """What is known of a model, without its ids."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: left for key, one in value.items() if (left := told(one)) not in (None, {})
            }
        return value

    return {
        key: one for key, one in told(model.to_dict()).items() if key not in ("id", "provider_id")
    }


# The options


def made(options: dict[str, Any]) -> list[Any]:
    return list(registry_gateways(plugin_settings(options)))


def endpoint(**table: Any) -> dict[str, Any]:
    return {"id": "gpu", "url": "https://gpu.example", **table}


@pytest.mark.parametrize(
    ("url", "base", "volatile"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1", True),
        ("http://localhost:11434/", "http://localhost:11434/v1", True),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1", True),
        ("http://127.1.2.3:8000/v1/", "http://127.1.2.3:8000/v1", True),
        ("http://[::1]:8000", "http://[::1]:8000/v1", True),
        (" HTTP://LocalHost:8000 ", "http://localhost:8000/v1", True),
        ("http://192.168.1.20:8000", "http://192.168.1.20:8000/v1", False),
        ("http://localhost.example:8000", "http://localhost.example:8000/v1", False),
        ("http://ollama:11434", "http://ollama:11434/v1", False),
        ("https://llm.example/team/v1", "https://llm.example/team/v1", False),
        ("https://llm.example/api", "https://llm.example/api", False),
        ("http://localhost:12434/engines/v1", "http://localhost:12434/engines/v1", True),
    ],
)
def test_a_url_with_a_path_is_the_base_and_one_without_gets_a_version(
    url: str, base: str, volatile: bool
) -> None:
    (gateway,) = made({"endpoint": [endpoint(url=url)]})
    assert isinstance(gateway, ModelGateway)
    assert (gateway.id, gateway.volatile) == ("gpu", volatile)
    client = CannedClient({f"{base}/models": {"data": [{"id": "m", "context_length": 7}]}})
    assert gateway.fetch_providers(client)["gpu"].url == base
    assert client.urls == [f"{base}/models"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("http://gpu.example", "endpoint 2: expected a table, got str (write id = "),
        ({"url": "https://gpu.example"}, "endpoint 2: has no id (name it, as id = "),
        (endpoint(id="My GPU"), "endpoint 2: its id is 'My GPU' (use up to 64 of "),
        (endpoint(id="a/b"), "endpoint 2: its id is 'a/b' (use up to 64 of "),
        (endpoint(id=7), "endpoint 2: id: expected text, got int"),
        (endpoint(id="first"), "endpoint 2 (first): another endpoint before it has this id"),
        (endpoint(ulr="http://x"), "endpoint 2 (gpu): unknown key 'ulr' (did you mean 'url'?)"),
        (
            endpoint(volatile=True),
            "endpoint 2 (gpu): unknown key 'volatile' (known are id, key_env, ",
        ),
        ({"id": "gpu"}, "endpoint 2 (gpu): has no url (write url = "),
        (endpoint(url=7), "endpoint 2 (gpu): url: expected text, got int"),
        (endpoint(url="localhost:8000"), "endpoint 2 (gpu): its url can't be used (write http://"),
        ({"ID": "gpu", "url": "http://x"}, "endpoint 2: unknown key 'ID' (known are id, key_env, "),
        (endpoint(url="ftp://gpu.example"), "its url can't be used"),
        (endpoint(url="http://gpu.example:99999"), "its url can't be used"),
        (endpoint(url="http://gpu.example/v1?a=b"), "its url can't be used"),
        (endpoint(url="http://gpu.example/${TEAM}/v1"), "its url can't be used"),
        (endpoint(url="http://gpu.example/a/../v1"), "its url can't be used"),
        (endpoint(url="http://0.0.0.0:8000"), "an address to listen on, not to call (write 127.0"),
        (
            endpoint(url="http://gpu.example/v1/chat/completions"),
            "ends in /chat/completions, which",
        ),
        (endpoint(url="http://gpu.example/v1/models/"), "its url ends in /models, which is added"),
        (endpoint(kind="olama"), "unknown kind 'olama' (did you mean 'ollama'?)"),
        (endpoint(kind="xyz"), "unknown kind 'xyz' (known are llama.cpp, vllm, lmstudio, ollama"),
        (endpoint(kind=None, key_env=7), "endpoint 2 (gpu): key_env: expected text, got int"),
    ],
)
def test_a_bad_table_is_named_and_costs_itself_alone(table: Any, said: str) -> None:
    first = {"id": "first", "url": "http://127.0.0.1:8001"}
    last = {"id": "last", "url": "http://127.0.0.1:8002"}
    one, error, other = made({"endpoint": [first, table, last]})
    assert (one.id, other.id) == ("first", "last")
    assert isinstance(error, SettingsError)
    assert said in str(error)


@pytest.mark.parametrize(
    "table",
    [
        endpoint(key_env="sk-proj-4711"),
        endpoint(key_env="sk_live_4711"),
        endpoint(url="https://me:sk-4711@gpu.example/v1"),
        endpoint(url="https://gpu.example/v1?key=sk-4711"),
    ],
)
def test_a_key_where_none_belongs_is_not_repeated(table: Any) -> None:
    (error,) = made({"endpoint": [table]})
    assert isinstance(error, SettingsError)
    assert "4711" not in f"{error} {error!r}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"endpoints": [endpoint()]},
            "endpoints: unknown option (did you mean 'endpoint'?)",
        ),
        ({"endpoint": endpoint()}, "endpoint: expected tables, got "),
        ({"endpoint": "http://gpu.example"}, "endpoint: expected tables, got str (write id = "),
        ({"discover": "yes"}, "discover: expected true or false, got str"),
    ],
)
def test_options_that_do_not_exist_or_have_another_form_are_named(
    options: dict[str, Any], said: str
) -> None:
    (error,) = made(options)
    assert isinstance(error, SettingsError)
    assert str(error).startswith(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    tables=st.lists(
        JSON
        | st.fixed_dictionaries(
            {"id": st.from_regex("[a-z]{1,2}", fullmatch=True) | JSON},
            optional={
                "url": st.from_regex(r"https?://[a-z0-9.\[\]:]{1,9}(/[a-z.]*)*") | JSON,
                "key_env": JSON,
                "kind": st.sampled_from([*KINDS]) | JSON,
            },
        ),
        max_size=4,
    ),
    others=st.dictionaries(st.sampled_from(["discover", "endpont", "order"]), JSON),
)
def test_whatever_the_options_hold_each_table_is_a_gateway_or_an_error(
    tables: list[Any], others: dict[str, Any]
) -> None:
    found = made({"endpoint": tables, "discover": True, **others})
    assert len(found) >= len(tables)
    for one in found:
        assert isinstance(one, (ModelGateway, SettingsError))
    ids = [one.id for one in found if isinstance(one, ModelGateway)]
    assert len(ids) == len(set(ids))


@settings(deadline=None)
@given(data=st.data(), name=st.sampled_from(["ollama", "lmstudio", "llama-cpp", "tgi", "litellm"]))
def test_whatever_a_path_answers_is_used_or_a_registry_error(
    data: st.DataObject, name: str
) -> None:
    found = routes(name)
    url = data.draw(st.sampled_from(sorted(found)))
    key = data.draw(st.sampled_from([None, "data", "models", "capabilities", "model_info"]))
    value = data.draw(JSON)
    found[url] = value if key is None else {**found[url], key: value}
    client = CannedClient(found)
    try:
        provider = fetched(client)
    except RegistryError:
        return
    assert provider is None or provider.models


@pytest.mark.parametrize("options", [{}, {"order": 3, "discover": False}, {"endpoint": []}])
def test_without_a_server_nobody_is_asked_and_the_sync_says_where_to_name_one(
    options: dict[str, Any],
) -> None:
    settings = plugin_settings(options)
    assert registry_gateways(settings) == []
    ((culprit, message),) = settings.warnings
    assert culprit == "endpoint"
    assert "[[tool.registry-core.plugin.openai-compatible.endpoint]]" in message
    settings = plugin_settings({"discover": True})
    assert registry_gateways(settings)
    assert settings.warnings == []


def test_discovered_are_the_default_ports_that_nobody_named() -> None:
    mine = {"id": "mine", "url": "http://localhost:11434"}
    named = {"id": "vllm", "url": "https://gpu.example"}
    ids = [one.id for one in made({"discover": True, "endpoint": [mine, named]})]
    assert ids == ["mine", "vllm", *(id for id in DEFAULT_PORTS if id not in ("ollama", "vllm"))]
    assert all(one.volatile for one in made({"discover": True}))


@pytest.mark.parametrize("answer", [GatewayError("answered 404"), b"<html>", {"hello": "world"}])
def test_another_program_at_a_default_port_is_no_failure(answer: Any) -> None:
    client = CannedClient({f"{URL}/v1/models": answer})
    with pytest.raises(UnreachableError, match="no such server"):
        fetched(client, discovered=True)
    with pytest.raises(RegistryError) as raised:
        fetched(client)
    assert not isinstance(raised.value, UnreachableError)


# Kinds


def test_what_llama_cpp_tells() -> None:
    client = CannedClient(routes("llama-cpp"))
    provider = fetched(client)
    assert provider is not None
    assert provider.name == "gpu (llama.cpp)"
    (model,) = provider.models.values()
    assert model.id == "llama/models/tiny-a.gguf"
    assert known(model) == {
        "attachment": False,
        "limit": {"context": 256},
        "modalities": {"input": ["text"], "output": ["text"]},
        "extra": {"quantization": "(guessed) all F32", "parameters": 27232},
    }
    assert client.urls == [f"{URL}/v1/models", f"{URL}/props"]


def test_llama_cpp_serves_less_than_the_model_could_and_says_what_its_template_can() -> None:
    found = routes("llama-cpp")
    props = found[f"{URL}/props"]
    props["default_generation_settings"]["n_ctx"] = 64
    props["modalities"]["vision"] = props["chat_template_caps"]["supports_tool_calls"] = True
    provider = fetched(CannedClient(found))
    assert provider is not None
    (model,) = provider.models.values()
    assert (model.limit.context, model.extra["trained_context"]) == (64, 256)
    assert (model.tool_call, model.attachment) == (True, True)
    assert model.modalities.input == ("text", "image")


def test_a_router_of_llama_cpp_is_not_made_to_load_its_models() -> None:
    client = CannedClient(routes("llama-cpp-router"))
    provider = fetched(client)
    assert provider is not None
    assert [model.limit.context for model in provider.models.values()] == [None, 256]
    assert {model.modalities.input for model in provider.models.values()} == {("text",)}
    assert client.urls == [f"{URL}/v1/models"]

    found = routes("llama-cpp-router")
    found[f"{URL}/v1/models"]["data"].pop()
    provider = fetched(CannedClient(found))
    assert provider is not None
    assert provider.models["tiny-a"].limit.context is None


def test_what_vllm_tells_in_one_request() -> None:
    client = CannedClient(routes("vllm"))
    provider = fetched(client)
    assert provider is not None
    assert provider.name == "gpu (vLLM)"
    assert known(provider.models["meta-llama/Llama-3.1-8B-Instruct"])["limit"] == {
        "context": 131072
    }
    assert client.urls == [f"{URL}/v1/models"]


def test_what_lm_studio_tells() -> None:
    client = CannedClient(routes("lmstudio"))
    provider = fetched(client)
    assert provider is not None
    assert provider.name == "gpu (LM Studio)"
    assert client.urls == [f"{URL}/v1/models", f"{URL}/api/v0/models"]
    vision = provider.models["qwen2-vl-7b-instruct"]
    assert (vision.kind, vision.family, vision.limit.context) == ("chat", "qwen2_vl", 32768)
    assert (vision.accepts("image"), vision.attachment, vision.tool_call) == (True, True, None)
    assert vision.extra["quantization"] == "4bit"
    chat = provider.models["meta-llama-3.1-8b-instruct"]
    assert (chat.limit.context, chat.extra["trained_context"]) == (4096, 131072)
    assert (chat.accepts("image"), chat.tool_call) == (False, True)
    embedding = provider.models["text-embedding-nomic-embed-text-v1.5"]
    assert (embedding.kind, embedding.limit.context) == ("embedding", 2048)


def test_lm_studio_answers_paths_that_it_does_not_know_with_status_200() -> None:
    unknown = {"error": "Unexpected endpoint or method. (GET /api/v0/models)"}
    paths = ("/api/v0/models", "/api/tags", "/info")
    found = {f"{URL}{path}": unknown for path in paths}
    listed = {"data": [{"id": "m", "object": "model", "owned_by": "organization_owner"}]}
    provider = fetched(CannedClient({f"{URL}/v1/models": listed, **found}))
    assert provider is not None
    assert provider.name == "gpu (OpenAI-compatible)"
    assert known(provider.models["m"]) == {}


def test_what_tgi_tells() -> None:
    provider = fetched(CannedClient(routes("tgi")))
    assert provider is not None
    assert provider.name == "gpu (Text Generation Inference)"
    model = provider.models["HuggingFaceH4/zephyr-7b-beta"]
    assert known(model)["limit"] == {"context": 4096, "input": 4095}
    assert model.extra == {"dtype": "torch.float16"}


def test_what_litellm_tells_in_its_list() -> None:
    client = CannedClient(routes("litellm"))
    provider = fetched(client)
    assert provider is not None
    model = provider.models["gpt-4o"]
    assert (model.kind, known(model)["limit"]) == ("chat", {"input": 128000, "output": 16384})
    assert provider.models["acme/alpha"].limit.output == 8192
    assert provider.models["text-embedding-3-small"].kind == "embedding"
    assert client.urls == [f"{URL}/v1/models"]


def test_a_server_that_tells_ids_alone_is_asked_for_each_kind_and_stays_unknown() -> None:
    client = CannedClient(routes("mock-llm"))
    provider = fetched(client)
    assert provider is not None
    assert known(provider.models["gpt-5.2"]) == {}
    asked = [url.removeprefix(URL) for url in client.urls]
    assert asked == ["/v1/models", "/api/v0/models", "/api/tags", "/info"]


def test_one_that_plays_a_kind_and_knows_nothing_of_its_models_is_not_of_that_kind() -> None:
    client = CannedClient(routes("aimock"))
    provider = fetched(client)
    assert provider is not None
    assert (provider.name, list(provider.models)) == ("gpu (OpenAI-compatible)", ["gpt-live-1"])
    assert client.warnings == []


@pytest.mark.parametrize("name", ["llama-cpp", "vllm", "lmstudio", "tgi", "aimock"])
def test_a_kind_that_is_told_is_the_only_one_that_is_asked_for(name: str) -> None:
    own = {"llama-cpp": "llama.cpp", "aimock": "openai"}.get(name, name)
    provider = fetched(CannedClient(routes(name)), kind=own)
    assert provider is not None
    assert KINDS[own].title in (provider.name or "")
    for kind in KINDS.keys() - {own, "openai"}:
        with pytest.raises(GatewayError, match="does not answer as ") as raised:
            fetched(CannedClient(routes(name)), kind=kind)
        assert raised.value.culprit == "gpu"
    client = CannedClient(routes(name))
    fetched(client, kind="openai")
    assert client.urls == [f"{URL}/v1/models"]


# OpenAI's list


@pytest.mark.parametrize("answer", [{"data": None}, {"data": []}, []])
def test_a_list_without_a_model_is_a_result(answer: Any) -> None:
    client = CannedClient({f"{URL}/v1/models": answer})
    assert fetched(client) is None
    assert fetched(client, kind="ollama") is None
    assert client.warnings == []


def test_a_bare_array_is_a_list() -> None:
    provider = fetched(CannedClient({f"{URL}/v1/models": [{"id": "m", "context_length": 9}]}))
    assert provider is not None
    assert provider.models["m"].limit.context == 9


def test_broken_and_repeated_records_cost_only_themselves_and_are_named() -> None:
    good = {"id": "a", "max_model_len": 9}
    records = [None, "b", {"id": 7}, {}, good, {"id": "a", "max_model_len": 8}]
    records.append({"id": "c", "max_model_len": "long", "architecture": 7, "mode": ["chat"]})
    client = CannedClient({f"{URL}/v1/models": {"data": records}})
    provider = fetched(client)
    assert provider is not None
    assert {id: one.limit.context for id, one in provider.models.items()} == {"a": 9, "c": None}
    assert [one.culprit for one in client.warnings] == ["gpu"] * 4 + ["gpu/a", "gpu/c"]


@pytest.mark.parametrize("answer", [{"models": []}, {"data": "m"}, "list", 7])
def test_what_is_no_list_is_named_with_the_url(answer: Any) -> None:
    with pytest.raises(GatewayError, match=f"the list data at {URL}/v1/models") as raised:
        fetched(CannedClient({f"{URL}/v1/models": answer}))
    assert (raised.value.culprit, "check its url" in raised.value.hint) == ("gpu", True)


# Ollama's own


class OllamaClient(CannedClient):
    """One whose `/api/show` goes by the model that it is asked for."""

    def __init__(self, found: Mapping[str, Any], show: Callable[[str], Any]) -> None:
        super().__init__(found)
        self.shown: list[str] = []
        self._show = show

    def post_json(self, url: str, *, json: Any = None, **more: Any) -> Any:
        self.shown.append(json["model"])
        return self._show(json["model"])


def ollama(show: Callable[[str], Any] | None = None, ids: list[str] | None = None) -> OllamaClient:
    found = routes("ollama")
    if ids is not None:
        found[f"{URL}/v1/models"] = {"data": [{"id": id} for id in ids]}
    return OllamaClient(found, show or payload("ollama")["/api/show"].__getitem__)


def test_what_ollama_tells() -> None:
    client = ollama()
    provider = fetched(client)
    assert provider is not None
    assert provider.name == "gpu (Ollama)"
    qwen = provider.models["qwen3:8b"]
    assert (qwen.kind, qwen.family, qwen.limit.context) == ("chat", "qwen3", 40960)
    assert (qwen.tool_call, qwen.reasoning, qwen.attachment) == (True, True, False)
    assert qwen.extra == {
        "quantization": "Q4_K_M",
        "format": "gguf",
        "parameters": 8190735360,
        "parameter_size": "8.2B",
    }
    gemma = provider.models["hf.co/unsloth/gemma-3-4b-it-GGUF:Q4_K_M"]
    assert (gemma.limit.context, gemma.extra["trained_context"]) == (8192, 131072)
    assert (gemma.tool_call, gemma.accepts("image")) == (False, True)
    embedding = provider.models["nomic-embed-text:latest"]
    assert (embedding.kind, embedding.limit.context) == ("embedding", 2048)
    assert client.shown == ["qwen3:8b", gemma.id, embedding.id]


def test_an_ollama_with_many_models_is_asked_for_the_first_of_them() -> None:
    ids = [f"m{number}" for number in range(MOST_SHOWN + 5)]
    client = ollama(lambda id: {"capabilities": ["completion"]}, ids)
    provider = fetched(client)
    assert provider is not None
    assert len(provider.models) == MOST_SHOWN + 5
    assert len(client.shown) == MOST_SHOWN
    assert [provider.models[id].tool_call for id in ("m0", ids[-1])] == [False, None]
    (warning,) = client.warnings
    assert f"only the first {MOST_SHOWN} models were asked about" in warning.message


def test_a_slow_ollama_costs_details_and_not_the_list() -> None:
    def show(id: str) -> Any:
        if id == "qwen3:8b":
            return payload("ollama")["/api/show"][id]
        raise GatewayTimeoutError("gave no whole answer before the deadline")

    client = ollama(show)
    provider = fetched(client)
    assert provider is not None
    assert [one.tool_call for one in provider.models.values()].count(None) == 2
    assert {one.extra["quantization"] for one in provider.models.values()} == {"Q4_K_M", "F16"}
    assert len(client.shown) == 2
    assert "no time was left to ask about more than 1 models" in client.warnings[0].message


def test_a_megabyte_of_empty_lines_of_an_ollama_is_read_at_once() -> None:
    """A search that takes the square of their number never gives the deadline its turn."""
    shown = {"parameters": "\n" * 1_000_000 + "num_ctx   8192"}
    provider = fetched(ollama(lambda id: shown))
    assert provider is not None
    assert {one.limit.context for one in provider.models.values()} == {8192}


def test_a_model_that_ollama_can_not_show_is_named_and_stays() -> None:
    def show(id: str) -> Any:
        if id == "qwen3:8b":
            raise GatewayError("answered 500 Internal Server Error")
        return payload("ollama")["/api/show"][id]

    client = ollama(show)
    provider = fetched(client)
    assert provider is not None
    qwen = provider.models["qwen3:8b"]
    assert (qwen.tool_call, qwen.family, qwen.extra["parameter_size"]) == (None, "qwen3", "8.2B")
    assert [one.culprit for one in client.warnings] == ["gpu/qwen3:8b"]
    assert "/api/show answered 500" in client.warnings[0].message


def test_an_ollama_that_ends_meanwhile_is_not_there() -> None:
    def show(id: str) -> Any:
        raise UnreachableError("can't be reached")

    with pytest.raises(UnreachableError):
        fetched(ollama(show))


# What the host expects of every gateway


class Contract(GatewayContract):
    name: str
    key: str | None = None

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.routes = routes(cls.name, "https://gpu.example")

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        kind = {"llama-cpp-router": "llama.cpp"}.get(self.name, self.name)
        return OpenAICompatibleGateway(
            Endpoint("gpu", "https://gpu.example/v1", self.key, kind if kind in KINDS else None)
        )


class TestOllama(Contract):
    name = "ollama"


class TestLMStudio(Contract):
    name = "lmstudio"


class TestRouter(Contract):
    name = "llama-cpp-router"


class TestLiteLLM(Contract):
    name = "litellm"
    key = "GPU_KEY"
    secrets = {"GPU_KEY": "gpu-key-4711"}  # noqa: RUF012  # as in the class that it inherits


# In a registry


class Server:
    """What answers on loopback; POSTs of `/api/show` go by the model."""

    def __init__(self, answers: Mapping[str, Any] | None = None, port: int = 0) -> None:
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                server.asked.append((self.path, self.headers["Authorization"]))
                found = server.answers.get(self.path)
                if found is not None and self.path == "/api/show":
                    found = found[json.loads(body)["model"]]
                if self.path == "/v1/chat/completions":
                    message = {"role": "assistant", "content": f"{json.loads(body)['model']} here"}
                    found = {"choices": [{"index": 0, "message": message}]}
                data = json.dumps({} if found is None else found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


NewServer = Callable[..., Server]
NewRegistry = Callable[..., ModelRegistry]


@pytest.fixture
def new_server() -> Iterator[NewServer]:
    servers: list[Server] = []

    def start(name: str | None = None, port: int = 0) -> Server:
        servers.append(Server(payload(name) if name else None, port))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def new_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewRegistry:
    """Makes registries over one store, with these endpoints."""
    site = write_distribution(
        tmp_path / "site",
        "registry-gateway-openai",
        entry_points={"openai-compatible": "registry_gateway_openai"},
    )
    monkeypatch.syspath_prepend(site)

    def registry(*endpoints: Any, **settings: Any) -> ModelRegistry:
        options = {"endpoint": list(endpoints)} if endpoints else {}
        return ModelRegistry(
            Settings(
                store_dir=tmp_path / "store",
                output=tmp_path / "out",
                plugins=("registry-gateway-openai",),
                plugin_options={"openai-compatible": options},
                fetch_retries=0,
                **settings,
            )
        )

    return registry


def statuses(report: SyncReport) -> dict[str, str]:
    return {gateway.id: gateway.status for gateway in report.gateways}


def test_models_are_called_by_the_id_that_their_server_knows(
    new_server: NewServer, new_registry: NewRegistry
) -> None:
    server = new_server("ollama")
    registry = new_registry({"id": "here", "url": server.url})
    assert registry.sync_gateways().ok
    ids = payload("ollama")["/api/show"]
    assert set(registry.get_models()["here"]) == set(ids)
    for id in ids:
        found = registry.resolve(f"here/{id}", {})
        assert (found.base_url, found.model) == (f"{server.url}/v1", id)
        assert (found.dialect, found.api_key) == ("openai", None)
        with OpenAI(**found.openai_kwargs()) as client:
            answer = client.chat.completions.create(
                model=found.model, messages=[{"role": "user", "content": "Hello"}]
            )
        assert answer.choices[0].message.content == f"{id} here"


def test_a_server_that_is_off_is_absent_and_one_that_is_back_is_there_at_the_next_sync(
    new_server: NewServer, new_registry: NewRegistry
) -> None:
    server, other = new_server("ollama"), new_server("vllm")
    tables = [{"id": "here", "url": server.url}, {"id": "other", "url": other.url}]
    assert new_registry(*tables).sync_gateways().ok
    server.close()
    registry = new_registry(*tables)
    report = registry.sync_gateways()
    assert (report.ok, statuses(report)["here"], statuses(report)["other"]) == (
        True,
        "absent",
        "fresh",
    )
    assert ("here" in registry.get_models(), "other" in registry.get_models()) == (False, True)
    new_server("ollama", server.port)
    registry = new_registry(*tables)
    assert statuses(registry.sync_gateways())["here"] == "fresh"
    assert registry.get_model("here/qwen3:8b") is not None


def test_a_bad_table_fails_the_sync_and_costs_only_its_own_gateway(
    new_server: NewServer, new_registry: NewRegistry
) -> None:
    server, other = new_server("vllm"), new_server("tgi")
    tables = [{"id": "a", "url": server.url}, {"id": "b", "url": other.url}]
    assert new_registry(*tables).sync_gateways().ok
    broken = [tables[0], {**tables[1], "kidn": "tgi"}]
    registry = new_registry(*broken)
    report = registry.sync_gateways()
    assert not report.ok
    (problem,) = report.problems
    assert "endpoint 2 (b): unknown key 'kidn' (did you mean 'kind'?)" in problem.message
    assert statuses(report)["a"] == "fresh"
    assert set(registry.get_models()) >= {"a", "b"}  # what it had stays until it is mended
    assert new_registry(tables[0]).sync_gateways().ok
    assert "b" not in new_registry(tables[0]).get_models()


def test_a_key_goes_to_the_url_that_is_written_beside_it_whatever_else_it_is_for(
    new_server: NewServer, new_registry: NewRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server("vllm")
    key = {"OPENAI_API_KEY": "sk-4711"}
    table = {"id": "gpu", "url": server.url, "key_env": "OPENAI_API_KEY"}
    for name, value in key.items():
        monkeypatch.setenv(name, value)
    registry = new_registry(table)
    assert registry.sync_gateways().ok
    assert set(server.asked) == {("/v1/models", "Bearer sk-4711")}
    id = "gpu/meta-llama/Llama-3.1-8B-Instruct"
    found = registry.resolve(id, key)
    assert (found.base_url, found.api_key) == (f"{server.url}/v1", "sk-4711")
    assert registry.resolve(id, {}).api_key is None  # on loopback none is needed
    moved = registry.resolve(id, {"GPU_BASE_URL": "https://other.example/v1", **key})
    assert moved.base_url == "https://other.example/v1"
    with pytest.raises(HostChangedError):  # where nobody configured it, it is bound as any other
        new_registry().resolve(id, key)


def test_elsewhere_a_key_that_is_not_set_is_named() -> None:
    gateway = OpenAICompatibleGateway(Endpoint("gpu", "https://gpu.example/v1", "GPU_KEY"))
    assert gateway.should_enable(plugin_settings()) == Disabled("set GPU_KEY")
    assert gateway.should_enable(plugin_settings(secrets={"GPU_KEY": "k"})) is True
    local = OpenAICompatibleGateway(Endpoint("gpu", "http://localhost:1/v1", "GPU_KEY"))
    assert local.should_enable(plugin_settings()) is True

    client = CannedClient(routes("vllm", "https://gpu.example"), secrets={"GPU_KEY": "k-4711"})
    (provider,) = gateway.fetch_providers(client).values()
    assert {one.bearer for one in client.requests} == {"k-4711"}
    assert provider.api_key_env_vars == ("GPU_KEY",)
    (model,) = provider.models.values()
    found = gateway.endpoint(provider, model, {}, client)
    assert found is not None
    assert (found.base_url, found.model, found.api_key) == (provider.url, model.id, "k-4711")
    assert gateway.endpoint(provider, model, {}, CannedClient()) is None  # the core names it
    for change in (
        {"unroutable": "by policy"},
        {"url": "https://other.example/v1"},
        {"model_overrides": {model.id: {"api": "https://other.example/v1"}}},
    ):
        routed = provider.replace(**change)
        assert gateway.endpoint(routed, model, {}, client) is None  # not for us to overrule


@pytest.mark.parametrize("id", ["lmstudio", "openai", "anthropic", "google"])
def test_an_endpoint_with_the_id_of_a_well_known_provider_takes_it_over(
    id: str, new_server: NewServer, new_registry: NewRegistry
) -> None:
    server = new_server("lmstudio")
    registry = new_registry({"id": id, "url": server.url})
    assert registry.sync_gateways().ok
    provider = registry.get_provider_config(id)
    assert provider is not None
    assert (provider.gateway, provider.url) == (id, f"{server.url}/v1")
    found = registry.resolve(f"{id}/qwen2-vl-7b-instruct", {})
    assert (found.base_url, found.dialect) == (f"{server.url}/v1", "openai")


def test_the_entry_point_names_this_module() -> None:
    pyproject = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    module = registry_gateways.__module__
    assert project["entry-points"]["registry_core"] == {"openai-compatible": module}
