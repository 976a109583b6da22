"""`models.schema.json`: which definitions there are, and what they hold."""

from __future__ import annotations

import json
from typing import Any

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core._writers import schema
from registry_core._writers.python_types import type_names
from registry_core.testing import plugin_settings
from tests.emitters.samples import emit, hostile, snapshot_of

FILE = "models.schema.json"


def definitions(snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(emit(schema, snapshot, scope)[FILE])["$defs"]
    return found


def test_full_ids_are_closed_in_one_definition_and_open_in_another() -> None:
    found = definitions(snapshot_of({"acme": ["b", "a"], "lab": ["org/x"]}))
    assert found["KnownModelId"]["enum"] == ["acme/a", "acme/b", "lab/org/x"]
    assert found["ModelId"] == {"anyOf": [{"$ref": "#/$defs/KnownModelId"}, {"type": "string"}]}
    assert found["KnownProviderId"]["enum"] == ["acme", "lab"]
    assert found["ProviderId"]["anyOf"][0] == {"$ref": "#/$defs/KnownProviderId"}


def test_each_provider_has_its_bare_ids_under_the_name_of_its_python_type() -> None:
    models = {"fireworks-ai": ["a"], "302ai": ["b", "c"], "acme/eu": ["d"]}
    found = definitions(snapshot_of(models))
    for id, name in type_names(models).items():
        assert found[name]["enum"] == models[id]


def test_the_scope_of_the_types_counts_and_changes_no_name() -> None:
    snapshot = snapshot_of({"a-b": ["x"], "a_b": ["y"], "c": ["z"]})
    scoped, every = definitions(snapshot, ("a_b", "absent")), definitions(snapshot)
    assert scoped["KnownModelId"]["enum"] == ["a_b/y"]
    assert scoped["KnownProviderId"]["enum"] == ["a_b"]
    (name,) = [name for name in scoped if name.startswith("Model_")]
    assert every[name] == scoped[name]


def test_a_role_is_a_full_id_as_long_as_its_model_is_there() -> None:
    snapshot = snapshot_of({"acme": ["m"]}).with_roles({"fast": "acme/m", "gone": "acme/n"})
    known = definitions(snapshot)["KnownModelId"]
    assert known["enum"] == ["fast", "acme/m"]
    assert known["enumDescriptions"] == ["stands for acme/m", ""]


def test_beside_an_id_stands_what_is_known_of_it_and_no_word_of_its_source() -> None:
    named: dict[str, Any] = {"name": "![x](https://x.example)", "status": "<b>"}
    models = [
        ModelInfo("a", "acme", limit={"context": 200_000}, cost={"input": 2.5, "output": 10}),
        ModelInfo("b", "acme", cost={"output": 0}, status="deprecated"),
        ModelInfo("c", "acme", cost={}, **named),
    ]
    snapshot = Snapshot.build(
        [ProviderConfig("acme", {one.id: one for one in models}, name=named["name"])]
    )
    assert definitions(snapshot)["Model_acme"]["enumDescriptions"] == [
        "200,000 tokens, $2.5 in and $10 out per million",
        "$0 out per million, deprecated",
        "",
    ]


def test_any_id_is_in_it_exactly_and_once() -> None:
    models = hostile()
    known = definitions(snapshot_of(models))["KnownModelId"]["enum"]
    assert known == [f"{id}/{one}" for id, ids in models.items() for one in ids]


def test_two_providers_that_share_a_full_id_give_it_once() -> None:
    known = definitions(snapshot_of({"a": ["b/c"], "a/b": ["c"]}))["KnownModelId"]
    assert known["enum"] == ["a/b/c"]
    assert len(known["enumDescriptions"]) == 1


def test_it_is_written_only_if_the_project_wants_it() -> None:
    snapshot = snapshot_of({"acme": ["m"]})
    asked = schema.registry_emit(snapshot, plugin_settings(outputs=["schema"]))
    assert [(one.emitter, one.path) for one in asked] == [("schema", FILE)]
    nothing: Any = None  # is not even looked at
    assert not [*schema.registry_emit(nothing, plugin_settings())]
