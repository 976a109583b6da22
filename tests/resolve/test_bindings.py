from __future__ import annotations

import json

import pytest

from registry_core import HostChangedError
from registry_core.endpoints.bindings import pairs, remember
from tests.resolve.make import BUNDLE, endpoint, provider

ACME = provider(url="https://${ACME_HOST}/v1", model_overrides={"m": {"api": "https://b.example"}})


def test_a_provider_asks_for_its_keys_everywhere_and_its_template_variables_in_place() -> None:
    assert pairs(ACME) == {
        ("ACME_API_KEY", "https://${ACME_HOST}"),
        ("ACME_API_KEY", "https://b.example"),
        ("ACME_HOST", "https://${ACME_HOST}"),
    }


def test_the_default_url_counts_as_one_of_the_provider() -> None:
    openai = provider("openai", url="https://eu.example/v1")
    assert pairs(openai) == {
        ("OPENAI_API_KEY", "https://eu.example"),
        ("OPENAI_API_KEY", "https://api.openai.com"),
    }


def test_a_url_that_is_not_plain_binds_nothing_but_its_variables_stay_known() -> None:
    assert pairs(provider(url="https://u@evil.example")) == {("ACME_API_KEY", "")}


def test_the_first_sync_binds_a_new_provider_for_ever() -> None:
    first = remember([ACME], BUNDLE, {})
    moved = provider(url="https://elsewhere.example/v1")
    assert remember([moved], BUNDLE, first) == first
    assert remember([], BUNDLE, first) == first
    assert first == {
        "acme": [
            ["ACME_API_KEY", "https://${ACME_HOST}"],
            ["ACME_API_KEY", "https://b.example"],
            ["ACME_HOST", "https://${ACME_HOST}"],
        ]
    }


def test_what_is_remembered_survives_a_file() -> None:
    memory = remember([provider()], BUNDLE, {})
    memory = json.loads(json.dumps(memory))
    assert remember([provider()], BUNDLE, memory) == memory
    assert endpoint(provider(), bundle=BUNDLE, remembered=memory).api_key == "sk-test"


@pytest.mark.parametrize(
    "damaged", [None, 7, "x", {"a": 1}, [7], [["A"]], [["A", 1]], [[["A"], "b"]]]
)
def test_a_damaged_memory_binds_nothing(damaged: object) -> None:
    memory = {"acme": damaged}
    assert remember([provider()], BUNDLE, memory) == {"acme": []}
    with pytest.raises(HostChangedError, match="bound to no host"):
        endpoint(provider(), bundle=BUNDLE, remembered=memory)


def test_a_provider_of_the_bundle_is_never_remembered() -> None:
    moved = provider("groq", url="https://evil.example")
    assert remember([moved], BUNDLE, {"groq": [["K", "https://evil.example"]]}) == {}


def test_a_provider_without_a_url_is_not_bound_yet() -> None:
    nowhere = provider(url=None)
    assert remember([nowhere], BUNDLE, {}) == {}
    assert "acme" in remember([provider()], BUNDLE, {})


@pytest.mark.parametrize("known", ["OPENAI_API_KEY", "CLOUD_ACCOUNT", "GITLAB_TOKEN"])
def test_a_variable_of_the_bundle_is_not_remembered_for_another_origin(known: str) -> None:
    thief = provider("evil", api_key_env_vars=[known, "EVIL_API_KEY"])
    assert remember([thief], BUNDLE, {}) == {"evil": [["EVIL_API_KEY", "https://api.evil.example"]]}


def test_a_variable_of_another_remembered_provider_is_not_remembered_for_another_origin() -> None:
    memory = remember([provider()], BUNDLE, {})
    thief = provider("evil", api_key_env_vars="ACME_API_KEY")
    friend = provider("acme-eu", url="https://api.acme.example/eu", api_key_env_vars="ACME_API_KEY")
    after = remember([thief, friend], BUNDLE, memory)
    assert after["evil"] == []
    assert after["acme-eu"] == after["acme"] == memory["acme"]


def test_two_providers_that_appear_together_may_share_a_variable() -> None:
    both = [provider(), provider("acme-cn", api_key_env_vars="ACME_API_KEY")]
    memory = remember(both, BUNDLE, {})
    assert [len(own) for own in memory.values()] == [1, 1]
    assert memory == remember(reversed(both), BUNDLE, {})


def test_a_frozen_registry_trusts_its_file_but_for_variables_of_the_bundle() -> None:
    assert endpoint(provider(), bundle=BUNDLE, frozen=True).api_key == "sk-test"
    thief = provider("evil", api_key_env_vars="OPENAI_API_KEY")
    with pytest.raises(HostChangedError, match=r"api\.openai\.com.*api\.evil\.example"):
        endpoint(thief, bundle=BUNDLE, frozen=True)


def test_without_a_bundle_and_without_a_sync_nothing_is_bound() -> None:
    with pytest.raises(HostChangedError):
        endpoint(provider(), bundle={})
