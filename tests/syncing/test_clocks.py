"""Machines whose clock is years wrong, for a while: data is never young for ever, nor hidden."""

from __future__ import annotations

import pytest

from registry_core import SyncReport
from registry_core._catalog.state import utc
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.world import BUNDLED_AT, NOW, World

YEAR = 365 * 86_400.0
HOUR = 3600.0
IN_1970 = 1000.0


@pytest.fixture
def one(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    return world


def fail(world: World) -> None:
    world.server.route("/main.json", lambda _: Reply(500))


def of_main(report: SyncReport) -> tuple[str, object, bool]:
    (main,) = (one for one in report.gateways if one.id == "main")
    return main.status, main.retrieved_at, main.tolerated


def sync(world: World, max_age: float = HOUR) -> SyncReport:
    return world.sync(Options(max_age=max_age), fetch_retries=0)


def test_a_time_in_the_future_is_no_age_and_tolerates_nothing(one: World) -> None:
    one.now = NOW + 9 * YEAR
    assert sync(one).ok
    one.now = NOW
    assert one.registry().get_last_refresh_time() is None
    fail(one)
    assert of_main(sync(one)) == ("failed", None, False)
    assert one.models()["openai"] == ("gpt-5", "gpt-old")


def test_the_next_answer_sets_it_even_one_without_news(one: World) -> None:
    one.now = NOW + 9 * YEAR
    assert sync(one).ok
    one.now = NOW
    report = sync(one)
    assert of_main(report) == ("unchanged", utc(NOW), False)
    assert not report.changed
    fail(one)
    one.now += 2 * HOUR
    assert of_main(sync(one)) == ("failed", utc(NOW), False)
    assert of_main(sync(one, 3 * HOUR)) == ("failed", utc(NOW), True)
    assert one.registry().get_last_refresh_time() == utc(NOW)


def test_a_wrong_time_ends_even_if_the_state_is_lost(one: World) -> None:
    one.now = NOW + 9 * YEAR
    assert sync(one).ok
    one.now = NOW
    assert sync(one).ok
    one.store.state.unlink()
    fail(one)
    one.now += HOUR / 2
    assert of_main(sync(one)) == ("failed", utc(NOW), True)


def test_what_is_fetched_in_1970_is_served_and_not_the_bundle(one: World) -> None:
    one.now = IN_1970
    assert sync(one).ok
    assert one.models()["openai"] == ("gpt-5", "gpt-old")
    one.now += HOUR
    report = sync(one)
    assert of_main(report) == ("unchanged", utc(one.now), False)
    assert one.models()["openai"] == ("gpt-5", "gpt-old")
    fail(one)
    assert of_main(sync(one)) == ("failed", None, False)
    assert one.models()["openai"] == ("gpt-5", "gpt-old")


def test_a_clock_that_falls_back_to_1970_hides_nothing_and_is_forgotten(one: World) -> None:
    assert sync(one).ok
    before = one.store.pointer.read_bytes()
    one.now = IN_1970
    assert one.models()["openai"] == ("gpt-5", "gpt-old")
    assert of_main(sync(one)) == ("unchanged", utc(IN_1970), False)
    fallen = one.store.pointer.read_bytes()
    assert fallen != before
    assert sync(one).ok
    assert one.store.pointer.read_bytes() == fallen  # and not written again and again
    assert one.models()["openai"] == ("gpt-5", "gpt-old")
    one.now = NOW + HOUR
    assert of_main(sync(one)) == ("unchanged", utc(one.now), False)
    assert one.registry().get_last_refresh_time() == utc(one.now)


def test_a_newer_wheel_still_replaces_what_was_fetched_in_1970(one: World) -> None:
    one.now = IN_1970
    assert sync(one).ok
    one.bundle = type(one.bundle)(
        one.bundle.load,
        {**one.bundle.captured, "main": BUNDLED_AT + YEAR},
        one.bundle.plugins,
        one.bundle.sources,
    )
    assert one.models()["openai"] == ("gpt-old",)
