"""What a model says of itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from registry_core import Cost, Lifecycle, ModelInfo, ProviderConfig, Snapshot
from registry_core._base.encoding import of_model
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.checking import encode
from registry_core.models import CAPABILITIES
from registry_core.records import model_from_record, provider_from_record


def model(id: str = "m", **fields: Any) -> ModelInfo:
    return ModelInfo(id, "acme", **fields)


# --- lifecycle -----------------------------------------------------------------------

GOING = Lifecycle(deprecated_on="2026-03-01", retires_on="2026-09-30", successor="acme/n")


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-02-28", "beta"),
        ("2026-03-01", "deprecated"),
        ("2026-09-29", "deprecated"),
        ("2026-09-30", "retired"),
        (date(2027, 1, 1), "retired"),
        (datetime(2026, 9, 29, 23, 59, tzinfo=UTC), "deprecated"),
    ],
)
def test_what_has_passed_is_decided_when_it_is_asked(day: Any, status: str) -> None:
    going = model(status="beta", lifecycle=GOING)
    assert going.status_on(day) == status
    assert going.status == "beta"


def test_without_dates_the_status_is_what_the_source_said() -> None:
    assert model().status_on("2026-01-01") is None
    assert model(status="deprecated").status_on("2026-01-01") == "deprecated"
    gone = model(status="retired", lifecycle={"deprecated_on": "2020-01-01"})
    assert gone.status_on("2026-01-01") == "retired"


@pytest.mark.parametrize("wrong", [7, None, b"2026-09-30"])
def test_what_is_neither_a_day_nor_text_is_refused_by_type(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected text, got"):
        model().status_on(wrong)


def test_an_unknown_lifecycle_is_one_of_nothing() -> None:
    assert model().lifecycle == Lifecycle(None, None, None)
    assert model(lifecycle=None).lifecycle == model(lifecycle={}).lifecycle == Lifecycle()
    same = [model(id, lifecycle={"retires_on": "2026-09-30"}).lifecycle for id in "ab"]
    assert same[0] is same[1]


@pytest.mark.parametrize("wrong", ["soon", "2026-9-30", "20260930", "2026-02-30", "2026-09", ""])
def test_what_is_no_day_is_refused_and_becomes_unknown_in_a_record(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"lifecycle\.retires_on: expected a date such as"):
        model(lifecycle={"retires_on": wrong})
    with pytest.raises(ValueError, match="expected a date such as"):
        model().status_on(wrong)
    losses: list[tuple[str, str]] = []
    record = {"lifecycle": {"retires_on": wrong, "successor": "n"}, "name": "M"}
    found = model_from_record("acme", "m", record, lambda *loss: losses.append(loss))
    assert found == model(name="M", lifecycle=Lifecycle(successor="n"))
    ((culprit, message),) = losses
    assert (culprit, message.partition(":")[0]) == (
        "acme/m",
        "lifecycle.retires_on is taken as unknown",
    )


def test_a_lifecycle_survives_the_snapshot() -> None:
    record = {"lifecycle": {"retires_on": "2026-09-30", "successor": "n", "deprecated_on": None}}
    provider = provider_from_record("acme", {"models": {"m": record}})
    assert provider is not None
    stored = Snapshot.from_bytes(Snapshot.build([provider]).to_bytes()).get_model("acme/m")
    assert stored == model(lifecycle=Lifecycle(retires_on="2026-09-30", successor="n"))


def test_what_it_accepts_is_unknown_where_its_inputs_are() -> None:
    seeing = model(modalities={"input": ["text", "image"]})
    assert (seeing.accepts("image"), seeing.accepts("audio")) == (True, False)
    assert model().accepts("text") is None


# --- kind ----------------------------------------------------------------------------

#: Models of the bundled catalog, looked up by hand.
BY_HAND = {
    "alibaba/qwen-vl-ocr": None,
    "alibaba/qwen2-5-72b-instruct": "chat",
    "anthropic/claude-opus-4-5": "chat",
    "azure/cohere-embed-v3-english": "embedding",
    "azure/text-embedding-ada-002": "embedding",
    "cloudflare-workers-ai/@cf/meta/llama-guard-3-8b": "moderation",
    "cortecs/gpt-oss-safeguard-120b": "moderation",
    "digitalocean/bge-reranker-v2-m3": "rerank",
    "google/gemini-2.5-flash-image": "image",
    "google/gemini-2.5-flash-preview-tts": "audio",
    "google/gemini-2.5-pro": "chat",
    "google/gemini-embedding-001": "embedding",
    "google/lyria-3-pro-preview": "audio",
    "google/veo-3.1-generate-preview": "video",
    "groq/whisper-large-v3": "audio",
    "netlify/anthropic/claude-opus-4-5": "chat",
    "netlify/openai/gpt-5": None,
    "netlify/openai/gpt-image-1": "image",
    "openai/gpt-4o": "chat",
    "openai/gpt-realtime-2.1": None,
    "openai/o3": "chat",
    "openai/text-embedding-3-large": "embedding",
    "openrouter/openrouter/auto": "chat",
    "poe/openai/sora-2": "video",
    "scaleway/bge-multilingual-gemma2": "embedding",
    "vercel/cohere/rerank-v3.5": "rerank",
    "vercel/openai/gpt-realtime-whisper": "audio",
    "vercel/voyage/voyage-4": "embedding",
}

#: Ids of which nothing else is known.
BY_ID = {
    "acme/davinci-002": "completion",
    "gpt-3.5-turbo-instruct": "completion",
    "omni-moderation-latest": "moderation",
    "dall-e-3": "image",
    "image-to-text-9": None,
    "vanguard-7b": None,
    "deepseek-chat": "chat",
    "gemma-3-27b-it": "chat",
    "whisper-it": "audio",
    "e5-mistral-7b-instruct": "embedding",
    "gpt-5": None,
}


def test_kinds_of_the_bundled_catalog_are_right_where_they_were_looked_up() -> None:
    snapshot = Bundle.of_wheel().load()
    found = {id: snapshot.get_model(id) for id in BY_HAND}
    assert {id: one and one.kind for id, one in found.items()} == BY_HAND
    assert None not in found.values()


def test_in_the_bundled_catalog_nothing_is_taken_for_a_chat_model_by_mistake() -> None:
    catalog = Bundle.of_wheel().load().get_providers().values()
    models = [one for provider in catalog for one in provider.models.values()]
    chat = [one for one in models if one.kind == "chat"]
    other = ("embed", "rerank", "whisper", "tts", "image", "transcri", "moderation")
    assert not [one.full_id for one in chat if any(word in one.id.lower() for word in other)]
    assert not [one.full_id for one in chat if "text" not in (one.modalities.output or ["text"])]
    assert not [one.full_id for one in chat if one.accepts("text") is False]
    known = [one for one in models if one.kind]
    assert len(known) / len(models) > 0.9


@pytest.mark.parametrize("id", BY_ID)
def test_an_id_alone_says_the_kind_only_where_that_is_certain(id: str) -> None:
    assert model(id).kind == BY_ID[id]


def test_a_model_that_can_call_tools_or_reason_converses_unless_its_id_says_otherwise() -> None:
    assert model(tool_call=True).kind == model(reasoning=True).kind == "chat"
    assert model(tool_call=False).kind is None
    assert model("text-embedding-9", tool_call=True).kind == "embedding"
    assert model(tool_call=True, modalities={"output": ["video"]}).kind == "video"
    assert model(tool_call=True, modalities={"output": ["video", "audio"]}).kind is None
    assert model(tool_call=True, modalities={"input": ["image"]}).kind is None
    assert model(modalities={"input": ["audio"], "output": ["text"]}).kind == "audio"


def test_the_source_knows_better_than_the_rules() -> None:
    record = {"kind": "rerank", "tool_call": True}
    provider = provider_from_record("acme", {"models": {"m": record}})
    assert provider is not None
    assert provider.models["m"].kind == "rerank"
    assert provider.models.record("m") == b'{"kind":"rerank","tool_call":true}'
    stored = Snapshot.from_bytes(Snapshot.build([provider]).to_bytes())
    assert stored.get_model("acme/m") == model(kind="rerank", tool_call=True)


def test_what_everybody_sees_counts_not_who_said_it() -> None:
    assert model(tool_call=True) == model(tool_call=True, kind="chat")
    assert hash(model(tool_call=True)) == hash(model(tool_call=True, kind="chat"))
    assert "kind='chat'" in repr(model(tool_call=True))
    assert encode(of_model(model(tool_call=True)))[0] == b'{"tool_call":true}'


def test_a_kind_that_there_is_not_is_refused_and_becomes_unknown_in_a_record() -> None:
    with pytest.raises(ValueError, match=r"kind: expected one of chat, completion, .*, got 'tts'"):
        ModelInfo("m", "acme", kind="tts")  # type: ignore[arg-type]
    losses: list[tuple[str, str]] = []
    found = model_from_record("acme", "m", {"kind": "tts"}, lambda *loss: losses.append(loss))
    assert found == model()
    assert losses[0][1].startswith("kind is taken as unknown: expected one of chat")


# --- copies, and plain values --------------------------------------------------------


def test_a_copy_changes_what_is_named_and_keeps_the_rest_of_a_part() -> None:
    before = model(
        name="M",
        limit={"context": 5, "output": 2},
        cost={"input": 1, "output": 3},
        modalities={"input": ["text"], "output": ["text"]},
        lifecycle={"successor": "n"},
        extra={"a": 1, "b": {"c": 2}},
    )
    after = before.replace(
        name=None,
        limit={"context": 9},
        cost={"input": 7},
        modalities={"input": ["text", "image"]},
        lifecycle={"retires_on": "2026-09-30"},
        extra={"b": 3},
    )
    assert after == model(
        limit={"context": 9, "output": 2},
        cost={"input": 7, "output": 3},
        modalities={"input": ["text", "image"], "output": ["text"]},
        lifecycle={"retires_on": "2026-09-30", "successor": "n"},
        extra={"a": 1, "b": 3},
    )
    assert before.cost == Cost(input=1, output=3)


def test_a_whole_part_replaces_and_none_makes_it_unknown() -> None:
    before = model(cost={"input": 1, "output": 3}, limit={"context": 5}, extra={"a": 1})
    assert before.replace(cost=Cost(input=7)) == before.replace(cost={"input": 7, "output": None})
    assert before.replace(cost=None, limit=None, extra=None) == model()
    assert model().replace(cost={"input": 7}).cost == Cost(input=7)


def test_a_copy_is_as_strict_as_the_constructor() -> None:
    with pytest.raises(
        TypeError, match="ModelInfo has no field 'toolcall'; did you mean 'tool_call'"
    ):
        model().replace(toolcall=True)
    with pytest.raises(TypeError, match="cost: Cost has no field 'imput'; did you mean 'input'"):
        model().replace(cost={"imput": 1})
    with pytest.raises(TypeError, match="status: expected text"):
        model().replace(status=5)


def test_a_provider_under_another_id_takes_its_models_along() -> None:
    provider = ProviderConfig("acme", {"m": model()}, url="https://acme.example")
    moved = provider.replace(id="other", name="Other")
    assert (moved.name, moved.url) == ("Other", "https://acme.example")
    assert moved.models["m"].full_id == "other/m"
    assert list(provider.replace(models=["x", "y"]).models) == ["x", "y"]
    with pytest.raises(ValueError, match="id: expected an id that neither"):
        provider.replace(id="/")


def test_plain_values_are_json_with_every_field() -> None:
    going = model(tool_call=True, lifecycle=GOING, cost={"input": 1, "tiers": [{"size": 1}]})
    plain = going.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["lifecycle"] == {
        "deprecated_on": "2026-03-01",
        "retires_on": "2026-09-30",
        "successor": "acme/n",
    }
    assert (plain["id"], plain["provider_id"], plain["kind"]) == ("m", "acme", "chat")
    assert (plain["cost"]["tiers"], plain["cost"]["output"]) == ([{"size": 1}], None)
    assert model_from_record("acme", "m", plain) == going
    provider = ProviderConfig("acme", {"m": going}, model_overrides={"m": {"api": "x"}})
    assert provider.to_dict()["models"] == {"m": plain}
    assert provider_from_record("acme", provider.to_dict()) == provider


#: As they lie in every stored snapshot. Add below, and change none.
BITS = {
    "attachment": 0,
    "open_weights": 1,
    "reasoning": 2,
    "structured_output": 3,
    "temperature": 4,
    "tool_call": 5,
    "deprecated": 6,
}


def test_flags_keep_the_bits_that_stored_snapshots_have() -> None:
    """A snapshot holds them, and says nothing of what they mean."""
    assert {*CAPABILITIES, "deprecated"} == BITS.keys()
    for provider in Bundle.of_wheel().load().get_providers().values():
        for id, one in provider.models.items():
            flags = provider.models.flags[id]
            known = {name for name, bit in BITS.items() if flags >> bit & 1}
            assert known == {name for name in BITS if getattr(one, name, one.status == name)}, (
                one.full_id
            )
