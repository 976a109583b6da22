"""Gateways that come and go: a server on this laptop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from registry_core import (
    Disabled,
    ModelRegistry,
    ProviderConfig,
    Snapshot,
    StoreError,
    UnreachableError,
)
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.store import Generation
from registry_core._emit.exports import export_snapshot
from registry_core._sync.freshness import answered_at
from registry_core._sync.options import Options
from tests.loopback import NOBODY, Reply
from tests.syncing.looking import status
from tests.world import JsonGateway, Overlay, Plugin, World

MODELS = ["a", "b", "c", "d"]


@pytest.fixture
def local(world: World) -> JsonGateway:
    """Beside a catalog, a gateway that comes and goes."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("local", {"local": MODELS})
    return world.gateway("local", volatile=True)


def leave(world: World) -> None:
    """Nobody listens there any more."""
    for plugin in world.plugins:
        for gateway in plugin.registry_gateways() if isinstance(plugin, Plugin) else ():
            if gateway.volatile:
                gateway._url = f"{NOBODY}/local.json"


def test_what_comes_and_goes_is_seen_while_it_is_there(world: World, local: JsonGateway) -> None:
    assert world.sync().ok
    assert world.models()["local"] == tuple(MODELS)
    leave(world)
    world.now += 3600
    report = world.sync()
    assert report.ok
    (found,) = [one for one in report.gateways if one.id == "local"]
    assert (found.status, found.source, found.models) == ("absent", "none", 0)
    assert "can't be reached" in (found.error or "")
    assert report.removed == tuple(f"local/{id}" for id in MODELS)
    assert "local" not in world.models()
    assert world.store.read_state().last_refresh == world.now  # it counts as reached
    local._url = world.server.url("/local.json")
    assert status(world.sync())["local"] == "fresh"
    assert world.models()["local"] == tuple(MODELS)


def test_it_may_shrink_to_nothing(world: World, local: JsonGateway) -> None:
    world.sync()
    world.serve("local", {"local": ["a"]})
    assert world.sync().ok
    assert world.models()["local"] == ("a",)
    for nothing in ({"local": []}, {}):
        world.serve("local", nothing)
        report = world.sync()
        assert (status(report)["local"], report.problems) == ("fresh", ())
        assert "local" not in world.models()


def test_a_server_that_answers_with_an_error_has_failed(world: World, local: JsonGateway) -> None:
    """It is there: whatever fails, the last good data stays."""
    world.sync()
    for wrong in (Reply(404), Reply(200, b"<html>"), Reply(503)):
        world.server.route("/local.json", wrong)
        assert status(world.sync())["local"] == "failed"
        assert world.models()["local"] == tuple(MODELS)


def test_one_that_is_disabled_is_gone_too(world: World, local: JsonGateway) -> None:
    world.sync()
    vars(local)["should_enable"] = lambda settings: Disabled("start the server")
    report = world.sync()
    assert (report.ok, status(report)["local"]) == (True, "disabled")
    assert "local" not in world.models()
    del vars(local)["should_enable"]
    world.sync()
    assert world.models()["local"] == tuple(MODELS)


def test_it_is_tried_once_and_not_waited_for_long(world: World, local: JsonGateway) -> None:
    world.server.route("/local.json", Reply(503))
    world.sync(fetch_retries=3)
    assert world.server.paths.count("/local.json") == 1
    seen: list[tuple[int, int]] = []

    def look(client: Any) -> dict[str, ProviderConfig]:
        settings = client._config.settings
        seen.append((settings.fetch_retries, settings.fetch_deadline_ms))
        return {}

    local.fetch_providers = look  # type: ignore[method-assign]
    world.sync()
    world.sync(fetch_deadline_ms=50)
    assert seen == [(0, 5000), (0, 50)]


def test_one_that_hangs_is_absent(world: World, local: JsonGateway) -> None:
    release = Event()
    try:
        world.server.route("/local.json", lambda request: (release.wait(60), Reply(404))[1])
        report = world.sync(fetch_deadline_ms=3000)
    finally:
        release.set()
    assert report.ok
    assert status(report) == {"local": "absent", "main": "fresh", "second": "disabled"}


