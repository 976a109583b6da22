"""The background refresher: a daemon thread that syncs whenever the stored data is due."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

# Imported in the caller's thread: its fork hooks must not be added in the middle of a fork.
import filelock as _filelock  # noqa: F401  # pyright: ignore[reportUnusedImport]

from .._base.decoding import require_msgspec
from ..errors import StoreError, error_text as describe

if TYPE_CHECKING:
    from .._catalog.snapshot import Snapshot
    from .._plugins.host import PluginHost
    from .._world import World
    from ..report import SyncReport
    from .options import Options
    from .polling import News
    from .watching import Watch

logger = logging.getLogger("registry_core")

#: Seconds until the first retry after a failure. Each further one waits twice as long, up to the
#: interval.
FIRST_RETRY = 60.0
#: Up to this share of each wait is added at random. Otherwise a team's machines, all started at
#: nine, would always ask the gateways in the same second.
JITTER = 0.1
#: Seconds. A wait does not count the time while the machine sleeps, so the clock is read between
#: two waits.
LONGEST_WAIT = 60.0
#: Seconds between two looks at the files that a dev server watches.
LOOK_EVERY = 2.0

#: Held while a refresher imports. A fork waits for that, but not for ever. Without it, the child
#: would have a half imported module, and no thread to finish it.
_importing = threading.RLock()
_FORK_PATIENCE = 10.0
_started: WeakSet[Refresher] = WeakSet()


class Refresher:
    """Calls `sync` when the data is older than the interval, until it is stopped.

    All times are in seconds. `last_refresh` and `clock` give epoch seconds. If a time lies in the
    future (the clock was set back), the data is due.

    - `prepare()` imports all that a sync needs, and returns the interval. The thread calls it, and
      calls it again if it raised.
    - `sync(interval, retry_after, host)` asks gateways that have not answered for `interval`,
      unless they failed within `retry_after`.
    - `watch()`, if it returns a watch, has it look every `LOOK_EVERY` seconds during a wait. What
      it finds goes to a sync at once, as `host`, and `prepare` is called again.
    - `begin()` is called once, after the first `prepare`. It logs what is going to happen, and
      returns its warnings.
    - `served()` returns what is served after a sync.
    - `news()` returns whether there is something to take over, which is done at once, and after
      how many seconds to ask again.
    - `random()` gives 0 to 1. `wait(event, seconds)` returns when the event is set or the time is
      over.

    It never keeps the interpreter alive. In a forked child it starts again.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[], float],
        sync: Callable[[float, float, PluginHost | None], SyncReport],
        last_refresh: Callable[[], float | None],
        clock: Callable[[], float],
        random: Callable[[], float],
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        watch: Callable[[], Watch | None] = lambda: None,
        begin: Callable[[], Collection[str]] = tuple,
        served: Callable[[], Snapshot | None] = lambda: None,
        news: Callable[[], tuple[bool, float]] = lambda: (False, LONGEST_WAIT),
    ) -> None:
        self._prepare = prepare
        self._sync = sync
        self._last_refresh = last_refresh
        self._clock = clock
        self._random = random
        self._wait = wait
        self._watch = watch
        self._begin = begin
        self._served = served
        self._news = news
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started, and its thread lives."""
        return self in _started and self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, unless it runs already. If the system allows no thread, it only warns,
        since the lookup that started it does not need it."""
        if self.runs:
            return
        self._stop = threading.Event()
        try:
            self._thread = threading.Thread(
                target=self.run, args=(self._stop,), name="registry-core refresh", daemon=True
            )
            self._thread.start()
        except RuntimeError as error:
            logger.warning("auto-refresh: can't be started: %s", error)
        else:
            _started.add(self)

    def stop(self) -> None:
        """Start no further sync. Returns at once. A running sync ends by itself, and its result
        is stored."""
        self._stop.set()
        _started.discard(self)

    def run(self, stop: threading.Event) -> None:
        """What the thread does until `stop` is set."""
        interval: float | None = None
        ended: float | None = None  # when this process last tried to sync
        failures = 0
        jitter = 0.0  # none at the first look, so a sync that is due starts at once
        announced: float | None = None
        host: PluginHost | None = None  # what a look has found
        failing: set[str] = set()
        watch: Watch | None = None
        warned: Collection[str] | None = None
        while not stop.is_set():
            report: SyncReport | None = None
            try:
                if failures:
                    since, pause = ended, _backoff(failures, interval)
                else:
                    interval = self._prepared(interval)
                    warned = self._begin() if warned is None else warned
                    since, pause = self._refreshed(ended, interval), interval
                now = self._clock()
                pause *= 1 + jitter
                rests = host is None and since is not None and since <= now < since + pause
                is_news, poll = self._news() if rests else (False, LONGEST_WAIT)
                if rests and since is not None and not is_news:
                    if announced != since + pause:
                        announced = since + pause
                        logger.debug("auto-refresh: due in %.0f s", announced - now)
                    host = self._rest(stop, min(since + pause - now, LONGEST_WAIT, poll))
                    jitter = jitter or JITTER * self._random()
                    continue
                interval = self._prepared(interval)
                logger.debug("auto-refresh: %s", "the data is due" if host is None else _SOON)
                adopted, host = host, None
                watch = self._watch()  # before the sync, so that it knows what was served
                report = self._sync(interval, _backoff(failures, interval), adopted)
                if adopted is not None:
                    interval = None
                problems = _problems(report)
            except Exception as error:  # of settings or store, which may be fixed until next time
                logger.debug("auto-refresh failed", exc_info=True)
                problems = {getattr(error, "culprit", "") or type(error).__name__: describe(error)}
            ended, jitter = self._clock(), JITTER * self._random()
            failures = failures + 1 if problems else 0
            if problems:
                # Warn once for each culprit, not every hour.
                level = logging.WARNING if problems.keys() - failing else logging.DEBUG
                text = "auto-refresh: %s; the last good data stays, and the refresh is tried again"
                logger.log(level, text, " ".join("; ".join(problems.values()).split()))
            still = {*problems, *failing.intersection(_waiting(report))}
            if failing and not still:
                logger.info("auto-refresh: works again")
            failing = still
            if report is not None:
                warned = _tell(report, watch, self._served, warned or ())

    def _rest(self, stop: threading.Event, seconds: float) -> PluginHost | None:
        """Wait until the time is over, or a look finds something."""
        while seconds > 0 and not stop.is_set():
            watch = self._watch()
            if watch is not None and (host := watch.look()) is not None:
                return host
            step = seconds if watch is None else min(seconds, LOOK_EVERY)
            self._wait(stop, step)
            seconds -= step
        return None

    def _prepared(self, interval: float | None) -> float:
        if interval is not None:
            return interval
        with _importing:
            return self._prepare()

    def _refreshed(self, ended: float | None, interval: float) -> float | None:
        """The time from which the age of the data counts. If a later sync of this process had no
        effect (offline, a pinned snapshot), its time counts, so it is not repeated without end."""
        now, last = self._clock(), self._last_refresh()
        last, ended = (None if time is None or time > now else time for time in (last, ended))
        in_vain = ended is not None and (last is None or last + interval <= ended)
        return ended if in_vain else last


