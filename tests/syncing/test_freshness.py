"""Whom a sync asks, and whom it only asks whether anything has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry_core._sync import freshness
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.syncing.looking import files, status
from tests.world import Emitter, World


def test_a_second_sync_revalidates_and_writes_nothing_but_state(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = files(world.tmp_path)
    report = world.sync()
    after = files(world.tmp_path)
    assert status(report)["main"] == "unchanged"
    assert gateway.fetches == 1
    assert [one.headers["If-None-Match"] for one in world.server.requests] == [None, '"1"']
    changed = {name for name in after if before.get(name) != after[name]}
    assert {Path(name).name for name in changed if not name.endswith((".lock", ".payload"))} == {
        "state.json"
    }
    assert not report.written


def test_force_sends_no_validators(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.now += 10
    report = world.sync(Options(force=True))
    assert status(report)["main"] == "fresh"
    assert gateway.fetches == 2
    assert world.server.requests[1].headers["If-None-Match"] is None


def test_a_fork_of_a_plugin_is_asked_itself(world: World) -> None:
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.plugins.append(Emitter())
    world.gateway("main")
    world.sync()
    world.plugins.reverse()  # the same gateway, from another plugin
    fork = world.plugins[0]._gateways[0]  # type: ignore[attr-defined]
    fork.fetches = 0
    world.sync()
    assert fork.fetches == 1
    world.now += 10
    report = world.sync(offline=True, disable_plugins=("registry-core:test-1",))
    assert (report.gateways[0].status, report.gateways[0].source) == ("offline", "stored")


def test_a_gateway_that_has_moved_is_asked_at_its_new_place(world: World) -> None:
    """Though its old address, which is revalidated first, is down."""
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.serve("moved", {"openai": ["gpt-6", "gpt-old"]})
    gateway._url = world.server.url("/moved.json")
    assert status(world.sync())["main"] == "fresh"
    assert world.models()["openai"] == ("gpt-6", "gpt-old")


def test_a_new_version_of_the_core_asks_each_gateway_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the core knows of providers, and how it reads records, may have changed."""
    main = world.gateway("main")
    world.serve("main", {"openai": ["a"]}, etag='"1"')
    for version, fetches in (("1.0", 1), ("1.0", 1), ("1.1", 2), ("1.1", 2)):
        monkeypatch.setattr(freshness, "__version__", version)
        world.sync()
        assert main.fetches == fetches
