"""The background refresher: a daemon thread that syncs whenever the stored data is due."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

# Here, in the caller's thread: its hooks must not come up between the two halves of a fork.
import filelock as _filelock  # noqa: F401  # pyright: ignore[reportUnusedImport]

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

#: Seconds until the first new try after a failure; each further one waits twice as long,
#: up to the interval.
FIRST_RETRY = 60.0
#: Up to this share of each wait is added at random, so that a team's machines, all
#: started at nine, don't ask the gateways in the same second for ever.
JITTER = 0.1
#: Seconds. A wait counts no time that the machine sleeps, so the clock is looked at between.
LONGEST_WAIT = 60.0
#: Seconds between two looks at what a dev server is to notice soon.
LOOK_EVERY = 2.0

#: Held while a refresher imports. A fork waits for that, though not for ever: no thread of
#: the child would end an import that was under way, and the module would stay half made.
_importing = threading.RLock()
_FORK_PATIENCE = 10.0
_started: WeakSet[Refresher] = WeakSet()


class Refresher:
    """Calls `sync` when the data is older than the interval, until it is stopped.

    All times are in seconds. `prepare` imports all that a sync needs, and gives the
    interval; it is called by the thread, again if it raised. `sync(interval, retry_after, host)`
    asks what has not answered for `interval`, nor failed within `retry_after`. While it waits
    it has `watch()`, if there is one, look every `LOOK_EVERY`: what that finds is given to a sync
    at once, as `host`, and `prepare` is called again. `begin()` is called once, after the first
    `prepare`: it says what is going to happen, and gives what it has warned of. `served()` gives
    what is served after a sync. `news()`: whether there is something to take over, which is done
    at once, and in how many seconds to ask that again.
    `last_refresh` and `clock` are in epoch seconds; a time in the future (the clock was
    set back) tells nothing, so the data is due. `random` gives 0 to 1. `wait(event,
    seconds)` returns when either is over.

    Never keeps the interpreter alive; in a forked child it starts anew.
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
        """Start the thread; nothing if it runs already. Where the system allows none, it
        warns: the lookup that started it has its answer without."""
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
        """No further sync starts. Returns at once: one that is under way ends by itself,
        and what it has got is stored."""
        self._stop.set()
        _started.discard(self)

    def run(self, stop: threading.Event) -> None:
        """What the thread does until `stop` is set."""
        interval: float | None = None
        ended: float | None = None  # when this process last synced, in vain or not
        failures = 0
        jitter = 0.0  # none at the first look: what is due then is due at once
        told: float | None = None
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
                    if told != since + pause:
                        told = since + pause
                        logger.debug("auto-refresh: due in %.0f s", told - now)
                    host = self._rest(stop, min(since + pause - now, LONGEST_WAIT, poll))
                    jitter = jitter or JITTER * self._random()
                    continue
                interval = self._prepared(interval)
                logger.debug("auto-refresh: %s", "the data is due" if host is None else _SOON)
                adopted, host = host, None
                watch = self._watch()  # which then knows what was served before
                report = self._sync(interval, _backoff(failures, interval), adopted)
                if adopted is not None:
                    interval = None
                problems = _problems(report)
            except Exception as error:  # settings, store: they may be mended meanwhile
                logger.debug("auto-refresh failed", exc_info=True)
                problems = {getattr(error, "culprit", "") or type(error).__name__: describe(error)}
            ended, jitter = self._clock(), JITTER * self._random()
            failures = failures + 1 if problems else 0
            if problems:
                # Each culprit once, not every hour.
                level = logging.WARNING if problems.keys() - failing else logging.DEBUG
                text = "auto-refresh: %s; the last good data stays, and it is tried again"
                logger.log(level, text, " ".join("; ".join(problems.values()).split()))
            still = {*problems, *failing.intersection(_waiting(report))}
            if failing and not still:
                logger.info("auto-refresh: works again")
            failing = still
            if report is not None:
                warned = _tell(report, watch, self._served, warned or ())

    def _rest(self, stop: threading.Event, seconds: float) -> PluginHost | None:
        """Wait; less, if a look finds something."""
        while seconds > 0 and not stop.is_set():
            watch = self._watch()
            if watch is not None and (found := watch.look()) is not None:
                return found
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
        """From when on the data ages; not from before a sync of ours that was to renew it, so
        that one without effect (offline, a pinned snapshot) is not tried without end."""
        now, last = self._clock(), self._last_refresh()
        last, ended = (None if time is None or time > now else time for time in (last, ended))
        in_vain = ended is not None and (last is None or last + interval <= ended)
        return ended if in_vain else last


_SOON = "settings were edited, or generated files are gone"


def _backoff(failures: int, interval: float | None) -> float:
    """Seconds to leave a gateway alone after so many failures in a row."""
    doubled = FIRST_RETRY * 2.0 ** min(max(failures - 1, 0), 30)
    return min(doubled, FIRST_RETRY if interval is None else interval)


def _tell(
    report: SyncReport,
    watch: Watch | None,
    served: Callable[[], Snapshot | None],
    warned: Collection[str],
) -> Collection[str]:
    """Log what has changed, and what is wrong and was not in `warned`, which is said once until
    it is mended."""
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
    """What failed: culprit → what, with its name."""
    failed = {one.id: f"{one.id}: {one.error}" for one in report.gateways if not one.ok}
    return failed | {one.culprit: str(one) for one in report.problems if one.fatal}


def _waiting(report: SyncReport | None) -> Collection[str]:
    """What another machine of the fleet asks."""
    return {one.id for one in report.gateways if one.status == "waiting"} if report else ()


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
        """Beside a dev server, where somebody reads it."""
        if not world.serves_dev:
            return ()
        from .telling import mistakes, plan

        for line in plan(world, interval()):
            logger.info("%s", line)
        wrong: list[str] = []
        with suppress(StoreError):  # a sync says so
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
        """None as long as this is no dev server, which an adapter may say later."""
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
    """Import what a sync needs, and what its libraries would import in the midst of one."""
    from importlib import import_module

    for name in _NEEDED:
        with suppress(ImportError):  # then the sync says so, or does without
            import_module(name, __package__)


_NEEDED = (
    *(".joining", ".sync", ".telling", ".watching", ".._catalog.writing"),
    *("ctypes", "importlib_resources.future.adapters", "importlib_resources.readers"),
    *("netrc", "msgspec.json"),
)


class _Fork:
    """The hooks around a fork; `waited` is whether its `before` got hold of the lock."""

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
