"""Which data of a gateway is used: fetched, stored or bundled."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest

from registry_core import Endpoint, HostChangedError, ProviderConfig, Snapshot
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.syncing.looking import status
from tests.world import BUNDLED_AT, World


def test_a_gateway_that_never_answered_has_no_data(world: World) -> None:
    world.gateway("new")
    world.server.route("/new.json", Reply(404))
    (found,) = [one for one in world.sync().gateways if one.id == "new"]
    assert (found.status, found.source, found.retrieved_at) == ("failed", "none", None)
    assert (found.providers, found.models) == (0, 0)


def test_a_gateway_that_shrinks_is_quarantined_until_it_is_accepted(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": [f"m{n}" for n in range(10)]})
    world.sync()
    world.serve("main", {"openai": ["m0", "m1", "m2", "m3"]})
    report = world.sync()
    assert not report.ok
    assert report.gateways[0].quarantined
    assert "--accept main" in (report.gateways[0].error or "")
    assert len(world.models()["openai"]) == 10
    assert world.sync(Options(accept=["main"])).ok
    assert len(world.models()["openai"]) == 4


def test_shrinkage_is_measured_against_the_bundle_if_nothing_is_stored(world: World) -> None:
    world.bundled = Snapshot.build(
        [ProviderConfig(id="openai", models=["a", "b", "c"], gateway="main")]
    )
    world.gateway("main")
    world.serve("main", {"openai": ["a"]})
    assert world.sync().gateways[0].quarantined
    assert world.models() == {"openai": ("a", "b", "c")}


def test_the_bundle_is_no_measure_of_a_source_that_the_user_set(world: World) -> None:
    """A mirror that holds a part of the catalog, in a store that is new."""
    world.bundled = Snapshot.build(
        [ProviderConfig(id="openai", models=["a", "b", "c"], gateway="main")]
    )
    world.gateway("main")
    world.serve("main", {"openai": ["a", "b"]})
    options = {"test-0": {"url": "https://mirror.example"}}
    assert world.sync(plugin_options=options, shrink_limit=0.9).ok
    assert world.models() == {"openai": ("a", "b")}
    world.serve("main", {"openai": ["a"]})
    assert world.sync(plugin_options=options, shrink_limit=0.9).gateways[0].quarantined


def test_the_gateway_of_a_providers_id_gets_its_models_and_not_its_key(world: World) -> None:
    known = ProviderConfig(
        "acme", url="https://acme.example/v1", api_key_env_vars="ACME_KEY", models=["a"]
    )
    world.bundled = Snapshot.build([known.replace(gateway="main")])
    moved = known.replace(url="https://elsewhere.example/v1", models=["b"])
    gateway = world.gateway("acme", fetch_providers=lambda client: {"acme": moved})
    world.sync()
    assert world.models()["acme"] == ("b",)
    environ = {"ACME_KEY": "key-of-acme"}
    with pytest.raises(HostChangedError):
        world.registry().resolve("acme/b", environ)
    own = Endpoint("https://elsewhere.example/v1", "b", "openai", api_key="of-its-own")
    gateway.endpoint = lambda *_: own  # type: ignore[method-assign]
    assert world.registry().resolve("acme/b", environ) == own


def test_shrinkage_is_measured_against_what_is_stored_even_if_the_bundle_is_newer(
    world: World,
) -> None:
    """A private mirror that holds less than the public bundle is no shrinkage of its own."""
    world.bundled = Snapshot.build(
        [ProviderConfig(id="openai", models=[f"m{n}" for n in range(10)], gateway="main")]
    )
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.serve("main", {"openai": ["m0"]})
    world.sync(Options(accept=["main"]))
    world.now = BUNDLED_AT + 1000
    world.serve("main", {"openai": ["m0", "m1"]})
    assert world.sync().ok
    assert world.models()["openai"] == ("m0", "m1")


def test_an_empty_result_is_taken_once_it_is_accepted_and_for_good(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("second", {"other": ["x"]})
    world.serve("main", {"openai": ["gpt-5"]})
    world.sync()
    for nothing in ({}, {"openai": []}):
        world.serve("main", nothing)
        refused = world.sync()
        assert status(refused)["main"] == "failed"
        assert "if it has none: registry-core sync --accept main" in (
            refused.gateways[0].error or ""
        )
        assert world.models()["openai"] == ("gpt-5",)
        taken = world.sync(Options(accept=["main"]))
        assert taken.ok
        assert taken.removed == ("openai/gpt-5",)
        assert world.models() == {"other": ("x",)}
        assert world.sync().ok
        assert world.sync(Options(force=True)).ok
        assert world.models() == {"other": ("x",)}
        world.serve("main", {"openai": ["gpt-5"]})
        assert world.sync().added == ("openai/gpt-5",)


def test_a_registry_may_be_empty_if_that_is_accepted(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    alone = {"disable_plugins": ("second-plugin",)}
    world.sync(**alone)
    world.serve("main", {})
    assert world.sync(Options(accept=["main"]), **alone).ok
    assert world.sync(**alone).ok
    assert world.models() == {}


def test_what_can_be_no_model_is_no_empty_result(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    world.sync()

    def dropped(client: Any) -> dict[str, Any]:
        client.warn("openai/gpt-5", "dropped: expected an object, got int")
        return {}

    for fetch in (lambda client: {"openai": 5}, dropped):
        gateway.fetch_providers = fetch  # type: ignore[method-assign]
        report = world.sync(Options(accept=["main"], force=True))
        assert status(report)["main"] == "failed"
        assert "--accept" not in (report.gateways[0].error or "")
        assert world.models()["openai"] == ("gpt-5",)


def test_a_newer_bundle_replaces_older_stored_data_gateway_by_gateway(world: World) -> None:
    """An upgrade brings newer bundled data; private providers must not vanish with it."""
    upgraded = world.bundle
    world.bundle = copy(upgraded)
    world.bundle.captured = dict.fromkeys(upgraded.captured, BUNDLED_AT - 2000)
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.gateway("private")
    world.serve("main", {"openai": ["ancient"]})
    world.serve("private", {"mine": ["secret-model"]})
    world.sync(Options(accept=["main"]))
    assert world.models() == {"mine": ("secret-model",), "openai": ("ancient",), "other": ("x",)}
    world.now, world.bundle = BUNDLED_AT + 1000, upgraded
    report = world.sync(offline=True)
    assert {one.id: one.source for one in report.gateways} == {
        "main": "bundled",
        "private": "stored",
        "second": "bundled",
    }
    assert world.models() == {"mine": ("secret-model",), "openai": ("gpt-old",), "other": ("x",)}


def test_a_304_makes_stored_data_newer_than_the_bundle(world: World) -> None:
    world.now = BUNDLED_AT - 1000
    world.gateway("main")
    world.serve("main", {"openai": ["ancient"]}, etag='"1"')
    world.sync()
    world.now = BUNDLED_AT + 1000
    assert status(world.sync())["main"] == "unchanged"
    assert world.models()["openai"] == ("ancient",)
