"""LiteLLM's cost map: its ids, prices per token, and what the real LiteLLM answers from it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_core import Cost, ModelInfo, ProviderConfig, Snapshot
from registry_core._catalog.bundle import Bundle
from registry_core._writers import litellm
from registry_core._writers.litellm import BARE, NAMES
from registry_core.testing import plugin_settings
from tests.emitters.samples import emit, hostile, snapshot_of
from tests.loopback import Loopback
from tests.venvs import environment

FILE = "model_prices_and_context_window.json"


def cost_map(*models: ModelInfo) -> dict[str, Any]:
    ids = {model.provider_id for model in models}
    return made(
        Snapshot.build(
            ProviderConfig(id, {one.id: one for one in models if one.provider_id == id})
            for id in ids
        )
    )


def made(snapshot: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(emit(litellm, snapshot)[FILE])
    return found


def entry(**fields: Any) -> dict[str, Any]:
    (found,) = cost_map(ModelInfo("m", "acme", **fields)).values()
    return dict(found)


# --- keys ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "id", "key", "name"),
    [
        ("openai", "gpt-4o", "gpt-4o", "openai"),
        ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5", "anthropic"),
        ("google", "gemini-2.5-pro", "gemini/gemini-2.5-pro", "gemini"),
        ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b", "groq"),
        ("togetherai", "org/m", "together_ai/org/m", "together_ai"),
        ("google-vertex-anthropic", "claude@1", "vertex_ai/claude@1", "vertex_ai"),
        ("amazon-bedrock", "cohere.embed-v4:0", "cohere.embed-v4:0", "bedrock"),
        ("amazon-bedrock", "us.anthropic.claude-x", "us.anthropic.claude-x", "bedrock_converse"),
        ("acme/eu", "m", "acme/eu/m", "acme/eu"),
    ],
)
def test_a_key_is_what_litellm_calls_the_model(provider: str, id: str, key: str, name: str) -> None:
    found = cost_map(ModelInfo(id, provider))
    assert {one: about["litellm_provider"] for one, about in found.items()} == {key: name}


def test_a_bare_key_never_stands_for_a_model_of_another_provider_or_for_a_rule() -> None:
    models = [
        ModelInfo(id, "openai") for id in ("groq/m", "sample_spec", "fallback_generalizations")
    ]
    found = cost_map(*models, ModelInfo("m", "groq", tool_call=True))
    assert list(found) == [
        "groq/m",
        "openai/fallback_generalizations",
        "openai/groq/m",
        "openai/sample_spec",
    ]
    assert found["groq/m"]["supports_function_calling"] is True


def test_of_two_providers_with_one_name_the_first_in_order_keeps_a_key() -> None:
    ids = ("google-vertex-anthropic", "google-vertex")
    found = cost_map(*(ModelInfo("m", id, cost=Cost(input=len(id))) for id in ids))
    assert found["vertex_ai/m"]["input_cost_per_token"] == 1.3e-05


def test_any_id_is_a_key_exactly() -> None:
    found = made(snapshot_of(hostile()))
    assert {*found} == {f"{id}/{model}" for id, models in hostile().items() for model in models}


# --- prices and the rest ---------------------------------------------------------------


def test_what_is_unknown_is_left_out() -> None:
    assert entry() == {"litellm_provider": "acme"}


def test_prices_are_per_token_and_without_the_noise_of_floats() -> None:
    cost = Cost(
        input=0.15,
        output=0.6,
        reasoning=0.07,
        cache_read=0.0024499999999999996,
        cache_write=1e-7,
        input_audio=3,
        output_audio=0,
        tiers=(
            {"tier": {"type": "context", "size": 200_000}, "input": 0.3, "cache_read": 0.1},
            {"tier": {"type": "context", "size": 272_001}, "output": 1.1},
            {"tier": {"type": "context", "size": 524_288}, "input": 1},
        ),
    )
    snapshot = Snapshot.build([ProviderConfig("acme", {"m": ModelInfo("m", "acme", cost=cost)})])
    prices = [
        line.strip(" ,") for line in emit(litellm, snapshot)[FILE].splitlines() if "cost" in line
    ]
    assert prices == [
        '"cache_creation_input_token_cost": 1e-13',
        '"cache_read_input_token_cost": 2.45e-9',
        '"cache_read_input_token_cost_above_200k_tokens": 1e-7',
        '"input_cost_per_audio_token": 3e-6',
        '"input_cost_per_token": 1.5e-7',
        '"input_cost_per_token_above_200k_tokens": 3e-7',
        '"input_cost_per_token_above_524288_tokens": 1e-6',
        '"output_cost_per_audio_token": 0.0',
        '"output_cost_per_reasoning_token": 7e-8',
        '"output_cost_per_token": 6e-7',
        '"output_cost_per_token_above_272k_tokens": 1.1e-6',
    ]


@pytest.mark.parametrize(
    "tier",
    [
        {},
        {"tier": 7},
        {"tier": {"type": "time", "size": 1}, "input": 3},
        {"tier": {"type": "context", "size": "x"}},
        {"tier": {"type": "context", "size": 1000}, "input": "dear", "output": -1, "x": 3},
    ],
)
def test_a_tier_that_says_nothing_of_prices_by_context_is_left_out(tier: dict[str, Any]) -> None:
    found = entry(cost={"input": 1, "tiers": [{"output": None, **tier}]})
    assert found == {"input_cost_per_token": 1e-06, "litellm_provider": "acme"}


def test_limits_modalities_capabilities_and_the_day_it_goes() -> None:
    found = entry(
        kind="chat",
        limit={"context": 400_000, "input": 272_000, "output": 128_000},
        modalities={"input": ["text", "image"], "output": ["text"]},
        tool_call=True,
        reasoning=False,
        structured_output=True,
        cost={"cache_read": 1},
        lifecycle={"retires_on": "2027-01-14"},
    )
    assert found == {
        "cache_read_input_token_cost": 1e-06,
        "deprecation_date": "2027-01-14",
        "litellm_provider": "acme",
        "max_input_tokens": 272_000,
        "max_output_tokens": 128_000,
        "mode": "chat",
        "supports_audio_input": False,
        "supports_audio_output": False,
        "supports_function_calling": True,
        "supports_pdf_input": False,
        "supports_prompt_caching": True,
        "supports_reasoning": False,
        "supports_response_schema": True,
        "supports_video_input": False,
        "supports_vision": True,
    }


@pytest.mark.parametrize(
    ("kind", "output", "mode"),
    [
        ("image", None, "image_generation"),
        ("video", None, "video_generation"),
        ("audio", ["audio"], "audio_speech"),
        ("audio", ["text"], "audio_transcription"),
        ("audio", None, None),
        (None, None, None),
    ],
)
def test_the_mode_follows_the_kind(kind: Any, output: Any, mode: str | None) -> None:
    assert entry(kind=kind, modalities={"output": output}).get("mode") == mode


def test_it_is_written_only_if_the_project_wants_it() -> None:
    asked = litellm.registry_emit(snapshot_of({"a": ["m"]}), plugin_settings(outputs=["litellm"]))
    assert [one.path for one in asked] == [FILE]
    nothing: Any = None  # is not even looked at
    assert not [*litellm.registry_emit(nothing, plugin_settings())]


# --- the real LiteLLM --------------------------------------------------------------------

VERSION = "1.110.2"
OWN = "site-packages/litellm/model_prices_and_context_window_backup.json"
#: Prompt, completion and cached tokens; one beyond the usual tiers.
USAGES = {"small": (1000, 500, 0), "cached": (10_000, 500, 4000), "large": (300_000, 1000, 0)}
#: What LiteLLM's cost of these usages hangs on, beside prices of batches and of service tiers.
PRICES = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
OTHER = ("batches", "priority", "flex", "ultrafast", "decisions")


def answers(
    keys: Iterable[str],
    register: Mapping[str, Any] | None = None,
    usages: Mapping[str, Any] = USAGES,
    **environ: str,
) -> dict[str, Any]:
    python = environment("litellm", VERSION) / "python"
    asked = {"keys": sorted(keys), "usages": usages, "register": register or {}}
    result = subprocess.run(
        [python, Path(__file__).with_name("litellm_answers.py")],
        input=json.dumps(asked),
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def own_map() -> dict[str, Any]:
    (file,) = environment("litellm", VERSION).parent.glob(f"lib/*/{OWN}")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def priced(about: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in about.items()
        if key == "tiered_pricing" or (key.startswith(PRICES) and not key.endswith(OTHER))
    }


@pytest.mark.slow
def test_litellm_answers_from_our_map_as_from_its_own_where_the_data_is_the_same() -> None:
    text = emit(litellm, Bundle.of_wheel().load())[FILE]
    ours, theirs = json.loads(text), own_map()
    # It asks GitHub for a token to look one of its models up.
    keys = {key for key in ours.keys() & theirs.keys() if not key.startswith("github_copilot/")}
    with Loopback() as server:
        server.serve("/map.json", ours)
        served = answers(keys, LITELLM_MODEL_COST_MAP_URL=server.url("/map.json"))
    builtin = answers(keys, LITELLM_LOCAL_MODEL_COST_MAP="True")

    assert (served["source"], served["models"]) == ("remote", len(ours))
    assert (builtin["source"], len(keys) > 900) == ("local", True)
    for key in keys:
        info = served["info"][key]
        for name in ("max_input_tokens", "max_output_tokens", "mode", "litellm_provider"):
            assert info[name] == ours[key].get(name), key
        if priced(ours[key]) == priced(theirs[key]):
            assert served["cost"][key] == pytest.approx(builtin["cost"][key]), key
    same = [key for key in keys if served["cost"][key] == builtin["cost"][key]]
    assert len(same) > 0.7 * len(keys)


@pytest.mark.slow
def test_each_name_of_a_provider_is_one_that_litellm_knows() -> None:
    known = {*answers([], LITELLM_LOCAL_MODEL_COST_MAP="True")["names"]}
    known |= {about.get("litellm_provider") for about in own_map().values()}
    assert {*NAMES.values(), *BARE} <= known


@pytest.mark.slow
def test_a_small_map_is_taken_only_with_the_switches_of_the_page_and_can_be_added() -> None:
    small = made(snapshot_of({"acme": ["m"]}))
    with Loopback() as server:
        server.serve("/map.json", small)
        environ = {"LITELLM_MODEL_COST_MAP_URL": server.url("/map.json")}
        assert answers([], **environ)["source"] == "local"
        environ |= {"MODEL_COST_MAP_MAX_SHRINK_RATIO": "0", "MODEL_COST_MAP_MIN_MODEL_COUNT": "1"}
        taken = answers(["acme/m"], usages={}, **environ)
    assert (taken["source"], taken["models"]) == ("remote", 1)
    assert taken["info"]["acme/m"]["litellm_provider"] == "acme"
    added = answers(["acme/m"], small, usages={}, LITELLM_LOCAL_MODEL_COST_MAP="True")
    assert added["info"] == taken["info"]
    assert added["models"] > 4000
