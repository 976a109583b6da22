"""A snapshot file instead of fetch and store."""

from __future__ import annotations

import pytest

from registry_core import StoreError
from tests.world import World


def test_a_snapshot_file_stands_for_fetch_and_store(world: World) -> None:
    path = world.tmp_path / "pinned"
    path.write_bytes(world.bundled.to_bytes())
    world.gateway("main")
    output = world.tmp_path / "out"
    report = world.sync(snapshot=path, output=output)
    assert report.ok
    assert "gpt-old" in (output / "provider-registry.json").read_text()
    assert not world.server.requests
    assert not world.store.folder.exists()
    assert world.check(snapshot=path, output=output)[1] == ()


def test_a_pinned_file_that_is_missing_is_a_clear_error(world: World) -> None:
    missing = world.tmp_path / "missing"
    for call in (world.sync, world.check):
        with pytest.raises(StoreError, match="REGISTRY_CORE_SNAPSHOT"):
            call(snapshot=missing, output=world.tmp_path / "out")
