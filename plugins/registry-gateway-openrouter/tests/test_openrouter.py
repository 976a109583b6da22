"""OpenRouter's list, however many its pages, becomes one provider, or the sync says why not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from registry_gateway_openrouter import (
    BASE_URL,
    MOST_PAGES,
    URL,
    OpenRouterGateway,
    providers_from_records,
    registry_gateways,
)

from registry_core import (
    GatewayError,
    HostChangedError,
    ModelGateway,
    ModelInfo,
    ModelRegistry,
    Settings,
    SyncReport,
)
from registry_core.testing import (
    CannedClient,
    GatewayContract,
    plugin_settings,
    write_distribution,
)


def record(id: str = "acme/large", **fields: Any) -> dict[str, Any]:
    """One model, as the list has it."""
    return {
        "id": id,
        "canonical_slug": id,
        "hugging_face_id": None,
        "name": "Acme: Large",
        "created": 1_767_225_600,
        "description": "Long.",
        "context_length": 200_000,
        "architecture": {
            "modality": "text+image+file->text",
            "input_modalities": ["text", "image", "file"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
        "top_provider": {
            "context_length": 200_000,
            "max_completion_tokens": 16_384,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": ["max_tokens", "temperature", "tools", "reasoning"],
        "default_parameters": None,
        "supported_voices": None,
        "knowledge_cutoff": "2025-06-30",
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{id}/endpoints"},
        **fields,
    }


def pages(url: str, *contents: list[Any], total: int | None = None) -> dict[str, Any]:
    """URL → page; each but the last names the next by its path alone, as OpenRouter does."""
    path = "/" + url.split("/", 3)[3]
    links = [f"{path}?offset={number}" for number in range(1, len(contents))]
    urls = [url, *(f"{url}?offset={number}" for number in range(1, len(contents)))]
    total = sum(map(len, contents)) if total is None else total
    return {
        one: {"data": data, "links": {"next": link}, "total_count": total}
        for one, data, link in zip(urls, contents, [*links, None], strict=True)
    }


def fetch(routes: dict[str, Any]) -> tuple[list[str], CannedClient]:
    client = CannedClient(routes)
    provider = OpenRouterGateway().fetch_providers(client)["openrouter"]
    return list(provider.models), client


def model(**fields: Any) -> ModelInfo:
    return providers_from_records([record(**fields)])["openrouter"].models["acme/large"]


def refusal(routes: dict[str, Any]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        fetch(routes)
    assert caught.value.culprit == "openrouter"
    assert caught.value.hint
    return caught.value


class TestContract(GatewayContract):
    routes = pages(URL, [record("acme/large")], [record("acme/small:free")])

    @pytest.fixture
    def gateway(self) -> ModelGateway:
        return OpenRouterGateway()


# The list


@pytest.mark.parametrize("count", [1, 3, 40])
def test_all_pages_are_read_and_no_key_is_sent(count: int) -> None:
    contents = [[record(f"acme/{page:02}-{one}") for one in range(3)] for page in range(count)]
    ids, client = fetch(pages(URL, *contents))

    assert ids == [one["id"] for page in contents for one in page]
    assert len(client.requests) == count
    assert {one.bearer for one in client.requests} == {None}
    assert client.warnings == []


@pytest.mark.parametrize("links", [None, {}, {"next": None}, {"next": ""}])
def test_a_page_that_names_no_next_one_is_the_last(links: Any) -> None:
    assert fetch({URL: {"data": [record()], "links": links}})[0] == ["acme/large"]
    assert fetch({URL: {"data": [record()]}})[0] == ["acme/large"]


def test_a_page_that_fails_fails_the_whole_list() -> None:
    routes = pages(URL, [record("acme/a")], [record("acme/b")], [record("acme/c")])
    routes[f"{URL}?offset=1"] = GatewayError("HTTP 502", culprit="canned")
    with pytest.raises(GatewayError, match="502"):
        fetch(routes)


def test_a_page_of_another_shape_fails_the_whole_list() -> None:
    routes = pages(URL, [record("acme/a")], [record("acme/b")])
    routes[f"{URL}?offset=1"] = {"error": {"message": "no", "code": 500}}
    assert "expected an object with the list data on page 2" in str(refusal(routes))


@pytest.mark.parametrize("total", [1, 3, None])
def test_a_total_that_changes_from_page_to_page_is_refused(total: int | None) -> None:
    routes = pages(URL, [record("acme/a")], [record("acme/b")])
    routes[f"{URL}?offset=1"]["total_count"] = total
    assert f"changed while it was read, from 2 models to {total}" in str(refusal(routes))


def test_a_list_with_fewer_models_than_it_counts_is_refused() -> None:
    assert "sent 2 of 5 models" in str(refusal(pages(URL, [record("a"), record("b")], total=5)))


def test_an_id_that_comes_twice_counts_once_and_is_named() -> None:
    again = record("acme/a", name="Second")
    routes = pages(URL, [record("acme/a", name="First")], [again, record("acme/b")])
    client = CannedClient(routes)
    models = OpenRouterGateway().fetch_providers(client)["openrouter"].models

    assert list(models) == ["acme/a", "acme/b"]
    assert models["acme/a"].name == "First"
    (warning,) = client.warnings
    assert warning.culprit == "openrouter/acme/a"
    assert "listed twice" in warning.message


def test_pages_that_never_end_are_refused() -> None:
    endless = {"data": [record()], "links": {"next": "/api/v1/models"}, "total_count": 1}
    client = CannedClient({URL: endless})
    with pytest.raises(GatewayError, match="more than 100 pages"):
        OpenRouterGateway().fetch_providers(client)
    assert len(client.requests) == MOST_PAGES


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/v1/models",
        "//evil.example/models",
        "http://openrouter.ai/api/v1/models",
        "file:///etc/hostname",
        "http://[",
        7,
        ["/api/v1/models"],
    ],
)
def test_a_page_leads_to_no_other_server_and_to_no_file(link: Any) -> None:
    client = CannedClient({URL: {"data": [record()], "links": {"next": link}, "total_count": 1}})
    with pytest.raises(GatewayError, match="not at its own origin"):
        OpenRouterGateway().fetch_providers(client)
    assert client.urls == [URL]


def test_a_file_holds_the_whole_list() -> None:
    file = "file:///lists/openrouter.json"
    page = {"data": [record()], "links": {"next": "/other.json"}, "total_count": 1}
    with pytest.raises(GatewayError, match="not at its own origin"):
        OpenRouterGateway(file).fetch_providers(CannedClient({file: page}))
    client = CannedClient({file: {**page, "links": {"next": None}}})
    assert OpenRouterGateway(file).fetch_providers(client)


# One model


def test_what_the_list_says_of_a_model() -> None:
    assert (
        model().to_dict()
        == ModelInfo(
            id="acme/large",
            provider_id="openrouter",
            name="Acme: Large",
            attachment=True,
            reasoning=True,
            tool_call=True,
            structured_output=False,
            temperature=True,
            knowledge="2025-06-30",
            release_date="2026-01-01",
            limit={"context": 200_000, "output": 16_384},
            cost={"input": 2.5, "output": 10},
            modalities={"input": ["text", "image", "pdf"], "output": ["text"]},
        ).to_dict()
    )


def test_what_the_list_leaves_out_is_unknown() -> None:
    bare = providers_from_records([{"id": "acme/large"}])["openrouter"].models["acme/large"]
    assert bare == ModelInfo("acme/large", "openrouter")


@pytest.mark.parametrize(
    ("text", "million"),
    [("0.0000025", 2.5), ("7e-08", 0.07), ("0", 0), ("-1", None), (None, None)],
)
def test_a_price_of_a_token_becomes_that_of_a_million(text: Any, million: float | None) -> None:
    cost = model(pricing={"prompt": text, "completion": "0.00001"}).cost
    assert cost is not None
    assert (cost.input, cost.output) == (million, 10)


def test_a_price_that_is_none_is_unknown_and_named() -> None:
    losses: list[tuple[str, str]] = []
    records = [record(pricing={"prompt": "free", "completion": "0.00001"})]
    providers = providers_from_records(records, lambda *loss: losses.append(loss))

    cost = providers["openrouter"].models["acme/large"].cost
    assert cost is not None
    assert (cost.input, cost.output) == (None, 10)
    ((culprit, message),) = losses
    assert culprit == "openrouter/acme/large"
    assert "cost.input is taken as unknown" in message


def test_a_router_has_no_price_of_its_own() -> None:
    assert model(pricing={"prompt": "-1", "completion": "-1"}).cost is None


def test_each_price_has_its_field_and_others_are_kept_as_they_are() -> None:
    prices = {
        "prompt": "0.000001",
        "completion": "0.000002",
        "internal_reasoning": "0.000003",
        "input_cache_read": "0.0000004",
        "input_cache_write": "0.000005",
        "audio": "0.000006",
        "audio_output": "0.000007",
        "image": "0.0036",
        "request": "0",
        "web_search": None,
    }
    it = model(pricing=prices)
    assert it.cost is not None
    assert it.to_dict()["cost"] == {
        "input": 1,
        "output": 2,
        "reasoning": 3,
        "cache_read": 0.4,
        "cache_write": 5,
        "input_audio": 6,
        "output_audio": 7,
        "tiers": [],
    }
    assert it.extra == {"pricing": {"image": "0.0036", "request": "0"}}


def test_the_cache_is_free_only_where_input_is() -> None:
    for prompt, cached in (("0.000001", None), ("0", 0)):
        cost = model(pricing={"prompt": prompt, "completion": "0", "input_cache_read": "0.0"}).cost
        assert cost is not None
        assert cost.cache_read == cached


@pytest.mark.parametrize(
    ("parameters", "flags"),
    [
        (None, (None, None, None, None)),
        ([], (False, False, False, False)),
        (["tools", "structured_outputs"], (True, True, False, False)),
        (["include_reasoning", "temperature"], (False, False, True, True)),
        (["response_format"], (False, False, False, False)),  # of any form: no schema is promised
    ],
)
def test_parameters_tell_capabilities_and_no_list_tells_nothing(
    parameters: list[str] | None, flags: tuple[bool | None, ...]
) -> None:
    it = model(supported_parameters=parameters)
    assert (it.tool_call, it.structured_output, it.reasoning, it.temperature) == flags


@pytest.mark.parametrize("date", ["2026-09-30", "2026-09-30T12:00:00Z"])
def test_a_model_that_expires_retires_on_that_day(date: str) -> None:
    it = model(expiration_date=date)
    assert it.lifecycle.retires_on == "2026-09-30"
    assert (it.status_on("2026-09-29"), it.status_on("2026-09-30")) == (None, "retired")


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (["embeddings"], "embedding"),
        (["rerank"], "rerank"),
        (["speech"], "audio"),
        (["image"], "image"),
        (["text", "speech"], "chat"),
    ],
)
def test_what_comes_out_tells_the_kind(made: list[str], kind: str) -> None:
    assert model(architecture={"output_modalities": made}).kind == kind


def test_ids_with_a_suffix_are_models_of_their_own() -> None:
    ids = ["acme/large", "acme/large:free", "acme/large:online", "openrouter/auto", "~acme/latest"]
    assert list(providers_from_records(map(record, ids))["openrouter"].models) == ids


def test_broken_records_and_fields_cost_only_themselves_and_are_named() -> None:
    losses: list[tuple[str, str]] = []
    broken = record(
        "acme/b",
        created="soon",
        context_length="long",
        architecture=[],
        pricing="low",
        top_provider=7,
        supported_parameters="tools",
        expiration_date="soon",
    )
    records = [None, {}, {"id": 7}, record("acme/a"), broken, record("acme/c", created=10**18)]
    providers = providers_from_records(records, lambda *loss: losses.append(loss))

    models = providers["openrouter"].models
    assert list(models) == ["acme/a", "acme/b", "acme/c"]
    name = models["acme/b"].name
    assert models["acme/b"] == ModelInfo("acme/b", "openrouter", name=name, knowledge="2025-06-30")
    assert [culprit for culprit, _ in losses].count("openrouter") == 3
    named = [message.split()[0] for culprit, message in losses if culprit == "openrouter/acme/b"]
    assert sorted(named) == [
        "architecture",
        "created",
        "lifecycle.retires_on",
        "limit.context",
        "pricing",
        "supported_parameters",
        "top_provider",
    ]
    assert "openrouter/acme/c" in dict(losses)


# In a registry


class Server:
    """A loopback server; `routes` maps path and query to a JSON value, a status, or a function
    that gives one."""

    def __init__(self) -> None:
        self.routes: dict[str, Any] = {}
        self.asked: list[tuple[str, str | None]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers["Authorization"]))
                answer = server.routes.get(self.path, 404)
                answer = answer() if callable(answer) else answer
                status, value = (answer, {}) if isinstance(answer, int) else (200, answer)
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def serve_pages(self, *contents: list[Any], **more: Any) -> None:
        found = pages(f"{self.url}/models", *contents, **more)
        self.routes |= {url.removeprefix(self.url): page for url, page in found.items()}


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


MODELS_DEV = {
    "openrouter": {
        "id": "openrouter",
        "name": "OpenRouter",
        "env": ["OPENROUTER_API_KEY"],
        "npm": "@openrouter/ai-sdk-provider",
        "api": "https://evil.example/v1",
        "models": {"acme/gone": {"name": "Gone"}, "acme/a": {"name": "Of models.dev"}},
    },
    "evil": {
        "id": "evil",
        "name": "Evil",
        "env": ["OPENROUTER_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://evil.example/v1",
        "models": {"m": {"name": "M"}},
    },
}
KEYS = {"OPENROUTER_API_KEY": "sk-or-4711"}

NewRegistry = Callable[..., ModelRegistry]


@pytest.fixture
def new_registry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewRegistry:
    """Makes registries over one store, with models.dev and OpenRouter behind the server."""
    site = write_distribution(
        tmp_path / "site",
        "registry-gateway-openrouter",
        entry_points={"openrouter": "registry_gateway_openrouter"},
    )
    monkeypatch.syspath_prepend(site)
    server.routes["/api.json"] = MODELS_DEV
    server.serve_pages(
        [record("acme/a", name="Of OpenRouter"), record("acme/a:free")], [record("acme/b")]
    )

    def registry(**settings: Any) -> ModelRegistry:
        return ModelRegistry(
            Settings(
                store_dir=tmp_path / "store",
                output=tmp_path / "out",
                plugins=("registry-gateway-models-dev", "registry-gateway-openrouter"),
                plugin_options={
                    "models-dev": {"url": f"{server.url}/api.json"},
                    "openrouter": {"url": f"{server.url}/models"},
                },
                fetch_retries=0,
                **settings,
            )
        )

    return registry


def statuses(report: SyncReport) -> dict[str, str]:
    return {gateway.id: gateway.status for gateway in report.gateways}


def test_its_data_wins_beside_the_provider_of_models_dev(new_registry: NewRegistry) -> None:
    registry = new_registry()
    report = registry.sync_gateways()

    assert statuses(report) == {"models.dev": "fresh", "openrouter": "fresh"}
    provider = registry.get_provider_config("openrouter")
    assert provider is not None
    assert (provider.gateway, provider.url) == ("openrouter", BASE_URL)
    assert list(provider.models) == ["acme/a", "acme/a:free", "acme/b"]
    assert provider.models["acme/a"].name == "Of OpenRouter"
    (lost,) = [one for one in report.problems if one.kind == "merge"]
    assert lost.culprit == "models.dev: provider openrouter"
    assert not lost.fatal


def test_a_priority_settles_it_without_a_word(new_registry: NewRegistry) -> None:
    for winner, name in (("openrouter", "Of OpenRouter"), ("models.dev", "Of models.dev")):
        registry = new_registry(priority=(winner,))
        report = registry.sync_gateways()
        found = registry.get_model("openrouter/acme/a")
        assert found is not None
        assert found.name == name
        assert [one for one in report.problems if one.kind == "merge"] == []


def test_the_key_goes_to_openrouter_and_nowhere_else(
    new_registry: NewRegistry, server: Server
) -> None:
    registry = new_registry()
    registry.sync_gateways()

    for id in ("acme/a", "acme/a:free"):
        endpoint = registry.resolve(f"openrouter/{id}", KEYS)
        assert (endpoint.base_url, endpoint.model) == ("https://openrouter.ai/api/v1", id)
        assert (endpoint.dialect, endpoint.api_key) == ("openai", KEYS["OPENROUTER_API_KEY"])
    with pytest.raises(HostChangedError):
        registry.resolve("evil/m", KEYS)
    assert {authorization for _, authorization in server.asked} == {None}

    registry = new_registry(priority=("models.dev",))  # whose URL is another now
    registry.sync_gateways()
    with pytest.raises(HostChangedError):
        registry.resolve("openrouter/acme/a", KEYS)


@pytest.mark.parametrize("damage", [502, {"data": None}, {"data": [], "total_count": 1}])
def test_the_last_good_list_stays_when_a_page_fails(
    new_registry: NewRegistry, server: Server, damage: Any
) -> None:
    new_registry().sync_gateways()
    server.serve_pages([record("acme/new")], [record("acme/b")])
    whole = dict(server.routes)
    server.routes["/models?offset=1"] = damage

    registry = new_registry()
    report = registry.sync_gateways()
    assert not report.ok
    assert statuses(report)["openrouter"] == "failed"
    assert registry.get_models()["openrouter"] == ("acme/a", "acme/a:free", "acme/b")

    server.routes = whole
    registry = new_registry()
    assert registry.sync_gateways().ok
    assert registry.get_models()["openrouter"] == ("acme/b", "acme/new")


def test_a_list_that_shrinks_while_it_is_read_waits_for_the_next_sync(
    new_registry: NewRegistry, server: Server
) -> None:
    new_registry().sync_gateways()

    def shrunk() -> Any:
        server.serve_pages([record("acme/b")], [record("acme/c")])
        return server.routes["/models?offset=1"]

    server.routes["/models?offset=1"] = shrunk
    registry = new_registry()
    report = registry.sync_gateways()
    assert statuses(report)["openrouter"] == "failed"
    assert registry.get_models()["openrouter"] == ("acme/a", "acme/a:free", "acme/b")

    registry = new_registry()
    assert registry.sync_gateways().ok
    assert registry.get_models()["openrouter"] == ("acme/b", "acme/c")


# The package


def test_the_public_list_is_asked_unless_the_option_names_another() -> None:
    def gateway(options: dict[str, Any]) -> Any:
        (gateway,) = registry_gateways(plugin_settings(options))
        return gateway

    assert gateway({}).url == URL == "https://openrouter.ai/api/v1/models"
    assert gateway({"url": "http://mirror.example"}).url == "http://mirror.example"


def test_the_entry_point_names_this_module() -> None:
    pyproject = Path(__file__).parent.parent / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]

    assert project["entry-points"]["registry_core"] == {"openrouter": registry_gateways.__module__}
