"""`api.json`: what came from models.dev comes out as it went in, and opencode lists it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from registry_gateway_models_dev import OVERRIDES, providers_from_payload

from registry_core import Cost, ModelInfo, ProviderConfig, Snapshot
from registry_core._writers import models_dev
from registry_core.records import clean_providers
from registry_core.testing import plugin_settings
from tests.emitters.samples import emit, hostile, snapshot_of
from tests.nodetools import node_package

WHOLE: dict[str, Any] = {
    "id": "large",
    "name": "Large",
    "description": "The largest",
    "family": "acme",
    "attachment": True,
    "reasoning": True,
    "reasoning_options": [{"type": "effort", "values": ["low", None]}, {"type": "toggle"}],
    "tool_call": True,
    "interleaved": {"field": "reasoning_content"},
    "structured_output": True,
    "temperature": False,
    "knowledge": "2026-01",
    "release_date": "2026-05-13",
    "last_updated": "2026-05-13",
    "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
    "open_weights": False,
    "limit": {"context": 400_000, "input": 272_000, "output": 128_000},
    "status": "beta",
    "experimental": {"modes": {"fast": {"cost": {"input": 2}, "provider": {"body": {"a": 1}}}}},
    "provider": {"npm": "@ai-sdk/openai", "api": "https://x.acme.example/v1", "shape": "responses"},
    "cost": {
        "input": 0.1,
        "output": 0,
        "reasoning": 3,
        "cache_read": 0.025,
        "cache_write": 0.3,
        "input_audio": 1,
        "output_audio": 2,
        "tiers": [{"input": 0.2, "output": 5, "tier": {"type": "context", "size": 200_000}}],
        "context_over_200k": {"input": 0.2, "output": 5},
    },
    "a_new_key": {"of": ["any", None, "kind"]},
}
SMALL: dict[str, Any] = {
    "id": "org/small:free",
    "name": "Small",
    "attachment": False,
    "interleaved": True,
    "limit": {"context": 0, "output": 0},
    "cost": {},
    "modalities": {"input": ["text"], "output": ["text"]},
    "provider": {"body": {"kept": True}},
}


def provider(id: str, **fields: Any) -> dict[str, Any]:
    models = {one["id"]: one for one in (WHOLE, SMALL)}
    record = {
        "id": id,
        "name": id.title(),
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://api.acme.example/v1",
        "doc": "https://acme.example/docs",
        "models": models,
        **fields,
    }
    return {key: value for key, value in record.items() if value is not None}


#: One with a new key, one whose variables are no keys alone, those that the gateway corrects.
PAYLOAD = {
    "acme": provider("acme", a_new_key=[1, {"x": None}]),
    "azure": provider("azure", api=None, env=["AZURE_RESOURCE_NAME", "AZURE_API_KEY"]),
    "302ai": provider("302ai", env=[]),
    **{
        id: provider(id, api=None if id == "groq" else "https://its.example/v1") for id in OVERRIDES
    },
}


def synced(payload: Mapping[str, Any] = PAYLOAD) -> Snapshot:
    """What a sync makes of models.dev's payload, as it is stored."""
    providers, _ = clean_providers("models.dev", False, providers_from_payload(payload))
    return Snapshot.from_bytes(Snapshot.build(providers).to_bytes())


def api_json(snapshot: Snapshot) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(emit(models_dev, snapshot)["api.json"])
    return made


def test_nothing_that_models_dev_says_is_lost_on_the_way() -> None:
    expected = json.loads(json.dumps(PAYLOAD))
    expected["302ai"]["env"] = ["302AI_API_KEY"]  # where it says nothing, we do
    assert api_json(synced()) == expected


def test_a_state_that_the_format_knows_not_yet_is_kept_where_models_dev_says_it() -> None:
    payload = {"acme": provider("acme", models={"m": {**SMALL, "id": "m", "status": "sunset"}})}
    assert api_json(synced(payload))["acme"]["models"]["m"]["status"] == "sunset"


def test_keys_that_an_overlay_has_changed_are_those_that_count() -> None:
    first = synced()
    azure = first.get_providers()["azure"].replace(api_key_env_vars=("OURS_API_KEY",))
    assert api_json(first.with_providers([azure]))["azure"]["env"] == ["OURS_API_KEY"]


def test_read_again_it_is_the_same_registry_and_the_same_file() -> None:
    first = synced()
    second = synced(api_json(first))
    assert second.get_providers()["acme"] == first.get_providers()["acme"]
    assert emit(models_dev, second) == emit(models_dev, first)


def test_providers_and_models_are_sorted_and_keys_too() -> None:
    made = api_json(synced(dict(reversed(PAYLOAD.items()))))
    assert list(made) == sorted(PAYLOAD)
    assert list(made["acme"]["models"]) == ["large", "org/small:free"]
    assert list(made["acme"]["models"]["large"]) == sorted(WHOLE)