_SOON = "settings were edited, or generated files are gone"


def _backoff(failures: int, interval: float | None) -> float:
    """Seconds until a gateway is asked again after this many failures in a row."""
    doubled = FIRST_RETRY * 2.0 ** min(max(failures - 1, 0), 30)
    return min(doubled, FIRST_RETRY if interval is None else interval)


def _tell(
    report: SyncReport,
    watch: Watch | None,
    served: Callable[[], Snapshot | None],
    warned: Collection[str],
) -> Collection[str]:
    """Log what has changed, and the warnings that are not in `warned`. So each is logged once
    until it is fixed. Returns all warnings."""
    from .._catalog.snapshot import Snapshot
    from .telling import news, warnings

    if watch is not None:
        watch.tell_news()
    else:
        for line in news(report, served() or Snapshot.build(())):
            logger.info("%s", line)
    new, all = warnings(report, warned)
    for line in new:
        logger.info("auto-refresh: %s", line)
    return all


def _problems(report: SyncReport) -> dict[str, str]:
    """Culprit → what failed, starting with its name."""
    failed = {
        gateway.id: f"{gateway.id}: {gateway.error}"
        for gateway in report.gateways
        if not gateway.ok
    }
    return failed | {problem.culprit: str(problem) for problem in report.problems if problem.fatal}


