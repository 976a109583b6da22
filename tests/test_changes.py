"""What a sync reports as changed, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry_core import (
    Change,
    Changes,
    ModelInfo,
    ProviderConfig,
    Snapshot,
    SnapshotDamagedError,
    diff,
)
from registry_core._catalog.table import Table
from registry_core._sync import changes
from registry_core._sync.changes import compared, updated
from registry_core.records import provider_from_record
from tests.test_regression_counts import Records
from tests.world import Overlay, Plugin, World


def snapshot(models: dict[str, Any], **provider: Any) -> Snapshot:
    made = provider_from_record("acme", {"models": models, **provider})
    assert made is not None
    return Snapshot.build([made, ProviderConfig("other", ["x"])])


def said(before: Snapshot, after: Snapshot) -> list[tuple[Any, ...]]:
    return [(one.id, one.kind, one.field, one.before, one.after) for one in updated(before, after)]


def test_every_field_that_differs_is_named_with_both_values() -> None:
    before = snapshot(
        {
            "a": {"cost": {"input": 1, "output": 2}, "speed": 5},
            "b": {"modalities": {"input": ["text"]}, "name": "B"},
            "same": {"name": "S"},
        },
        url="https://acme.example/v1",
    )
    after = snapshot(
        {
            "a": {"cost": {"input": 7, "output": 2}, "speed": 6, "tool_call": False},
            "b": {"modalities": {"input": ["text", "image"]}},
            "same": {"name": "S"},
        },
        url="https://acme.example/v2",
        model_overrides={"a": {"api": "https://a.example"}},
    )
    assert said(before, after) == [
        ("acme", "provider", "model_overrides.a", None, {"api": "https://a.example"}),
        ("acme", "provider", "url", "https://acme.example/v1", "https://acme.example/v2"),
        ("acme/a", "model", "cost.input", 1, 7),
        ("acme/a", "model", "extra.speed", 5, 6),
        ("acme/a", "model", "tool_call", None, False),
        ("acme/b", "model", "modalities.input", ("text",), ("text", "image")),
        ("acme/b", "model", "name", "B", None),
    ]
    assert all(hash(one) for one in updated(before, after))


def test_what_comes_or_goes_is_not_updated() -> None:
    before, after = snapshot({"a": {}, "gone": {"name": "G"}}), snapshot({"a": {}, "new": {}})
    assert said(before, after) == []
    assert said(before, Snapshot.build([ProviderConfig("other", ["x"])])) == []


def test_an_equal_value_that_is_written_otherwise_is_no_change() -> None:
    assert (
        said(snapshot({"a": {"cost": {"input": 2}}}), snapshot({"a": {"cost": {"input": 2.0}}}))
        == []
    )


def test_only_records_that_differ_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    models: dict[str, Any] = {f"m{n}": {"name": str(n)} for n in range(100)}
    before = snapshot(models)
    after = snapshot({**models, "m7": {"name": "seven"}})
    decoded: list[bytes] = []
    loads = json.loads

    class Counted:
        @staticmethod
        def loads(text: bytes) -> Any:
            decoded.append(text)
            return loads(text)

    monkeypatch.setattr(changes, "json", Counted)
    assert updated(before, before) == ()
    assert decoded == []
    assert said(before, after) == [("acme/m7", "model", "name", "7", "seven")]
    assert len(decoded) == 2


def test_of_providers_that_are_as_they_were_no_record_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def made(**names: str) -> Snapshot:
        providers = (
            provider_from_record(id, {"models": {f"m{n}": {"name": name} for n in range(9)}})
            for id, name in {**dict.fromkeys(others, "same"), **names}.items()
        )
        return Snapshot.from_bytes(Snapshot.build(filter(None, providers)).to_bytes())

    others = [f"other-{n}" for n in range(9)]
    before, after = made(b="y", d="u"), made(d="w", f="t")
    assert (before.unlike(after), after.unlike(before)) == ({"b", "d"}, {"d", "f"})
    read = set[tuple[str, str | None]]()
    record = Snapshot.record
    monkeypatch.setattr(
        Snapshot, "record", lambda self, *key: (read.add(key), record(self, *key))[1]
    )
    monkeypatch.setattr(Snapshot, "lines", None)
    found = diff(before, after)
    assert {id for id, model in read if model is not None} == {"b", "d", "f"}
    assert (len(found.added), len(found.removed), len(found.updated)) == (9, 9, 9)


def test_a_damaged_record_of_before_costs_the_list_and_not_the_sync() -> None:
    before, after = snapshot({"a": {"name": "Before"}}), snapshot({"a": {"name": "After"}})
    damaged = Snapshot.from_bytes(before.to_bytes().replace(b"Before", b"Bef0re"))
    assert compared(damaged, after) == Changes(before.hash, after.hash)
    with pytest.raises(SnapshotDamagedError):
        diff(damaged, after)


@pytest.mark.parametrize(
    ("field", "is_price"),
    [("cost.input", True), ("cost.tiers", True), ("costs", False), ("limit.context", False)],
)
def test_a_change_knows_whether_it_is_of_a_price(field: str, is_price: bool) -> None:
    change = Change("openai/gpt-5", "model", field, ("a",), None)
    assert change.is_price == is_price
    assert change.to_dict() == {
        "id": "openai/gpt-5",
        "kind": "model",
        "field": field,
        "before": ["a"],
        "after": None,
    }


def test_two_snapshots_can_be_compared() -> None:
    before = snapshot({"a": {"cost": {"input": 1}}, "b": {}, "gone": {}})
    after = snapshot({"a": {"cost": {"input": 2}}, "b": {"status": "deprecated"}, "new": {}})
    found = diff(before, after)
    assert found == Changes(
        before.hash,
        after.hash,
        ("acme/new",),
        ("acme/gone",),
        ("acme/b",),
        (
            Change("acme/a", "model", "cost.input", 1, 2),
            Change("acme/b", "model", "status", None, "deprecated"),
        ),
    )
    assert found.to_dict() == json.loads(json.dumps(found.to_dict()))
    assert found and not diff(before, before)


def test_what_was_deprecated_before_is_no_news_beside_what_is_now() -> None:
    before = snapshot({"a": {"status": "deprecated"}, "b": {}})
    after = snapshot({"a": {"status": "deprecated", "name": "A"}, "b": {"status": "deprecated"}})
    assert diff(before, after).deprecated == ("acme/b",)


def test_a_full_id_that_another_provider_still_stands_for_has_neither_come_nor_gone() -> None:
    """ "a" with "b/c" stands for the same id as "a/b" with "c"."""
    whole, half = ProviderConfig("a", ["b/c"]), ProviderConfig("a/b", ["c", "d"])
    both, one = Snapshot.build([whole, half]), Snapshot.build([whole])
    assert diff(both, one).removed == ("a/b/d",)
    assert diff(one, both).added == ("a/b/d",)


def world_with(world: World, models: dict[str, Any]) -> World:
    world.plugins.append(Plugin(Records("main", world.server.url("/main.json"))))
    world.serve("main", {"openai": models}, etag='"1"')
    world.sync()
    return world


def test_a_price_that_changes_upstream_is_in_the_report(world: World) -> None:
    world_with(world, {"gpt-5": {"cost": {"input": 1.25}}, "gpt-old": {}})
    world.serve("main", {"openai": {"gpt-5": {"cost": {"input": 2}}, "gpt-old": {}}}, etag='"2"')
    report = world.sync()
    change = Change("openai/gpt-5", "model", "cost.input", 1.25, 2)
    assert (report.added, report.removed, report.updated) == ((), (), (change,))
    assert report.to_dict() == json.loads(json.dumps(report.to_dict()))
    assert report.to_dict()["updated"] == [
        {
            "id": "openai/gpt-5",
            "kind": "model",
            "field": "cost.input",
            "before": 1.25,
            "after": 2,
        }
    ]


def test_a_sync_without_news_compares_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world_with(world, {"gpt-5": {"cost": {"input": 1.25}}, "gpt-old": {}})
    monkeypatch.delattr(Table, "lines")
    report = world.sync()
    assert (report.ok, report.updated) == (True, ())


def test_what_an_overlay_changes_is_a_change_too(world: World) -> None:
    def cheaper(snapshot: Snapshot) -> Snapshot:
        openai = snapshot.get_providers()["openai"]
        models = {id: one.replace(cost={"input": 1}) for id, one in openai.models.items()}
        return snapshot.with_providers(
            {**snapshot.get_providers(), "openai": openai.replace(models=models)}
        )

    world_with(
        world, {"gpt-5": {"cost": {"input": 9, "output": 3}}, "gpt-old": {"cost": {"input": 1}}}
    )
    world.plugins.append(Overlay(cheaper))
    report = world.sync()
    assert report.updated == (Change("openai/gpt-5", "model", "cost.input", 9, 1),)
    found = world.registry().get_model("openai/gpt-5")
    assert found == ModelInfo("gpt-5", "openai", cost={"input": 1, "output": 3})


def test_no_record_of_before_is_looked_up_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    """That would take longer than all else in a sync, if every record is another one."""
    before = snapshot({f"m{n}": {"speed": 1} for n in range(50)})
    after = snapshot({f"m{n}": {"speed": 2} for n in range(50)})
    monkeypatch.delattr(Table, "record")
    assert len(said(before, after)) == 50
