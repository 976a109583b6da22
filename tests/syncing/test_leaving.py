"""What stays of a gateway that is gone: uninstalled, refused or switched off."""

from __future__ import annotations

from tests.loopback import Reply
from tests.world import JsonGateway, Plugin, World


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
        (found,) = [one for one in report.gateways if one.id == "private"]
        assert not report.ok
        assert "mine" in world.models()
        return found.status, found.error, [one.culprit for one in report.problems]

    missing = "its plugin is not installed"
    assert told() == ("disabled", missing, ["no gateway is installed"])
    missing = "its plugin does not add it"
    assert told(Plugin()) == ("disabled", missing, ["no gateway can be used"])
    status, error, culprits = told(Plugin(JsonGateway("Private!", "")))
    assert status == "failed"
    assert error and "'Private!'" in error
    assert culprits[-1] == "no gateway can be used"
    assert world.registry().world.state().gateways["private"].error == error  # as doctor shows it


def test_an_empty_registry_is_no_data(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.plugins.clear()
    disabled = ("registry-core:test-0", "main-plugin", "second-plugin")
    report = world.sync(disable_plugins=disabled)
    assert not report.ok
    assert any("no gateway is left" in one.message for one in report.problems)
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
