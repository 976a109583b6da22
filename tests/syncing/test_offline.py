"""What is known without the network: for commands that may run before any sync."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from registry_core import Lifecycle, OverlayError, ProviderConfig, Snapshot
from registry_core.testing import write_distribution
from tests.syncing.test_facts import FactPlugin, Source
from tests.world import BUNDLED_AT, NOW, Overlay, World

GONE = {"lifecycle": {"retires_on": "2025-01-31", "successor": "openai/gpt-5"}}
OLD = {"lifecycle": {"retires_on": "2026-06-30"}}
AT = datetime.fromtimestamp(BUNDLED_AT, UTC)


@pytest.fixture
def known(world: World) -> World:
    """The bundle offers "openai/gpt-old"; a source's package speaks of it, and of a model that
    nobody offers."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old", "gpt-5"]})
    held = {"openai/gpt-old": OLD, "openai/gpt-gone": GONE}
    world.plugins.append(FactPlugin(Source("known", world.server.url("/known.json"), (held, AT))))
    return world


def test_before_the_first_sync_it_is_what_one_without_the_network_would_serve(
    known: World,
) -> None:
    snapshot, unlisted = known.registry().offline()
    assert not known.store.place.exists()
    assert not known.server.requests
    known.sync(offline=True)
    assert snapshot == known.registry().snapshot()
    old = snapshot.get_model("openai/gpt-old")
    assert old and old.lifecycle.retires_on == "2026-06-30"
    assert {id: one.lifecycle for id, one in unlisted.items()} == {
        "openai/gpt-gone": Lifecycle(retires_on="2025-01-31", successor="openai/gpt-5")
    }
    assert snapshot.get_model("openai/gpt-gone") is None


def test_after_a_sync_it_is_what_is_served_with_the_facts_of_that_sync(known: World) -> None:
    known.serve("known", {"openai/gpt-5": OLD, "openai/gpt-4": GONE})
    known.sync()
    asked = len(known.server.requests)
    registry = known.registry()
    snapshot, unlisted = registry.offline()
    assert snapshot is registry.snapshot()
    assert [*unlisted] == ["openai/gpt-4"]
    assert unlisted["openai/gpt-4"].full_id == "openai/gpt-4"
    assert unlisted.get("openai/gpt-5") is None  # that one is offered
    assert len(known.server.requests) == asked


def test_of_a_model_that_nobody_offers_the_longest_known_provider_is_its_own(known: World) -> None:
    known.gateway("acme", namespaced=True)
    known.serve("acme", {"eu": ["gpt-5"]})
    known.serve("known", {"acme/eu/gpt-4": GONE})
    known.sync()
    _, unlisted = known.registry().offline()
    assert unlisted["acme/eu/gpt-4"].provider_id == "acme/eu"


def test_of_two_sources_the_preferred_one_is_believed(known: World) -> None:
    held = {"openai/gpt-gone": {"lifecycle": {"retires_on": "2024-12-24"}}}
    known.plugins.append(FactPlugin(Source("other", known.server.url("/none.json"), (held, AT))))
    for priority, day in ([], "2025-01-31"), (["other"], "2024-12-24"):
        _, unlisted = known.registry(facts_priority=priority).offline()
        assert unlisted["openai/gpt-gone"].lifecycle.retires_on == day


def test_a_policy_holds_before_the_first_sync(known: World) -> None:
    def deny(snapshot: Snapshot) -> Snapshot:
        return snapshot.with_providers([ProviderConfig("openai", ["gpt-new"])])

    known.plugins.append(Overlay(deny))
    snapshot, _ = known.registry().offline()
    assert snapshot.get_models()["openai"] == ("gpt-new",)
    assert set(snapshot.withheld) == {"openai/gpt-old", "other"}


def test_a_policy_that_fails_is_no_reason_to_go_without(known: World) -> None:
    known.plugins.append(Overlay(lambda snapshot: 1 / 0))
    with pytest.raises(OverlayError, match="ZeroDivisionError"):
        known.registry().offline()


def test_where_every_gateway_is_switched_off_it_is_what_is_served(known: World) -> None:
    known.plugins.clear()
    plugins = [f"{id}-plugin:{id}" for id in known.bundle.captured]
    snapshot, unlisted = known.registry(disable_plugins=plugins).offline()
    assert (snapshot, dict(unlisted)) == (known.bundled, {})


def test_a_pinned_snapshot_is_all_that_is_known(known: World) -> None:
    file = known.tmp_path / "pinned.snapshot"
    file.write_bytes(known.bundled.to_bytes())
    snapshot, unlisted = known.registry(snapshot=file).offline()
    assert (snapshot, dict(unlisted)) == (known.bundled, {})


@pytest.fixture
def installed(known: World) -> Iterator[dict[str, Any]]:
    """The source of facts as an installed plugin. Gives the settings that switch it off."""
    del known.plugins[1]
    code = f"""
from datetime import UTC, datetime
from registry_core import FactSource, hookimpl

class More(FactSource):
    id = name = "more"
    def fetch_facts(self, client):
        return client.get_json("http://127.0.0.1:9")
    def bundled(self):
        return {{"openai/gpt-gone": {GONE}}}, datetime.fromtimestamp({NOW - 9}, UTC)

@hookimpl
def registry_facts():
    return [More()]
"""
    site = write_distribution(
        known.tmp_path / "site",
        "more-facts",
        entry_points={"more": "more_facts"},
        modules={"more_facts.py": code},
    )
    sys.path.insert(0, str(site))
    known.path = [str(site)]
    yield {"disable_plugins": ["more-facts"]}
    sys.path.remove(str(site))
    sys.modules.pop("more_facts", None)


def test_what_was_installed_or_switched_off_since_the_last_sync_counts(
    known: World, installed: dict[str, Any]
) -> None:
    known.sync(offline=True, **installed)
    assert "openai/gpt-gone" in known.registry().offline()[1]
    assert "openai/gpt-gone" not in known.registry(**installed).offline()[1]
    known.sync(offline=True)
    assert "openai/gpt-gone" in known.registry().offline()[1]
    assert "openai/gpt-gone" not in known.registry(**installed).offline()[1]
