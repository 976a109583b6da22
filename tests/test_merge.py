"""The merge: pure, independent of order, and no gateway captures another's ids."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from registry_core import ProviderConfig
from registry_core._sync.merge import Results, merge


def published(**gateways: list[str]) -> Results:
    return {
        gateway.replace("_", "."): {
            id: ProviderConfig(id=id, models=["m"], gateway=gateway) for id in ids
        }
        for gateway, ids in gateways.items()
    }


def winner(results: Results, id: str, **options: object) -> str | None:
    merged, _ = merge(results, **{"owners": {}, "prefixes": {}, **options})  # type: ignore[arg-type]
    return merged[id].gateway if id in merged else None


def test_different_providers_all_stay() -> None:
    merged, problems = merge(published(a=["x"], b=["y"]), owners={}, prefixes={})
    assert sorted(merged) == ["x", "y"]
    assert not problems


def test_the_owner_in_the_bundle_keeps_its_provider() -> None:
    results = published(a=["openai"], z=["openai"])
    assert winner(results, "openai", owners={"openai": "z"}) == "z"


def test_the_gateway_of_the_providers_id_outranks_its_owner_in_the_bundle() -> None:
    results = published(main=["openrouter"], openrouter=["openrouter"])
    owners = {"openrouter": "main"}
    assert winner(results, "openrouter", owners=owners) == "openrouter"
    assert winner(results, "openrouter", owners=owners, priority=["main"]) == "main"


def test_else_the_lower_gateway_id_wins() -> None:
    assert winner(published(b=["p"], a=["p"]), "p") == "a"


def test_the_users_priority_outranks_both() -> None:
    results = published(a=["p"], b=["p"], c=["p"])
    assert winner(results, "p", owners={"p": "a"}, priority=["c", "b"]) == "c"


def test_the_loser_is_reported_with_the_mend() -> None:
    _, problems = merge(published(a=["p"], b=["p"]), owners={}, prefixes={})
    assert len(problems) == 1
    assert (problems[0].kind, problems[0].culprit) == ("merge", "b: provider p")
    assert "priority" in problems[0].message
    assert problems[0].fatal is False


def test_a_loser_that_came_first_is_reported_too_with_who_keeps_it() -> None:
    (problem,) = merge(published(a=["p"], b=["p"]), owners={"p": "b"}, prefixes={})[1]
    assert problem.culprit == "a: provider p"
    assert problem.message.startswith("'b' publishes it too and keeps it")


def test_what_a_priority_has_settled_is_not_reported() -> None:
    results = published(a=["p"], b=["p"], c=["p", "b/x"])
    named: dict[str, Any] = {"owners": {}, "prefixes": {"b": "b"}}
    assert not merge(results, **named, priority=["b"])[1]
    (left,) = merge(published(a=["p"], c=["p"]), **named, priority=["b"])[1]
    assert left.culprit == "c: provider p"


def test_the_order_of_the_gateways_changes_nothing() -> None:
    results = published(a=["p", "q"], b=["q", "r", "a/x"], c=["p", "r"])
    options = {"owners": {"p": "c"}, "prefixes": {"a": "a"}}
    outcomes = [
        merge({id: results[id] for id in order}, **options)  # type: ignore[arg-type]
        for order in permutations(results)
    ]
    assert all(set(one[0]) == set(outcomes[0][0]) for one in outcomes)
    assert all(one[1] == outcomes[0][1] for one in outcomes)


def test_a_provider_below_another_gateways_prefix_is_dropped() -> None:
    results = published(zeta=["zeta/ok"], aaa=["zeta/openai", "zeta"])
    merged, problems = merge(results, owners={}, prefixes={"zeta": "zeta"})
    assert "zeta/openai" not in merged
    assert any("capture" in one.message for one in problems)


def test_a_namespaced_gateway_cannot_capture_the_models_of_a_provider_of_its_name() -> None:
    """`openrouter/anthropic` + `claude` would answer for the model `anthropic/claude`."""
    results = published(models_dev=["openrouter"], openrouter=["openrouter/anthropic"])
    merged, problems = merge(results, owners={}, prefixes={"openrouter": "openrouter"})
    assert list(merged) == ["openrouter"]
    assert problems[0].culprit == "openrouter: provider openrouter/anthropic"
    assert problems[0].kind == "merge"


def test_the_user_can_grant_the_prefix() -> None:
    results = published(
        models_dev=["openrouter"], openrouter=["openrouter", "openrouter/anthropic"]
    )
    options = {"prefixes": {"openrouter": "openrouter"}, "priority": ["openrouter"]}
    assert winner(results, "openrouter/anthropic", **options) == "openrouter"


def test_merging_changes_no_input() -> None:
    results = published(a=["p"], b=["p"])
    before = {id: dict(providers) for id, providers in results.items()}
    merge(results, owners={}, prefixes={})
    assert results == before


def test_the_ids_below_a_provider_are_its_gateways_even_without_a_namespace() -> None:
    results = published(a=["acme"], b=["acme/x", "some/where/x"], c=["some/where"])
    merged, problems = merge(results, owners={}, prefixes={})
    assert sorted(merged) == ["acme", "some/where"]
    assert [one.fatal for one in problems] == [False, False]


def test_every_prefix_of_an_id_counts() -> None:
    for taken in ("acme", "acme/x", "acme/x/y"):
        merged, _ = merge(published(a=[taken], b=["acme/x/y/z"]), owners={}, prefixes={})
        assert list(merged) == [taken]


def test_what_the_user_prefers_may_lie_below_the_prefix_of_another() -> None:
    results = published(acme=["acme"], mine=["acme/x"])
    options = {"prefixes": {"acme": "acme"}}
    assert winner(results, "acme/x", **options) is None
    assert winner(results, "acme/x", **options, priority=["mine"]) == "mine"
    assert winner(results, "acme/x", **options, priority=["acme", "mine"]) is None
