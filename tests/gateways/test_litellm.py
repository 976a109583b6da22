"""A LiteLLM proxy in a registry: a server that answers as one does, and the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from registry_core import GatewayReport, ModelRegistry, Settings
from registry_core.testing import write_distribution
from tests.examples.test_third_party_wheel import environment, wheel
from tests.litellmproxy import KEY, Proxy
from tests.loopback import Loopback, Reply, Request

ROOT = Path(__file__).parents[2]
KEYS = {"LITELLM_API_KEY": KEY}

NewRegistry = Callable[..., ModelRegistry]


@pytest.fixture
def new_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewRegistry:
    """Makes registries over one store that know of a proxy at this URL."""
    site = write_distribution(
        tmp_path / "site",
        "registry-gateway-litellm",
        entry_points={"litellm": "registry_gateway_litellm"},
    )
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("LITELLM_API_KEY", KEY)

    def registry(url: str, **options: Any) -> ModelRegistry:
        return ModelRegistry(
            Settings(
                store_dir=tmp_path / "store",
                output=tmp_path / "out",
                plugins=("registry-gateway-litellm",),
                plugin_options={"litellm": {"url": url, **options}},
                fetch_retries=0,
            )
        )

    return registry


def synced(registry: ModelRegistry) -> GatewayReport:
    (gateway,) = (one for one in registry.sync_gateways().gateways if one.id == "litellm")
    return gateway


def listing(*names: str) -> Callable[[Request], Reply]:
    """As `/model/info` lists them, for those who have the key."""
    data = [{"model_name": name, "model_info": {"mode": "chat"}} for name in names]

    def answer(request: Request) -> Reply:
        known = request.headers["Authorization"] == f"Bearer {KEY}"
        return Reply(200, json.dumps({"data": data}).encode()) if known else Reply(401, b"{}")

    return answer


@pytest.fixture
def listed(server: Loopback) -> Loopback:
    """It has two models; whatever it is asked, it refuses another key."""
    for path in ("/model/info", "/v1/model/info", "/v1/models"):
        server.route(path, listing("fast", "org/smart"))
    return server


def test_a_key_that_is_revoked_is_a_failure_and_the_last_good_list_stays(
    new_registry: NewRegistry, listed: Loopback
) -> None:
    assert synced(new_registry(listed.url())).status == "fresh"
    for path in ("/model/info", "/v1/model/info", "/v1/models"):
        listed.route(path, Reply(401, b"{}"))

    registry = new_registry(listed.url())
    found = synced(registry)
    assert (found.status, found.source) == ("failed", "stored")
    assert "answered 401 Unauthorized (check LITELLM_API_KEY)" in (found.error or "")
    assert registry.get_models()["litellm"] == ("fast", "org/smart")


def test_another_key_that_is_wrong_is_named_and_gets_no_list_of_somebody_else(
    new_registry: NewRegistry, listed: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(new_registry(listed.url())).status == "fresh"
    monkeypatch.setenv("LITELLM_API_KEY", "sk-mistyped-4711")
    registry = new_registry(listed.url())
    found = synced(registry)
    assert (found.status, found.source) == ("failed", "none")
    assert "answered 401 Unauthorized (check LITELLM_API_KEY)" in (found.error or "")
    assert "sk-mistyped" not in (found.error or "")

    monkeypatch.setenv("LITELLM_API_KEY", KEY)
    registry = new_registry(listed.url())
    assert synced(registry).status == "fresh"
    assert registry.get_models()["litellm"] == ("fast", "org/smart")


def test_without_a_url_it_is_disabled_and_the_sync_is_well(
    new_registry: NewRegistry,
) -> None:
    found = synced(new_registry(""))
    assert found.status == "disabled"
    assert "REGISTRY_CORE_PLUGIN_LITELLM_URL" in (found.error or "")


def test_a_proxy_on_this_machine_that_is_off_is_no_failure_and_its_models_are_gone(
    new_registry: NewRegistry,
) -> None:
    with Loopback() as server:
        server.route("/model/info", listing("fast", "smart", "large"))
        assert synced(new_registry(server.url())).models == 3
        server.route("/model/info", listing("fast"))  # no shrinkage that would be refused
        assert synced(new_registry(server.url())).models == 1
    registry = new_registry(server.url())
    report = registry.sync_gateways()
    assert report.ok
    assert [one.status for one in report.gateways if one.id == "litellm"] == ["absent"]
    assert "litellm" not in registry.get_models()


def test_calls_go_where_the_options_say_with_the_key_that_they_name(
    new_registry: NewRegistry, listed: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(new_registry(listed.url("/v1"))).models == 2
    with Loopback() as other:  # bound to this key, or to that provider, too
        other.route("/model/info", listing("fast", "org/smart"))
        moved = new_registry(other.url(), key_env=["ACME_KEY", "OPENAI_API_KEY"])
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        assert synced(moved).models == 2
    for keys in ({"OPENAI_API_KEY": KEY}, {"ACME_KEY": "sk-acme", "OPENAI_API_KEY": KEY}):
        endpoint = moved.resolve("litellm/org/smart", keys)
        assert (endpoint.base_url, endpoint.model) == (other.url("/v1"), "org/smart")
        assert (endpoint.dialect, endpoint.api_key) == ("openai", next(iter(keys.values())))


def test_the_variable_of_the_providers_url_outranks_the_options(
    new_registry: NewRegistry, listed: Loopback
) -> None:
    registry = new_registry(listed.url())
    synced(registry)
    keys = {**KEYS, "LITELLM_BASE_URL": "https://llm.acme.example/v1"}
    endpoint = registry.resolve("litellm/fast", keys)
    assert (endpoint.base_url, endpoint.api_key) == ("https://llm.acme.example/v1", KEY)


def test_without_the_options_calls_go_where_the_last_sync_found_them(
    new_registry: NewRegistry, listed: Loopback
) -> None:
    synced(new_registry(listed.url()))
    elsewhere = new_registry("")  # in a folder without the project
    base = listed.url("/v1")
    assert elsewhere.resolve("litellm/fast", KEYS).base_url == base
    assert elsewhere.resolve("litellm/fast", KEYS).api_key == KEY
    assert elsewhere.resolve("litellm/fast", {}).api_key is None  # on this machine


# The real one


def ask(registry: ModelRegistry, id: str) -> str | None:
    """What the model says to the client that its users have."""
    endpoint = registry.resolve(id, KEYS)
    with openai.OpenAI(**endpoint.openai_kwargs(), max_retries=0) as client:
        messages: Any = [{"role": "user", "content": "Hello"}]
        answer = client.chat.completions.create(model=endpoint.model, messages=messages)
    return answer.choices[0].message.content


@pytest.mark.slow
def test_the_deployments_of_a_real_proxy_are_listed_and_called(
    new_registry: NewRegistry, proxy: Proxy
) -> None:
    registry = new_registry(proxy.url)
    found = synced(registry)
    assert (found.status, found.error) == ("fresh", None)

    fast = registry.get_model("litellm/fast")
    assert fast is not None
    assert (fast.limit.context, fast.limit.output) == (8_192, 4_096)  # of gpt-4, not gpt-4o
    assert fast.cost is None  # they don't agree
    assert (fast.kind, fast.tool_call) == ("chat", True)
    assert fast.extra == {"deployments": ("openai/gpt-4", "openai/gpt-4o")}
    alpha = registry.get_model("litellm/acme/alpha")
    assert alpha is not None
    assert alpha.cost is not None
    assert (alpha.cost.input, alpha.cost.output, alpha.limit.context) == (0.15, 0.6, 100_000)

    assert (ask(registry, "litellm/fast") or "").startswith("Hello from gpt-4")
    assert ask(registry, "litellm/acme/alpha") == "Hello from alpha"


@pytest.mark.slow
def test_a_deployment_that_is_added_is_there_at_the_next_sync(
    new_registry: NewRegistry, proxy: Proxy, upstream: Loopback
) -> None:
    synced(new_registry(proxy.url))
    params = {"model": "openai/late", "api_base": upstream.url("/v1"), "api_key": "sk-upstream"}
    proxy.add({"model_name": "late", "litellm_params": params, "model_info": {"mode": "chat"}})

    registry = new_registry(proxy.url)
    report = registry.sync_gateways()
    assert report.added == ("litellm/late",)
    late = registry.get_model("litellm/late")
    assert late is not None
    assert (late.kind, late.cost) == ("chat", None)
    assert ask(registry, "litellm/late") == "Hello from late"


@pytest.mark.slow
def test_a_key_that_a_real_proxy_refuses_is_named_and_the_last_good_list_stays(
    new_registry: NewRegistry, proxy: Proxy
) -> None:
    before = new_registry(proxy.url)
    assert synced(before).status == "fresh"
    with proxy.another_key():
        registry = new_registry(proxy.url)
        found = synced(registry)
    assert (found.status, found.source) == ("failed", "stored")
    assert "(check LITELLM_API_KEY)" in (found.error or "")
    assert registry.get_models() == before.get_models()


@pytest.mark.slow
def test_its_wheel_alone_does_the_job_of_its_readme(tmp_path: Path, proxy: Proxy) -> None:
    wheels = [wheel(ROOT, tmp_path), wheel(ROOT / "plugins/registry-gateway-litellm", tmp_path)]
    run = environment(tmp_path / "venv", wheels)
    variables = {"REGISTRY_CORE_PLUGIN_LITELLM_URL": proxy.url, "LITELLM_API_KEY": KEY}
    synced = run("registry-core", "sync", **variables)
    assert synced.returncode == 0, synced.stdout + synced.stderr
    listed = run("registry-core", "list", "litellm/").stdout.splitlines()
    assert {"litellm/acme/alpha", "litellm/fast"} <= {*listed}
    shown = json.loads(run("registry-core", "show", "litellm/acme/alpha", "--json").stdout)
    assert shown["cost"]["input"] == 0.15
    assert "registry-gateway-litellm:litellm" in run("registry-core", "plugins").stdout
