"""What stays of a gateway that is gone: uninstalled, refused or switched off."""

from __future__ import annotations

import pytest

from registry_core import GatewayReport, ProviderConfig, Snapshot, SyncReport
from registry_core._catalog.bundle import Bundle
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.world import JsonGateway, Overlay, Plugin, World


def reported(report: SyncReport, id: str) -> list[GatewayReport]:
    return [one for one in report.gateways if one.id == id]


def test_no_gateway_says_what_to_install(world: World) -> None:
    report = world.sync()
    assert not report.ok
    assert "pip install" in report.problems[0].message


def test_only_the_settings_remove_a_gateways_data(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()
    world.plugins.clear()  # uninstalled
    assert not world.sync().ok  # no gateway is installed any more, and it says so
    assert "mine" in world.models()
    world.sync(disable_plugins=("registry-core:test-0",))
    assert "mine" not in world.models()


def test_the_failure_of_a_gateway_that_was_switched_off_is_forgotten(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()
    world.server.route("/private.json", Reply(404))
    assert not world.sync().ok
    world.plugins.clear()
    world.sync(disable_plugins=("registry-core:test-0",))
    assert "private" not in world.registry().world.state().gateways  # doctor would fail for ever


def test_a_gateway_that_is_missing_is_told_from_one_that_was_refused(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()

    def told(*plugins: object) -> tuple[str, str | None, list[str]]:
        world.plugins[:] = plugins
        report = world.sync()
        (found,) = reported(report, "private")
        assert not report.ok
        assert "mine" in world.models()
        return found.status, found.error, [one.culprit for one in report.problems]

    missing = "its plugin is not installed"
    assert told() == ("disabled", missing, ["no gateway is installed"])
    status, error, culprits = told(Plugin(JsonGateway("Private!", "")))
    assert status == "failed"
    assert error and "'Private!'" in error
    assert culprits[-1] == "no gateway can be used"
    assert world.registry().world.state().gateways["private"].error == error  # as doctor shows it


def test_what_a_plugin_adds_no_more_loses_its_data_at_once(world: World) -> None:
    """A server that is taken out of the options of its plugin, and one that stays."""
    stays, goes = (JsonGateway(id, world.server.url(f"/{id}.json")) for id in ("stays", "goes"))
    world.plugins.append(Plugin(stays, goes))
    world.serve("stays", {"mine": ["a"]})
    world.serve("goes", {"theirs": ["b"]})
    world.sync()
    world.plugins[:] = [Plugin(stays)]
    report = world.sync()
    assert report.ok
    assert not reported(report, "goes")
    (told,) = [one for one in report.problems if one.culprit == "goes"]
    assert told.message == "registry-core:test-0 no longer adds it, so its data is dropped"
    assert "mine" in world.models()
    assert "theirs" not in world.models()
    assert "goes" not in world.registry().world.state().gateways
    assert not world.sync().problems  # it is said once


def test_a_sync_that_finds_no_project_drops_nothing_that_one_in_a_project_fetched(
    world: World,
) -> None:
    """As cron starts it: the plugin finds no options, so it adds no gateway."""
    mine = JsonGateway("mine", world.server.url("/mine.json"))
    other = JsonGateway("other", world.server.url("/other.json"))
    world.plugins.append(Plugin(mine, other))
    world.serve("mine", {"mine": ["a"]})
    world.serve("other", {"theirs": ["b"]})
    world.sync(project=world.tmp_path)
    world.plugins[:] = [Plugin(other)]
    for _ in range(2):
        report = world.sync()
        (found,) = reported(report, "mine")
        assert (found.status, found.error) == (
            "disabled",
            "its plugin does not add it here, where no project was found",
        )
        assert "mine" in world.models()
    world.sync(project=world.tmp_path)
    assert "mine" not in world.models()


@pytest.mark.parametrize("installed", [True, False])
def test_a_gateways_data_is_dropped_by_hand(world: World, installed: bool) -> None:
    world.gateway("private")
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("private", {"mine": ["a"]})
    world.sync()
    if installed:
        world.server.route("/private.json", Reply(404))
    else:
        world.plugins.pop(0)
    report = world.sync(Options(forget=["private", "privat"]))
    assert [(one.culprit, one.message) for one in report.problems if not one.fatal] == [
        ("--forget privat", "there is no such gateway; did you mean 'private'?")
    ]
    assert [one.source for one in reported(report, "private")] == ["none"] * installed
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("x",)}


def test_a_gateway_that_is_forgotten_is_asked_and_measured_anew(world: World) -> None:
    world.gateway("private")
    world.serve("private", {"mine": [f"m{n}" for n in range(10)]}, etag='"1"')
    world.sync()
    world.serve("private", {"mine": ["m0"]}, etag='"2"')
    assert not world.sync().ok
    assert world.sync(Options(forget=["private"])).ok
    assert world.models()["mine"] == ("m0",)


def test_what_is_forgotten_goes_if_it_is_all_there_is(world: World) -> None:
    world.bundle = Bundle(lambda: Snapshot.build(()), {}, {}, {})
    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.sync()
    world.server.route("/private.json", Reply(404))
    world.sync(Options(forget=["private"]))
    assert world.models() == {}


def test_while_a_policy_fails_nothing_is_forgotten_and_the_report_says_so(world: World) -> None:
    def fail(snapshot: Snapshot) -> None:
        if "mine" not in snapshot.get_models():
            raise ValueError("not now")

    world.gateway("private")
    world.serve("private", {"mine": ["a"]})
    world.plugins.append(Overlay(fail))
    world.sync()
    known = world.store.read_state().gateways["private"].fingerprint
    world.server.route("/private.json", Reply(404))
    report = world.sync(Options(forget=["private"]))
    assert [(one.source, one.models) for one in reported(report, "private")] == [("stored", 1)]
    assert world.models()["mine"] == ("a",)
    assert world.store.read_state().gateways["private"].fingerprint == known


def test_what_is_forgotten_keeps_the_hosts_that_its_keys_may_go_to(world: World) -> None:
    mine = ProviderConfig("mine", url="https://a.example", api_key_env_vars="KEY", models=["a"])
    world.gateway("private", fetch_providers=lambda client: {"mine": mine})
    world.sync()
    moved = mine.replace(url="https://b.example")
    world.plugins.clear()
    world.gateway("private", fetch_providers=lambda client: {"mine": moved})
    world.sync(Options(forget=["private"]))
    assert world.models()["mine"] == ("a",)
    state = world.registry().world.state()
    assert state.bindings["mine"] == (("KEY", "https://a.example"),)


def test_an_empty_registry_is_no_data(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.plugins.clear()
    disabled = ("registry-core:test-0", "main-plugin", "second-plugin")
    report = world.sync(disable_plugins=disabled)
    assert not report.ok
    assert any("no gateway has a model" in one.message for one in report.problems)
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
