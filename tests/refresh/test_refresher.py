"""When the refresher syncs, over simulated hours: no thread, no sleep, a clock that is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import pytest

from registry_core._plugins.host import PluginHost
from registry_core._sync.refresh import FIRST_RETRY, JITTER, LONGEST_WAIT, Refresher
from registry_core.errors import SettingsError
from registry_core.report import Change, Problem, SyncReport

HOUR = 3600.0
START = 1_800_000_000.0

Sync = Callable[[], bool]


def always() -> bool:
    return True


class Timeline:
    """A refresher, the clock that it looks at, and the moments at which it synced.

    Moments are seconds that the process has waited; `offset` is what else the clock went.
    """

    def __init__(
        self,
        age: float | None,
        *,
        sync: Sync = always,
        reaches: bool = True,
        random: float = 0.0,
        interval: Callable[[], float] = lambda: HOUR,
    ) -> None:
        """`age`: of the stored data, in seconds; None is never. `sync` tells whether it went
        well, and `reaches` whether that is stored as a refresh."""
        self.waited = 0.0
        self.offset = 0.0
        self.last = None if age is None else START - age
        self.syncs: list[float] = []
        self.retries: list[float] = []
        self.waits: list[float] = []
        self._sync = sync
        self._reaches = reaches
        self._events: dict[float, Callable[[], None]] = {}
        self._end = 0.0
        self.refresher = Refresher(
            prepare=interval,
            sync=self._synced,
            last_refresh=lambda: self.last,
            clock=self.clock,
            random=lambda: random,
            wait=self._wait,
        )

    def clock(self) -> float:
        return START + self.waited + self.offset

    def at(self, moment: float, event: Callable[[], None]) -> None:
        self._events[moment] = event

    def jump(self, seconds: float) -> None:
        self.offset += seconds

    def run(self, seconds: float) -> list[float]:
        """The moments of the syncs."""
        self._end = seconds
        self.refresher.run(threading.Event())
        return self.syncs

    def _synced(self, interval: float, retry_after: float, host: PluginHost | None) -> SyncReport:
        self.syncs.append(round(self.waited))
        self.retries.append(retry_after)
        problems = () if self._sync() else (Problem("gateway", "main", "answered 500"),)
        if not problems and self._reaches:
            self.last = self.clock()
        return SyncReport(datetime.fromtimestamp(self.clock(), UTC), problems=problems)

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        assert seconds > 0
        self.waits.append(seconds)
        self.waited += seconds
        for moment in [one for one in self._events if one <= self.waited]:
            self._events.pop(moment)()
        if self.waited >= self._end:
            stop.set()


def failing(times: int) -> Sync:
    tries = count(1)
    return lambda: next(tries) > times


def test_data_that_is_older_than_the_interval_is_refreshed_at_once() -> None:
    for random in (0.0, 1.0):  # with no jitter: what is due is due
        assert Timeline(HOUR, random=random).run(1) == [0]
        assert Timeline(10 * HOUR, random=random).run(1) == [0]


def test_data_that_was_never_refreshed_is_refreshed_at_once() -> None:
    assert Timeline(None, random=1.0).run(1) == [0]


def test_younger_data_is_refreshed_the_moment_it_is_that_old() -> None:
    assert Timeline(HOUR - 1).run(10) == [1]
    assert Timeline(600).run(HOUR) == [3000]
    assert Timeline(0).run(HOUR - 1) == []


def test_it_goes_on_every_interval() -> None:
    assert Timeline(0).run(10 * HOUR + 1) == [n * HOUR for n in range(1, 11)]


def test_jitter_comes_after_the_interval_and_is_at_most_a_tenth_of_it() -> None:
    late = round(HOUR * (1 + JITTER))
    assert Timeline(0, random=1.0).run(3 * late + 1) == [late, 2 * late, 3 * late]
    assert Timeline(HOUR - 1, random=1.0).run(HOUR) == [1 + HOUR * JITTER]


def test_what_another_process_refreshed_meanwhile_is_never_due() -> None:
    timeline = Timeline(600)

    def other() -> None:
        timeline.last = timeline.clock()
        timeline.at(timeline.waited + 1800, other)

    timeline.at(1800, other)
    assert timeline.run(24 * HOUR) == []


def test_a_sync_that_is_not_stored_as_a_refresh_does_not_make_it_spin() -> None:
    """Offline, a pinned snapshot, all gateways disabled: all is well, and nothing is reached."""
    assert Timeline(None, reaches=False).run(3 * HOUR + 1) == [0, HOUR, 2 * HOUR, 3 * HOUR]


def test_a_last_refresh_in_the_future_is_none() -> None:
    assert Timeline(-10 * HOUR).run(HOUR + 1) == [0, HOUR]


def test_a_clock_that_is_set_back_makes_the_data_due_once() -> None:
    timeline = Timeline(0)
    timeline.at(1800, lambda: timeline.jump(-365 * 24 * HOUR))
    assert timeline.run(1800 + HOUR + 1) == [1800, 1800 + HOUR]


def test_a_clock_that_is_set_forward_makes_the_data_due_once() -> None:
    timeline = Timeline(0)
    timeline.at(1800, lambda: timeline.jump(365 * 24 * HOUR))
    assert timeline.run(1800 + HOUR + 1) == [1800, 1800 + HOUR]


def test_a_clock_that_is_set_back_does_not_prolong_the_wait_after_a_failure() -> None:
    timeline = Timeline(None, sync=failing(1))
    timeline.at(60, lambda: timeline.jump(-24 * HOUR))
    assert timeline.run(100) == [0, 60]


def test_a_machine_that_slept_refreshes_within_a_minute_of_waking() -> None:
    timeline = Timeline(0)
    timeline.at(600, lambda: timeline.jump(8 * HOUR))
    assert timeline.run(HOUR) == [600]
    assert max(timeline.waits) <= LONGEST_WAIT


def test_failures_are_tried_again_at_twice_the_distance_up_to_the_interval() -> None:
    timeline = Timeline(None, sync=lambda: False)
    distances = [60, 120, 240, 480, 960, 1920, 3600, 3600]
    expected = [0.0]
    for distance in distances:
        expected.append(expected[-1] + distance)
    assert timeline.run(sum(distances) + 1) == expected
    assert timeline.retries == [FIRST_RETRY, *distances]


def test_failures_are_tried_again_for_ever() -> None:
    timeline = Timeline(None, sync=lambda: False)
    assert len(timeline.run(2000 * HOUR)) > 1990


def test_after_a_failure_it_recovers_by_itself() -> None:
    timeline = Timeline(None, sync=failing(2))
    assert timeline.run(2 * HOUR) == [0, 60, 180, 180 + HOUR]


def test_a_short_interval_is_never_exceeded_by_a_retry() -> None:
    assert Timeline(None, sync=lambda: False, interval=lambda: 5.0).run(16) == [0, 5, 10, 15]


def test_failures_have_jitter_too() -> None:
    assert Timeline(None, sync=lambda: False, random=1.0).run(200) == [0, 66, 198]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    caplog.set_level(logging.DEBUG, "registry_core")

    def above_debug() -> list[tuple[str, str]]:
        return [
            (one.levelname, one.getMessage())
            for one in caplog.records
            if one.levelno > logging.DEBUG
        ]

    yield above_debug


Lines = Callable[[], list[tuple[str, str]]]


def test_a_failure_is_said_once_and_so_is_its_end(lines: Lines) -> None:
    Timeline(None, sync=failing(50)).run(60 * HOUR)
    assert [level for level, _ in lines()] == ["WARNING", "INFO"]
    assert "main: answered 500;" in lines()[0][1]
    assert "works again" in lines()[1][1]


def test_a_failure_names_nobody_who_is_well(lines: Lines) -> None:
    problems = (
        Problem("gateway", "main", "answered 500"),
        Problem("record", "second: acme/x", "cost is taken as unknown", fatal=False),
    )
    timeline = Timeline(None)
    timeline.refresher._sync = lambda *_: SyncReport(
        datetime.fromtimestamp(START, UTC), problems=problems
    )
    timeline.run(HOUR / 2)
    failed, told = [text for level, text in lines() if level == "WARNING"], lines()[1]
    assert "main: answered 500" in failed[0]
    assert "second" not in failed[0]
    # What is no failure is said once, and only to who wants to hear of it.
    assert told == ("INFO", "auto-refresh: second: acme/x: cost is taken as unknown")
    assert [text for _, text in lines()].count(told[1]) == 1


def test_a_second_culprit_is_said_when_it_joins_the_first(lines: Lines) -> None:
    """Else the first one that fails for days would hide all others."""
    tries = count(1)

    def fail(*_: object) -> SyncReport:
        names = ["main", "second"] if next(tries) > 2 else ["main"]
        problems = tuple(Problem("gateway", name, "answered 500") for name in names)
        return SyncReport(datetime.fromtimestamp(START, UTC), problems=problems)

    timeline = Timeline(None)
    timeline.refresher._sync = fail
    timeline.run(10 * HOUR)
    assert [text.count("answered 500") for _, text in lines()] == [1, 2]


def test_what_changed_is_said_in_three_lines_what_matters_most_first(lines: Lines) -> None:
    changes = [Change("a/x", "model", "family", None, f"family {n}") for n in range(9)]
    timeline = Timeline(None)
    timeline.refresher._sync = lambda *_: SyncReport(
        datetime.fromtimestamp(START, UTC),
        added=tuple(f"a/{n}" for n in range(5)),
        removed=("b/old",),
        deprecated=("b/older",),
        updated=(*changes, Change("openai/gpt-5", "model", "cost.input", 1.25, 2)),
    )
    timeline.run(HOUR / 2)
    assert lines() == [
        ("INFO", "new: a/0; a/1; a/2, and 2 more"),
        ("INFO", "prices: openai/gpt-5 input $1.25 → $2 (+60%) per 1M tokens"),
        ("INFO", "leaving: b/old removed; b/older deprecated; 1 more changed"),
    ]


def test_a_warning_is_said_once_until_it_is_mended_and_back(lines: Lines) -> None:
    tries = count(1)

    def warn(*_: object) -> SyncReport:
        problems = [
            Problem("record", f"acme/{n}", "cost is unknown", fatal=False) for n in range(9)
        ]
        if next(tries) == 3:
            problems = []
        return SyncReport(datetime.fromtimestamp(START, UTC), problems=tuple(problems))

    timeline = Timeline(None, reaches=False)
    timeline.refresher._sync = warn
    timeline.run(4 * HOUR + 1)
    said = [text for level, text in lines() if level == "INFO"]
    assert len(said) == 12
    assert said[0] == "auto-refresh: acme/0: cost is unknown"
    assert said[5] == "auto-refresh: 4 more warnings: registry-core sync shows them"


def test_a_later_failure_is_said_again(lines: Lines) -> None:
    tries = count(1)
    Timeline(None, sync=lambda: next(tries) not in (1, 4)).run(10 * HOUR)
    assert [level for level, _ in lines()] == ["WARNING", "INFO"] * 2


def test_all_is_well_in_silence(lines: Lines) -> None:
    Timeline(None).run(10 * HOUR)
    assert lines() == []


def test_a_sync_that_raises_is_a_failure_like_any_other(lines: Lines) -> None:
    tries = count(1)

    def sync() -> bool:
        if next(tries) == 1:
            raise OSError("disk\nfull")
        return True

    assert Timeline(None, sync=sync).run(HOUR) == [0, 60]
    assert lines()[0] == (
        "WARNING",
        "auto-refresh: OSError: disk full; the last good data stays, "
        "and the refresh is tried again",
    )
    assert len(lines()) == 2


def test_settings_that_cannot_be_read_are_read_again_every_minute(lines: Lines) -> None:
    """pyproject.toml is being edited while the dev server runs."""
    tries = count(1)

    def interval() -> float:
        if next(tries) <= 100:
            raise SettingsError("can't be parsed", culprit="pyproject.toml")
        return HOUR

    assert Timeline(None, interval=interval).run(101 * 60) == [100 * 60]
    assert [level for level, _ in lines()] == ["WARNING", "INFO"]


def test_what_is_decided_is_in_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "registry_core")
    Timeline(600).run(HOUR)
    assert [one.getMessage() for one in caplog.records] == [
        "auto-refresh: due in 3000 s",
        "auto-refresh: the data is due",
        "auto-refresh: due in 3600 s",
    ]


def test_a_second_start_does_nothing_and_a_start_after_a_stop_does() -> None:
    timeline = Timeline(0)
    timeline.refresher._wait = threading.Event.wait
    names: list[int] = []
    for action in (timeline.refresher.start, timeline.refresher.start, timeline.refresher.stop):
        action()
        names.append(sum(one.name == "registry-core refresh" for one in threading.enumerate()))
    assert names[:2] == [1, 1]
    timeline.refresher.start()
    timeline.refresher.stop()
    for thread in threading.enumerate():
        if thread.name == "registry-core refresh":
            assert thread.daemon
            thread.join(60)
            assert not thread.is_alive()