def test_a_gateway_may_say_itself_that_nobody_is_there(world: World, local: JsonGateway) -> None:
    """One that asks by a socket of another kind; of any other gateway that is a failure."""

    def away(client: Any) -> dict[str, ProviderConfig]:
        raise UnreachableError("the socket is gone", culprit="local")

    local.fetch_providers = away  # type: ignore[method-assign]
    assert status(world.sync())["local"] == "absent"
    local.volatile = False
    assert status(world.sync())["local"] == "failed"


def test_its_absence_stands_for_a_while(world: World, local: JsonGateway) -> None:
    """A worker that starts does not try it again, if another one just has."""
    leave(world)
    world.sync()
    lately = Options(fresh_for=7200.0)
    assert status(world.sync(lately)) == {
        "local": "absent",
        "main": "unchanged",
        "second": "disabled",
    }
    assert local.fetches == 1
    real = world.registry().world
    assert answered_at(real.state(), real.host.gateways()) == world.now


def test_no_file_of_a_project_and_no_export_names_it(
    world: World, local: JsonGateway, tmp_path: Path
) -> None:
    folder = tmp_path / "project" / "types"
    settings: dict[str, Any] = {
        "project": tmp_path / "project",
        "outputs": {"json": folder, "python": folder},
    }
    project = Options(project=True)
    leave(world)
    world.sync(project, **settings)
    alone = {path.name: path.read_bytes() for path in folder.iterdir()}
    local._url = world.server.url("/local.json")
    report = world.sync(project, **settings)
    assert report.added == tuple(f"local/{id}" for id in MODELS)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == alone
    assert world.check(**settings)[1] == ()
    assert world.models()["local"] == tuple(MODELS)
    environment = json.loads((world.store.place / "provider-registry.json").read_text())
    assert "local" in environment["providers"]

    world.sync(output=tmp_path / "out")
    assert "local" not in (tmp_path / "out" / "provider-registry.json").read_text()

    served = world.registry().world.load()
    export_snapshot(served.without_volatile(), tmp_path / "exported")
    exported = ModelRegistry.from_snapshot(tmp_path / "exported")
    assert dict(exported.get_models()) == {"openai": ("gpt-5", "gpt-old"), "other": ("x",)}


def test_who_wins_while_it_is_there_gives_back_what_it_took(world: World, tmp_path: Path) -> None:
    """A gateway of a provider's id outranks the catalog, but not in a project's files."""
    world.gateway("main")
    world.serve("main", {"local": ["of-the-catalog"]})
    world.gateway("local", volatile=True)
    world.serve("local", {"local": ["here"]})
    world.sync(output=tmp_path / "out")
    assert world.models()["local"] == ("here",)
    written = json.loads((tmp_path / "out" / "provider-registry.json").read_text())
    assert written["models"]["local"] == ["of-the-catalog"]
    leave(world)
    written = world.sync(output=tmp_path / "out").written
    assert not [path for path in written if Path(path).is_relative_to(tmp_path / "out")]
    assert world.models()["local"] == ("of-the-catalog",)


def test_a_policy_holds_for_it_and_does_not_name_it_elsewhere(
    world: World, local: JsonGateway
) -> None:
    def deny(snapshot: Snapshot) -> Snapshot:
        providers = snapshot.get_providers()
        return snapshot.with_providers({id: providers[id] for id in providers if id != "local"})

    world.plugins.append(Overlay(deny))
    world.sync()
    assert "local" not in world.models()
    served = world.registry().world.load()
    assert "local" in served.snapshot.withheld
    assert "local" not in served.without_volatile().withheld


def test_it_stays_volatile_without_its_plugin(
    world: World, local: JsonGateway, tmp_path: Path
) -> None:
    world.sync()
    world.plugins.pop()
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.sync(output=tmp_path / "out")
    assert "local" in world.models()
    assert "local" not in (tmp_path / "out" / "provider-registry.json").read_text()


