from __future__ import annotations

import json
from typing import Any

import pytest

from registry_core import HostChangedError, MissingCredentialError, UnroutableError
from registry_core._catalog.state import State
from registry_core._resolve.bindings import Bindings, pairs, remember
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


def test_a_url_that_is_not_plain_keeps_no_other_from_being_bound() -> None:
    half = provider(
        url="https://u@evil.example", model_overrides={"m": {"api": "https://b.example"}}
    )
    assert pairs(half) == {("ACME_API_KEY", "https://b.example")}


def test_the_first_sync_binds_a_new_provider_for_ever() -> None:
    first = remember([ACME], BUNDLE, {})
    moved = provider(url="https://elsewhere.example/v1")
    assert remember([moved], BUNDLE, first) == first
    assert remember([], BUNDLE, first) == first
    assert first == {
        "acme": (
            ("ACME_API_KEY", "https://${ACME_HOST}"),
            ("ACME_API_KEY", "https://b.example"),
            ("ACME_HOST", "https://${ACME_HOST}"),
        )
    }


def test_what_is_remembered_survives_a_file() -> None:
    memory = remember([provider()], BUNDLE, {})
    memory = State.from_json(State(bindings=memory).to_json()).bindings
    assert remember([provider()], BUNDLE, memory) == memory
    assert endpoint(provider(), bundle=BUNDLE, remembered=memory).api_key == "sk-test"


@pytest.mark.parametrize(
    "damaged", [None, 7, "x", {"a": 1}, [7], [["A"]], [["A", 1]], [[["A"], "b"]]]
)
def test_a_damaged_memory_binds_nothing(damaged: object) -> None:
    memory = State.from_json(json.dumps({"bindings": {"acme": damaged}})).bindings
    assert remember([provider()], BUNDLE, memory) == {"acme": ()}
    with pytest.raises(HostChangedError, match="bound to no host"):
        endpoint(provider(), bundle=BUNDLE, remembered=memory)


def test_a_provider_of_the_bundle_is_never_remembered() -> None:
    moved = provider("groq", url="https://evil.example")
    assert remember([moved], BUNDLE, {"groq": (("K", "https://evil.example"),)}) == {}


def test_a_provider_without_a_url_is_not_bound_yet() -> None:
    nowhere = provider(url=None)
    assert remember([nowhere], BUNDLE, {}) == {}
    assert "acme" in remember([provider()], BUNDLE, {})


@pytest.mark.parametrize("known", ["OPENAI_API_KEY", "CLOUD_ACCOUNT", "GITLAB_TOKEN"])
def test_a_variable_of_the_bundle_is_not_remembered_for_another_origin(known: str) -> None:
    thief = provider("evil", api_key_env_vars=[known, "EVIL_API_KEY"])
    assert remember([thief], BUNDLE, {}) == {
        "evil": (("EVIL_API_KEY", "https://api.evil.example"),)
    }


def test_a_variable_of_another_remembered_provider_is_not_remembered_for_another_origin() -> None:
    memory = remember([provider()], BUNDLE, {})
    thief = provider("evil", api_key_env_vars="ACME_API_KEY")
    friend = provider("acme-eu", url="https://api.acme.example/eu", api_key_env_vars="ACME_API_KEY")
    after = remember([thief, friend], BUNDLE, memory)
    assert after["evil"] == ()
    assert after["acme-eu"] == after["acme"] == memory["acme"]


def test_a_new_provider_gets_several_keys_of_one_vendor_only() -> None:
    fisher = provider("evil", api_key_env_vars=["EVIL_KEY", "NPM_TOKEN", "evil_token", "GH_PAT"])
    memory = remember([fisher], BUNDLE, {})
    assert {name for name, _ in memory["evil"]} == {"EVIL_KEY", "evil_token"}
    claimed = provider("evil", api_key_env_vars=["OPENAI_API_KEY", "EVIL_KEY", "EVIL_TOKEN"])
    memory = remember([claimed], BUNDLE, {})
    assert {name for name, _ in memory["evil"]} == {"EVIL_KEY", "EVIL_TOKEN"}


def test_the_vendor_of_a_key_is_its_first_word() -> None:
    several = provider(api_key_env_vars=["ACME_API_KEY", "ACME_KEY", "ACME_PRO_API_KEY"])
    memory = remember([several], BUNDLE, {})
    assert {name for name, _ in memory["acme"]} == {*several.api_key_env_vars}


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


class WindowsEnvironment(dict[str, str]):
    """As `os.environ` there: it asks for names in upper case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.upper())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.upper(), default)


KEY = WindowsEnvironment(OPENAI_API_KEY="sk-user", ACME_API_KEY="sk-acme")
SPELLINGS = ["openai_api_key", "OpenAI_API_Key", "OPENAI_AP\u0131_KEY", "OPENAI_API_\u212aEY"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("frozen", [False, True], ids=["synced", "frozen"])
def test_another_case_of_a_claimed_name_is_claimed(spelling: str, frozen: bool) -> None:
    thief = provider("evil", api_key_env_vars=spelling)
    memory = remember([thief], BUNDLE, {})
    assert memory == {"evil": ()}
    with pytest.raises((HostChangedError, MissingCredentialError)):
        endpoint(thief, KEY, bundle=BUNDLE, remembered=memory, frozen=frozen)


def test_another_case_of_a_remembered_name_is_claimed_and_bound_with_it() -> None:
    memory = remember([provider()], BUNDLE, {})
    thief = provider("evil", api_key_env_vars="acme_api_key")
    assert remember([thief], BUNDLE, memory)["evil"] == ()
    respelt = provider(api_key_env_vars="Acme_Api_Key")
    assert endpoint(respelt, KEY, bundle=BUNDLE, remembered=memory).api_key == "sk-acme"


def test_another_case_of_a_key_variable_does_not_go_into_a_url() -> None:
    leaky = provider(url="https://api.acme.example/${acme_thing}", api_key_env_vars="ACME_THING")
    with pytest.raises(UnroutableError, match="secrets are not filled into URLs"):
        endpoint(leaky, WindowsEnvironment(ACME_THING="sk"))


def test_what_binds_one_variable_binds_no_other_of_the_same_provider() -> None:
    """Both are bound, but one key to one host, and the other to the other."""
    memory = {
        "acme": (
            ("ACME_API_KEY", "https://api.acme.example"),
            ("ACME_ADMIN_KEY", "https://admin.acme.example"),
        )
    }
    bindings = Bindings(BUNDLE, memory)
    acme = provider()
    assert bindings.origins(acme, "ACME_API_KEY") == {"https://api.acme.example"}
    assert bindings.origins(acme, "acme_admin_key") == {"https://admin.acme.example"}
    assert bindings.origins(acme, "ACME_OTHER_KEY") == frozenset()
    assert bindings.known_origins("ACME_ADMIN_KEY") == {"https://admin.acme.example"}
    moved = provider(url="https://admin.acme.example/v1")
    with pytest.raises(HostChangedError):
        endpoint(moved, bundle=BUNDLE, remembered=memory)


def test_nowhere_is_no_origin() -> None:
    nowhere = Bindings(BUNDLE, {"acme": (("ACME_API_KEY", ""),)})
    assert nowhere.origins(provider(), "ACME_API_KEY") == frozenset()
    assert nowhere.known_origins("ACME_API_KEY") == frozenset()
