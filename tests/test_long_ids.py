"""Ids of any length in catalogs of any size: a stranger's text costs a lookup nothing.

Counts of calls, not seconds. Where the loop was in C, the size is such that code which is
quadratic in it would take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from hypothesis import example, given, strategies as st

from registry_core import ModelRegistry, ProviderConfig, Snapshot, shortcuts as helpers
from registry_core._catalog.ids import parse_model_string
from registry_core._sync.changes import listed
from registry_core.models import MAX_ID
from tests.test_regression_counts import calls
from tests.world import World

Models = Mapping[str, list[str]]


def build(models: Models) -> Snapshot:
    """As lookups find it: nothing is decoded yet."""
    providers = [ProviderConfig(id=id, models=ids) for id, ids in models.items()]
    return Snapshot.from_bytes(Snapshot.build(providers).to_bytes())


def ways(id: str) -> list[tuple[str, str]]:
    """Each way to split `id` into two, the longest provider first."""
    slashes = (end for end in range(len(id) - 1, -1, -1) if id[end] == "/")
    return [(id[:end], id[end + 1 :]) for end in slashes]


# What JSON escapes, what ends a string in a line of a bucket, and what takes more bytes.
bare = st.text('a/",\\é\n', min_size=1, max_size=6)
provider_ids = bare.filter(lambda id: id.strip("/") == id)
catalogs = st.dictionaries(provider_ids, st.lists(bare, min_size=1, max_size=5, unique=True))


@given(catalogs, st.lists(bare))
@example({"a": ["b/c", "b/only-a"], "a/b": ["c"]}, ["a/b/unknown", "x/b/c", "a/b"])
@example({'a",': ['",b'], "a": [',"b']}, ['a","",b', 'a,","b'])
@example({"a\\": ["b"], "a": ["\\/b"]}, ["a\\\\/b"])
def test_a_lookup_finds_what_trying_each_slash_would_find(models: Models, more: list[str]) -> None:
    snapshot = build(models)
    known = [f"{id}/{model}" for id, ids in models.items() for model in ids]
    prefixed = [f"{id}/{text}" for id in models for text in more]
    for id in (*known, *prefixed, *more, *models):
        found = [(one, model) for one, model in ways(id) if model in models.get(one, ())]
        model = snapshot.get_model(id)
        assert (model and (model.provider_id, model.id)) == (found[0] if found else None)
        registered = [(one, model) for one, model in ways(id) if model and one in models]
        assert snapshot.split(id) == [*found, *registered, parse_model_string(id)][0]


LOOKUPS: dict[str, Callable[[Snapshot, str], object]] = {
    "get_model": Snapshot.get_model,
    "get_provider_config": Snapshot.get_provider_config,
    "is_provider_registered": Snapshot.is_provider_registered,
    "split": Snapshot.split,
    "models of a provider": lambda snapshot, id: snapshot.get_providers()["acme"].models.get(id),
    "record": lambda snapshot, id: snapshot.record("acme", id),
    "parse_model_string": lambda _, id: parse_model_string(id),
}


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=LOOKUPS)
def test_the_slashes_of_an_id_cost_no_calls(lookup: Callable[[Snapshot, str], object]) -> None:
    snapshot = build({"acme": ["m", "a/b"], "acme/a": ["c"]})
    for slashes in (10, 1_000, MAX_ID - 10):  # of lengths that an id can have
        id = f"acme/{'a/' * slashes}"
        lookup(snapshot, id)  # reads the directory, once
        assert calls(partial(lookup, snapshot, id)) < 40


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=LOOKUPS)
def test_a_text_that_is_longer_than_any_id_is_refused_at_once(
    lookup: Callable[[Snapshot, str], object],
) -> None:
    snapshot = build({"acme": ["m"]})
    lookup(snapshot, "a/" * 400_000)


def test_the_longest_id_of_all_is_found() -> None:
    provider, model = f"p/{'a/' * (MAX_ID // 2 - 2)}p", "m/" * (MAX_ID // 2)
    provider = provider.ljust(MAX_ID, "p")
    snapshot = build({provider: [model]})
    found = snapshot.get_model(f"{provider}/{model}")
    assert found is not None
    assert snapshot.split(found.full_id) == (provider, model)


def test_what_is_not_found_is_not_remembered() -> None:
    snapshot = build({"acme": ["m"], "acme/a": ["m"]})
    provider = snapshot.get_provider_config("acme")
    assert provider is not None
    for number in range(100):
        for id in (f"no{number}/m", f"acme/{number}", f"acme/a/{number}", f"{number}"):
            for lookup in LOOKUPS.values():
                lookup(snapshot, id)
            assert id not in provider.models
    assert len(snapshot._models) == 0
    assert {*snapshot._providers} == {"acme", "acme/a"}


def test_the_helpers_refuse_such_a_text_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    world.sync()
    monkeypatch.setattr(ModelRegistry, "_instance", world.registry())
    id = "a/" * 400_000
    assert helpers.get_model(id) is helpers.get_provider_config(id) is None
    assert not helpers.is_valid_model_id(id)
    assert not helpers.is_provider_registered(id)
    assert helpers.model_supports(id, "reasoning") is None
    assert id not in helpers.PROVIDER_REGISTRY
    assert id not in helpers.PROVIDER_MODELS
    assert ModelRegistry.get_instance().split(id) == parse_model_string(id)
    for make in (lambda: ProviderConfig(id=id, models=["m"]), lambda: ProviderConfig("p", [id])):
        with pytest.raises(ValueError, match=f"an id of at most {MAX_ID} characters, got 800000"):
            make()


def test_telling_what_changed_does_not_try_each_slash() -> None:
    def compared(slashes: int) -> int:
        before = build({"acme": ["m"], "other": ["m"]})
        after = build({"acme": ["m"], "other": ["m", "a/" * slashes]})
        assert listed(before, after)[0] == (f"other/{'a/' * slashes}",)
        return calls(lambda: listed(before, after))

    assert compared(10) == compared(4_000)
