"""Which data of a gateway is used: fetched, stored or bundled."""

from __future__ import annotations

from attrs import evolve

from registry_core import ProviderConfig, Snapshot
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


def test_accept_does_not_lift_an_empty_result(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": []})
    assert status(world.sync(Options(accept=["main"])))["main"] == "failed"
    assert world.models()["openai"] == ("gpt-old",)


def test_a_newer_bundle_replaces_older_stored_data_gateway_by_gateway(world: World) -> None:
    """An upgrade brings newer bundled data; private providers must not vanish with it."""
    upgraded = world.bundle
    world.bundle = evolve(upgraded, captured=dict.fromkeys(upgraded.captured, BUNDLED_AT - 2000))
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
