"""Facts: what sources know beyond gateways, laid over what these offer."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from registry_core import (
    Facts,
    FactSource,
    GatewayClient,
    Lifecycle,
    ModelInfo,
    SettingsError,
    Snapshot,
    hookimpl,
)
from registry_core._sync.facts import fill
from registry_core._sync.options import Options
from registry_core.records import provider_from_record
from registry_core.testing import CannedClient
from tests.loopback import Reply
from tests.test_regression_counts import Records
from tests.world import BUNDLED_AT, Overlay, Plugin, World

RETIRES = {"lifecycle": {"retires_on": "2027-01-31", "successor": "gpt-6"}}


class Source(FactSource):
    """What a URL says, and what the package holds."""

    def __init__(
        self, id: str, url: str, held: tuple[Facts, datetime] | None = None, **attributes: Any
    ) -> None:
        self.id, self.name = id, id.title()
        vars(self).update(attributes)
        self._url, self._held = url, held

    def fetch_facts(self, client: GatewayClient) -> Facts:
        return client.get_json(self._url)  # type: ignore[no-any-return]

    def bundled(self) -> tuple[Facts, datetime] | None:
        return self._held


class FactPlugin:
    def __init__(self, *sources: Any) -> None:
        self._sources = sources

    @hookimpl
    def registry_facts(self) -> tuple[Any, ...]:
        return self._sources


@pytest.fixture
def facts(world: World) -> World:
    """The gateway "main" offers two models; the source "known" says more."""
    world.plugins[:] = [
        Plugin(Records("main", world.server.url("/main.json"))),
        FactPlugin(Source("known", world.server.url("/known.json"))),
    ]
    offers(world, {"gpt-5": {"name": "GPT-5", "cost": {"input": 1}}, "gpt-6": {}})
    world.serve("known", {"openai/gpt-5": RETIRES}, etag='"k"')
    return world


def offers(world: World, models: Mapping[str, Any], etag: str = '"m"') -> None:
    world.serve("main", {"openai": models}, etag=etag)


def model(world: World, id: str = "openai/gpt-5", **settings: Any) -> ModelInfo:
    found = world.registry(**settings).get_model(id)
    assert found is not None
    return found


def test_a_fact_fills_what_is_unknown_and_adds_no_model(facts: World) -> None:
    facts.serve("known", {"openai/gpt-5": {**RETIRES, "name": "no"}, "openai/none": RETIRES})
    report = facts.sync()
    assert report.ok
    found = {one.id: (one.models, one.facts) for one in report.gateways}
    assert (found["main"], found["known"]) == ((2, None), (2, 1))
    assert model(facts).lifecycle == Lifecycle(retires_on="2027-01-31", successor="gpt-6")
    assert model(facts).name == "GPT-5"
    assert facts.registry().get_model("openai/none") is None
    assert not facts.registry().is_provider_registered("known")
    assert facts.registry().get_model("known/openai/gpt-5") is None


def test_prices_are_taken_as_a_whole(facts: World) -> None:
    cost = {"input": 7, "output": 8}
    facts.serve("known", {"openai/gpt-5": {"cost": cost}, "openai/gpt-6": {"cost": cost}})
    facts.sync()
    known, unknown = model(facts).cost, model(facts, "openai/gpt-6").cost
    assert known and (known.input, known.output) == (1, None)
    assert unknown and (unknown.input, unknown.output) == (7, 8)


def test_a_model_without_any_price_takes_those_of_a_source(facts: World) -> None:
    offers(facts, {"gpt-5": {"cost": {}}, "gpt-6": {"cost": {"input": 1}}})
    costs = {"openai/gpt-5": {"cost": {"input": 7}}, "openai/gpt-6": {"cost": {}}}
    facts.serve("known", costs)
    facts.sync(facts_priority=["known"])
    known, unknown = model(facts, "openai/gpt-6").cost, model(facts).cost
    assert unknown and unknown.input == 7
    assert known and known.input == 1  # nothing is no price to prefer


def test_where_a_fact_is_from_is_not_said_of_the_model(facts: World) -> None:
    said = {**RETIRES, "source_url": "https://acme.example", "as_of": "2026-01-01", "speed": 3}
    facts.serve("known", {"openai/gpt-5": said})
    facts.sync(facts_priority=["known"])
    assert model(facts).lifecycle.retires_on == "2027-01-31"
    assert model(facts).extra == {}


def test_what_a_fact_says_that_a_model_can_do_is_found(facts: World) -> None:
    offers(facts, {"gpt-5": {}, "gpt-6": {}})
    said = {"openai/gpt-5": {"tool_call": True}, "openai/gpt-6": {"status": "deprecated"}}
    facts.serve("known", said)
    facts.sync()
    provider = facts.registry().get_provider_config("openai")
    assert provider and provider.models_with("tool_call") == ("gpt-5",)
    assert provider.deprecated_models == ("gpt-6",)
    assert [one.id for one in facts.registry().find_models(supports="tools")] == ["gpt-5"]


def test_a_source_may_be_preferred_for_a_part_as_a_whole(facts: World) -> None:
    dates = {"deprecated_on": "2026-01-01", "retires_on": "2026-02-01"}
    offers(facts, {"gpt-5": {"lifecycle": dates}})
    facts.sync(facts_priority=["known:lifecycle"])
    assert model(facts).lifecycle == Lifecycle("2026-01-01", "2027-01-31", "gpt-6")
    facts.sync(facts_priority=["known:lifecycle.successor"])
    assert model(facts).lifecycle == Lifecycle("2026-01-01", "2026-02-01", "gpt-6")


def test_where_nobody_is_preferred_the_first_by_id_fills_in_whatever_order_they_come() -> None:
    def told(source: str) -> Any:
        made = provider_from_record(source, {"models": {"acme/m": {"name": source}}})
        assert made is not None
        return made.models

    acme = provider_from_record("acme", {"models": {"m": {}}})
    assert acme is not None
    filled, _ = fill({"acme": acme}, {"b": told("b"), "a": told("a")})
    assert filled["acme"].models["m"].name == "a"


@pytest.mark.parametrize(
    ("preferred", "said"),
    [
        ("knwon", "there is no such source of facts; did you mean 'known'?"),
        ("main:cost", "there is no such source of facts; known are known"),
        ("known:cost.input", "prices of sources are not mixed; write 'known:cost'"),
        ("known:lifecycle.retired", "no model has this field; did you mean 'retires_on'?"),
        ("known:nam", "no model has this field; did you mean 'name'?"),
    ],
)
def test_a_preference_that_changes_nothing_is_named(
    facts: World, preferred: str, said: str
) -> None:
    fine = ["known", "known:name", "known:limit", "known:limit.context", "known:kind"]
    report = facts.sync(facts_priority=[*fine, preferred])
    (problem,) = report.problems
    assert (problem.culprit, problem.message) == (f"facts_priority {preferred}", said)
    assert report.ok


def test_what_the_package_holds_is_read_until_the_source_has_answered(facts: World) -> None:
    class Counted(Source):
        reads = 0

        def bundled(self) -> tuple[Facts, datetime] | None:
            Counted.reads += 1
            return super().bundled()

    facts.plugins[1] = FactPlugin(Counted("known", facts.server.url("/known.json")))
    facts.sync()
    assert Counted.reads == 1
    facts.sync()
    assert Counted.reads == 1


def test_the_user_may_prefer_a_source_for_a_field(facts: World) -> None:
    said = {"name": "Said", "cost": {"output": 8}, "limit": {"context": 5}}
    facts.serve("known", {"openai/gpt-5": said})
    facts.sync()
    assert facts.sync(facts_priority=["known:cost"]).changed
    assert (model(facts).name, model(facts).limit.context) == ("GPT-5", 5)
    assert model(facts).to_dict()["cost"]["output"] == 8
    assert model(facts).to_dict()["cost"]["input"] is None
    facts.sync(facts_priority=["known"])
    assert model(facts).name == "Said"


def test_of_two_sources_the_preferred_one_counts_then_the_first_by_id(facts: World) -> None:
    facts.plugins.append(FactPlugin(Source("also", facts.server.url("/also.json"))))
    facts.serve("also", {"openai/gpt-5": {"lifecycle": {"retires_on": "2030-01-01"}}})
    facts.sync()
    assert model(facts).lifecycle == Lifecycle(retires_on="2030-01-01", successor="gpt-6")
    facts.sync(facts_priority=["known:lifecycle.retires_on"])
    assert model(facts).lifecycle.retires_on == "2027-01-31"


def test_a_sync_without_news_changes_nothing(facts: World) -> None:
    facts.sync()
    again = facts.sync(Options(force=False))
    found = {one.id: (one.status, one.facts) for one in again.gateways}
    assert (found["main"], found["known"]) == (("unchanged", None), ("unchanged", 1))
    assert not again.changed
    assert model(facts).lifecycle.retires_on == "2027-01-31"


def test_a_source_that_fails_keeps_its_last_good_facts(facts: World) -> None:
    facts.sync()
    offers(facts, {"gpt-5": {"name": "New"}}, etag='"n"')
    facts.server.route("/known.json", Reply(503))
    report = facts.sync(fetch_retries=0)
    assert not report.ok
    (failed,) = (one for one in report.gateways if one.id == "known")
    assert (failed.status, failed.source, failed.models) == ("failed", "stored", 1)
    assert (model(facts).name, model(facts).lifecycle.retires_on) == ("New", "2027-01-31")


def test_a_source_that_shrinks_is_quarantined(facts: World) -> None:
    facts.serve("known", {f"openai/m{n}": RETIRES for n in range(9)} | {"openai/gpt-5": RETIRES})
    facts.sync()
    facts.serve("known", {"openai/m1": RETIRES}, etag='"2"')
    (shrunk,) = (one for one in facts.sync().gateways if one.id == "known")
    assert shrunk.quarantined
    assert model(facts).lifecycle.retires_on == "2027-01-31"


def test_what_a_package_knows_by_itself_does_not_hide_that_its_source_shrinks(
    facts: World,
) -> None:
    before, now = ({f"openai/gone{n}": RETIRES for n in range(count)} for count in (5, 20))
    url = facts.server.url("/known.json")
    facts.plugins[1] = FactPlugin(Source("known", url, own=before.keys()))
    facts.serve("known", before | {f"openai/m{n}": RETIRES for n in range(10)})
    facts.sync()
    # A new version of the package knows more; its map has some of them, too.
    facts.plugins[1] = FactPlugin(Source("known", url, own=now.keys()))
    facts.serve("known", now | {f"openai/m{n}": RETIRES for n in range(5)}, etag='"2"')
    assert facts.sync().ok
    facts.serve("known", now | {"openai/m1": RETIRES}, etag='"3"')
    (shrunk,) = (one for one in facts.sync().gateways if one.id == "known")
    assert shrunk.quarantined
    assert "sent 1 models where its last good data has 5" in (shrunk.error or "")


@pytest.mark.parametrize("own", ["openai/gpt-5", [1]])
def test_own_ids_that_are_no_ids_cost_the_source_alone(facts: World, own: Any) -> None:
    url = facts.server.url("/known.json")
    facts.plugins[1] = FactPlugin(Source("wrong", url, own=own), Source("known", url))
    report = facts.sync()
    statuses = {one.id: one.status for one in report.gateways}
    assert statuses["known"] == "fresh" and "wrong" not in statuses
    assert f"source 'wrong' has {own!r} as own" in " ".join(map(str, report.problems))


def test_what_a_package_holds_counts_until_something_newer_is_fetched(facts: World) -> None:
    held = {"openai/gpt-5": {"lifecycle": {"retires_on": "2026-06-30"}}}
    at = datetime.fromtimestamp(BUNDLED_AT, UTC)
    url = facts.server.url("/known.json")
    facts.plugins[1] = FactPlugin(Source("known", url, (held, at)))
    report = facts.sync(offline=True)
    (found,) = (one for one in report.gateways if one.id == "known")
    assert (found.source, found.models, found.retrieved_at) == ("bundled", 1, at)
    again = facts.sync(offline=True)
    assert not again.changed
    assert [one.source for one in again.gateways if one.id == "known"] == ["bundled"]
    facts.server.route("/known.json", Reply(503))
    facts.sync(fetch_retries=0)
    assert model(facts).lifecycle.retires_on == "2026-06-30"
    generation = facts.store.read_generation()
    assert generation and generation.gateways["known"].result  # so `show` can say whose it is
    facts.serve("known", {"openai/gpt-5": RETIRES})
    facts.sync()
    assert model(facts).lifecycle.retires_on == "2027-01-31"
    newer = datetime.fromtimestamp(facts.now + 10, UTC)
    facts.plugins[1] = FactPlugin(Source("known", url, (held, newer)))
    facts.server.route("/known.json", Reply(503))
    facts.sync(fetch_retries=0)


def test_what_a_package_holds_stays_when_its_plugin_fails(facts: World) -> None:
    held = {"openai/gpt-5": {"lifecycle": {"retires_on": "2026-06-30"}}}
    at = datetime.fromtimestamp(BUNDLED_AT, UTC)
    known = Source("known", facts.server.url("/known.json"), (held, at))
    facts.plugins[1] = FactPlugin(known)
    facts.sync(offline=True)

    class Failing:
        @hookimpl
        def registry_facts(self) -> None:
            raise RuntimeError

    facts.plugins[1] = Failing()
    (row,) = (one for one in facts.sync().gateways if one.id == "known")
    assert (row.status, row.source, row.facts) == ("failed", "stored", 1)
    assert model(facts).lifecycle.retires_on == "2026-06-30"
    del facts.plugins[1]
    facts.sync()
    assert model(facts).lifecycle.retires_on == "2026-06-30"
    facts.plugins.append(FactPlugin(known))
    facts.sync()
    assert model(facts).lifecycle.retires_on == "2027-01-31"


def test_what_a_package_holds_is_no_measure_of_a_source_that_the_user_set(facts: World) -> None:
    held = {f"openai/m{number}": RETIRES for number in range(9)}
    at = datetime.fromtimestamp(BUNDLED_AT, UTC)
    facts.plugins[1] = FactPlugin(Source("known", facts.server.url("/known.json"), (held, at)))
    facts.sync(offline=True)
    (shrunk,) = (one for one in facts.sync().gateways if one.id == "known")
    assert shrunk.quarantined
    options = {"test-1": {"url": "https://mirror.example"}}
    (taken,) = (one for one in facts.sync(plugin_options=options).gateways if one.id == "known")
    assert (taken.status, taken.models) == ("fresh", 1)


@pytest.mark.parametrize(
    "held", [("nonsense", datetime.fromtimestamp(0, UTC)), ({}, None), ({"a/b": 1},), 7]
)
def test_a_package_that_holds_nonsense_is_named_and_costs_nothing_else(
    facts: World, held: Any
) -> None:
    facts.plugins[1] = FactPlugin(Source("known", facts.server.url("/known.json"), held))
    report = facts.sync()
    assert "known" in {one.culprit for one in report.problems}
    assert model(facts).lifecycle.retires_on == "2027-01-31"


@pytest.mark.parametrize("raised", [SystemExit(0), CancelledError(), GeneratorExit(), OSError(24)])
def test_nothing_that_a_package_raises_for_what_it_holds_ends_the_sync(
    facts: World, raised: BaseException
) -> None:
    class Raising(Source):
        def bundled(self) -> None:
            raise raised

    facts.plugins[1] = FactPlugin(Raising("known", facts.server.url("/known.json")))
    report = facts.sync()
    assert [one.culprit for one in report.problems if one.fatal] == ["known"]
    assert model(facts).lifecycle.retires_on == "2027-01-31"


def test_what_a_source_that_comes_and_goes_says_is_for_lookups_alone(
    facts: World,
) -> None:
    url = facts.server.url("/known.json")
    facts.plugins[1] = FactPlugin(Source("known", url, volatile=True))
    facts.sync()
    assert model(facts).lifecycle.retires_on == "2027-01-31"
    exported = facts.registry().world.load().without_volatile().get_model("openai/gpt-5")
    assert exported and (exported.name, exported.lifecycle) == ("GPT-5", Lifecycle())


def test_facts_take_no_prefix_from_a_gateway(facts: World) -> None:
    facts.serve("main", {"openai": {"gpt-5": {}}, "known/x": {"m": {}}}, etag='"x"')
    facts.plugins[1] = FactPlugin(Source("known", facts.server.url("/known.json"), namespaced=True))
    assert not facts.sync().problems
    assert set(facts.models()) >= {"known/x", "openai"}


def test_it_is_forgotten_as_a_gateway_is(facts: World) -> None:
    facts.sync()
    del facts.plugins[1]
    assert facts.sync().ok
    assert model(facts).lifecycle.retires_on == "2027-01-31"
    facts.sync(Options(forget=("known",)))
    assert model(facts).lifecycle == Lifecycle()


def test_what_the_package_holds_counts_at_once_when_the_rest_is_forgotten(facts: World) -> None:
    held = {"openai/gpt-5": {"lifecycle": {"retires_on": "2026-06-30"}}}
    at = datetime.fromtimestamp(BUNDLED_AT, UTC)
    facts.plugins[1] = FactPlugin(Source("known", facts.server.url("/known.json"), (held, at)))
    facts.sync()
    assert model(facts).lifecycle.retires_on == "2027-01-31"
    facts.sync(Options(forget=("known",)), offline=True)
    assert model(facts).lifecycle.retires_on == "2026-06-30"


def test_an_overlay_sees_facts_and_has_the_last_word(facts: World) -> None:
    seen: list[Any] = []

    def change(snapshot: Snapshot) -> None:
        found = snapshot.get_model("openai/gpt-5")
        seen.append(found and found.lifecycle.retires_on)

    facts.plugins.append(Overlay(change))
    facts.sync()
    assert seen == ["2027-01-31"]


def test_a_source_with_the_id_of_a_gateway_is_refused(facts: World) -> None:
    facts.plugins[1] = FactPlugin(Source("main", facts.server.url("/known.json")))
    report = facts.sync()
    assert any("taken" in one.message for one in report.problems)
    assert "known" not in {one.id for one in report.gateways}


@pytest.mark.parametrize("id", ["known", "main", "second"])
def test_what_was_a_gateway_and_is_facts_now_has_no_data_yet(world: World, id: str) -> None:
    url = world.server.url("/facts.json")
    was = Plugin(Records(id, world.server.url("/was.json")))
    world.plugins[:] = [Plugin(Records("other-gateway", world.server.url("/main.json"))), was]
    world.serve("main", {"acme": {"one": {}}})
    world.serve("was", {"zeta": {"z": {}}})
    if id == "known":  # the other two are gateways of the wheel
        world.sync()
    world.plugins[1] = FactPlugin(Source(id, url))
    world.server.route("/facts.json", Reply(503))
    (failed,) = (one for one in world.sync(fetch_retries=0).gateways if one.id == id)
    assert (failed.status, failed.source) == ("failed", "none")
    assert "zeta" not in world.models()
    world.serve("facts", {"acme/one": RETIRES})
    world.sync()
    assert model(world, "acme/one").lifecycle.retires_on == "2027-01-31"


def test_what_was_facts_and_is_a_gateway_now_publishes_no_fact(facts: World) -> None:
    facts.sync()
    facts.plugins[1] = Plugin(Records("known", facts.server.url("/gone.json")))
    facts.sync(fetch_retries=0)
    assert "known" not in facts.models()
    assert model(facts).lifecycle == Lifecycle()


def test_an_error_in_place_of_a_source_names_the_hook_that_returned_it(facts: World) -> None:
    facts.plugins[1] = FactPlugin(SettingsError("has no url"))
    (problem,) = facts.sync().problems
    assert problem.message.startswith("registry_facts: has no url")


def test_a_gateway_is_no_source_of_facts(facts: World) -> None:
    facts.plugins[1] = FactPlugin(Records("other", "http://unused.example"))
    report = facts.sync()
    assert any("instead of FactSource" in one.message for one in report.problems)


def test_records_that_can_not_be_used_are_named(facts: World) -> None:
    facts.serve("known", {"openai/gpt-5": {"lifecycle": {"retires_on": "soon"}, "tool_call": True}})
    report = facts.sync()
    assert any("retires_on" in one.message for one in report.problems)
    assert model(facts).tool_call is True


def test_facts_alone_are_no_catalog(world: World) -> None:
    world.plugins[:] = [FactPlugin(Source("known", world.server.url("/known.json")))]
    world.serve("known", {"openai/gpt-5": RETIRES})
    report = world.sync()
    assert not report.ok
    assert "no gateway is installed" in {one.culprit for one in report.problems}
    assert "gpt-5" not in world.models().get("openai", ())


def test_a_source_holds_nothing_unless_it_says_so() -> None:
    class Bare(FactSource):
        id = name = "bare"

        def fetch_facts(self, client: GatewayClient) -> Facts:
            return client.get_json("https://bare.example/")  # type: ignore[no-any-return]

    assert Bare().bundled() is None
    assert Bare().fetch_facts(CannedClient({"https://bare.example/": {}})) == {}


def test_filling_is_independent_of_order_and_counts_what_it_meets() -> None:
    made = provider_from_record("a", {"models": {"x": {}, "y": {"family": "f"}}})
    said = provider_from_record("s", {"models": {"a/x": {"family": "g"}, "a/z": {"family": "g"}}})
    assert made and said
    filled, met = fill({"a": made}, {"s": said.models})
    assert met == {"s": 1}
    assert [one.family for one in filled["a"].models.values()] == ["g", "f"]
    untouched, _ = fill({"a": made}, {})
    assert untouched["a"] is made
