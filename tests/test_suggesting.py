"""What was probably meant: good enough to help, and bounded whatever is asked of what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st

from registry_core import UnknownModelError
from registry_core._base import suggesting
from registry_core._base.spellings import Spelling
from registry_core._base.suggesting import closest, did_you_mean, hint, suggest
from registry_core._catalog.bundle import Bundle
from tests.test_regression_counts import calls
from tests.world import World

Models = Mapping[str, Sequence[str]]

#: "shop" sells what others make; its ids name the makers, as resellers' do.
CATALOG: Models = {
    "a-shop": ("gpt-4o", "claude-sonnet-4-5"),
    "anthropic": ("claude-opus-4-1", "claude-sonnet-4-5"),
    "google-vertex": ("gemini-2.5-pro",),
    "mistral": ("mistral-large",),
    "openai": ("gpt-4o", "gpt-4o-mini", "o3-mini"),
    "shop": (
        "anthropic/claude-sonnet-4.5",
        "google/gemini-2.5-pro",
        "mistralai/mistral-large",
        "openai/gpt-4o",
    ),
}


@pytest.fixture(scope="module")
def bundled() -> Models:
    return Bundle.of_wheel().load().get_models()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("GPT4o", "openai/gpt-4o"),
        ("gtp-4o", "openai/gpt-4o"),
        ("opnai/gpt-4o", "openai/gpt-4o"),
        ("OpenAI/gpt-4o-mni", "openai/gpt-4o-mini"),
        ("o3 mini", "openai/o3-mini"),
        ("claude-sonet-4.5", "anthropic/claude-sonnet-4-5"),
        ("nope/claude-sonet-4.5", "anthropic/claude-sonnet-4-5"),
        ("shop/claude-sonet-4.5", "shop/anthropic/claude-sonnet-4.5"),
        ("shop/anthropic/claude-sonet-4-5", "shop/anthropic/claude-sonnet-4.5"),
        ("gemini/gemini-2.5-por", "google-vertex/gemini-2.5-pro"),
        ("mistral_large", "mistral/mistral-large"),
    ],
)
def test_the_model_counts_first_then_the_provider_then_the_maker(text: str, meant: str) -> None:
    assert suggest(text, CATALOG)[0] == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("claude-sonet-4.5", "anthropic/claude-sonnet-4-5"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("openrouter/anthropic/claude-sonet-4.5", "openrouter/anthropic/claude-sonnet-4.5"),
        ("text-embedding-3-smal", "openai/text-embedding-3-small"),
        ("groq/llama-3.3-70b", "groq/llama-3.3-70b-versatile"),
        ("mistral-large", "mistral/mistral-large-latest"),
        ("gpt-4o-the-finetune-of-our-team-for-letters", "openai/gpt-4o"),
    ],
)
def test_so_it_is_among_todays_ids(text: str, meant: str, bundled: Models) -> None:
    assert suggest(text, bundled)[0] == meant


def test_a_version_in_a_name_is_another_model_and_one_behind_a_vendor_is_a_build() -> None:
    assert suggest("deepseek-v3", {"shop": ["deepseek-v2", "deepseek-v3-chat"]})[0] == (
        "shop/deepseek-v3-chat"
    )
    builds = {"amazon-bedrock": ["acme.model-v2:0", "acme.model-plus"]}
    assert suggest("acme.model-v1:0", builds)[0] == "amazon-bedrock/acme.model-v2:0"


def test_a_provider_whose_id_holds_a_slash_is_named_by_all_of_it() -> None:
    models = {"acme": ["gpt-4o"], "acme/eu": ["gpt-4o", "x/gpt-5"], "openai": ["gpt-4o"]}
    assert suggest("acme/eu/gtp-4o", models)[0] == "acme/eu/gpt-4o"
    assert suggest("acme/gtp-4o", models)[0] == "acme/gpt-4o"
    assert suggest("acme/eu/x/gpt-6", models)[0] == "acme/eu/x/gpt-5"


@pytest.mark.parametrize("text", ["", "/", "a/a/a", "-._:", "xyz", "nope/unknown", "\0", "\ud800"])
def test_what_is_like_nothing_suggests_nothing(text: str) -> None:
    assert suggest(text, CATALOG) == ()
    assert hint(text, CATALOG) == ""


def test_a_provider_is_named_if_no_model_is_or_none_was_asked_for() -> None:
    assert hint("opnai", CATALOG) == "did you mean 'openai'?"
    assert hint("openia", CATALOG).startswith("did you mean 'openai'")  # two letters swapped
    assert hint("opnai/my-finetune", CATALOG) == "did you mean 'openai'?"
    assert hint("o3mini", CATALOG).startswith("did you mean 'openai/o3-mini'")
    assert hint("mistrl", CATALOG).startswith("did you mean 'mistral' or 'mistral/mistral-large'")


ids = st.text("aB/-é\n", min_size=1, max_size=8)


def test_two_models_of_one_full_id_are_one_suggestion() -> None:
    assert suggest("c", {"a": ("b/c",), "a/b": ("c",)}) == ("a/b/c",)


@given(st.text("aB/-é\n", max_size=8), st.dictionaries(ids, st.lists(ids, unique=True)))
def test_only_ids_that_there_are_are_suggested(text: str, models: dict[str, list[str]]) -> None:
    found = suggest(text, models)
    assert {*found} <= {f"{id}/{model}" for id, own in models.items() for model in own}
    assert len(found) == len({*found}) <= 3


def test_dozens_are_compared_well_whatever_the_size(
    bundled: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def counted(word: str, known: Sequence[str], *more: Any) -> list[str]:
        compared.append(len(known))
        return compare(word, known, *more)

    compare = suggesting.get_close_matches
    monkeypatch.setattr(suggesting, "get_close_matches", counted)
    for text in ("opnai/gpt-4o", "claude-sonet-4.5", "gpt"):
        hint(text, bundled)
    assert max(compared) <= 32


def test_twice_as_many_ids_take_twice_as_many_calls() -> None:
    def taken(count: int) -> int:
        models = {"acme": [f"model-{number}" for number in range(count)]}
        return calls(lambda: hint("acm/modl-77", models))

    assert taken(4_000) < 2.1 * taken(2_000)


def test_a_text_that_is_too_long_to_be_a_typo_is_compared_with_no_model(
    bundled: Models,
) -> None:
    for text in ("a" * 10**7, "a/" * 10**6, "ab/" * 60 + "gpt-4o" * 10):
        assert hint(text, bundled) == ""
        assert suggest(text, bundled) == ()
        assert calls(partial(hint, text, bundled)) < 2 * len(bundled)


def test_names_that_could_be_read_in_many_ways_and_long_ones_take_no_longer() -> None:
    dates = "m" + "-2024-05-13" * 700
    assert Spelling.of(dates).core == "m"
    assert Spelling.of(f"{dates}x").end == ""
    models = {"acme": [f"{dates}x", *(f"gpt-{'o' * 8_000}{number}" for number in range(50))]}
    assert suggest("m" + "-2024-05-13" * 15, models) == ()
    assert suggest("gpt-o", models) == ()


def test_a_few_names_are_listed_if_none_is_meant_and_not_at_any_length() -> None:
    assert did_you_mean("pyhton", ["python", "json"]) == "did you mean 'python'?"
    assert did_you_mean("x" * 10**7, ["python", "json"]) == "known are json, python"
    cut = did_you_mean("nothing", [f"name-{number}" for number in range(10_000)])
    assert 280 < len(cut) <= 300
    assert re.fullmatch(r"known are (name-\d+, )+…", cut)
    assert did_you_mean("nothing", ()) == ""
    assert closest("", ["a"]) == ()


@pytest.mark.parametrize(
    "id", ["openai/" + "x" * 9_000, "openai/\ud800", "a/" * 400_000, "gpt-6", "openai/", "o/\0"]
)
def test_resolve_refuses_at_once_what_can_be_no_id(world: World, id: str) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    world.sync()
    with pytest.raises(UnknownModelError) as caught:
        world.registry().resolve(id, {})
    assert caught.value.culprit == id
    meant = "did you mean 'openai/gpt-5'?" if id == "gpt-6" else caught.value.hint
    assert caught.value.hint == meant


def test_a_role_called_like_a_provider_is_named_once() -> None:
    assert hint("opena1", {"openai": ["gpt-5"]}, ["openai"]) == "did you mean 'openai'?"