def _waiting(report: SyncReport | None) -> Collection[str]:
    """The gateways that another machine of the fleet asks."""
    return (
        {gateway.id for gateway in report.gateways if gateway.status == "waiting"} if report else ()
    )


def refresher_of(
    world: World, sync: Callable[[Options], SyncReport], interval_ms: int | None
) -> Refresher:
    """A refresher that calls `sync`; None means the interval of the settings."""
    from ..settings import refresh_interval

    given = None if interval_ms is None else refresh_interval(interval_ms, "interval_ms")

    def interval() -> float:
        return (given or world.settings.refresh_interval_ms) / 1000

    def prepare() -> float:
        _import_all()
        world.host.load()
        return interval()

    def refresh(interval: float, retry_after: float, host: PluginHost | None) -> SyncReport:
        from .options import Options

        return sync(Options(fresh_for=interval, retry_after=retry_after, host=host))

    def last_refresh() -> float | None:
        from .freshness import answered_at

        return answered_at(world.state(), world.host.gateways())

    def begin() -> Collection[str]:
        """Logs only beside a dev server, where somebody reads it."""
        if not world.serves_dev:
            return ()
        from .telling import mistakes, plan

        for line in plan(world, interval()):
            logger.info("%s", line)
        wrong: list[str] = []
        with suppress(StoreError):  # a sync reports it
            wrong = mistakes(world)
        for line in wrong:
            logger.info("auto-refresh: %s", line)
        return wrong

    def served() -> Snapshot | None:
        with suppress(StoreError):
            return world.load().snapshot
        return None

    watching: Watch | None = None

    def watch() -> Watch | None:
        """None until this is known to be a dev server. An adapter may say so later."""
        nonlocal watching
        if watching is None and world.serves_dev:
            from .watching import Watch

            watching = Watch(world)
        return watching if world.serves_dev else None

    shared: News | None = None

    def news() -> tuple[bool, float]:
        nonlocal shared
        if world.settings.shared is None:
            return False, LONGEST_WAIT
        if shared is None:
            from .polling import News

            shared = News(world)
        return shared.look(), shared.poll or LONGEST_WAIT

    return Refresher(
        prepare=prepare,
        sync=refresh,
        last_refresh=last_refresh,
        clock=world.clock,
        random=world.random,
        wait=world.wait,
        watch=watch,
        begin=begin,
        served=served,
        news=news,
    )


def _import_all() -> None:
    """Import what a sync needs, and what its libraries would import during a sync."""
    from importlib import import_module

    for name in _NEEDED:
        with suppress(ImportError):  # the sync reports it, or does not need it
            import_module(name, __package__)
    with suppress(ImportError):
        require_msgspec()


_NEEDED = (
    *(".joining", ".sync", ".telling", ".watching", ".._catalog.writing"),
    *("ctypes", "importlib_resources.future.adapters", "importlib_resources.readers"),
    "netrc",
)


class _Fork:
    """The hooks around a fork. `waited`: whether `before` got the lock."""

    waited = False

    @classmethod
    def before(cls) -> None:
        cls.waited = _importing.acquire(timeout=_FORK_PATIENCE)

    @classmethod
    def in_parent(cls) -> None:
        if cls.waited:
            _importing.release()

    @classmethod
    def in_child(cls) -> None:
        """Threads don't survive a fork: the child (a worker of gunicorn) needs its own."""
        global _importing
        _importing = threading.RLock()
        for refresher in list(_started):
            _started.discard(refresher)
            refresher.start()


if hasattr(os, "register_at_fork"):
    # After filelock's and the registry's own hooks, which the new threads need.
    os.register_at_fork(
        before=_Fork.before, after_in_parent=_Fork.in_parent, after_in_child=_Fork.in_child
    )
