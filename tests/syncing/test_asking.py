"""Gateways are asked all at once, and one that does not answer costs the others nothing."""

from __future__ import annotations

from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any

import pytest

from registry_core import Disabled, Endpoint, ModelGateway, ProviderConfig, hookimpl
from registry_core._sync import fetch
from registry_core._sync.fetch import Outcome
from registry_core._sync.options import Options
from registry_core._sync.sync import sync
from tests.loopback import Reply
from tests.syncing.looking import status
from tests.world import BUNDLED_AT, Plugin, World


def test_gateways_are_asked_at_the_same_time(world: World) -> None:
    """Each answers only when all have been asked: one after the other would never end."""
    barrier = Barrier(4)
    for n in range(4):
        world.gateway(f"g{n}")

        def answer(request: Any, n: int = n) -> Reply:
            barrier.wait(60)
            return Reply(200, f'{{"p{n}": ["m"]}}'.encode())

        world.server.route(f"/g{n}.json", answer)
    assert world.sync().ok


def test_one_gateway_that_fails_costs_the_others_nothing(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("second", {"other": ["x"]})
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.serve("second", {"other": ["x", "new"]})
    world.now += 3600
    report = world.sync()
    assert not report.ok
    assert status(report) == {"main": "failed", "second": "fresh"}
    main = report.gateways[0]
    assert main.source == "stored"
    assert "404" in (main.error or "")
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("new", "x")}


def test_a_gateway_that_hangs_is_abandoned_at_its_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still until the other one has answered, and then passes the deadline."""
    answered, release = Event(), Event()

    class Hanging(ModelGateway):
        id = name = "hanging"

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            release.wait(60)
            return {}

    def heard(id: str, outcome: Outcome) -> None:
        if id == "main":
            answered.set()

    clock = SimpleNamespace(monotonic=lambda: 100.0 if answered.is_set() else 0.0)
    monkeypatch.setattr(fetch, "time", clock)
    world.plugins.append(Plugin(Hanging()))
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    outside = world.registry(fetch_deadline_ms=90_000).world
    try:
        report = sync(outside, Options(progress=heard)).report
        assert not release.is_set()
    finally:
        release.set()
    assert (status(report)["hanging"], status(report)["main"]) == ("failed", "fresh")
    error = report.gateways[0].error or ""
    assert "no result within 90 s" in error
    assert "fetch_deadline_ms" in error


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<!doctype html><html></html>", b"null", b"{}", b"[]", b'{"openai": 3}'],
    ids=["empty", "truncated", "html", "null", "empty object", "list", "wrong type"],
)
def test_an_answer_that_is_no_data_is_never_taken_for_some(world: World, body: bytes) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.server.route("/main.json", Reply(200, body, {"ETag": '"2"'}))
    for _ in range(2):  # the failure must not be cached as a success either
        report = world.sync()
        assert status(report)["main"] == "failed"
        assert world.models()["openai"] == ("gpt-5", "gpt-old")
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]}, etag='"3"')
    assert status(world.sync())["main"] == "fresh"


def test_a_gateway_hook_that_raises_is_a_failed_gateway(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    first = world.store.read_state().last_refresh

    class Raising:
        @hookimpl
        def registry_gateways(self) -> list[ModelGateway]:
            raise RuntimeError("out of order")

    assert gateway
    world.plugins[:] = [Raising()]
    world.now += 3600
    report = world.sync()
    assert status(report)["main"] == "failed"
    assert "out of order" in (report.gateways[0].error or "")
    assert world.store.read_state().last_refresh == first
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_a_disabled_gateway_is_no_failure_and_keeps_its_data(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    gateway.should_enable = lambda settings: Disabled("set TOKEN")  # type: ignore[method-assign]
    report = world.sync()
    assert report.ok
    assert (report.gateways[0].status, report.gateways[0].error) == ("disabled", "set TOKEN")
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


@pytest.mark.parametrize(
    ("answer", "told"),
    [("yes", "str"), (Disabled, "the class Disabled"), (None, "NoneType"), (1, "int")],
)
def test_should_enable_says_yes_or_no_and_nothing_else(
    world: World, answer: Any, told: str
) -> None:
    gateway = world.gateway("main", should_enable=lambda settings: answer)
    report = world.sync()
    assert gateway.fetches == 0
    assert status(report)["main"] == "failed"
    assert (report.gateways[0].error or "").startswith(f"should_enable returned {told} (return")


def test_offline_works_from_the_bundle_and_asks_nobody(world: World) -> None:
    world.gateway("main")
    report = world.sync(offline=True)
    assert report.ok
    assert status(report)["main"] == "offline"
    assert report.gateways[0].source == "bundled"
    assert report.gateways[0].retrieved_at.timestamp() == BUNDLED_AT  # type: ignore[union-attr]
    assert (world.store.place / "provider-registry.json").exists()
    assert not world.server.requests


def test_an_offline_sync_forgets_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = world.registry().world.state().gateways
    world.sync(offline=True)
    assert world.registry().world.state().gateways == before


def test_a_gateway_that_needs_no_network_is_asked_offline(world: World) -> None:
    class Local(ModelGateway):
        id = name = "local"
        needs_network = False

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"local": ProviderConfig(id="local", models=["a"])}

    world.plugins.append(Plugin(Local()))
    assert status(world.sync(offline=True))["local"] == "fresh"
    assert world.models()["local"] == ("a",)


class OnlyOnce:
    """An attribute that may be read once."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.reads = 0

    def __get__(self, owner: Any, cls: type) -> Any:
        self.reads += 1
        assert self.reads == 1, "read again"
        return self.value


@pytest.mark.parametrize("registered", [False, True])
def test_what_a_gateway_says_of_itself_is_read_once(world: World, registered: bool) -> None:
    class Restless(ModelGateway):
        id = OnlyOnce("restless")  # type: ignore[assignment]
        name = OnlyOnce("Restless")  # type: ignore[assignment]
        namespaced = OnlyOnce(False)  # type: ignore[assignment]
        needs_network = OnlyOnce(False)  # type: ignore[assignment]
        volatile = OnlyOnce(False)  # type: ignore[assignment]

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"mine": ProviderConfig("mine", models=["a"])}

        def endpoint(self, *about: Any) -> Endpoint:
            return Endpoint("https://mine.example/v1", "a", "openai")

    restless = Restless()
    if not registered:
        world.plugins.append(Plugin(restless))
    registry = world.registry()
    if registered:
        registry.register_gateway(restless)
    for force in (False, True):
        report = registry.sync_gateways(force_refresh=force)
        (told,) = (one for one in report.gateways if one.source == "fetched")
        assert (told.id, told.name, told.status) == ("restless", "Restless", "fresh")
    assert registry.get_model("mine/a") is not None
    assert registry.resolve("mine/a", {}).base_url == "https://mine.example/v1"
    assert registry.gateways == (restless,)
