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
    report: Future[SyncReport]


class Joining:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def run(self, options: Options, sync: Callable[[Options], SyncReport]) -> SyncReport:
        """The report of `sync(options)`, or of one that is under way and asks all that it
        would; one that asks less is waited for. Raises what the sync raises, and
        RegistryError in the thread of the sync itself.
        """
        mine = _Running(options, threading.get_ident(), Future())
        while True:
            with self._lock:
                running = self._running
                if running is None:
                    self._running = mine
                    break
            if running.thread == mine.thread:
                raise RegistryError("a hook of this sync asked for another one")
            if running.options.covers(options):
                logger.debug("sync: joins the one that is under way")
                return running.report.result()
            logger.debug("sync: waits for one that asks less")
            wait([running.report])
        try:
            report = sync(options)
        except BaseException as error:
            self._running = None
            mine.report.set_exception(error)
            raise
        self._running = None
        mine.report.set_result(report)
        return report
