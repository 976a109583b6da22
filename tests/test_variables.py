"""Variables that change what a sync or a lookup does: read, and obeyed."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest

from registry_core import GatewayError, GatewayReport
from registry_core._config.load import load_settings
from tests.loopback import Reply
from tests.syncing.test_facts import FactPlugin, Source
from tests.test_regression_counts import Records
from tests.world import Plugin, World


def read(folder: Path, **environ: str) -> dict[str, Any]:
    """The settings that these variables set."""
    settings, plain = load_settings(environ, folder), load_settings({}, folder)
    names = [variable.removeprefix("REGISTRY_CORE_").lower() for variable in environ]
    assert all(getattr(settings, name) != getattr(plain, name) for name in names)
    return {name: getattr(settings, name) for name in names}


def gateway(world: World, id: str, **settings: Any) -> GatewayReport:
    (found,) = [one for one in world.sync(**settings).gateways if one.id == id]
    return found


def test_the_ttl_is_how_long_a_loaded_generation_is_trusted(world: World, tmp_path: Path) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["a"]})
    world.sync()
    registry = world.registry(**read(tmp_path, REGISTRY_CORE_CACHE_TTL_MS="10"))
    assert registry.get_model("openai/b") is None
    world.serve("main", {"openai": ["a", "b"]})
    world.sync()

    world.monotonic += 0.009
    assert registry.get_model("openai/b") is None
    world.monotonic += 0.002
    assert registry.get_model("openai/b") is not None


def test_output_is_a_folder_that_gets_everything(world: World, tmp_path: Path) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["a"]})
    assert world.sync(**read(tmp_path, REGISTRY_CORE_OUTPUT="out")).ok
    assert (tmp_path / "out" / "provider-registry.json").is_file()


def test_strict_raises_what_failed(world: World, tmp_path: Path) -> None:
    world.gateway("main")
    world.server.route("/main.json", Reply(404))
    registry = world.registry(**read(tmp_path, REGISTRY_CORE_STRICT="1"))
    with pytest.raises(ExceptionGroup) as raised:
        registry.sync_gateways()
    assert raised.group_contains(GatewayError, match="main")


def test_priority_settles_a_clash(world: World, tmp_path: Path) -> None:
    for id in ("acme", "zeta"):
        world.gateway(id)
        world.serve(id, {"shared": [f"of-{id}"]})
    world.sync()
    assert world.models()["shared"] == ("of-acme",)
    world.sync(**read(tmp_path, REGISTRY_CORE_PRIORITY="zeta, acme"))
    assert world.models()["shared"] == ("of-zeta",)


def test_a_source_of_facts_may_be_preferred(world: World, tmp_path: Path) -> None:
    world.plugins[:] = [
        Plugin(Records("main", world.server.url("/main.json"))),
        FactPlugin(Source("known", world.server.url("/known.json"))),
    ]
    world.serve("main", {"acme": {"a": {"name": "Offered"}}})
    world.serve("known", {"acme/a": {"name": "Said"}})
    world.sync(**read(tmp_path, REGISTRY_CORE_FACTS_PRIORITY="known:name"))
    found = world.registry().get_model("acme/a")
    assert found is not None
    assert found.name == "Said"


def test_the_deadline_ends_the_wait_for_a_gateway(world: World, tmp_path: Path) -> None:
    release = Event()
    world.gateway("main")

    def hang(_request: object) -> Reply:
        release.wait()
        return Reply(200, b"{}")

    world.server.route("/main.json", hang)
    report = gateway(world, "main", **read(tmp_path, REGISTRY_CORE_FETCH_DEADLINE_MS="50"))
    release.set()
    assert report.status == "failed"
    assert "fetch_deadline_ms" in (report.error or "")


def test_a_payload_larger_than_the_limit_is_refused(world: World, tmp_path: Path) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["a" * 100]})
    report = gateway(world, "main", **read(tmp_path, REGISTRY_CORE_FETCH_MAX_BYTES="50"))
    assert report.status == "failed"
    assert "fetch_max_bytes" in (report.error or "")


def test_an_option_that_changes_has_its_gateway_asked_anew(world: World, tmp_path: Path) -> None:
    main, other = world.gateway("main"), world.gateway("second")
    for id in ("main", "second"):
        world.serve(id, {f"of-{id}": ["a"]}, etag='"1"')
    world.sync()
    variable = "REGISTRY_CORE_PLUGIN_TEST_0_DEPTH"
    for depth in ("1", "2", "2"):
        settings = load_settings({variable: depth}, tmp_path)
        world.sync(plugin_variables=settings.plugin_variables)
    assert (main.fetches, other.fetches) == (3, 1)
