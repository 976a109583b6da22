"""What a pointer may say, and what a folder says of itself before anything is loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, evolve

from registry_core import Snapshot, SnapshotDamagedError, StoreError
from registry_core._base.frozen import EMPTY, FrozenDict
from registry_core._base.warning import warn_once
from registry_core._catalog.state import State
from registry_core._catalog.store import GatewayData, Generation, Store, find_store, pointer_line

HASH, OTHER = "0123456789abcdef" * 4, "f" * 64
WHOLE = Generation(
    HASH, FrozenDict({"main": GatewayData("acme:main", 5.0, OTHER)}), "inputs", previous=OTHER
)


@pytest.mark.parametrize("bad", [5, None, "", "a" * 63, "a" * 65, "A" * 64, f"{'../' * 20}etcx"])
@pytest.mark.parametrize("where", ["snapshot", "result", "previous"])
def test_an_object_is_named_by_a_hash_and_by_no_path(where: str, bad: object) -> None:
    raw: dict[str, Any] = asdict(WHOLE)
    if where == "result":
        raw["gateways"] = {"main": {**raw["gateways"]["main"], "result": bad}}
    else:
        raw[where] = bad
    if bad is None and where != "snapshot":
        assert Generation.from_dict(raw)
    else:
        with pytest.raises(ValueError, match="names an invalid hash"):
            Generation.from_dict(raw)


@pytest.mark.parametrize("bad", [-1, 253402300800, float("inf"), float("nan")])
def test_a_time_is_one_of_the_calendar(bad: float) -> None:
    assert GatewayData("acme:main", 253402300799).retrieved_at
    with pytest.raises(ValueError, match="has an invalid time"):
        GatewayData("acme:main", bad)


def test_it_is_read_as_it_was_written_and_names_its_objects() -> None:
    assert Generation.from_dict(asdict(WHOLE)) == WHOLE
    facts = GatewayData("acme:facts", 5.0, facts=3, shared=OTHER, vouched=False, volatile=True)
    more = evolve(WHOLE, gateways=FrozenDict({"facts": facts}), lasting=OTHER)
    assert Generation.from_dict(asdict(more)) == more
    assert Generation.from_dict(asdict(more)).gateways["facts"].facts == 3
    assert WHOLE.objects() == {HASH, OTHER}


def test_the_same_but_for_times_where_it_came_from_and_what_was_before_is_the_same() -> None:
    times = {"retrieved_at": 9.0, "shared": HASH, "vouched": False}
    later = FrozenDict({"main": evolve(WHOLE.gateways["main"], **times)})
    assert WHOLE.same_as(evolve(WHOLE, gateways=later, previous=None))
    assert not WHOLE.same_as(evolve(WHOLE, inputs="others"))
    assert not WHOLE.same_as(evolve(WHOLE, snapshot=OTHER))
    assert not WHOLE.same_as(evolve(WHOLE, gateways=EMPTY))


@pytest.mark.parametrize(("said", "names"), [(True, [""]), (False, []), (None, [])])
def test_the_version_before_said_only_whether_there_was_a_policy(
    said: object, names: list[str]
) -> None:
    assert [*Generation.from_dict({**asdict(WHOLE), "overlays": said}).overlays] == names


POLICY = FrozenDict({"acme:policy": FrozenDict({"version": "1", "options": ""})})
PASSED = evolve(WHOLE, overlays=POLICY)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return made(tmp_path / "store")


def made(place: Path) -> Store:
    store = Store(place)
    store.folder.mkdir(parents=True)
    return store


def remember(store: Store, generation: Generation) -> None:
    store.state.write_text(State(generation=asdict(generation)).to_json(), "utf-8")


def demand(store: Store, *passed: Any) -> None:
    store.policy.write_text(json.dumps(passed), "utf-8")


def test_each_file_has_the_name_that_the_docs_say(store: Store) -> None:
    page = (Path(__file__).parents[1] / "docs" / "files.md").read_text("utf-8")
    for path in (store.pointer, store.state, store.journal, store.emitted, store.lock):
        assert f"v1/{path.name}`" in page, path
    assert f"`{store.policy.name}`" in page


def test_a_pointer_is_read_and_damage_of_it_is_named(store: Store) -> None:
    assert store.read_generation() is None
    store.pointer.write_bytes(pointer_line(None))
    assert store.read_generation() is None
    store.pointer.write_bytes(pointer_line(WHOLE))
    assert store.read_generation() == WHOLE
    store.pointer.write_bytes(pointer_line(WHOLE).replace(b"inputs", b"output", 1))
    with pytest.raises(SnapshotDamagedError) as caught:
        store.read_generation()
    said = "is damaged: wrong checksum (run registry-core sync)"
    assert str(caught.value) == f"{store.pointer}: {said}"


def test_what_a_policy_demands_is_served_and_nothing_else(store: Store) -> None:
    assert store.policies() is None
    assert store.may_serve(WHOLE) and store.may_serve(PASSED) and store.may_serve(None)
    assert not store.may_have_policy()
    demand(store, POLICY)
    assert store.policies() == (POLICY,)
    assert store.may_serve(PASSED) and not store.may_serve(WHOLE) and not store.may_serve(None)
    assert store.may_have_policy()
    demand(store, POLICY, {})
    assert store.may_serve(PASSED) and store.may_serve(WHOLE)
    assert not store.may_serve(None)  # a pointer was lost
    store.pointer.write_bytes(pointer_line(None))
    assert store.may_serve(None)  # there is none yet
    for damage in ("{", "5", "[" * 100_000):
        store.policy.write_text(damage, "utf-8")
        assert store.policies() == ()
        assert not store.may_serve(PASSED) and not store.may_serve(None)


def test_the_mark_of_a_policy_by_somebody_else_lets_nothing_be_served(store: Store) -> None:
    demand(store, POLICY)
    strict = Store(store.place, lambda status: False)
    assert strict.policies() == ()
    assert strict.may_have_policy() and not strict.may_serve(PASSED)


def test_a_policy_that_only_the_state_remembers_keeps_the_bundle_from_being_served(
    store: Store,
) -> None:
    remember(store, WHOLE)
    assert store.signature() is None
    assert store.may_serve(None) and not store.remembers_policy()
    remember(store, PASSED)
    status = store.state.stat()
    assert store.signature() == (status.st_ino, status.st_mtime_ns, status.st_size)
    assert store.remembers_policy() and not store.may_serve(None)


def test_a_signature_is_that_of_the_pointer_else_of_the_mark(store: Store) -> None:
    assert store.signature() is None
    assert Store(store.place / "nowhere").signature() is None
    demand(store, POLICY)
    for path in (store.policy, store.pointer):
        path.touch()
        status = path.stat()
        assert store.signature() == (status.st_ino, status.st_mtime_ns, status.st_size)


def test_a_pointer_of_somebody_else_is_said_once_and_not_used(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    warn_once.cache_clear()
    store.pointer.write_bytes(pointer_line(WHOLE))
    strict = Store(store.place, lambda status: False)
    assert strict.signature() is None and strict.signature() is None
    assert caplog.messages == [f"{store.pointer} belongs to somebody else, and is not used"]
    with pytest.raises(SnapshotDamagedError, match="belongs to somebody else"):
        strict.read_generation()


def test_a_store_that_this_user_may_not_enter_is_said_to_be_somebody_elses(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warn_once.cache_clear()
    remember(store, PASSED)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert store.signature() is None
    said = "is the store of somebody else: this user has no right to it"
    assert caplog.messages == [f"{store.place} {said}"]


@pytest.mark.skipif(os.name == "nt", reason="there such a name is that of nothing")
def test_where_the_system_can_not_tell_a_policy_may_apply(tmp_path: Path) -> None:
    store = Store(tmp_path / ("x" * 300))
    with pytest.raises(StoreError, match="can't be read now"):
        store.policies()
    assert store.may_have_policy() and store.remembers_policy()


def test_an_object_that_is_gone_or_not_what_its_name_says_is_named(store: Store) -> None:
    with pytest.raises(SnapshotDamagedError) as caught:
        store.open_snapshot(HASH)
    assert str(caught.value) == f"{store.object(HASH)}: is gone (run registry-core sync)"
    snapshot = Snapshot.build([])
    for name in (snapshot.hash, HASH):
        store.object(name).parent.mkdir(exist_ok=True)
        store.object(name).write_bytes(snapshot.to_bytes())
    assert store.open_snapshot(snapshot.hash) == snapshot
    with pytest.raises(SnapshotDamagedError) as caught:
        store.open_snapshot(HASH)
    said = "holds another snapshot than its name says"
    assert str(caught.value) == f"{store.object(HASH)}: {said}"
    store.object(HASH).write_bytes(b"x")
    with pytest.raises(SnapshotDamagedError) as caught:
        store.open_snapshot(HASH)
    assert caught.value.culprit == str(store.object(HASH))


def test_nothing_of_somebody_else_is_read(store: Store) -> None:
    snapshot = Snapshot.build([])
    store.pointer.write_bytes(pointer_line(WHOLE))
    store.object(snapshot.hash).parent.mkdir()
    store.object(snapshot.hash).write_bytes(snapshot.to_bytes())
    store.journal.write_bytes(b"news")
    assert store.read_journal() == b"news"
    assert find_store([store.place]) == (store, store.signature())
    strict = Store(store.place, lambda status: False)
    for read in (strict.read_journal, partial(strict.open_snapshot, snapshot.hash)):
        with pytest.raises(SnapshotDamagedError, match="belongs to somebody else"):
            read()
    assert find_store([store.place], lambda status: False) == (None, None)


def test_a_damaged_state_is_named_or_taken_for_none(store: Store) -> None:
    assert store.load_state() == State()
    store.state.write_text("[]", "utf-8")
    with pytest.raises(SnapshotDamagedError, match="is damaged: ") as caught:
        store.load_state()
    assert caught.value.culprit == str(store.state)
    assert caught.value.hint == "run registry-core sync"
    assert store.read_state() == State()


def test_of_stores_on_the_way_the_one_written_last_serves_or_one_with_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [tmp_path / name for name in ("first", "second", "own", "beyond")]
    assert find_store(places) == (None, None)
    stores = [made(place) for place in places]
    assert find_store(places) == (None, None)
    for age, store in zip((3, 1, 2, 0), stores, strict=True):
        store.pointer.write_bytes(pointer_line(WHOLE))
        os.utime(store.pointer, (1_000_000 - age, 1_000_000 - age))
    assert find_store(places) == (stores[0], stores[0].signature())  # it can be written to
    monkeypatch.setattr(os, "access", may_write_only(stores[2].folder))
    assert find_store(places) == (stores[1], stores[1].signature())
    demand(stores[0], {})
    assert find_store(places) == (stores[0], stores[0].signature())


def may_write_only(folder: Path) -> Callable[[Any, int], bool]:
    return lambda path, mode: mode != os.W_OK or str(path) == str(folder)