def test_an_unknown_limit_is_0_as_models_dev_writes_it_and_all_else_is_left_out() -> None:
    made = api_json(snapshot_of({"acme": ["m"]}))
    assert made == {
        "acme": {
            "env": [],
            "id": "acme",
            "name": "acme",
            "models": {"m": {"id": "m", "name": "m", "limit": {"context": 0, "output": 0}}},
        }
    }


def test_what_an_overlay_has_changed_is_what_the_file_says() -> None:
    moonshot = synced().get_providers()["moonshotai"]
    large = moonshot.models["large"].replace(cost={"input": 7})
    changed = moonshot.replace(
        url="https://proxy.example/v1",
        npm=None,
        api_key_env_vars=("PROXY_KEY",),
        models={"large": large},
        model_overrides={},
    )
    made = api_json(Snapshot.build([changed]))["moonshotai"]
    assert (made["api"], made.get("npm"), made["env"]) == (
        "https://proxy.example/v1",
        None,
        ["PROXY_KEY"],
    )
    assert made["models"]["large"]["cost"]["input"] == 7
    assert "provider" not in made["models"]["large"]


def test_other_gateways_own_words_and_statuses_are_no_part_of_the_format() -> None:
    model = ModelInfo("m", "lab", status="retired", kind="chat", extra={"pricing": 1})
    lab = ProviderConfig("lab", {"m": model}, gateway="lab", extra={"env": 7, "internal": True})
    made = api_json(Snapshot.build([lab]))["lab"]
    assert made["env"] == []
    assert "internal" not in made
    assert made["models"]["m"].keys() == {"id", "name", "limit"}


@pytest.mark.parametrize("junk", [7, "text", [1], None, True])
def test_a_payload_that_says_nonsense_where_the_file_looks_still_makes_a_file(junk: Any) -> None:
    model = {"provider": junk, "extra": {"limit": junk, "cost": junk}, "cost": {"input": 1}}
    payload = {"acme": provider("acme", replaced=junk, env=junk, models={"m": model})}
    assert api_json(synced(payload))["acme"]["models"]["m"]["cost"]["input"] == 1


def test_prices_are_written_as_they_are() -> None:
    cost = Cost(input=0.1, output=1e-7, tiers=({"input": 0.3},))
    one = ProviderConfig("acme", {"m": ModelInfo("m", "acme", cost=cost)})
    text = emit(models_dev, Snapshot.build([one]))["api.json"]
    assert '"input": 0.1,' in text
    assert '"output": 1e-7,' in text


def test_roles_are_left_out() -> None:
    snapshot = snapshot_of({"acme": ["m"]}).with_roles({"fast": "acme/m"})
    assert "fast" not in emit(models_dev, snapshot)["api.json"]


def test_it_is_written_only_if_the_project_wants_it() -> None:
    asked = models_dev.registry_emit(synced(), plugin_settings(outputs=["models-dev"]))
    assert [one.path for one in asked] == ["api.json"]
    nothing: Any = None  # is not even looked at
    assert not [*models_dev.registry_emit(nothing, plugin_settings(outputs=["json"]))]


@pytest.mark.slow
@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="for this system only"
)
def test_opencode_lists_every_model_whatever_its_id(tmp_path: Path) -> None:
    models = {"azure": ["plain"], "acme": ["org/m:free"], **hostile()}
    # opencode 1.18.33 looks providers up in plain objects, and finds these in each.
    models = {id: ids for id, ids in models.items() if id not in ("constructor", "toString")}
    keys = {"api_key_env_vars": ("ACME_API_KEY",), "url": "http://127.0.0.1:9/v1"}
    snapshot = Snapshot.build(ProviderConfig(id, ids, **keys) for id, ids in models.items())
    file = tmp_path / "api.json"
    file.write_text(emit(models_dev, snapshot)["api.json"])

    listed = opencode(tmp_path, "models", OPENCODE_MODELS_PATH=str(file), ACME_API_KEY="x")

    plain = {f"{id}/{model}" for id, ids in models.items() for model in ids}
    plain = {id for id in plain if "\n" not in id and not id.startswith("__proto__/")}
    assert plain <= {*listed.split("\n")}


def opencode(folder: Path, *arguments: str, **environ: str) -> str:
    """What opencode prints, in a home of its own; it fetches only from a URL that is given."""
    program = node_package("opencode-linux-x64", "1.18.33") / "bin" / "opencode"
    folders = ("CACHE", "CONFIG", "DATA", "STATE")
    homes = {f"XDG_{name}_HOME": str(folder / name) for name in folders}
    environ |= {f"OPENCODE_DISABLE_{name}": "1" for name in ("AUTOUPDATE", "DEFAULT_PLUGINS")}
    if "OPENCODE_MODELS_URL" not in environ:
        environ["OPENCODE_DISABLE_MODELS_FETCH"] = "1"
    result = subprocess.run(
        [program, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **homes, **environ},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return result.stdout
