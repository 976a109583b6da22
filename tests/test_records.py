"""What a stranger sends: all that can be used is used, all else is named, nothing raises."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import localcontext
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from registry_core._base.encoding import dumps
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.checking import remembered
from registry_core._catalog.snapshot import Snapshot
from registry_core.errors import GatewayError
from registry_core.models import Cost, Limit, Modalities, ModelInfo, ProviderConfig
from registry_core.records import (
    Warnings,
    clean_providers,
    cost_per_million,
    model_from_record,
    provider_from_record,
)
from registry_core.report import Problem

RECORD: dict[str, Any] = {
    "id": "another",
    "name": "GPT X",
    "family": "gpt",
    "status": "beta",
    "attachment": True,
    "reasoning": False,
    "tool_call": True,
    "structured_output": True,
    "temperature": False,
    "open_weights": False,
    "knowledge": "2025",
    "release_date": "2026-05",
    "last_updated": "2026-05-13",
    "limit": {"context": 400_000, "input": 0, "output": 128_000.0},
    "cost": {"input": 1.25, "output": 10, "tiers": [{"tier": {"size": 200_000}, "input": 2.5}]},
    "modalities": {"input": ["text", "image"], "output": ["text"]},
    "description": "fast",
}


class Losses(list[tuple[str, str]]):
    def __call__(self, culprit: str, message: str) -> None:
        self.append((culprit, message))


@pytest.fixture
def losses() -> Losses:
    return Losses()


def model(id: str = "m", **fields: Any) -> ModelInfo:
    return ModelInfo(id, "acme", **fields)


def provider(id: str = "acme", models: Any = ("m",), **fields: Any) -> ProviderConfig:
    return ProviderConfig(id, models, **fields)


# --- one model -----------------------------------------------------------------------


def test_a_whole_record_becomes_a_model(losses: Losses) -> None:
    found = model_from_record("acme", "gpt-x", RECORD, losses)

    assert found == ModelInfo(
        id="gpt-x",
        provider_id="acme",
        name="GPT X",
        family="gpt",
        status="beta",
        attachment=True,
        reasoning=False,
        tool_call=True,
        structured_output=True,
        temperature=False,
        open_weights=False,
        knowledge="2025",
        release_date="2026-05",
        last_updated="2026-05-13",
        limit=Limit(context=400_000, output=128_000),
        cost=Cost(input=1.25, output=10, tiers=({"tier": {"size": 200_000}, "input": 2.5},)),
        modalities=Modalities(input=("text", "image"), output=("text",)),
        extra={"description": "fast"},
    )
    assert losses == []


def test_what_a_record_leaves_out_or_sets_to_null_is_unknown(losses: Losses) -> None:
    empty = model_from_record("acme", "m", {}, losses)

    assert empty == model()
    assert model_from_record("acme", "m", dict.fromkeys(RECORD), losses) == model(
        extra={"description": None}
    )
    assert model_from_record("acme", "m", {"modalities": {"input": []}}) == empty
    assert empty is not None
    assert (empty.cost, empty.limit.context, empty.attachment) == (None, None, None)
    assert losses == []


def test_unknown_keys_stay_in_extra_under_the_name_of_their_part(losses: Losses) -> None:
    record = {
        "cost": {"input": 1, "context_over_200k": {"input": 2}},
        "limit": {"images": 5},
        "modalities": {"input": ["text"], "cache": [1]},
        "interleaved": True,
    }
    found = model_from_record("acme", "m", record, losses)

    assert found is not None
    assert found.extra == {
        "interleaved": True,
        "cost": {"context_over_200k": {"input": 2}},
        "limit": {"images": 5},
        "modalities": {"cache": (1,)},
    }
    assert found.cost == Cost(input=1)
    assert found.modalities.input == ("text",)
    assert losses == []


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("toolcall", "tool_call"),
        ("toolCall", "tool_call"),
        ("open-weights", "open_weights"),
        ("limits", "limit"),
    ],
)
def test_a_key_that_is_nearly_a_field_is_named_once_for_all_models(
    losses: Losses, key: str, meant: str
) -> None:
    found = provider_from_record("acme", {"models": {"a": {key: True}, "b": {key: 5}}}, losses)

    assert found is not None
    assert found.models["a"].extra == {key: True}
    message = f"{key} is not a field, and is kept in `extra`; did you mean {meant!r}?"
    assert losses == [("acme", message)]
    assert model_from_record("acme", "a", {key: True}, losses) == found.models["a"]
    assert losses[1:] == [("acme/a", message)]


def test_so_is_one_of_a_part(losses: Losses) -> None:
    model_from_record("acme", "m", {"limit": {"contxt": 5}, "cost": {"per_image": 1}}, losses)

    ((_, message),) = losses
    assert message.startswith("limit.contxt is not a field")
    assert "'limit.context'" in message


def test_what_sources_really_say_beyond_the_fields_is_no_near_miss(losses: Losses) -> None:
    for provider in Bundle.of_wheel().load().get_providers().values():
        for one in provider.models.values():
            plain = one.to_dict()
            assert model_from_record(provider.id, one.id, plain | plain["extra"], losses)
    assert losses == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 7),
        ("status", ["beta"]),
        ("attachment", "yes"),
        ("reasoning", 1),
        ("release_date", {"year": 2026}),
        ("limit", [1, 2]),
        ("cost", "free"),
        ("modalities", 7),
    ],
)
def test_a_field_of_a_wrong_type_becomes_unknown_and_the_model_stays(
    losses: Losses, field: str, value: Any
) -> None:
    good = {name: item for name, item in RECORD.items() if name != field}

    found = model_from_record("acme", "m", {**RECORD, field: value}, losses)

    assert found == model_from_record("acme", "m", good)
    ((culprit, message),) = losses
    assert culprit == "acme/m"
    assert message.startswith(f"{field} is taken as unknown: expected ")


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("limit", "context", "much"),
        ("limit", "output", -1),
        ("limit", "input", 0.5),
        ("limit", "context", True),
        ("limit", "context", 10**400),
        ("cost", "input", "0.1"),
        ("cost", "output", -0.5),
        ("cost", "reasoning", math.nan),
        ("cost", "cache_read", math.inf),
        ("cost", "cache_write", 10**400),
        ("cost", "tiers", [1]),
        ("cost", "tiers", "none"),
        ("modalities", "input", "text"),
        ("modalities", "output", ["text", None]),
    ],
)
def test_only_the_wrong_item_of_a_part_becomes_unknown(
    losses: Losses, part: str, key: str, value: Any
) -> None:
    good = {name: item for name, item in RECORD[part].items() if name != key}

    found = model_from_record("acme", "m", {**RECORD, part: {**good, key: value}}, losses)

    assert found == model_from_record("acme", "m", {**RECORD, part: good})
    ((culprit, message),) = losses
    assert culprit == "acme/m"
    assert message.startswith(f"{part}.{key} is taken as unknown: expected ")


@pytest.mark.parametrize("record", [None, 7, "text", ["a"]])
def test_a_record_that_is_no_object_is_dropped(losses: Losses, record: Any) -> None:
    assert model_from_record("acme", "m", record, losses) is None
    kind = type(record).__name__
    assert losses == [("acme/m", f"dropped: expected an object, got {kind}")]


@pytest.mark.parametrize(
    ("id", "reason"),
    [
        ("", "an empty one"),
        ("a\0b", "without NUL"),
        ("a\ud800b", "without lone surrogates"),
        ("m" * 10_000, "at most 8192 characters"),
        (7, "got int"),
    ],
)
def test_an_id_that_can_not_be_written_everywhere_is_dropped(
    losses: Losses, id: Any, reason: str
) -> None:
    assert model_from_record("acme", id, {"name": 7}, losses) is None
    ((_, message),) = losses
    assert message.startswith("dropped: expected an id")
    assert reason in message


@pytest.mark.parametrize(
    "id",
    [
        "a\nb",
        "a'b",
        'a"b',
        "a\\b",
        "a*/b",
        "${x}",
        "a\u202eb",
        "a\u2028b",
        "😀",
        "a/b/c",
        "m" * 5000,
    ],
)
def test_other_hostile_ids_stay_exactly_as_they_are(losses: Losses, id: str) -> None:
    found = model_from_record("acme", id, {}, losses)

    assert found is not None
    assert (found.id, losses) == (id, [])


def test_equal_parts_are_one_instance() -> None:
    first, second = (model_from_record("acme", id, RECORD) for id in "ab")

    assert first is not None
    assert second is not None
    assert first.limit is second.limit
    assert first.modalities is second.modalities


def test_prices_that_are_equal_are_written_alike() -> None:
    prices = [Cost(input=value).input for value in (-0.0, 0.0, 0)]

    assert dumps(prices) == b"[0.0,0.0,0]"


def test_a_record_may_be_its_json_text() -> None:
    text, heard = json.dumps(RECORD).encode(), Losses()
    assert model_from_record("openai", "gpt-x", text) == model_from_record(
        "openai", "gpt-x", RECORD
    )
    records = {"a": text, "b": b"{}", "c": b'{"name": 7, "speed": NaN}', "d": b"[]", "e": b"{"}
    provider = provider_from_record("acme", {"models": records}, heard)
    assert provider is not None
    assert [*provider.models] == ["a", "b", "c"]
    assert provider.models["a"] == model_from_record("acme", "a", RECORD)
    assert (provider.models["c"].name, provider.models["c"].extra) == (None, {"speed": None})
    assert heard == [
        ("acme/c", "name is taken as unknown: expected text, got int"),
        ("acme/d", "dropped: expected an object, got list"),
        ("acme/e", "dropped: expected an object, got bytes"),
    ]


def test_of_a_record_that_is_the_same_text_nothing_is_checked_again() -> None:
    text = b'{"name": "of this test alone", "toolcall": true}'
    for number in range(3):
        before, heard = remembered.cache_info(), Losses()
        provider_from_record("acme", {"models": {f"m{number}": text}}, heard)
        assert remembered.cache_info().misses - before.misses == (number == 0)
        assert [what for _, what in heard] == [
            "toolcall is not a field, and is kept in `extra`; did you mean 'tool_call'?"
        ]


# --- one provider --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "million"),
    [
        ("0.0000025", 2.5),
        ("2.5e-06", 2.5),
        (1.5e-07, 0.15),
        ("0.0000011", 1.1),
        (0.0000011, 1.1),
        ("0.000000299", 0.299),
        (3.2000000000000003e-06, 3.2),
        (0.3 * 1e-6, 0.3),
        (1 / 3e5, 3.33333333333),
        (0, 0),
        ("0.0", 0),
        (-0.0, 0),
    ],
)
def test_a_price_of_a_token_becomes_that_of_a_million_without_noise(
    token: Any, million: float
) -> None:
    assert cost_per_million({"input": token}) == {"input": million}


def test_a_price_is_the_same_whatever_the_callers_decimals_are() -> None:
    with localcontext(prec=2):
        assert cost_per_million({"input": "0.00000123456"}) == {"input": 1.23456}


@pytest.mark.parametrize("price", [None, -1, "-1", "-0.000001"])
def test_a_price_that_is_negative_or_missing_is_unknown(price: Any) -> None:
    assert cost_per_million({"input": price, "output": 1e-6}) == {"output": 1}


@pytest.mark.parametrize("price", ["", "free", "nan", float("nan"), "1e999999999", True, []])
def test_what_is_no_price_is_unknown_and_named(price: Any) -> None:
    losses: list[str] = []
    assert cost_per_million({"input": price, "output": 1e-6}, losses.append) == {"output": 1}
    (message,) = losses
    assert message.startswith("cost.input is taken as unknown: expected a price, got ")


@pytest.mark.parametrize("price", ["Infinity", float("inf"), 1e300])
def test_a_price_that_nobody_pays_is_refused_with_the_record(losses: Losses, price: Any) -> None:
    cost = cost_per_million({"input": price, "output": 1e-6})
    model = model_from_record("p", "m", {"cost": cost}, losses)
    assert model is not None
    assert model.cost == Cost(output=1)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("reasoning", "output"),
        ("output_audio", "output"),
        ("cache_read", "input"),
        ("cache_write", "input"),
        ("input_audio", "input"),
    ],
)
def test_a_part_is_free_only_where_the_whole_is(part: str, whole: str) -> None:
    assert cost_per_million({part: 0, whole: 1e-6}) == {whole: 1}
    assert cost_per_million({part: 0, whole: None}) == {}
    assert cost_per_million({part: 0, whole: 0}) == {part: 0, whole: 0}
    assert cost_per_million({part: 2e-6, whole: 1e-6}) == {part: 2, whole: 1}


def test_models_may_be_records_or_a_list_of_ids(losses: Losses) -> None:
    by_id = provider_from_record("acme", {"models": {"b": {}, "a": {}}, "name": "Acme"}, losses)
    listed = provider_from_record("acme", {"models": ["b", "a", "b"], "name": "Acme"}, losses)

    assert by_id == listed == provider(models=("a", "b"), name="Acme")
    assert losses == []


def test_a_broken_model_costs_only_itself(losses: Losses) -> None:
    records = {"good": {}, "bad": None, "": {}}
    found = provider_from_record("acme", {"models": records}, losses)
    listed = provider_from_record("acme", {"models": ["good", None, ["x"], ""]}, losses)

    assert found == listed == provider(models=("good",))
    culprits = [culprit for culprit, _ in losses]
    assert culprits == ["acme/bad", "acme/", "acme/None", "acme/['x']", "acme/"]


def test_a_field_of_a_wrong_type_costs_no_model_of_a_provider(losses: Losses) -> None:
    found = provider_from_record("acme", {"models": {"m": {"name": 5, "family": "f"}}}, losses)
    assert found == provider(models={"m": model(family="f")})
    assert [culprit for culprit, _ in losses] == ["acme/m"]


def test_a_broken_field_of_a_provider_is_left_out(losses: Losses) -> None:
    record = {
        "models": ["m"],
        "name": 7,
        "url": "https://acme.example",
        "model_overrides": {"m": {"api": 7, "shape": "responses"}, "n": "x"},
    }
    found = provider_from_record("acme", record, losses)

    assert found == provider(
        url="https://acme.example", model_overrides={"m": {"shape": "responses"}}
    )
    assert [message.split()[0] for _, message in losses] == [
        "name",
        "model_overrides.m.api",
        "model_overrides.n",
    ]


@pytest.mark.parametrize("record", [{"models": None}, {"models": "gpt"}, {"models": 7}, {}])
def test_models_of_another_shape_are_reported(losses: Losses, record: dict[str, Any]) -> None:
    assert provider_from_record("acme", record, losses) == provider(models=())
    got = type(record.get("models")).__name__
    said = f"its models are lost: expected an object or a list, got {got}"
    assert losses == [("acme", said)]


def test_an_id_inside_a_record_of_a_provider_is_ignored(losses: Losses) -> None:
    record = {"id": "another", "models": {"m": {"id": "another"}}}
    assert provider_from_record("acme", record, losses) == provider()
    assert losses == []


@pytest.mark.parametrize("id", ["", "/acme", "acme/", "/", "a\0", "a\ud800", 7, None])
def test_a_provider_whose_id_can_not_be_used_is_dropped(losses: Losses, id: Any) -> None:
    assert provider_from_record(id, {"models": ["m"]}, losses) is None
    ((culprit, message),) = losses
    assert culprit == str(id)
    assert message.startswith("dropped: expected an id")


@pytest.mark.parametrize("id", ["__proto__", "..", "../../evil", "with/slash", "CON", "1e3", "o'q"])
def test_hostile_provider_ids_stay(losses: Losses, id: str) -> None:
    found = provider_from_record(id, {"models": ["m"]}, losses)

    assert found is not None
    assert (found.models["m"].full_id, losses) == (f"{id}/m", [])


# --- what a gateway returned ---------------------------------------------------------


def test_providers_get_the_name_of_their_gateway() -> None:
    given = provider(gateway="forged", url="https://acme.example", name="Acme")

    providers, problems = clean_providers("models.dev", False, {"acme": given})

    assert list(providers) == ["acme"]
    assert providers["acme"].gateway == "models.dev"
    assert providers["acme"].models == given.models
    assert (providers["acme"].url, providers["acme"].name) == ("https://acme.example", "Acme")
    assert problems == ()


def test_a_namespaced_gateway_publishes_below_its_own_id() -> None:
    given = {"acme": provider(), "acme-corp": provider("acme-corp")}

    providers, _ = clean_providers("acme-corp", True, given)

    assert list(providers) == ["acme-corp/acme", "acme-corp"]
    assert [one.models["m"].full_id for one in providers.values()] == [
        "acme-corp/acme/m",
        "acme-corp/m",
    ]
    assert [one.id for one in providers.values()] == list(providers)


def test_the_key_of_the_mapping_is_the_id() -> None:
    providers, problems = clean_providers("models.dev", False, {"other": provider()})

    assert providers["other"].id == "other"
    assert providers["other"].models["m"].provider_id == "other"
    assert [one.fatal for one in problems] == [False]


def test_a_broken_entry_is_dropped_alone_and_named() -> None:
    given: dict[Any, Any] = {
        "text": "no provider",
        "empty": provider("empty", models=()),
        "/slash": provider(),
        7: provider(),
        "a\0b": provider(),
        "acme": provider(),
    }

    providers, problems = clean_providers("gw", False, given)

    assert list(providers) == ["acme"]
    assert [(one.kind, one.culprit, one.fatal) for one in problems] == [
        ("record", "gw: text", False),
        ("record", "gw: empty", False),
        ("record", "gw: /slash", False),
        ("record", "gw: 7", False),
        ("record", "gw: a\\x00b", False),
    ]
    assert problems[0].message == "dropped: expected ProviderConfig, got str"
    assert problems[1].message == "dropped: it has no valid model"


def test_overrides_of_models_that_are_not_there_are_dropped() -> None:
    given = provider(model_overrides={"m": {"shape": "responses"}, "gone": {"api": "https://x"}})

    providers, problems = clean_providers("gw", False, {"acme": given})

    assert providers["acme"].model_overrides == {"m": {"shape": "responses"}}
    assert [one.culprit for one in problems] == ["gw: acme/gone"]


@pytest.mark.parametrize("returned", [None, [], "acme", provider()])
def test_what_is_no_mapping_fails_the_gateway(returned: Any) -> None:
    with pytest.raises(GatewayError, match="expected a mapping of providers") as caught:
        clean_providers("gw", True, returned)
    assert caught.value.culprit == "gw"
    assert f"got {type(returned).__name__} (" in caught.value.text
    assert caught.value.hint == "return {provider id: ProviderConfig} from fetch_providers"


def test_a_result_without_a_valid_model_fails_the_gateway_and_names_the_first_loss() -> None:
    with pytest.raises(GatewayError, match="gw: sent no valid model"):
        clean_providers("gw", True, {})
    with pytest.raises(GatewayError) as caught:
        clean_providers("gw", True, {"acme": provider(models=()), "b": provider("b", ())})
    first = "sent no valid model; gw: acme: dropped: it has no valid model"
    assert caught.value.text == f"{first} ({caught.value.hint})"


def test_nothing_is_an_answer_of_a_gateway_that_may_be_empty() -> None:
    none = provider(models=())
    assert clean_providers("gw", False, {}, may_be_empty=True) == ({}, ())
    assert clean_providers("gw", False, {"a": none}, may_be_empty=True) == ({}, ())
    some = {"a": none, "b": provider("b")}
    providers, problems = clean_providers("gw", False, some, may_be_empty=True)
    assert (list(providers), problems) == (["b"], ())


@pytest.mark.parametrize("returned", [{}, {"a": provider("a", ())}])
@pytest.mark.parametrize("lost", [False, True])
def test_that_it_is_empty_can_be_accepted_only_if_nothing_was_lost(
    returned: dict[str, Any], lost: bool
) -> None:
    reported = [Problem("record", "acme/x", "dropped", fatal=False)] * lost
    for options in ({"may_be_empty": True}, {})[not lost :]:
        with pytest.raises(GatewayError) as caught:
            clean_providers("gw", False, returned, reported, **options)
        accept = "" if lost else "; if it has none: registry-core sync --accept gw"
        assert caught.value.hint == f"check its URL and its answer{accept}"
    for broken in ({"b": 5}, {"/": provider()}):
        with pytest.raises(GatewayError) as caught:
            clean_providers("gw", False, {**returned, **broken}, reported, may_be_empty=True)
        assert caught.value.hint == "check its URL and its answer"


def test_what_the_plugin_reported_is_named_with_the_rest() -> None:
    reported = [Problem("record", "acme/x", "dropped", fatal=False)]
    given = {"acme": provider(), "b": provider("b", ())}

    _, problems = clean_providers("gw", False, given, reported)

    assert [one.culprit for one in problems] == ["gw: acme/x", "gw: b"]

    _, problems = clean_providers("gw", False, given, reported, more=7)

    assert problems[-1].message == "and 7 more"


def test_warnings_are_capped_and_the_rest_is_counted() -> None:
    warnings = Warnings("gw")
    for number in range(60):
        warnings(f"acme/{number}", "dropped")

    assert len(warnings.problems) == 51
    assert warnings.problems[49].culprit == "gw: acme/49"
    assert warnings.problems[50] == Problem("record", "gw", "and 10 more", fatal=False)


def test_warnings_can_be_shown_anywhere() -> None:
    warnings = Warnings("gw")
    warnings("a\x1b[31m\ud800\u202e/" + "m" * 5000, "bad\nline")

    (problem,) = warnings.problems
    assert problem.culprit.startswith("gw: a\\x1b[31m\\ud800\\u202e/mmm")
    assert problem.culprit.isprintable()
    assert len(problem.culprit) < 400
    assert problem.message == "bad\\nline"


def test_a_mapping_that_raises_is_the_gateways_failure() -> None:
    class Broken(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise KeyError(key)

        def __iter__(self) -> Iterator[str]:
            raise RuntimeError("lost the connection")

        def __len__(self) -> int:
            return 1

    with pytest.raises(RuntimeError, match="lost the connection"):
        clean_providers("gw", False, Broken())


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["input", "context", "tiers", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(st.sampled_from([*RECORD, "provider", "x"]), ANYTHING, max_size=8)


@given(records=st.dictionaries(st.text(max_size=3), RECORDS | ANYTHING, max_size=3))
@settings(max_examples=150, deadline=None)
def test_whatever_arrives_is_used_or_named_and_can_be_stored(records: dict[str, Any]) -> None:
    losses = Losses()
    found = provider_from_record("acme", {"models": records}, losses)

    assert found is not None
    dropped = {culprit for culprit, message in losses if message.startswith("dropped")}
    assert len(found.models) + len(dropped) == len(records)
    providers, _ = clean_providers("gw", False, {"acme": found, "safe": provider("safe")})
    stored = Snapshot.from_bytes(Snapshot.build(providers).to_bytes())
    assert stored.get_providers() == providers
    assert {id: dict(one.models) for id, one in stored.get_providers().items()} == {
        id: dict(one.models) for id, one in providers.items()
    }


def test_a_key_that_is_not_the_id_of_its_provider_is_named() -> None:
    given = {"oops": provider("other"), "same": provider("same"), "gw": provider("gw")}
    providers, problems = clean_providers("gw", True, given)
    assert [*providers] == ["gw/oops", "gw/same", "gw"]
    (problem,) = problems
    assert (
        str(problem)
        == "gw: oops: its key counts; the id of its ProviderConfig, 'other', is ignored"
    )
    assert not clean_providers("gw", True, {"a": provider("gw/a")})[1]
