"""`find_models`: every filter alone and together, on small records and on today's."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from attrs import fields

from registry_core import (
    ArgumentError,
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
    ResolveError,
    Settings,
    Snapshot,
    find_models,
)
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.filters import SORTS, WORDS, Filters, Query
from registry_core._world import World as RealWorld
from registry_core.models import CAPABILITIES
from tests.test_regression_counts import calls
from tests.world import World

TODAY = "2026-11-26"


def model(id: str, provider: str = "acme", **fields: Any) -> ModelInfo:
    return ModelInfo(id=id, provider_id=provider, **fields)


def snapshot(*models: ModelInfo, **provider: Any) -> Snapshot:
    owners = dict.fromkeys(one.provider_id for one in models)
    return Snapshot.build(
        [
            ProviderConfig(
                id=owner,
                models={one.id: one for one in models if one.provider_id == owner},
                **{"gateway": "main", **provider},
            )
            for owner in owners
        ]
    )


SHELF = snapshot(
    model(
        "big",
        name="Big One",
        family="big",
        tool_call=True,
        reasoning=True,
        status="beta",
        limit={"context": 400_000},
        cost={"input": 5, "output": 20},
        modalities={"input": ["text", "image"], "output": ["text"]},
        release_date="2026-05",
        kind="chat",
    ),
    model(
        "small",
        tool_call=False,
        limit={"context": 8_000},
        cost={"input": 0, "output": 0},
        modalities={"input": ["text"], "output": ["text"]},
        release_date="2025-11-03",
        lifecycle={"deprecated_on": "2026-12-01", "retires_on": "2027-03-01"},
    ),
    model("gone", tool_call=True, lifecycle={"retires_on": "2026-11-26"}),
    model("old", tool_call=True, status="deprecated", release_date="2024"),
    model("blank"),
    model("embedder", "other", kind="embedding", cost={"input": 0.1}),
)


def found(text: str | None = None, on: Snapshot = SHELF, **filters: Any) -> list[str]:
    return [one.full_id for one in on.find_models(text, **{"today": TODAY, **filters})]


ALL = ["acme/big", "acme/blank", "acme/small", "other/embedder"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, ALL),
        ({"text": "BIG one"}, ["acme/big"]),
        ({"text": ["acme/", "Big"]}, ["acme/big"]),
        ({"text": "big small"}, []),
        ({"provider": "oth*"}, ["other/embedder"]),
        ({"provider": ["Other", "nobody"]}, ["other/embedder"]),
        ({"provider": "nobody"}, []),
        ({"gateway": "main"}, ALL),
        ({"gateway": "m", "text": "big"}, []),
        ({"provider": "acme", "gateway": "other"}, []),
        ({"provider": "nobody", "gateway": "main"}, []),
        ({"kind": "embedding"}, ["other/embedder"]),
        ({"kind": ["embedding", "chat"]}, ["acme/big", "other/embedder"]),
        ({"supports": "tools"}, ["acme/big"]),
        ({"supports": ["tool-calling", "Vision", "thinking"]}, ["acme/big"]),
        ({"supports": ["tool_call", "structured_output"]}, []),
        ({"input": ["text", "image"]}, ["acme/big"]),
        ({"output": "text"}, ["acme/big", "acme/small"]),
        ({"output": "video"}, []),
        ({"min_context": 8_000}, ["acme/big", "acme/small"]),
        ({"min_context": 8_001}, ["acme/big"]),
        ({"max_input_cost": 0}, ["acme/small"]),
        ({"max_input_cost": 0.1}, ["acme/small", "other/embedder"]),
        ({"max_output_cost": 20}, ["acme/big", "acme/small"]),
        ({"released_since": "2026-05-01"}, ["acme/big"]),
        ({"released_since": date(2026, 5, 2)}, []),  # in May, perhaps before
        ({"released_since": datetime(2026, 5, 1, 12, tzinfo=UTC)}, ["acme/big"]),
        ({"released_since": "2025-11-03"}, ["acme/big", "acme/small"]),
        ({"retires_before": "2027-03-02"}, ["acme/small"]),
        ({"retires_before": "2027-03-01"}, []),
        ({"retires_before": "2027-01-01", "include_deprecated": True}, ["acme/gone"]),
        ({"status": "beta"}, ["acme/big"]),
        ({"status": "deprecated"}, ["acme/old"]),
        ({"status": ["deprecated", "retired"]}, ["acme/gone", "acme/old"]),
        ({"include_deprecated": True, "supports": "tools"}, ["acme/big", "acme/gone", "acme/old"]),
        ({"today": "2026-12-01"}, ["acme/big", "acme/blank", "other/embedder"]),
        ({"today": "2026-12-01", "status": "deprecated"}, ["acme/old", "acme/small"]),
        ({"today": date(2026, 11, 25), "text": "gone"}, ["acme/gone"]),
        ({"limit": 2}, ALL[:2]),
        ({"limit": 0}, []),
    ],
    ids=str,
)
def test_each_filter(filters: dict[str, Any], ids: list[str]) -> None:
    assert found(**filters) == ids


def test_a_kind_is_what_the_source_says_whatever_the_id_says() -> None:
    shelf = snapshot(model("embedding-of-words", kind="rerank"))
    assert found(on=shelf, kind="rerank") and not found(on=shelf, kind="embedding")


def test_a_word_is_found_in_any_case_of_any_language() -> None:
    assert found("strasse", on=snapshot(model("m", name="STRAßE")))


def test_a_status_with_a_dash_is_found_in_either_spelling() -> None:
    shelf = snapshot(model("m", status="early-access"))
    for word in ("early-access", "early_access", "Early Access"):
        assert found(on=shelf, status=word) == ["acme/m"]


def test_a_provider_that_no_gateway_claims_is_of_none() -> None:
    shelf = snapshot(model("m"), gateway=None)
    assert found(on=shelf) and not found(on=shelf, gateway=["main", "?*"])


def test_what_names_no_status_is_not_found_by_an_empty_one() -> None:
    with pytest.raises(ArgumentError, match="status: can't be ''"):
        found(status="")


@pytest.mark.skipif(not hasattr(clock, "tzset"), reason="the zone is the system's")
def test_today_is_the_day_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        clock, "time", lambda: datetime(2026, 11, 25, 23, 30, tzinfo=UTC).timestamp()
    )
    monkeypatch.setenv("TZ", "EAST-1")
    clock.tzset()
    try:
        assert "acme/gone" in found(today=None)
    finally:
        monkeypatch.undo()
        clock.tzset()


def test_a_snapshot_asks_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_KEY", raising=False)
    assert keyed().find_models(usable=True) == ()
    monkeypatch.setenv("ACME_KEY", "k")
    assert keyed().find_models(usable=True)


def test_an_unknown_side_fits_whatever_the_other_side_is() -> None:
    deaf = snapshot(model("m", modalities={"input": ["text"]}))
    mute = snapshot(model("m", modalities={"output": ["text"]}))
    for shelf, side, other in ((deaf, "output", "input"), (mute, "input", "output")):
        assert found(on=shelf, include_unknown=True, **{side: "image"})
        assert not found(on=shelf, include_unknown=True, **{other: "image"})


@pytest.mark.parametrize("status", [None, "beta", "deprecated", "retired"])
@pytest.mark.parametrize("deprecated_on", [None, "2026-01-01", "2027-01-01"])
@pytest.mark.parametrize("retires_on", [None, "2026-11-26", "2027-01-01"])
def test_a_model_is_found_by_the_status_that_it_has_today(
    status: str | None, deprecated_on: str | None, retires_on: str | None
) -> None:
    dates = {"deprecated_on": deprecated_on, "retires_on": retires_on}
    one = model("m", status=status, lifecycle=dates)
    today = one.status_on(TODAY)
    shelf = snapshot(one)
    for word in ("beta", "deprecated", "retired"):
        assert bool(found(on=shelf, status=word)) is (word == today)
    assert bool(found(on=shelf)) is (today not in ("deprecated", "retired"))


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"supports": "tools"}, ["acme/big", "acme/blank", "other/embedder"]),
        ({"supports": ["tools", "vision"]}, ["acme/big", "acme/blank", "other/embedder"]),
        ({"input": "image"}, ["acme/big", "acme/blank", "other/embedder"]),
        ({"output": "audio"}, ["acme/blank", "other/embedder"]),
        ({"min_context": 9_000}, ["acme/big", "acme/blank", "other/embedder"]),
        ({"min_context": 8_000}, ALL),
        ({"max_input_cost": 0}, ["acme/blank", "acme/small"]),
        ({"max_output_cost": 1}, ["acme/blank", "acme/small", "other/embedder"]),
        ({"released_since": "2026-05-02"}, ["acme/big", "acme/blank", "other/embedder"]),
        (
            {"retires_before": "2026-12-31"},
            ["acme/big", "acme/blank", "acme/old", "other/embedder"],
        ),
        ({"kind": "chat"}, ["acme/big", "acme/blank", "acme/small"]),
    ],
    ids=str,
)
def test_what_is_unknown_fits_a_bound_only_if_it_is_wanted(
    filters: dict[str, Any], ids: list[str]
) -> None:
    assert found(**filters, include_unknown=True) == ids
    assert "acme/blank" not in found(**filters)


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("id", ["acme/big", "acme/blank", "acme/small", "other/embedder"]),
        ("-id", ["other/embedder", "acme/small", "acme/blank", "acme/big"]),
        ("price", ["acme/small", "other/embedder", "acme/big", "acme/blank"]),
        ("-input_cost", ["acme/big", "other/embedder", "acme/small", "acme/blank"]),
        ("output_cost", ["acme/small", "acme/big", "acme/blank", "other/embedder"]),
        ("-context", ["acme/big", "acme/small", "acme/blank", "other/embedder"]),
        ("released", ["acme/small", "acme/big", "acme/blank", "other/embedder"]),
        ("-released", ["acme/big", "acme/small", "acme/blank", "other/embedder"]),
        ("retires", ["acme/small", "acme/big", "acme/blank", "other/embedder"]),
        ("-retires", ["acme/small", "acme/big", "acme/blank", "other/embedder"]),
        ("-name", ["acme/big", "acme/blank", "acme/small", "other/embedder"]),
        (["-output_cost", "id"], ["acme/big", "acme/small", "acme/blank", "other/embedder"]),
    ],
    ids=str,
)
def test_what_is_unknown_comes_last_in_both_directions(sort: Any, ids: list[str]) -> None:
    assert found(sort=sort) == ids


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"supports": ["visoin"]}, "supports: can't be 'visoin' (did you mean 'vision'?)"),
        ({"sort": "prise"}, "sort: can't be 'prise' (did you mean 'price'?)"),
        ({"sort": "-contxt"}, "sort: can't be 'contxt' (did you mean 'context'?)"),
        ({"kind": "chatt"}, "kind: can't be 'chatt' (did you mean 'chat'?)"),
        ({"input": "imgae"}, "input: can't be 'imgae' (did you mean 'image'?)"),
        ({"output": "txt"}, "output: can't be 'txt' (did you mean 'text'?)"),
        ({"status": "deprecatd"}, "status: can't be 'deprecatd' (did you mean 'deprecated'?)"),
        ({"released_since": "2026-1-5"}, "(did you mean '2026-01-05'?)"),
        ({"released_since": "2026-02-30"}, "(did you mean '2026-02-28'?)"),
        ({"retires_before": "2026-12"}, "(did you mean '2026-12-01'?)"),
        ({"retires_before": "2026-12-01T10:00:00Z"}, "(did you mean '2026-12-01'?)"),
        ({"retires_before": "2026"}, "(did you mean '2026-01-01'?)"),
        ({"retires_before": "2026-13-05"}, "(did you mean '2026-12-05'?)"),
        ({"today": "soon"}, "today: expected a date such as 2026-09-30, got 'soon'"),
        ({"today": 20261126}, "today: expected a date as text, such as 2026-09-30, got int"),
        ({"min_context": "200k"}, "min_context: expected a whole number from 0, got '200k'"),
        ({"min_context": 0.5}, "min_context: expected a whole number from 0, got 0.5"),
        ({"max_input_cost": float("inf")}, "max_input_cost: expected a number from 0, got inf"),
        ({"max_input_cost": float("nan")}, "max_input_cost: expected a number from 0, got nan"),
        ({"max_output_cost": True}, "max_output_cost: expected a number from 0, got True"),
        ({"limit": -1}, "limit: expected a whole number from 0, got -1"),
        ({"provider": 5}, "provider: expected text, or a list of texts, got 5"),
        ({"gateway": ["x", 5]}, "gateway: expected text, or a list of texts, got 5"),
        ({"sort": 5}, "sort: expected text, or a list of texts, got 5"),
        ({"text": 5}, "text: expected text, or a list of texts, got 5"),
        ({"provider": {"acme": 1}}, "provider: expected text, or a list of texts, got {'acme': 1}"),
        ({"usable": "no"}, "usable: expected True or False, got 'no'"),
        ({"include_unknown": 1}, "include_unknown: expected True or False, got 1"),
        ({"environ": "ACME_KEY"}, "environ: expected a mapping, got 'ACME_KEY'"),
    ],
    ids=str,
)
def test_what_can_be_no_filter_is_named_with_the_nearest(
    filters: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        found(**filters)
    assert str(caught.value).endswith(said)
    assert isinstance(caught.value, ValueError)


def test_what_is_like_no_word_is_told_with_all_that_there_are() -> None:
    with pytest.raises(ArgumentError) as caught:
        found(supports="xyzzy")
    assert all(word in str(caught.value) for word in (*WORDS, *CAPABILITIES))


def test_an_argument_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="no argument 'suports'; did you mean 'supports'"):
        found(suports="tools")


def test_type_checkers_know_the_arguments_that_there_are() -> None:
    assert {*get_type_hints(Filters)} | {"text"} == {one.name for one in fields(Query)}


def test_a_word_for_what_models_can_do_stands_for_what_there_is() -> None:
    sides = {f"{side}:{one}" for side in ("input", "output") for one in MODALITIES}
    assert {*WORDS.values()} <= {*CAPABILITIES, *sides}
    assert {*SORTS.values()} <= {*SORTS}


MODALITIES = ("text", "image", "audio", "video", "pdf")


@cache
def bundled() -> Snapshot:
    return Bundle.of_wheel().load()


@cache
def every() -> tuple[ModelInfo, ...]:
    return tuple(
        one for provider in bundled().get_providers().values() for one in provider.models.values()
    )


def test_all_that_there_is_in_the_order_of_the_snapshot() -> None:
    assert bundled().find_models(include_deprecated=True) == every()


def test_kinds_are_those_of_the_models() -> None:
    for kind in ("chat", "embedding", "image", "audio", "moderation"):
        wanted = [one.full_id for one in every() if one.kind == kind]
        assert found(on=bundled(), kind=kind, include_deprecated=True) == wanted


def test_all_together_on_todays_models() -> None:
    wanted = [
        one
        for one in every()
        if one.status_on(TODAY) not in ("deprecated", "retired")
        and one.tool_call
        and one.accepts("image")
        and (one.limit.context or 0) >= 200_000
        and one.cost is not None
        and one.cost.input is not None
        and one.cost.input <= 3
        and "sonnet" in f"{one.full_id} {one.name} {one.family}".casefold()
    ]
    chosen = bundled().find_models(
        "sonnet",
        supports=["tools", "vision"],
        min_context=200_000,
        max_input_cost=3,
        sort="input_cost",
        today=TODAY,
    )
    assert [*chosen] == sorted(wanted, key=lambda one: one.cost.input)  # type: ignore[union-attr]
    assert chosen


def test_a_model_is_decoded_once_and_only_if_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    init = ModelInfo.__init__

    def counted(self: ModelInfo, *given: Any, **named: Any) -> None:
        init(self, *given, **named)
        made.append(self.full_id)

    fresh = Snapshot.from_bytes(bundled().to_bytes())
    monkeypatch.setattr(ModelInfo, "__init__", counted)
    first = fresh.find_models("gpt-4o", provider="openai")
    assert made == [one.full_id for one in first]
    assert fresh.find_models("gpt-4o", provider="openai")[0] is first[0]
    assert len(fresh.find_models("gpt-4", provider="openai")) > len(first)
    assert len(made) == len({*made})


def test_a_warm_search_calls_no_function_for_each_model() -> None:
    filters: dict[str, Any] = {"supports": "tools", "min_context": 10**7, "max_input_cost": 1}
    found(on=bundled(), **filters)
    assert calls(lambda: found(on=bundled(), **filters)) < 400


# What can be called


def keyed(**more: Any) -> Snapshot:
    return snapshot(
        model("m"), **{"url": "https://api.acme.dev/v1", "api_key_env_vars": "ACME_KEY", **more}
    )


@pytest.mark.parametrize(
    ("provider", "environ", "usable"),
    [
        ({}, {"ACME_KEY": "k"}, True),
        ({}, {}, False),
        ({}, {"ACME_KEY": " "}, False),
        ({"api_key_env_vars": ["ONE", "TWO"]}, {"TWO": "k"}, True),
        ({"api_key_env_vars": [], "url": "http://127.0.0.1:8000/v1"}, {}, True),
        ({"url": "http://127.0.0.1:8000/v1"}, {}, False),  # who knows whether it runs
        (
            {},
            {"ACME_KEY": "k", "ACME_BASE_URL": "https://${ACME_HOST}/v1", "ACME_HOST": "a.dev"},
            False,
        ),
        ({"unroutable": "signed requests"}, {"ACME_KEY": "k"}, False),
        ({"url": "https://${ACME_REGION}.acme.dev/v1"}, {"ACME_KEY": "k"}, False),
        ({"url": "https://${ACME_REGION}.acme.dev/v1"}, {"ACME_KEY": "k", "ACME_REGION": "eu"}, 1),
        ({"url": "https://${ACME_REGION}.acme.dev/v1"}, {"ACME_KEY": "k", "ACME_REGION": "/"}, 0),
        ({"url": None}, {"ACME_KEY": "k", "ACME_BASE_URL": "https://acme.dev/v1"}, True),
        (
            {"url": None, "model_overrides": {"m": {"api": "https://m.dev/v1"}}},
            {"ACME_KEY": "k"},
            1,
        ),
        ({"url": "https://acme.dev/v1/responses"}, {"ACME_KEY": "k"}, False),
        ({"url": "ftp://acme.dev"}, {"ACME_KEY": "k"}, False),
    ],
    ids=str,
)
def test_usable_is_what_has_a_url_and_a_key(
    provider: dict[str, Any], environ: dict[str, str], usable: bool
) -> None:
    chosen = keyed(**provider).find_models(usable=True, environ=environ, include_unknown=True)
    assert bool(chosen) is bool(usable)


def test_a_url_that_only_the_gateway_may_know_is_unknown() -> None:
    filters: dict[str, Any] = {"usable": True, "environ": {"ACME_KEY": "k"}}
    assert keyed(url=None).find_models(**filters) == ()
    assert keyed(url=None).find_models(**filters, include_unknown=True)
    assert keyed(url=None).find_models(usable=True, environ={}, include_unknown=True) == ()


def test_of_todays_models_those_are_usable_that_resolve(tmp_path: Path) -> None:
    """With each key set, and with every variable that a URL asks for. Only gateways that make
    endpoints themselves know more: then nobody said no."""
    providers = bundled().get_providers().values()
    environ = {one: "word" for provider in providers for one in provider.api_key_env_vars}
    for provider in providers:
        urls = [provider.url, *(one.get("api") for one in provider.model_overrides.values())]
        names = [part.partition("}")[0] for url in urls if url for part in url.split("${")[1:]]
        environ |= dict.fromkeys(names, "word.example" if "HOST" in str(names) else "word")
    (tmp_path / "snapshot").write_bytes(bundled().to_bytes())
    registry = ModelRegistry(Settings(snapshot=tmp_path / "snapshot", plugins=()))
    sample = [one for provider in providers for one in [*provider.models.values()][:2]]
    usable = {one.full_id for one in bundled().find_models(usable=True, environ=environ)}
    wrong = []
    for one in sample:
        if one.status:
            continue
        try:
            registry.resolve(one.full_id, environ)
        except ResolveError:
            if one.full_id in usable:
                wrong.append(one.full_id)
        else:
            if one.full_id not in usable:
                wrong.append(one.full_id)
    assert wrong == []


def test_the_registry_asks_its_own_environment_and_clock(tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_bytes(SHELF.to_bytes())
    settings = Settings(snapshot=tmp_path / "snapshot")

    def registry(day: date) -> ModelRegistry:
        noon = datetime.combine(day, time(12), UTC).timestamp()
        environ = {"ACME_BASE_URL": "https://acme.dev/v1"}
        return ModelRegistry(world=RealWorld(settings, environ=environ, clock=lambda: noon))

    before, after = registry(date(2026, 11, 30)), registry(date(2026, 12, 1))
    assert [one.id for one in before.find_models(usable=True)] == ["big", "blank", "small"]
    assert [one.id for one in after.find_models(usable=True)] == ["big", "blank"]
    assert after.find_models(usable=True, environ={}) == ()


def test_ids_are_those_of_the_models_and_cost_no_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"provider": ["openai", "groq"], "supports": "tools", "sort": "price"}
    models = bundled().find_models("g", **asked)
    fresh = Snapshot.from_bytes(bundled().to_bytes())
    registry = ModelRegistry(Settings(store_dir=tmp_path))
    monkeypatch.setattr(ModelInfo, "__init__", None)
    ids = tuple(one.full_id for one in models)
    # First of two providers alone, then of all.
    assert fresh.find_ids("g", **asked) == fresh.find_ids("g", **asked) == ids
    assert registry.find_ids("g", **asked) == ids != ()


def test_a_damaged_snapshot_is_left_as_at_any_lookup(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    world.sync()
    registry: ModelRegistry = world.registry()
    assert [one.full_id for one in registry.find_models("gpt")] == ["openai/gpt-5"]
    (path,) = world.store.object("").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    registry.invalidate()
    assert "openai/gpt-5" not in {one.full_id for one in registry.find_models()}


def test_the_module_level_function_asks_the_registry_of_this_process() -> None:
    chosen = find_models("gpt-4o", provider="openai", limit=1)
    assert [one.provider_id for one in chosen] == ["openai"]
