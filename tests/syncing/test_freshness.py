"""Whom a sync asks, and whom it only asks whether anything has changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from registry_core._catalog.state import GatewayState, State
from registry_core._sync import freshness
from registry_core._sync.fetch import Outcome
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.syncing.looking import files, status
from tests.world import Emitter, Overlay, World


def test_a_second_sync_revalidates_and_writes_nothing_but_state(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    before = files(world.tmp_path)
    report = world.sync()
    after = files(world.tmp_path)
    assert status(report)["main"] == "unchanged"
    assert gateway.fetches == 1
    assert [one.headers["If-None-Match"] for one in world.server.requests] == [None, '"1"']
    changed = {name for name in after if before.get(name) != after[name]}
    assert {Path(name).name for name in changed if not name.endswith((".lock", ".payload"))} == {
        "state.json"
    }
    assert not report.written


def test_force_sends_no_validators(world: World) -> None:
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.now += 10
    report = world.sync(Options(force=True))
    assert status(report)["main"] == "fresh"
    assert gateway.fetches == 2
    assert world.server.requests[1].headers["If-None-Match"] is None


def test_a_fork_of_a_plugin_is_asked_itself(world: World) -> None:
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.plugins.append(Emitter())
    world.gateway("main")
    world.sync()
    world.plugins.reverse()  # the same gateway, from another plugin
    fork = world.plugins[0]._gateways[0]  # type: ignore[attr-defined]
    fork.fetches = 0
    world.sync()
    assert fork.fetches == 1
    world.now += 10
    report = world.sync(offline=True, disable_plugins=("registry-core:test-1",))
    assert (report.gateways[0].status, report.gateways[0].source) == ("offline", "stored")


def test_a_gateway_that_has_moved_is_asked_at_its_new_place(world: World) -> None:
    """Though its old address, which is revalidated first, is down."""
    gateway = world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    world.sync()
    world.server.route("/main.json", Reply(404))
    world.serve("moved", {"openai": ["gpt-6", "gpt-old"]})
    gateway._url = world.server.url("/moved.json")
    assert status(world.sync())["main"] == "fresh"
    assert world.models()["openai"] == ("gpt-6", "gpt-old")


def test_a_new_version_of_the_core_asks_each_gateway_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the core knows of providers, and how it reads records, may have changed."""
    main = world.gateway("main")
    world.serve("main", {"openai": ["a"]}, etag='"1"')
    for version, fetches in (("1.0", 1), ("1.0", 1), ("1.1", 2), ("1.1", 2)):
        monkeypatch.setattr(freshness, "__version__", version)
        world.sync()
        assert main.fetches == fetches


