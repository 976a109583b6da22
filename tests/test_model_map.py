"""Models as their records: what a sync moves without making models of it."""

from __future__ import annotations

import json
import pickle
from typing import Any
from unittest.mock import ANY

import pytest
from attrs import field, frozen
from hypothesis import given, strategies as st

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core._base.encoding import of_model
from registry_core._catalog.checking import encode
from registry_core.models import CAPABILITIES, Limit
from registry_core.records import model_from_record, provider_from_record

RECORD: dict[str, Any] = {
    "name": "Größe “4”",
    "attachment": True,
    "tool_call": False,
    "status": "deprecated",
    "knowledge": None,
    "limit": {"context": 128000.0, "output": 0, "input": None},
    "cost": {"input": 2.5, "output": -0.0, "tiers": [{"size": 1, "input": 5}]},
    "modalities": {"input": ["text", "image"], "output": []},
    "description": "kept",
    "options": [{"a": None}, 1.5],
}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**54) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
names = st.sampled_from([*RECORD, *CAPABILITIES, "id", "extra", "release_date"])
records = st.dictionaries(
    names | st.text(max_size=5),
    values | st.sampled_from([*RECORD.values()]),
    max_size=8,
)


def provider(record: Any) -> ProviderConfig:
    found = provider_from_record("acme", {"models": {"m": record}})
    assert found is not None
    return found


@given(records)
def test_a_record_is_that_of_the_model_that_it_becomes(record: dict[str, Any]) -> None:
    model = model_from_record("acme", "m", record)
    assert model is not None
    lazy = provider(record)
    assert lazy.models["m"] == model
    assert (lazy.models.record("m"), lazy.models.flags["m"]) == encode(of_model(model))


@pytest.mark.slow
@given(records)
def test_a_record_can_be_written_as_json_and_read_back(record: dict[str, Any]) -> None:
    whole = provider(record)
    plain = json.loads(json.dumps(whole.to_dict()))
    losses: list[tuple[str, str]] = []
    assert provider_from_record("acme", plain, lambda *loss: losses.append(loss)) == whole
    assert model_from_record("acme", "m", plain["models"]["m"]) == whole.models["m"]
    assert [loss for loss in losses if "unknown" in loss[1]] == []


@pytest.mark.slow
@given(records)
def test_flags_are_known_without_a_model(record: dict[str, Any]) -> None:
    lazy = provider(record)
    eager = ProviderConfig(id="acme", models=dict(lazy.models))
    assert lazy == eager
    assert lazy.deprecated_models == eager.deprecated_models
    for capability in CAPABILITIES:
        assert lazy.models_with(capability) == eager.models_with(capability)


def test_a_record_says_what_is_known_and_nothing_else() -> None:
    models = provider(RECORD).models
    assert models.record("m").decode() == (
        '{"attachment":true,"cost":{"input":2.5,"output":0.0,"tiers":[{"input":5,"size":1}]},'
        '"extra":{"description":"kept","options":[{"a":null},1.5]},"limit":{"context":128000},'
        '"modalities":{"input":["text","image"]},"name":"Größe “4”","status":"deprecated",'
        '"tool_call":false}'
    )


def test_the_same_models_can_be_published_under_another_id() -> None:
    models = provider(RECORD).models
    renamed = models.for_provider("gateway/acme")
    assert renamed["m"].full_id == "gateway/acme/m"
    assert renamed.record("m") is models.record("m")
    assert (len(renamed), "m" in renamed, "x" in renamed) == (1, True, False)


def test_models_that_somebody_made_are_the_same_mapping() -> None:
    fetched = provider(RECORD).models
    made = ProviderConfig("acme", {"m": fetched["m"]}).models
    stored = Snapshot.build([provider(RECORD)]).get_providers()["acme"].models
    for models in (
        fetched,
        made,
        stored,
        pickle.loads(pickle.dumps(made)),
        made.for_provider("acme"),
    ):
        assert type(models) is type(fetched)
        assert models == fetched
        assert models.record("m") == fetched.record("m")
        assert models.ids_with("deprecated") == ("m",)
        assert dict(models.flags) == dict(fetched.flags)


def test_models_of_another_provider_are_refused() -> None:
    with pytest.raises(ValueError, match="acme/m"):
        ProviderConfig("other", provider(RECORD).models)


def test_they_behave_as_any_mapping_of_models() -> None:
    models = provider(RECORD).models
    eager = {"m": models["m"]}
    assert models == eager
    assert models["m"] is models["m"]
    assert pickle.loads(pickle.dumps(models)) == eager
    assert hash(provider({})) == hash(ProviderConfig(id="acme", models={"m": model()}))


def model() -> ModelInfo:
    return ModelInfo(id="m", provider_id="acme")


def test_a_value_shows_its_fields_and_equals_another_of_its_own_class() -> None:
    @frozen(eq=False, repr=False)
    class Mine(Limit):
        token: str = field(default="secret", repr=False)

    assert repr(Limit(context=5)) == "Limit(context=5, input=None, output=None)"
    assert repr(Mine(context=5)) == "Mine(context=5, input=None, output=None)"
    assert Limit(context=5) == Limit(context=5) != Limit(context=6)
    assert Limit(context=5) != Mine(context=5)
    assert len({Limit(context=5), Limit(context=5), Mine(context=5)}) == 2
    assert Limit(context=5) == ANY
