"""What an auto-refresh asks, stores and says; the hours pass at the test's command."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry_core import (
    Disabled,
    ModelGateway,
    ModelRegistry,
    ProviderConfig,
    Settings,
    Snapshot,
    hookimpl,
)
from registry_core._base.warning import warn_once
from registry_core._world import World as RealWorld
from tests.loopback import Reply, Request
from tests.refresh.conftest import HOUR, MINUTE, Make, let_pass
from tests.world import NOW, Overlay, World

MAIN, SECOND = "/main.json", "/second.json"


@pytest.fixture
def two(world: World) -> World:
    """Two gateways that answer."""
    for id, payload in (("main", {"openai": ["gpt-5"]}), ("second", {"other": ["x"]})):
        world.gateway(id)
        world.serve(id, payload, etag='"1"')
    return world


def test_data_older_than_the_interval_is_refreshed_at_once_then_every_hour(
    two: World, live: Make
) -> None:
    one = live()
    assert one.start() == {MAIN: 1, SECOND: 1}
    assert one.registry.get_model("openai/gpt-5") is not None
    assert one.let_pass(HOUR - 1) == {}
    assert one.let_pass(1) == {MAIN: 1, SECOND: 1}
    assert one.let_pass(5 * HOUR) == {MAIN: 5, SECOND: 5}


def test_young_data_is_refreshed_the_moment_it_is_an_hour_old(two: World, live: Make) -> None:
    two.sync()
    two.now += 20 * MINUTE
    one = live()
    one.requests()
    assert one.start() == {}
    assert one.let_pass(40 * MINUTE - 1) == {}
    assert one.let_pass(1) == {MAIN: 1, SECOND: 1}


def test_the_last_refresh_is_known_to_later_processes(two: World, live: Make) -> None:
    live().start()
    two.now += 30 * MINUTE
    later = two.registry()
    found = later.get_last_refresh_time()
    assert found is not None
    assert found.timestamp() == NOW


@pytest.mark.parametrize("text", ["", "{", "[]", '{"last_refresh": "yesterday"}', "\0"])
def test_a_damaged_state_is_never_and_is_mended(two: World, live: Make, text: str) -> None:
    two.sync()
    two.store.state.write_text(text)
    one = live()
    one.requests()
    assert one.start() == {MAIN: 1, SECOND: 1}
    assert one.let_pass(HOUR - 1) == {}


def test_what_another_process_refreshed_is_not_asked_again(two: World, live: Make) -> None:
    one = live()
    one.start()
    for _ in range(6):
        one.let_pass(30 * MINUTE)
        two.sync()
        assert one.requests() == {MAIN: 1, SECOND: 1}
    assert one.let_pass(HOUR - 1) == {}


def test_a_gateway_that_always_fails_is_not_the_others_burden(two: World, live: Make) -> None:
    two.server.route(SECOND, Reply(500))
    one = live()
    assert one.start() == {MAIN: 1, SECOND: 1}
    assert one.let_pass(HOUR - 1) == {SECOND: 5}  # after 1, 3, 7, 15 and 31 minutes
    for _ in range(8):
        asked = one.let_pass(HOUR)
        assert asked[MAIN] <= 1
        assert asked[SECOND] <= 1
    assert one.let_pass(10 * HOUR)[MAIN] >= 9


def test_a_gateway_that_is_well_again_is_found_so_and_the_other_keeps_its_hour(
    two: World, live: Make
) -> None:
    two.server.route(SECOND, Reply(500))
    one = live()
    one.start()
    one.let_pass(20 * MINUTE)
    two.serve("second", {"other": ["y"]})
    assert one.let_pass(20 * MINUTE) == {SECOND: 1}  # the fifth try, after 31 minutes
    assert one.registry.get_model("other/y") is not None
    # The main gateway's hour ends first; "every gateway has answered since" is its time.
    assert one.let_pass(20 * MINUTE) == {MAIN: 1}
    for _ in range(4):
        assert one.let_pass(HOUR) == {MAIN: 1, SECOND: 1}


def test_many_processes_that_fail_ask_once_a_round(two: World, live: Make) -> None:
    two.server.route(SECOND, Reply(500))
    many = [live() for _ in range(4)]
    assert [one.start() for one in many] == [{MAIN: 1, SECOND: 1}, {}, {}, {}]
    let_pass(two, HOUR - 1, *many)
    assert many[0].requests() == {SECOND: 5}


def test_a_disabled_gateway_is_no_failure_and_does_not_hold_the_others_up(
    two: World, live: Make, caplog: pytest.LogCaptureFixture
) -> None:
    two.gateway("shy", should_enable=lambda settings: Disabled("set SHY_TOKEN"))
    one = live()
    assert one.start() == {MAIN: 1, SECOND: 1}
    found = one.registry.get_last_refresh_time()
    assert found is not None
    assert found.timestamp() == NOW
    assert one.let_pass(5 * HOUR) == {MAIN: 5, SECOND: 5}
    assert [line for line in caplog.records if line.levelno > logging.INFO] == []


def test_a_gateway_that_was_never_asked_is_asked_at_once(two: World, live: Make) -> None:
    """`pip install` of another plugin, and the dev server starts anew."""
    two.sync()
    two.now += MINUTE
    two.gateway("third")
    two.serve("third", {"third": ["z"]})
    one = live()
    one.requests()
    assert one.start() == {"/third.json": 1}
    assert one.registry.get_model("third/z") is not None


def test_a_token_that_was_set_counts_at_the_next_start(two: World, live: Make) -> None:
    environ: dict[str, str] = {}
    two.gateway("shy", should_enable=lambda settings: bool(environ) or Disabled("set SHY_TOKEN"))
    two.serve("shy", {"shy": ["m"]})
    two.sync()
    environ["SHY_TOKEN"] = "here"
    two.now += MINUTE
    one = live()
    one.requests()
    assert one.start() == {"/shy.json": 1}


def test_an_answer_that_is_json_but_no_data_is_asked_for_again_soon(two: World, live: Make) -> None:
    """It is kept as a payload; that must not hide the next one for an hour."""
    two.serve("main", None)
    one = live()
    assert one.start() == {MAIN: 1, SECOND: 1}
    two.serve("main", {"openai": ["gpt-6"]})
    assert one.let_pass(MINUTE) == {MAIN: 1}
    assert one.registry.get_model("openai/gpt-6") is not None


def test_a_payload_that_another_environment_got_lately_is_taken_over(
    two: World, live: Make, tmp_path: Path
) -> None:
    two.sync()
    shutil.rmtree(two.store.place)  # another environment: a store of its own, the same cache
    two.now += 30 * MINUTE
    one = live()
    one.requests()
    assert one.start() == {}
    assert one.registry.get_model("openai/gpt-5") is not None
    assert one.let_pass(HOUR) == {MAIN: 1, SECOND: 1}


def test_data_that_an_overlay_held_is_used_as_soon_as_it_lets_go(two: World, live: Make) -> None:
    strict = [True]

    def overlay(snapshot: Snapshot) -> None:
        if strict:
            raise RuntimeError("no policy")

    two.plugins.append(Overlay(overlay))
    one = live()
    assert one.start() == {MAIN: 1, SECOND: 1}
    assert one.registry.get_model("openai/gpt-5") is None
    strict.clear()
    assert one.let_pass(MINUTE) == {}
    assert one.registry.get_model("openai/gpt-5") is not None
    assert one.registry.get_last_refresh_time() is not None


def test_a_store_that_lost_its_data_is_rebuilt_from_the_payloads(two: World, live: Make) -> None:
    two.sync()
    for path in (two.store.folder / "objects").iterdir():
        path.unlink()
    one = live()
    one.requests()
    assert one.registry.get_model("openai/gpt-5") is None
    two.now += HOUR
    two.server.route(MAIN, Reply(304))
    two.server.route(SECOND, Reply(304))
    one.start()
    assert one.registry.get_model("openai/gpt-5") is not None


def test_offline_it_neither_asks_nor_spins(two: World, live: Make) -> None:
    one = live(offline=True)
    assert one.start() == {}
    assert one.let_pass(3 * HOUR) == {}


def test_a_pinned_snapshot_does_not_make_it_spin(two: World, live: Make, tmp_path: Path) -> None:
    pinned = tmp_path / "pinned"
    pinned.write_bytes(two.bundled.to_bytes())
    one = live(snapshot=pinned)
    assert one.start() == {}
    assert one.let_pass(3 * HOUR) == {}


def test_strict_raises_nothing_in_the_background(two: World, live: Make) -> None:
    two.server.route(SECOND, Reply(404))
    one = live(strict=True)
    one.start()
    assert one.registry.get_model("openai/gpt-5") is not None
    with pytest.raises(ExceptionGroup):
        one.registry.sync_gateways()


class Counting(ModelGateway):
    id = name = "mine"

    def __init__(self) -> None:
        self.fetches = 0
        self.broken = False

    def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
        self.fetches += 1
        if self.broken:
            raise OSError("down")
        return {"mine": ProviderConfig(id="mine", models=["a"])}


def test_a_gateway_of_run_time_is_asked_no_more_than_any_other(two: World, live: Make) -> None:
    two.server.route(SECOND, Reply(500))
    one, mine = live(), Counting()
    one.registry.register_gateway(mine)
    one.start()
    one.let_pass(HOUR - 1)
    assert mine.fetches == 1
    one.let_pass(HOUR)
    assert mine.fetches == 2


def test_a_gateway_of_run_time_that_fails_is_reported_and_keeps_its_data(two: World) -> None:
    registry, mine = two.registry(), Counting()
    registry.register_gateway(mine)
    assert registry.sync_gateways().ok
    mine.broken = True
    report = registry.sync_gateways()
    assert not report.ok
    assert [(one.kind, one.culprit) for one in report.problems] == [("gateway", "mine")]
    assert registry.get_model("mine/a") is not None


def test_a_sync_that_asks_less_than_is_wanted_is_not_joined(two: World, live: Make) -> None:
    """`sync_gateways()` means now, even if an auto-refresh is under way that asks one gateway."""
    two.sync()
    two.now += MINUTE
    asked, release = threading.Event(), threading.Event()

    def hold(request: Request) -> Reply:
        asked.set()
        release.wait(60)
        return Reply(200, b'{"third": ["z"]}')

    two.gateway("third")
    two.server.route("/third.json", hold)
    one = live()
    one.requests()
    one.registry.start_auto_refresh()
    assert asked.wait(60)
    reports: list[Any] = []
    thread = threading.Thread(target=lambda: reports.append(one.registry.sync_gateways()))
    thread.start()
    release.set()
    thread.join(60)
    assert reports[0].ok
    assert one.requests() == {MAIN: 1, SECOND: 1, "/third.json": 2}


def test_stop_is_prompt_in_mid_fetch_and_what_was_got_is_stored(two: World, live: Make) -> None:
    asked, release, done = threading.Event(), threading.Event(), threading.Event()

    def hold(request: Request) -> Reply:
        asked.set()
        release.wait(60)
        return Reply(200, b'{"openai": ["gpt-6"]}')

    class Observer:
        @hookimpl
        def registry_refreshed(self) -> None:
            done.set()

    two.plugins.append(Observer())
    two.server.route(MAIN, hold)
    registry = two.registry()
    registry.start_auto_refresh()
    assert asked.wait(60)
    registry.stop_auto_refresh()  # returns, though the answer is still held
    assert not done.is_set()
    release.set()
    assert done.wait(60)
    assert two.models()["openai"] == ("gpt-6",)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_refresher_that_something_has_ended_is_started_again(two: World, live: Make) -> None:
    def end(stop: threading.Event, seconds: float) -> None:
        raise SystemExit

    two.wait = end
    registry = two.registry()
    registry.start_auto_refresh()
    for thread in threading.enumerate():
        if thread.name == "registry-core refresh":
            thread.join(60)
    two.server.requests.clear()
    waits = threading.Event()
    registry.world.wait = lambda stop, seconds: (waits.set(), stop.wait(60))
    two.now += 2 * HOUR
    registry.start_auto_refresh()
    assert waits.wait(60)
    registry.stop_auto_refresh()
    assert {*two.server.paths} == {MAIN, SECOND}


def test_where_no_thread_can_be_started_lookups_go_on_and_the_next_start_tries_again(
    two: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    waits = threading.Event()
    two.wait = lambda stop, seconds: (waits.set(), stop.wait(60))
    registry = two.registry()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        registry.start_auto_refresh()
    assert registry.get_model("openai/gpt-old") is not None
    assert "auto-refresh: can't be started: can't start new thread" in caplog.messages
    registry.start_auto_refresh()
    assert waits.wait(60)
    registry.stop_auto_refresh()
    assert {*two.server.paths} == {MAIN, SECOND}


def test_a_second_start_does_nothing(two: World, live: Make) -> None:
    one = live()
    one.start()
    one.registry.start_auto_refresh()
    one.registry.start_auto_refresh(120_000)
    assert sum(one.name == "registry-core refresh" for one in threading.enumerate()) == 1
    assert one.let_pass(HOUR - 1) == {}


def test_it_can_be_started_again_after_a_stop(two: World, live: Make) -> None:
    one = live()
    one.start()
    one.stop()
    two.now += HOUR
    assert one.start() == {MAIN: 1, SECOND: 1}


# The interval


def first_due(caplog: pytest.LogCaptureFixture) -> float:
    """Seconds from the start until the refresh, as it said."""
    return next(one.args[0] for one in caplog.records if "due in" in one.msg)  # type: ignore[index,misc,return-value]


@pytest.fixture
def due(
    two: World, live: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., float]:
    """How long a registry that finds fresh data waits; settings are read as in real life."""
    two.sync()

    def start(
        interval_ms: int | None = None,
        environ: dict[str, str] | None = None,
        settings: Settings | None = None,
    ) -> float:
        warn_once.cache_clear()
        caplog.clear()
        caplog.set_level(logging.DEBUG, "registry_core")

        def make(wait: Any) -> ModelRegistry:
            outside = RealWorld(
                settings,
                environ={"REGISTRY_CORE_PLUGINS": "", **(environ or {})},
                places=two.places,
                bundle=two.bundle,
                clock=lambda: two.now,
                random=lambda: 0.0,
                wait=wait,
            )
            return ModelRegistry(world=outside)

        one = live(make)
        one.start(interval_ms)
        one.stop()
        return first_due(caplog)

    monkeypatch.chdir(two.tmp_path)
    return start


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def test_the_interval_is_an_hour_unless_something_else_is_said(due: Callable[..., float]) -> None:
    assert due() == 3600


@pytest.mark.parametrize(
    "name", ["REGISTRY_CORE_REFRESH_INTERVAL_MS", "MASTRA_REFRESH_INTERVAL_MS"]
)
def test_the_environment_sets_the_interval(
    due: Callable[..., float], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert due(environ={name: "120000"}) == 120
    assert warnings(caplog) == []
    assert due(environ={name: "59999"}) == 60
    assert warnings(caplog) == [f"{name}: 59999 is too small; using 60000"]


def test_pyproject_sets_the_interval_and_the_thread_reads_it(
    due: Callable[..., float], two: World, caplog: pytest.LogCaptureFixture
) -> None:
    pyproject = two.tmp_path / "pyproject.toml"
    pyproject.write_text("[tool.registry-core]\nrefresh_interval_ms = 7200000\n")
    assert due() == 7200
    assert due(environ={"REGISTRY_CORE_REFRESH_INTERVAL_MS": "120000"}) == 120
    pyproject.write_text("[tool.registry-core]\nrefresh_interval_ms = 1\n")
    assert due() == 60
    assert len(warnings(caplog)) == 1
    assert "pyproject.toml" in warnings(caplog)[0]


def test_the_argument_comes_before_everything(
    due: Callable[..., float], caplog: pytest.LogCaptureFixture
) -> None:
    assert due(90_000, {"REGISTRY_CORE_REFRESH_INTERVAL_MS": "120000"}) == 90
    assert warnings(caplog) == []
    assert due(0) == 60
    assert warnings(caplog) == ["interval_ms: 0 is too small; using 60000"]


def test_explicit_settings_may_go_lower(
    due: Callable[..., float], caplog: pytest.LogCaptureFixture
) -> None:
    assert due(settings=Settings(refresh_interval_ms=5000, plugins=())) == 5
    assert warnings(caplog) == []