def test_what_another_sync_has_just_asked_is_asked_again_once_the_clock_was_set_back(
    world: World,
) -> None:
    """A time in the future tells nothing: without this, nobody would be asked for ten days."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    young = Options(fresh_for=3600)
    world.sync()
    world.sync(young)
    assert len(world.server.requests) == 1
    world.now -= 10 * 86400
    world.sync(young)
    assert len(world.server.requests) == 2
    world.sync(young)
    assert len(world.server.requests) == 2


def test_what_an_overlay_held_is_asked_for_again_however_young(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    world.now += 3600
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    assert not world.sync().ok
    world.plugins.pop()
    assert world.sync(Options(fresh_for=3600)).ok
    assert world.models()["openai"] == ("gpt-6", "gpt-old")


CHECKED = GatewayState(retrieved_at=100.0, checked_at=100.0, status="fresh")


@pytest.mark.parametrize(
    ("known", "trusted", "current", "expected"),
    [
        (CHECKED, 99.0, True, True),
        (CHECKED, 100.0, True, True),
        (CHECKED, 100.5, True, False),  # older than that
        (CHECKED, None, True, False),
        (CHECKED, 99.0, False, False),  # of another version, or unreadable
        (evolve(CHECKED, checked_at=None), 99.0, True, False),
        (evolve(CHECKED, checked_at=101.0, retrieved_at=101.0), 99.0, True, True),
        (evolve(CHECKED, checked_at=101.5, retrieved_at=101.5), 99.0, True, False),  # the future
        (evolve(CHECKED, retrieved_at=50.0), 99.0, True, False),  # an overlay held it
        (evolve(CHECKED, status="failed", retrieved_at=50.0), 99.0, False, True),
    ],
)
def test_what_is_known_stands_from_when_it_is_trusted_until_now(
    known: GatewayState, trusted: float | None, current: bool, expected: bool
) -> None:
    assert freshness.stands(known, trusted, 101.0, current=current) is expected


def test_what_is_trusted_is_what_was_waited_for_or_is_young_enough() -> None:
    def since(status: str, waited: float | None, **options: float) -> float | None:
        known = evolve(CHECKED, status=status)
        return freshness.trusted_since(known, Options(**options), waited, 1000.0)

    assert since("fresh", None) is None
    assert since("fresh", 500.0) == 500.0
    assert since("fresh", None, fresh_for=100.0) == pytest.approx(900.0, abs=0.01)
    assert since("fresh", 500.0, fresh_for=100.0) == 500.0
    assert since("fresh", 950.0, fresh_for=100.0) == pytest.approx(900.0, abs=0.01)
    assert since("failed", None, fresh_for=100.0, retry_after=10.0) == pytest.approx(990, abs=0.01)
    assert since("disabled", 500.0, fresh_for=100.0) is None  # a token may be set here
    exactly = evolve(CHECKED, checked_at=900.0, retrieved_at=900.0)
    limit = since("fresh", None, fresh_for=100.0)
    assert not freshness.stands(exactly, limit, 1000.0, current=True)


@pytest.mark.parametrize(
    ("last", "finished", "expected"),
    [
        (None, [120.0, 130.0], 200.0),
        (None, [90.0, 130.0], 90.0),  # one was taken over from a sync before
        (None, [100.0], 200.0),
        (95.0, [90.0], 95.0),  # never back
        (95.0, [], 95.0),
        (200.0, [], 200.0),
        (200.5, [], None),  # the clock was set back
        (200.5, [120.0], 200.0),
    ],
)
def test_the_last_refresh_is_when_the_oldest_answer_was_given(
    last: float | None, finished: list[float], expected: float | None
) -> None:
    outcomes = [Outcome("unchanged", finished_at=at) for at in finished]
    for more in ([], [Outcome("disabled", finished_at=1.0)]):
        reached = freshness.reached_at(State(last_refresh=last), [*outcomes, *more], 100.0, 200.0)
        assert reached == expected
    failed = [*outcomes, Outcome("failed", finished_at=150.0)]
    unreached = freshness.reached_at(State(last_refresh=last), failed, 100.0, 200.0)
    assert unreached == (last if last != 200.5 else None)


def test_the_last_refresh_counts_for_the_gateways_that_have_answered_as_they_are_now(
    world: World,
) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})

    def answered(**settings: Any) -> float | None:
        host = world.registry(**settings).world.host
        return freshness.answered_at(world.store.read_state(), host.gateways())

    assert answered() is None
    world.sync()
    assert answered() == world.now
    state = world.store.read_state()
    away = {id: evolve(known, status="absent") for id, known in state.gateways.items()}
    gateways = world.registry().world.host.gateways()
    assert freshness.answered_at(evolve(state, gateways=away), gateways) == world.now
    assert answered(plugin_options={"test-0": {"url": "another"}}) is None
    world.gateway("second")
    assert answered() is None
    world.server.route("/main.json", Reply(404))
    world.plugins.pop()
    world.sync()
    assert answered() is None


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        *(("fresh", "unchanged"), ("unchanged", "unchanged"), ("failed", "failed")),
        *(("disabled", "disabled"), ("absent", "absent")),
    ],
)
def test_what_another_sync_made_of_a_gateway_is_taken_over(status: str, becomes: str) -> None:
    known = GatewayState(checked_at=100.0, status=status, error="why")
    outcome = freshness.taken_over(known)
    assert (outcome.status, outcome.error, outcome.finished_at) == (becomes, "why", 100.0)


def test_a_fingerprint_does_not_hang_on_the_order_of_options() -> None:
    assert freshness.digest({"a": 1, "b": 2}) == freshness.digest({"b": 2, "a": 1})
    assert freshness.digest({"a": 1}) != freshness.digest({"a": 2})


def test_a_day_among_the_options_counts_in_a_fingerprint() -> None:
    first, second = ({"since": date(2026, 1, day)} for day in (1, 2))  # as TOML has them
    assert freshness.digest(first) != freshness.digest(second)


def test_a_gateway_whose_code_is_edited_is_asked_anew(world: World) -> None:
    """What was read out of an answer that has not changed may be read otherwise by now."""
    world.gateway("main")
    (one,) = world.registry().world.host.gateways()
    edited = evolve(one.plugin, source=evolve(one.plugin.source, code="edited"))
    assert freshness.fingerprint(evolve(one, plugin=edited)) != freshness.fingerprint(one)
