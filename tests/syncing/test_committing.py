"""What a sync leaves in the store, and what it makes of a damaged one."""

from __future__ import annotations

import pytest

from registry_core import StoreError
from tests.syncing.looking import status
from tests.world import World


def test_what_is_fetched_is_merged_stored_and_served(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.serve("second", {"other": ["x", "y"]})
    report = world.sync()
    assert report.ok
    assert status(report) == {"main": "fresh", "second": "fresh"}
    assert report.added == ("openai/gpt-5", "other/y")
    assert world.models() == {"openai": ("gpt-5", "gpt-old"), "other": ("x", "y")}


def test_old_objects_go_once_nothing_refers_to_them(world: World) -> None:
    world.gateway("main")
    for n in range(5):
        world.serve("main", {"openai": ["gpt-old", f"gpt-{n}"]})
        world.sync()
    assert len(list((world.store.folder / "objects").iterdir())) == 2  # this one and the last


def test_a_damaged_store_is_quarantined_and_rebuilt(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    for path in (world.store.folder / "objects").iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data)
    report = world.sync()
    assert [one.kind for one in report.problems] == ["store"]
    assert report.ok
    assert list((world.store.folder / "quarantine").iterdir())
    assert world.models()["openai"] == ("gpt-5", "gpt-old")
    assert world.server.requests[1].headers["If-None-Match"] == '"1"'  # from the raw payload


def test_a_damaged_pointer_or_state_costs_a_sync_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.store.pointer.write_text("garbage")
    world.store.state.write_text('{"gateways": {"main": {"retrieved_at": "NaN"}}, "plugins": 3}')
    assert world.sync().ok
    assert world.models()["openai"] == ("gpt-5", "gpt-old")


def test_a_store_that_cannot_be_written_falls_back_and_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = world.tmp_path / "venv"
    blocked.write_text("a file where the environment should be")
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    assert world.sync().ok
    assert "gpt-5" in world.models()["openai"]
    assert [one.levelname for one in caplog.records] == ["WARNING"]
    assert list((world.tmp_path / "cache").glob("env-*"))


def test_no_place_at_all_is_one_clear_error(world: World) -> None:
    for name in ("venv", "cache", "tmp"):
        (world.tmp_path / name).write_text("in the way")
    with pytest.raises(StoreError, match="REGISTRY_CORE_STORE_DIR"):
        world.sync()
