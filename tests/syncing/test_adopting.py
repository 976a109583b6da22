"""What a store starts from: another one that lookups read, and that can't be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry_core import ProviderConfig, Snapshot
from registry_core._base.frozen import EMPTY, FrozenDict
from registry_core._catalog.state import State
from registry_core._catalog.store import Generation, Overlays, Store
from registry_core._sync import commit

PAIR = ("ACME_API_KEY", "https://api.acme.example")
OLDER: Overlays = FrozenDict({"acme:policy": FrozenDict(version="1", options="")})
NEWER: Overlays = FrozenDict({"acme:policy": FrozenDict(version="2", options="")})


def store(place: Path, overlays: Overlays | None = None, *models: str) -> Store:
    """A store; with data that has passed these overlays."""
    made = Store(place)
    commit.create(made)
    if overlays is not None:
        snapshot = Snapshot.build([ProviderConfig("acme", models)], overlays=overlays)
        generation = Generation(snapshot.hash, EMPTY, "", overlays)
        commit.commit(made, generation, [snapshot])
        state = State(bindings=FrozenDict({place.name: (PAIR,)}), last_refresh=5.0)
        commit.save_state(made, state, generation)
    return made


def current(store: Store) -> Snapshot | None:
    generation = store.read_generation()
    return store.open_snapshot(generation.snapshot) if generation else None


@pytest.mark.parametrize("overlays", [EMPTY, OLDER], ids=["none", "a policy"])
def test_data_policy_and_state_are_carried_over(tmp_path: Path, overlays: Overlays) -> None:
    mine, other = store(tmp_path / "mine"), store(tmp_path / "other", overlays, "m")
    commit.adopt(mine, other)
    assert current(mine) == current(other) is not None
    assert mine.policies() == other.policies() == ((overlays,) if overlays else None)
    state = mine.load_state()
    assert (state.last_refresh, state.bindings) == (5.0, {"other": (PAIR,)})
    assert Generation.from_dict(state.generation) == mine.read_generation()


@pytest.mark.parametrize("older", [EMPTY, OLDER], ids=["none", "an older one"])
def test_a_policy_is_not_given_up_for_the_data_of_another_store(
    tmp_path: Path, older: Overlays
) -> None:
    mine, other = store(tmp_path / "mine", NEWER, "m"), store(tmp_path / "other", older, "n")
    before = current(mine)
    commit.adopt(mine, other)
    assert mine.policies() == (NEWER,)
    assert current(mine) == before
    assert mine.load_state().bindings == {"mine": (PAIR,), "other": (PAIR,)}
    assert Generation.from_dict(mine.load_state().generation) == mine.read_generation()


def test_of_damaged_data_the_policy_and_the_bindings_are_carried_over(tmp_path: Path) -> None:
    mine, other = store(tmp_path / "mine"), store(tmp_path / "other", OLDER, "m")
    generation = other.read_generation()
    assert generation
    other.object(generation.snapshot).write_bytes(b"damaged")
    commit.adopt(mine, other)
    assert mine.read_generation() is None
    assert mine.policies() == (OLDER,)
    assert mine.load_state().bindings == {"other": (PAIR,)}
    assert other.object(generation.snapshot).read_bytes() == b"damaged"  # not ours to mend


def test_a_lost_pointer_of_another_store_is_not_taken_from_its_state(tmp_path: Path) -> None:
    mine, other = store(tmp_path / "mine"), store(tmp_path / "other", OLDER, "m")
    other.pointer.unlink()
    commit.adopt(mine, other)
    assert mine.read_generation() is None
    assert mine.policies() == (OLDER,)


def test_a_store_starts_from_no_other_and_not_from_itself(tmp_path: Path) -> None:
    mine = store(tmp_path / "mine", OLDER, "m")
    before = {path: path.stat().st_mtime_ns for path in mine.place.rglob("*") if path.is_file()}
    for other in (None, Store(mine.place)):
        commit.adopt(mine, other)
    after = {path: path.stat().st_mtime_ns for path in mine.place.rglob("*") if path.is_file()}
    assert before == after


def test_data_that_has_passed_the_policy_in_force_is_carried_over(tmp_path: Path) -> None:
    mine, other = store(tmp_path / "mine", NEWER, "m"), store(tmp_path / "other", NEWER, "n")
    commit.adopt(mine, other)
    assert current(mine) == current(other)
    assert mine.policies() == (NEWER,)


def test_a_policy_is_carried_over_even_if_there_is_nothing_else(tmp_path: Path) -> None:
    mine, other = store(tmp_path / "mine"), store(tmp_path / "other", OLDER, "m")
    other.pointer.unlink()
    other.state.unlink()
    commit.adopt(mine, other)
    assert mine.policies() == (OLDER,)
