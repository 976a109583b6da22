"""What a pointer may say."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import asdict, evolve

from registry_core._base.frozen import FrozenDict
from registry_core._catalog.store import GatewayData, Generation

HASH, OTHER = "0123456789abcdef" * 4, "f" * 64
WHOLE = Generation(
    HASH, FrozenDict({"main": GatewayData("acme:main", 5.0, OTHER)}), "inputs", previous=OTHER
)


@pytest.mark.parametrize("bad", [5, None, "", "a" * 63, "a" * 65, "A" * 64, f"{'../' * 20}etcx"])
@pytest.mark.parametrize("where", ["snapshot", "result", "previous"])
def test_an_object_is_named_by_a_hash_and_by_no_path(where: str, bad: object) -> None:
    raw: dict[str, Any] = asdict(WHOLE)
    if where == "result":
        raw["gateways"] = {"main": {**raw["gateways"]["main"], "result": bad}}
    else:
        raw[where] = bad
    if bad is None and where != "snapshot":
        assert Generation.from_dict(raw)
    else:
        with pytest.raises(ValueError, match="names an invalid hash"):
            Generation.from_dict(raw)


@pytest.mark.parametrize("bad", [-1, 253402300800, float("inf"), float("nan")])
def test_a_time_is_one_of_the_calendar(bad: float) -> None:
    assert GatewayData("acme:main", 253402300799).retrieved_at
    with pytest.raises(ValueError, match="has an invalid time"):
        GatewayData("acme:main", bad)


def test_it_is_read_as_it_was_written_and_names_its_objects() -> None:
    assert Generation.from_dict(asdict(WHOLE)) == WHOLE
    facts = GatewayData("acme:facts", 5.0, facts=3, shared=OTHER, vouched=False, volatile=True)
    more = evolve(WHOLE, gateways=FrozenDict({"facts": facts}), lasting=OTHER)
    assert Generation.from_dict(asdict(more)) == more
    assert Generation.from_dict(asdict(more)).gateways["facts"].facts == 3
    assert WHOLE.objects() == {HASH, OTHER}


def test_the_same_but_for_times_where_it_came_from_and_what_was_before_is_the_same() -> None:
    times = {"retrieved_at": 9.0, "shared": HASH, "vouched": False}
    later = FrozenDict({"main": evolve(WHOLE.gateways["main"], **times)})
    assert WHOLE.same_as(evolve(WHOLE, gateways=later, previous=None))
    assert not WHOLE.same_as(evolve(WHOLE, inputs="others"))
    assert not WHOLE.same_as(evolve(WHOLE, snapshot=OTHER))


@pytest.mark.parametrize(("said", "names"), [(True, [""]), (False, []), (None, [])])
def test_the_version_before_said_only_whether_there_was_a_policy(
    said: object, names: list[str]
) -> None:
    assert [*Generation.from_dict({**asdict(WHOLE), "overlays": said}).overlays] == names