def test_a_gateway_may_become_volatile_or_cease_to_be(
    world: World, local: JsonGateway, tmp_path: Path
) -> None:
    """While its plugin is written, its version stays."""
    written = tmp_path / "out" / "provider-registry.json"
    world.serve("local", {"local": MODELS}, etag='"1"')
    world.sync(output=tmp_path / "out")
    assert "local" not in written.read_text()
    local.volatile = False
    world.sync(output=tmp_path / "out")
    assert "local" in written.read_text()
    local.volatile = True
    world.server.route("/local.json", Reply(503))
    world.sync(output=tmp_path / "out")
    assert "local" in world.models()
    assert "local" not in written.read_text()


def test_nothing_that_lasts_may_be_all_that_is_left(world: World) -> None:
    world.gateway("local", volatile=True)
    world.serve("local", {"local": MODELS})
    off = ("main-plugin", "second-plugin")
    assert world.sync(disable_plugins=off).ok
    leave(world)
    report = world.sync(disable_plugins=off)
    assert (report.ok, status(report)) == (True, {"local": "absent"})
    assert world.models() == {}


def test_a_project_is_not_emptied_while_nothing_that_lasts_is_there(
    world: World, local: JsonGateway, tmp_path: Path
) -> None:
    """As without the volatile gateway, where the sync would be held."""
    settings: dict[str, Any] = {"output": tmp_path / "out", "fetch_retries": 0}
    world.sync(**settings)
    before = (tmp_path / "out" / "provider-registry.json").read_bytes()
    world.bundle = Bundle(lambda: Snapshot.build(()), {}, {}, {})
    world.server.route("/main.json", Reply(503))
    report = world.sync(Options(forget=["main"]), **settings)
    assert not report.ok
    assert world.models() == {"local": tuple(MODELS)}
    assert (tmp_path / "out" / "provider-registry.json").read_bytes() == before
    report, differing = world.check(**settings)
    assert (report.ok, differing) == (False, ())


def test_damage_of_what_lasts_is_mended(world: World, local: JsonGateway, tmp_path: Path) -> None:
    world.sync()
    generation = world.store.read_generation()
    assert generation and generation.lasting
    os.truncate(world.store.object(generation.lasting), 100)
    report = world.sync(output=tmp_path / "out")
    assert "local" not in (tmp_path / "out" / "provider-registry.json").read_text()
    assert [one.kind for one in report.problems] == ["store"]
    mended = world.store.read_generation()
    assert mended
    assert mended.lasting == generation.lasting
    world.store.open_snapshot(mended.lasting or "").verify()


def test_the_generation_before_is_not_exported_in_place_of_a_damaged_one(
    world: World, local: JsonGateway
) -> None:
    """Under a policy it serves; but then nobody can tell which of its models were volatile."""
    world.plugins.append(Overlay(lambda snapshot: snapshot))
    world.sync()
    leave(world)
    world.sync()
    generation = world.store.read_generation()
    assert generation
    assert generation.lasting is None
    os.truncate(world.store.object(generation.snapshot), 100)
    served = world.registry().world.load()
    assert "local" in served.snapshot.get_models()
    with pytest.raises(StoreError, match="run registry-core sync"):
        served.without_volatile()


def test_a_pointer_of_the_version_before_is_read(world: World) -> None:
    old = {
        "snapshot": "0" * 64,
        "gateways": {"main": {"plugin": "p", "retrieved_at": 1.0, "result": None}},
        "inputs": "",
    }
    read = Generation.from_dict(old)
    assert (read.lasting, read.gateways["main"].volatile) == (None, False)


def test_a_gateway_of_this_process_may_come_and_go(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("local", {"local": MODELS})
    registry = world.registry()
    local = JsonGateway("local", world.server.url("/local.json"), volatile=True)
    registry.register_gateway(local)
    registry.sync_gateways()
    assert registry.get_model("local/a")
    world.plugins.append(Plugin(local))
    leave(world)
    assert registry.sync_gateways().ok
    assert registry.get_model("local/a") is None
