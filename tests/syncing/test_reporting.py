"""What the report of a sync says, and who hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from registry_core import ProviderConfig, Snapshot, hookimpl
from registry_core._sync.options import Options
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


def test_what_is_wrong_with_records_is_said_until_it_is_mended(world: World) -> None:
    def told(**settings: Any) -> list[str]:
        return [one.message for one in world.sync(**settings).problems if one.kind == "record"]

    world.plugins.append(Plugin(WithARecord("main", world.server.url("/main.json"))))
    world.serve("main", {"openai": "wrong"}, etag='"1"')
    first = told()
    assert len(first) == 1
    assert told() == first  # 304
    assert told(offline=True) == first
    world.server.route("/main.json", Reply(500))
    assert told(fetch_retries=0) == first
    assert [dict(one)["message"] for one in world.registry().world.state().problems] == first
    world.serve("main", {"openai": "right"}, etag='"2"')
    assert told() == []
    assert told() == []


class WithARecord(JsonGateway):
    def fetch_providers(self, client: Any) -> Any:
        payload = client.get_json(self._url)
        if payload["openai"] == "wrong":
            client.warn("openai", "is wrong")
        return {"openai": ProviderConfig("openai", models=["gpt-5"])}


def test_what_the_last_sync_met_is_remembered_with_its_project(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    project = world.tmp_path / "project"
    settings = {"project": project, "outputs": {"pyhton": project / "typings"}}

    def remembered() -> list[str]:
        state = world.registry().world.state()
        assert state.project == str(project)
        return [one["culprit"] for one in state.problems if one["fatal"]]

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


def test_an_answer_that_is_older_than_what_was_held_is_used_and_reported(world: World) -> None:
    """A proxy that serves what it had cached; models then seem to be removed."""
    new, old = "Wed, 21 Jan 2026 07:28:00 GMT", "Tue, 20 Jan 2026 07:28:00 GMT"

    def doubts(payload: Any, date: str | None) -> list[str]:
        world.server.serve("/main.json", payload, last_modified=date)
        report = world.sync()
        assert report.ok
        return [str(one) for one in report.problems]

    world.gateway("main")
    assert doubts({"openai": ["gpt-5", "gpt-6"]}, new) == []
    url = world.server.url("/main.json")
    (said,) = doubts({"openai": ["gpt-5"]}, old)
    assert said.startswith(f"main: {url}: sent data that is older than what it sent before")
    assert said.endswith(": 2026-01-20T07:28:00+00:00, and before 2026-01-21T07:28:00+00:00")
    assert world.models()["openai"] == ("gpt-5",)
    assert doubts({"openai": ["gpt-5"]}, old) == [said]  # 304: it is still in use
    assert doubts({"openai": ["gpt-5", "gpt-6"]}, new) == []
    assert doubts({"openai": ["gpt-5", "gpt-6"]}, old) == []  # only another server's clock
    assert doubts({"openai": ["gpt-7"]}, "yesterday") == []
    assert doubts({"openai": ["gpt-8"]}, None) == []
