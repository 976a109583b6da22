"""What the report of a sync says, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from registry_core import (
    Artifact,
    GatewayClient,
    ProviderConfig,
    Snapshot,
    SyncReport,
    hookimpl,
)
from registry_core._sync.options import Options
from registry_core.records import provider_from_record
from tests.loopback import Reply
from tests.world import JsonGateway, Overlay, Plugin, World


def test_a_full_id_that_two_providers_share_is_new_or_gone_only_with_the_last_of_them(
    world: World,
) -> None:
    world.gateway("main")

    def changes(payload: dict[str, list[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        world.serve("main", payload)
        report = world.sync()
        assert report.ok
        return report.added, report.removed

    changes({"or/oa": ["x"], "or": ["y"]})
    assert changes({"or/oa": ["x"], "or": ["oa/x", "y"]}) == ((), ())
    assert changes({"or/oa": ["x"], "or": ["y"]}) == ((), ())
    assert changes({"or/oa": ["z"], "or": ["oa/x"]}) == (("or/oa/z",), ("or/y",))
    assert changes({"or/oa": ["z"], "or": ["y"]}) == (("or/y",), ("or/oa/x",))


def test_accept_of_nobody_is_named_and_no_failure(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    report = world.sync(Options(accept=["mian"]))
    assert report.ok
    assert [one.culprit for one in report.problems] == ["--accept mian"]
    assert "'main'" in report.problems[0].message


def test_what_the_project_asks_for_and_nobody_makes_is_named(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    project = world.tmp_path / "project"
    report = world.sync(
        Options(project=True, accept=["mian"]),
        project=project,
        outputs={"pyhton": project / "typings"},
        types_providers=("opnai",),
    )
    told = {one.culprit: one.message for one in report.problems}
    assert "did you mean 'python'" in told["[tool.registry-core.output] pyhton"]
    assert "did you mean 'openai'" in told["[tool.registry-core.types] providers"]
    assert "did you mean 'main'" in told["--accept mian"]
    assert not report.ok


def told(report: SyncReport) -> list[str]:
    return sorted(str(one) for one in report.problems)


def test_of_a_million_warnings_the_first_are_kept_and_the_rest_is_counted(world: World) -> None:
    clients: list[Any] = []

    class Loud(JsonGateway):
        def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
            clients.append(client)
            for number in range(1_000):
                client.warn(f"acme/{number}", "dropped")
            return {"acme": ProviderConfig("acme", ["m"])}

    world.plugins.append(Plugin(Loud("loud", "")))
    told = [str(one) for one in world.sync().problems]
    assert (told[0], told[-1]) == ("loud: acme/0: dropped", "loud: and 950 more")
    assert (len(told), len(clients[0].warnings)) == (51, 50)


def test_what_is_wrong_is_told_until_it_is_mended(world: World) -> None:
    """Though nothing new is fetched, merged or written."""
    gateway = world.gateway("main")
    world.gateway("second")

    class Emits:
        @hookimpl
        def registry_emit(self) -> list[Artifact]:
            return [Artifact("odd", "a?", ""), Artifact("odd", "fine.txt", "")]

    def fetch(client: Any) -> dict[str, Any]:
        payload = client.get_json(world.server.url("/main.json"))
        found = {id: provider_from_record(id, one, client.warn) for id, one in payload.items()}
        return {**found, "third": 3} if "odd" in payload else found

    gateway.fetch_providers = fetch  # type: ignore[method-assign]
    bad = {"openai": {"models": {"gpt-5": {"name": 5}}}, "odd": {"models": ["m"]}}
    world.serve("main", bad, etag='"1"')
    world.serve("second", {"openai": ["gpt-5"]}, etag='"1"')
    world.plugins.append(Emits())
    project = world.tmp_path / "project"
    settings: dict[str, Any] = {
        "project": project,
        "outputs": {"python": project / "typings"},
        "types_providers": ("openai", "xaii"),
        "fetch_retries": 0,
    }
    first = told(world.sync(Options(project=True), **settings))
    assert [one.partition(":")[0] for one in first] == [
        "[tool.registry-core.types] providers",
        "main",
        "main",
        "odd",
        "second",
    ]
    again = world.sync(Options(project=True), **settings)
    assert (told(again), again.written) == (first, ())
    assert told(world.check(**settings)[0]) == first
    assert told(world.sync(Options(project=True), offline=True, **settings)) == first
    world.server.route("/main.json", Reply(500))
    failed = world.sync(Options(project=True), **settings)
    assert (failed.ok, told(failed)) == (False, first)

    world.plugins.pop()
    world.serve("main", {"xaii": {"models": ["m"]}}, etag='"2"')
    assert told(world.sync(Options(project=True), **settings)) == []
    assert told(world.sync(Options(project=True), **settings)) == []


def test_data_that_is_young_enough_tolerates_a_failure(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.now += 3600
    assert world.sync(Options(max_age=7200)).ok
    assert not world.sync(Options(max_age=1800)).ok


def test_only_failures_are_tolerated(world: World) -> None:
    world.gateway("main")
    report = world.sync(Options(max_age=10**10), offline=True)
    assert not any(one.tolerated for one in report.gateways)


def test_strict_raises_all_failures_at_once(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    with pytest.raises(ExceptionGroup) as caught:
        world.registry(strict=True).sync_gateways()
    assert len(caught.value.exceptions) == 2


def test_observers_hear_of_failed_syncs_too(world: World) -> None:

    heard: list[bool] = []

    class Observer:
        @hookimpl
        def registry_refreshed(self, report: Any, snapshot: Snapshot) -> None:
            heard.append(report.ok)
            assert snapshot.is_provider_registered("openai")

    world.gateway("main")
    world.plugins.append(Observer())
    world.sync()
    world.serve("main", {"openai": ["gpt-old"]})
    world.sync()
    assert heard == [False, True]


def test_observers_get_what_was_served_before_each_sync(world: World) -> None:
    heard: list[tuple[bool, bool]] = []

    class Observer:
        @hookimpl
        def registry_refreshed(self, snapshot: Snapshot, previous: Snapshot) -> None:
            has = [one.get_model("openai/gpt-5") is not None for one in (previous, snapshot)]
            heard.append((has[0], has[1]))

    world.gateway("main")
    world.plugins.append(Observer())
    for models in (["gpt-old"], ["gpt-old", "gpt-5"], ["gpt-old", "gpt-5"], ["gpt-old"]):
        world.serve("main", {"openai": models})
        world.sync()
    assert heard == [(False, False), (False, True), (True, True), (True, False)]


def test_what_the_last_sync_met_is_remembered_with_its_project(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    project = world.tmp_path / "project"
    settings = {"project": project, "outputs": {"pyhton": project / "typings"}}

    def remembered() -> list[str]:
        state = world.registry().world.state()
        assert state.project == str(project)
        return [culprit for culprit, _ in state.problems]

    world.sync(Options(project=True), **settings)
    assert remembered() == ["[tool.registry-core.output] pyhton"]
    policy = Overlay(lambda snapshot: 1 / 0)
    world.plugins.append(policy)
    for _ in range(2):
        world.sync(project=project)
        assert [one.split()[0] for one in remembered()] == ["registry-core"]
    world.plugins.remove(policy)
    world.sync(project=project)
    assert remembered() == []


def test_where_no_gateway_is_installed_a_trial_goes_on_with_the_data_of_the_wheel(
    world: World,
) -> None:
    trial, sync = world.sync(Options(trial=True)), world.sync()
    assert (trial.ok, sync.ok) == (True, False)
    for report in (trial, sync):
        assert [one.culprit for one in report.problems] == ["no gateway is installed"]
        assert report.models == 2


def test_a_priority_that_names_no_gateway_is_said(world: World) -> None:
    """It would settle nothing, in silence."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]})
    report = world.sync(priority=["main", "mian"])
    assert report.ok
    told = [(one.culprit, one.message) for one in report.problems]
    assert ("priority mian", "there is no such gateway; did you mean 'main'?") in told
    assert not any(one.culprit == "priority main" for one in report.problems)
