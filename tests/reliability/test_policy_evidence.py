"""What tells of a policy (its mark, the pointer, the state) is lost, a part at a time."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry_core import SnapshotDamagedError
from registry_core._catalog.store import Store
from tests.reliability.test_policy import (
    KEPT,
    Policy,
    Source,
    policy as policy,
    shown,
    source as source,
)
from tests.reliability.test_policy_property import Killed, killing
from tests.world import World

BUNDLED = {"openai": ("gpt-old", "secret"), "bad": ("b",), "other": ("x",)}
STEPS = range(1, 40)


def lose(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"00000000 {}")


def killed_at(world: World, step: int) -> bool:
    with killing(step):
        try:
            world.sync()
        except Killed:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("how", ["damaged", "gone"])
@pytest.mark.parametrize("first", [True, False])
def test_a_first_policy_that_was_once_shown_holds_wherever_its_sync_was_killed(
    world: World, source: Source, first: bool, how: str
) -> None:
    """`first`: no sync at all was there before."""
    if not first:
        world.sync()
    before = shown(world)
    saved = world.tmp_path / "before"
    if not first:
        shutil.copytree(world.store.place, saved)
    world.plugins.append(Policy("bad", "openai/secret"))
    seen: list[Mapping[str, tuple[str, ...]] | None] = []
    for step in STEPS:
        shutil.rmtree(world.store.place, ignore_errors=True)
        if not first:
            shutil.copytree(saved, world.store.place)
        was_killed = killed_at(world, step)
        seen.append(shown(world))
        assert seen[-1] in (before, KEPT)
        if seen[-1] == KEPT:
            lose(world.store.pointer, how)
            assert shown(world) is None
            assert killed_at(world, 1)
            assert shown(world) is None
            assert world.sync().ok
            assert shown(world) == KEPT
        if not was_killed:
            break
    assert before in seen
    assert seen[-1] == KEPT


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_the_state_tells_of_a_policy_whose_mark_and_pointer_are_lost(
    world: World, policy: Policy, how: str
) -> None:
    service = world.registry()
    saved = world.tmp_path / "saved"
    shutil.copytree(world.store.place, saved)
    for step in STEPS:
        shutil.rmtree(world.store.place)
        shutil.copytree(saved, world.store.place)
        world.store.policy.unlink()
        lose(world.store.pointer, how)
        assert shown(world) is None
        with pytest.raises(SnapshotDamagedError):
            service.get_models()
        was_killed = killed_at(world, step)
        assert shown(world) in (None, KEPT)
        if not was_killed:
            break
    assert world.store.policies()
    assert shown(world) == KEPT


def test_a_folder_without_a_pointer_whose_state_tells_of_no_policy_serves_the_bundle(
    world: World, source: Source
) -> None:
    world.sync()
    assert shown(world) != BUNDLED
    world.store.pointer.unlink()
    assert shown(world) == BUNDLED


def test_an_older_store_of_another_version_does_not_replace_a_policy_that_only_the_state_names(
    world: World, source: Source
) -> None:
    world.sync()
    shutil.copytree(world.store.folder, world.store.place / "v0")
    world.plugins.append(Policy("bad", "openai/secret"))
    world.sync()
    saved = world.tmp_path / "saved"
    world.store.policy.unlink()
    world.store.pointer.unlink()
    shutil.copytree(world.store.place, saved)
    for step in STEPS:
        shutil.rmtree(world.store.place)
        shutil.copytree(saved, world.store.place)
        was_killed = killed_at(world, step)
        assert shown(world) in (None, KEPT)
        if not was_killed:
            break
    assert shown(world) == KEPT


def test_a_store_that_adopts_a_policy_never_serves_the_bundle_meanwhile(
    world: World, policy: Policy
) -> None:
    """An environment that could not be written at first: its user's cache has the store."""
    cache = Store([*world.places.stores(make=True)][1])
    cache.place.parent.mkdir(parents=True)
    world.store.place.rename(cache.place)
    assert shown(world) == KEPT
    cache.policy.unlink()
    saved = world.tmp_path / "saved"
    shutil.copytree(cache.place, saved)
    for step in STEPS:
        shutil.rmtree(world.store.place, ignore_errors=True)
        was_killed = killed_at(world, step)
        assert shown(world) in (None, KEPT)
        if not was_killed:
            break
    assert shown(world) == KEPT
