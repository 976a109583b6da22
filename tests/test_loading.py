"""What lookups serve while the system refuses to say what is current."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_core import ModelRegistry, Snapshot, StoreError
from registry_core._catalog import loading
from registry_core._catalog.store import Store
from registry_core._emit.exports import export_snapshot
from tests.world import Overlay, World


def refuse(*_arguments: Any) -> Any:
    raise StoreError("refused for now", culprit="the pointer")


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    return world


@pytest.mark.parametrize(
    ("where", "name"),
    [(loading, "find_store"), (Store, "read_generation"), (Store, "open_snapshot")],
)
def test_what_was_loaded_is_served_until_the_system_answers_again(
    synced: World, monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    registry = synced.registry()
    before = registry.get_models()
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    synced.sync()
    with monkeypatch.context() as patch:
        patch.setattr(where, name, refuse)
        synced.monotonic += 1000
        assert registry.get_models() == before
    assert registry.get_models()["openai"] == ("gpt-6", "gpt-old")  # asked again at once


def test_a_process_that_has_loaded_nothing_gets_the_bundle_where_no_policy_can_be(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "read_generation", refuse)
    registry = synced.registry()
    assert registry.get_models() == synced.bundled.get_models()
    synced.store.policy.write_text("[]")
    registry.invalidate()
    with pytest.raises(StoreError, match="refused for now"):
        registry.get_models()


def test_where_not_even_the_store_is_known_there_may_be_a_policy(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "find_store", refuse)
    with pytest.raises(StoreError, match="refused for now"):
        synced.registry().get_models()


def test_what_was_loaded_before_a_policy_came_is_not_served(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = synced.registry()
    registry.get_models()
    synced.plugins.append(Overlay(lambda snapshot: snapshot.with_providers([])))
    synced.sync()
    monkeypatch.setattr(Store, "read_generation", refuse)
    synced.monotonic += 1000
    with pytest.raises(StoreError, match="refused for now"):
        registry.get_models()


def test_what_has_passed_a_policy_is_served_while_the_system_refuses(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced.plugins.append(Overlay(lambda snapshot: None))
    synced.sync()
    registry = synced.registry()
    before = registry.get_models()
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    synced.sync()
    monkeypatch.setattr(Store, "read_generation", refuse)
    synced.monotonic += 1000
    assert registry.get_models() == before


LOOKUPS: list[Callable[[ModelRegistry], object]] = [
    lambda registry: registry.get_model("openai/gpt-5"),
    lambda registry: registry.get_provider_config("openai"),
    lambda registry: registry.get_providers(),
    lambda registry: registry.get_models(),
    lambda registry: registry.is_provider_registered("openai"),
    lambda registry: registry.split("openai/gpt-5"),
    lambda registry: registry.resolve("openai/gpt-5", {"OPENAI_API_KEY": "k" * 20}),
]


def out_of_memory(*_arguments: Any) -> Any:
    raise MemoryError


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_a_lookup_without_memory_is_refused_as_by_the_system(
    synced: World, monkeypatch: pytest.MonkeyPatch, lookup: Callable[[ModelRegistry], object]
) -> None:
    registry = synced.registry()
    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "_chunk", out_of_memory)
        with pytest.raises(StoreError, match="can't be read now: MemoryError"):
            lookup(registry)
    assert lookup(registry) is not None


def test_so_is_one_of_a_snapshot_file(
    synced: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    export_snapshot(synced.registry().snapshot(), tmp_path / "pinned")
    registry = synced.registry(snapshot=tmp_path / "pinned")
    with monkeypatch.context() as patch:
        patch.setattr(loading, "read_file", out_of_memory)
        with pytest.raises(StoreError, match="can't be read now: MemoryError"):
            registry.get_model("openai/gpt-5")
    assert registry.get_model("openai/gpt-5") is not None
