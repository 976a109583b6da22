"""One sync of a registry at a time in this process: who asks for another meanwhile joins it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from attrs import frozen

from ..errors import RegistryError

if TYPE_CHECKING:
    from ..report import SyncReport
    from .options import Options

logger = logging.getLogger("registry_core")


@frozen(eq=False)
class _Running:
    options: Options
    thread: int
    report: Future[SyncReport | None]
    """None: that thread was interrupted."""


class Joining:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def run(self, options: Options, sync: Callable[[Options], SyncReport]) -> SyncReport:
        """The report of `sync(options)`, or of one that is under way and asks all that it
        would; one that asks less, or whose thread is interrupted, is waited for. Raises what
        the sync raises, and RegistryError in the thread of the sync itself.
        """
        mine = _Running(options, threading.get_ident(), Future())
        report: SyncReport | None = None
        fault: Exception | None = None
        try:
            while (running := self._begin(mine)) is not mine:
                if running.thread == mine.thread:
                    raise RegistryError("a hook of this sync asked for another one")
                if running.options.covers(options):
                    logger.debug("sync: joins the one that is under way")
                    report = running.report.result()
                    if report is not None:
                        return report
                else:
                    logger.debug("sync: waits for one that asks less")
                    wait([running.report])
            report = sync(options)
            return report
        except Exception as error:
            fault = error
            raise
        finally:  # by Ctrl-C too, which is for this thread alone
            if self._running is mine:
                self._running = None
                mine.report.set_result(report) if fault is None else mine.report.set_exception(
                    fault
                )

    def _begin(self, mine: _Running) -> _Running:
        """What runs now: `mine`, unless another does."""
        with self._lock:
            self._running = self._running or mine
            return self._running
