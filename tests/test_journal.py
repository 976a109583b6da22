"""The store's journal: what each generation changed, whatever became of the syncs between."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from registry_core import ArgumentError, Change, Changes, ModelRegistry, StoreError, changes
from registry_core._catalog import journal
from registry_core._catalog.store import Store
from registry_core._sync.cleaning import clean
from tests.world import NOW, JsonGateway, Overlay, World


@pytest.fixture
def one(world: World) -> World:
    world.gateway("main")
    publish(world, "gpt-old")
    return world


def publish(world: World, *models: str) -> None:
    world.now += 60
    world.serve("main", {"openai": [*models]})
    assert world.sync().ok


def told(world: World) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(one.added, one.removed) for one in world.registry().changes()]


def lines(world: World) -> list[bytes]:
    return world.store.journal.read_bytes().splitlines(keepends=True)


ADDED_A, ADDED_B = (("openai/a",), ()), (("openai/b",), ())
B_FOR_A = (("openai/b",), ("openai/a",))


def test_the_first_sync_begins_no_journal_and_each_with_news_adds_a_line(one: World) -> None:
    assert told(one) == []
    assert not one.store.journal.exists()
    publish(one, "gpt-old", "a")
    publish(one, "gpt-old", "a")
    publish(one, "gpt-old", "b")
    assert told(one) == [ADDED_A, B_FOR_A]
    first, second = one.registry().changes()
    assert first.after == second.before
    assert second.at == datetime.fromtimestamp(one.now, UTC)


def test_a_line_is_json_with_both_hashes_the_time_and_the_changes(one: World) -> None:
    publish(one, "gpt-old", "a")
    (line,) = lines(one)
    read = json.loads(line)
    (known,) = one.registry().changes()
    assert {**known.to_dict(), "checksum": read["checksum"]} == read
    generation = one.store.read_generation()
    assert generation and read["to"] == generation.snapshot


def test_lines_that_are_only_kept_are_not_parsed(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    confusing = 'x", "at": "2020-01-01", "from": "0", "to": "1'
    publish(one, "gpt-old", confusing)
    with monkeypatch.context() as patched:
        patched.setattr(journal, "_parsed", None)
        publish(one, "gpt-old", "a")
        publish(one, "gpt-old", "b")
    added = (f"openai/{confusing}",)
    assert told(one) == [(added, ()), (("openai/a",), added), B_FOR_A]


def test_only_what_is_young_enough_is_given(one: World) -> None:
    publish(one, "gpt-old", "a")
    since = datetime.fromtimestamp(one.now + 1, UTC)
    publish(one, "gpt-old", "b")
    assert [found.added for found in one.registry().changes(since)] == [("openai/b",)]
    now = datetime.fromtimestamp(one.now, UTC)
    assert [found.added for found in one.registry().changes(now)] == [("openai/b",)]
    assert one.registry().changes(since + timedelta(days=1)) == ()


def test_a_time_without_a_zone_is_refused_also_while_there_is_no_news(one: World) -> None:
    for since in (datetime(2026, 7, 1), date(2026, 7, 1), "1d", timedelta(days=1)):
        with pytest.raises(ArgumentError, match="since: expected a time with a zone"):
            one.registry().changes(since)  # type: ignore[arg-type]


def test_the_changes_of_this_process(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(one, "gpt-old", "a")
    monkeypatch.setattr(ModelRegistry, "_instance", one.registry())
    assert [found.added for found in changes()] == [("openai/a",)]
    assert one.registry(snapshot=one.tmp_path / "pinned").changes() == ()


def test_what_a_killed_sync_announced_is_passed_over(one: World) -> None:
    publish(one, "gpt-old", "a")
    before = one.store.pointer.read_bytes()
    publish(one, "gpt-old", "b")
    one.store.pointer.write_bytes(before)  # as if killed before it was replaced
    assert told(one) == [ADDED_A]
    publish(one, "gpt-old", "a", "c")
    assert told(one) == [ADDED_A, (("openai/c",), ())]
    assert len(lines(one)) == 2


def test_the_way_back_to_an_earlier_generation_is_told_once(one: World) -> None:
    for models in (["gpt-old", "a"], ["gpt-old"], ["gpt-old", "a"]):
        publish(one, *models)
    assert told(one) == [ADDED_A, ((), ("openai/a",)), ADDED_A]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"{}", b"[" * 100_000, b"\xff\xfe", b"null"),
        b'{"checksum": "01234567", ' + b'"at": "", ' * 5000 + b'"from": "", ' * 5000,
    ],
)
def test_a_damaged_line_costs_only_itself(one: World, number: int, damage: bytes) -> None:
    for models in ("a", "b", "c"):
        publish(one, "gpt-old", models)
    whole, found = lines(one), told(one)
    whole[number] = damage + b"\n"
    one.store.journal.write_bytes(b"".join(whole))
    del found[number]
    assert told(one) == found
    publish(one, "gpt-old", "d")
    assert told(one) == [*found, (("openai/d",), ("openai/c",))]


def test_a_bit_that_flipped_is_damage(one: World) -> None:
    publish(one, "gpt-old", "a")
    one.store.journal.write_bytes(one.store.journal.read_bytes().replace(b"openai/a", b"openai/q"))
    assert told(one) == []


def test_a_line_that_lost_its_end_costs_only_itself(one: World) -> None:
    publish(one, "gpt-old", "a")
    os.truncate(one.store.journal, one.store.journal.stat().st_size - 1)  # its newline
    publish(one, "gpt-old", "b")
    assert told(one) == [ADDED_A, B_FOR_A]
    os.truncate(one.store.journal, one.store.journal.stat().st_size - 10)
    assert told(one) == [ADDED_A]


def test_what_is_too_old_goes_and_so_does_what_there_is_no_room_for(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(one, "gpt-old", "a")
    one.now += journal.MOST_AGE.total_seconds()
    publish(one, "gpt-old", "b")
    assert told(one) == [B_FOR_A]
    monkeypatch.setattr(journal, "MOST", 3 * len(lines(one)[0]) + 50)
    for number in range(9):
        publish(one, "gpt-old", f"m{number}")
    assert len(told(one)) == 3
    assert one.store.journal.stat().st_size <= journal.MOST


def test_limits_hold_to_the_second_and_the_byte_and_whole_lines_are_adopted(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation, start = one.store.read_generation(), datetime.fromtimestamp(one.now, UTC)
    assert generation

    def after(age: timedelta) -> bytes:
        changes = Changes(generation.snapshot, "0" * 64, added=("openai/z",), at=start + age)
        return journal.continued(one.store, generation, changes)

    for number in range(3):
        ids: Any = {"added": ("openai/a",), "deprecated": ("openai/b",), "removed": ("openai/c",)}
        changes = Changes(generation.snapshot, f"{number}" * 64, at=start, **ids)
        one.store.journal.write_bytes(journal.continued(one.store, generation, changes))
        generation = evolve(generation, snapshot=changes.after)
    whole = after(journal.MOST_AGE)
    assert whole.startswith(lines(one)[0]) and whole.count(b"\n") == 4
    assert after(journal.MOST_AGE + timedelta(seconds=1)).count(b"\n") == 1
    monkeypatch.setattr(journal, "MOST", len(whole))
    assert after(journal.MOST_AGE) == whole
    monkeypatch.setattr(journal, "MOST", len(whole) - 1)
    assert after(journal.MOST_AGE) == whole.removeprefix(lines(one)[0])

    assert journal.read(one.store, generation)[-1] == changes
    assert journal.adopted(one.store, generation) == one.store.journal.read_bytes()
    one.store.journal.unlink()
    one.store.journal.mkdir()
    assert journal.adopted(one.store, generation) is None


def test_a_line_has_a_limit_and_says_how_much_it_leaves_out(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_LINE", 2_000)
    publish(one, "gpt-old", *(f"model-{number:03}" for number in range(300)))
    (line,), (found,) = lines(one), one.registry().changes()
    assert len(line) <= 2_000
    assert len(found.added) > 50
    assert len(found.added) + found.left_out == 300


def test_prices_are_the_last_to_be_left_out(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = one.store.read_generation()
    assert generation
    price = Change("openai/z", "model", "cost.input", 1, 10)
    noise = tuple(Change(f"openai/a{n}", "model", "name", "x", "y") for n in range(300))
    many = Changes("0" * 64, generation.snapshot, updated=(*noise, price), at=datetime.now(UTC))
    monkeypatch.setattr(journal, "MOST_LINE", 2_000)
    one.store.journal.write_bytes(journal.continued(one.store, generation, many))
    (found,) = journal.read(one.store, generation)
    assert price in found.updated
    assert [one.id for one in found.updated] == sorted(one.id for one in found.updated)
    assert found.left_out == 301 - len(found.updated) > 0


def test_what_comes_and_goes_is_never_in_it(one: World) -> None:
    publish(one, "gpt-old", "a")
    one.gateway("local", volatile=True)
    one.serve("local", {"local": ["secret-model"]})
    assert one.sync().added == ("local/secret-model",)
    publish(one, "gpt-old", "b")
    assert told(one) == [ADDED_A, B_FOR_A]
    assert b"secret-model" not in one.store.journal.read_bytes()


def test_what_a_policy_takes_out_is_told_as_removed(one: World) -> None:
    publish(one, "gpt-old", "a")
    one.plugins.append(Overlay(lambda snapshot: snapshot.with_providers({})))
    one.sync()
    assert told(one) == [ADDED_A, ((), ("openai/a", "openai/gpt-old", "other/x"))]


def test_damage_of_a_generation_costs_what_nobody_can_know_and_not_the_past(one: World) -> None:
    publish(one, "gpt-old", "a")
    generation = one.store.read_generation()
    assert generation
    one.store.object(generation.snapshot).write_bytes(b"")
    publish(one, "gpt-old", "b")
    publish(one, "gpt-old", "b", "c")
    assert told(one) == [ADDED_A, ((), ()), (("openai/c",), ())]


def test_another_store_that_is_adopted_brings_its_journal(one: World) -> None:
    publish(one, "gpt-old", "a")
    newer = one.store.of_schema(2)
    one.store.folder.rename(newer.folder)
    one.sync()
    assert told(one) == [ADDED_A]
    assert one.store.journal.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="gives a file away")
def test_the_journal_of_a_stranger_is_not_believed_and_replaced(one: World) -> None:
    publish(one, "gpt-old", "a")
    mine = one.store.journal.stat().st_uid
    store = Store(one.store.place, trusts=lambda status: status.st_uid == mine)
    os.chown(one.store.journal, 12_345, -1)
    generation = store.read_generation()
    assert generation
    with pytest.raises(StoreError, match="belongs to somebody else"):
        journal.read(store, generation)
    news = Changes(generation.snapshot, "0" * 64, at=datetime.fromtimestamp(NOW, UTC))
    assert journal.continued(store, generation, news).count(b"\n") == 1


def test_what_is_no_file_is_put_aside(one: World) -> None:
    publish(one, "gpt-old", "a")
    one.store.journal.unlink()
    one.store.journal.mkdir()
    with pytest.raises(StoreError, match="regular file"):
        one.registry().changes()
    report = one.sync()
    assert [problem.culprit for problem in report.problems] == [str(one.store.journal)]
    publish(one, "gpt-old", "b")
    assert told(one) == [B_FOR_A]


def test_clean_removes_it(one: World) -> None:
    publish(one, "gpt-old", "a")
    assert one.store.journal in clean(one.registry().world, bindings=True).remove
    assert not one.store.journal.exists()


def test_a_store_that_is_only_read_tells_its_changes(one: World, tmp_path: Path) -> None:
    publish(one, "gpt-old", "a")
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert told(one) == [ADDED_A]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == files


def test_the_gateways_of_this_process_are_not_in_it(one: World) -> None:
    publish(one, "gpt-old", "a")
    registry = one.registry()
    one.serve("own", {"mine": ["m"]})
    registry.register_gateway(JsonGateway("own", one.server.url("/own.json")))
    registry.sync_gateways()
    assert told(one) == [ADDED_A]
