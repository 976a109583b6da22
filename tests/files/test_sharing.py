"""Two versions of registry-core that share one store, in either order."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import orjson
import pytest
from attrs import evolve

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core.models import Cost, Limit
from registry_core.state import State
from registry_core.store import Store
from registry_core.syncing.commit import commit
from tests.files.scene import contents
from tests.world import World


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.gateway("private")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.serve("private", {"mine": ["a", "b"]}, etag='"1"')
    assert world.sync().ok
    return world


def seen(world: World) -> dict[str, tuple[str, ...]]:
    return dict(world.models())


def write_pointer(store: Store, change: Any) -> None:
    raw = json.loads(store.pointer.read_bytes().partition(b" ")[2])
    change(raw)
    text = json.dumps(raw).encode()
    store.pointer.write_bytes(b"%08x %b" % (crc32(text), text))


def write_state(store: Store, change: Any) -> None:
    raw = json.loads(store.state.read_bytes())
    del raw["checksum"]
    change(raw)
    raw["checksum"] = f"{crc32(json.dumps(raw, sort_keys=True).encode()):08x}"
    store.state.write_text(json.dumps(raw))


def test_what_a_newer_version_adds_to_the_pointer_is_skipped(
    synced: World, caplog: pytest.LogCaptureFixture
) -> None:
    def newer(raw: dict[str, Any]) -> None:
        raw["signed_by"] = ["somebody"]
        for data in raw["gateways"].values():
            data["mirror"] = "https://mirror.example"

    before = seen(synced)
    write_pointer(synced.store, newer)
    assert seen(synced) == before
    report = synced.sync()
    assert (report.ok, report.changed, report.problems) == (True, False, ())
    assert [one.status for one in report.gateways[:2]] == ["unchanged", "unchanged"]
    synced.serve("main", {"openai": ["gpt-6", "gpt-old"]}, etag='"2"')
    assert synced.sync().changed
    assert caplog.messages == []


def test_what_a_newer_version_adds_to_the_state_is_skipped(synced: World) -> None:
    def newer(raw: dict[str, Any]) -> None:
        raw["quota"] = {"used": 3}
        for about in raw["gateways"].values():
            about["latency"] = [1, 2]

    refreshed = synced.registry().get_last_refresh_time()
    write_state(synced.store, newer)
    assert synced.registry().get_last_refresh_time() == refreshed
    report = synced.sync()
    assert [one.status for one in report.gateways[:2]] == ["unchanged", "unchanged"]
    assert report.problems == ()


def test_what_an_older_version_left_out_of_the_state_is_as_if_never_known(synced: World) -> None:
    def older(raw: dict[str, Any]) -> None:
        del raw["bindings"], raw["plugins"], raw["generation"]

    write_state(synced.store, older)
    assert synced.sync().problems == ()


def newer_dumps(value: Any, option: int = 0) -> bytes:
    """As a version with more fields would write a directory, a provider and a model."""
    if "gateways" in value:
        rows = [[*row, "more"] for row in value["providers"]]
        value = {**value, "providers": rows, "signature": "s"}
    elif "flags" in value:
        value = {**value, "region": "eu"}
    else:
        limit = {**value.get("limit", {}), "images": 2}
        value = {**value, "limit": limit, "cost": {"input": 1, "per_second": 2}, "speed": 9}
    return json.dumps(value, sort_keys=True).encode()


def test_what_a_newer_version_adds_to_a_snapshot_is_skipped(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ModelInfo("gpt-5", "openai", name="Five", limit=Limit(context=5))
    provider = ProviderConfig("openai", {"gpt-5": model}, name="OpenAI", gateway="main")
    with monkeypatch.context() as patched:
        patched.setattr(orjson, "dumps", newer_dumps)
        newer = Snapshot.build([provider])
    assert b"per_second" in newer.to_bytes()
    generation = synced.store.read_generation()
    assert generation is not None
    gateways = {"main": evolve(generation.gateways["main"], result=newer.hash)}
    commit(synced.store, evolve(generation, snapshot=newer.hash, gateways=gateways), [newer])

    registry = synced.registry()
    assert registry.get_model("openai/gpt-5") == evolve(model, cost=Cost(input=1))
    assert dict(registry.get_providers()["openai"].models)["gpt-5"].name == "Five"
    assert registry.get_provider_config("openai").name == "OpenAI"  # type: ignore[union-attr]
    report = synced.sync()
    assert (report.ok, report.problems) == (True, ())
    assert "gpt-5" in synced.models()["openai"]


def test_a_pointer_without_what_every_version_writes_is_damaged(synced: World) -> None:
    before = seen(synced)
    for change in (
        lambda raw: raw.pop("snapshot"),
        lambda raw: raw.update(gateways=3),
        lambda raw: raw["gateways"].update(main=[]),
        lambda raw: raw["gateways"]["main"].update(retrieved_at="yesterday"),
    ):
        write_pointer(synced.store, change)
        assert seen(synced) == {"openai": ("gpt-old",), "other": ("x",)}
        assert [one.kind for one in synced.sync().problems] == ["store"]
        assert seen(synced) == before


def test_a_store_of_a_newer_schema_is_neither_read_nor_touched(synced: World) -> None:
    newer = synced.store.place / "v2"
    synced.store.folder.rename(newer)
    (newer / "pointer").write_text("of another kind")
    before = contents(newer)
    assert seen(synced) == {"openai": ("gpt-old",), "other": ("x",)}
    assert synced.sync().ok
    assert "gpt-5" in seen(synced)["openai"]
    assert contents(newer) == before
    assert len(synced.server.requests) == 4  # the second time each payload was confirmed
    assert synced.server.requests[-1].headers["If-None-Match"] == '"1"'


def test_a_version_that_emits_something_else_takes_turns_and_ends_whole(
    synced: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.world import Emitter

    older = synced.writers
    synced.writers = (*older, ("newer", Emitter()))
    assert synced.sync().ok
    artifact = synced.store.place / "providers.txt"
    assert artifact.read_text() == "mine\nopenai\nother"
    synced.writers = older
    assert str(artifact) in synced.sync().written
    assert not artifact.exists()


def test_state_survives_its_own_words() -> None:
    state = State(last_refresh=1_800_000_000.5, bindings={"acme": (("KEY", "https://a.b"),)})
    assert State.from_json(state.to_json()) == state
