"""The background refresher: a daemon thread that syncs whenever the stored data is due."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import SyncReport

logger = logging.getLogger("registry_core")

#: Seconds until the first new try after a failure; each further one waits twice as long,
#: up to the interval.
FIRST_RETRY = 60.0
#: Up to this share of the interval is added at random, so that a team's machines, all
#: started at nine, don't ask the gateways in the same second for ever.
JITTER = 0.1
#: Seconds. A wait counts no time that the machine sleeps, so the clock is looked at between.
_LONGEST_WAIT = 60.0


class Refresher:
    """Calls `sync` when the data is older than the interval, until it is stopped.

    `last_refresh` and `clock` are in epoch seconds; a last refresh in the future (the
    clock was set back) counts as now. `interval` is asked for, in seconds, by the thread.
    `wait(event, seconds)` returns whether the event was set. Never keeps the interpreter
    alive; in a forked child it starts anew.
    """

    def __init__(
        self,
        *,
        sync: Callable[[], SyncReport],
        last_refresh: Callable[[], float | None],
        interval: Callable[[], float],
        clock: Callable[[], float],
        random: Callable[[], float],
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._sync = sync
        self._last_refresh = last_refresh
        self._interval = interval
        self._clock = clock
        self._random = random
        self._wait = wait
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; nothing if it runs already."""
        if self._thread is not None:
            return
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stop,), name="registry-core refresh", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """No further sync starts. Returns at once: one that is under way ends by itself,
        and what it has got is stored."""
        self._stop.set()
        self._thread = None

    def _run(self, stop: threading.Event) -> None:
        failures = 0
        retry_at: float | None = None
        share = 1 + JITTER * self._random()
        interval: float | None = None
        while not stop.is_set():
            try:
                if interval is None:
                    interval = self._interval()
                now = self._clock()
                due = retry_at if retry_at is not None else self._due(now, interval * share)
                if now < due:
                    self._wait(stop, min(due - now, _LONGEST_WAIT))
                    continue
                report = self._sync()
                problem = None if report.ok else _problem(report)
            except Exception as error:  # settings, store: they may be mended meanwhile
                logger.debug("auto-refresh failed", exc_info=True)
                problem = str(error)
            if problem is None:
                if failures:
                    logger.info("auto-refresh works again")
                failures, retry_at = 0, None
                share = 1 + JITTER * self._random()
                continue
            delay = min(FIRST_RETRY * 2 ** min(failures, 30), interval or FIRST_RETRY)
            retry_at = self._clock() + delay * (1 + JITTER * self._random())
            failures += 1
            level = logging.WARNING if failures == 1 else logging.DEBUG  # once, not each hour
            logger.log(level, "auto-refresh: %s; trying again, the last good data stays", problem)

    def _due(self, now: float, interval: float) -> float:
        last = self._last_refresh()
        return now if last is None else min(last, now) + interval

    def restart(self) -> None:
        """Threads don't survive a fork: the child (a worker of gunicorn) needs its own."""
        self._thread = None
        self.start()


def _problem(report: SyncReport) -> str:
    failed = [f"{one.id}: {one.error}" for one in report.gateways if not one.ok]
    failed += [f"{one.culprit}: {one.message}" for one in report.problems if one.fatal]
    return "; ".join(failed)
