"""Allows one sync of a registry at a time in this process. A caller may join a running sync."""

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
    """None if that thread was interrupted."""


class Joining:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def run(self, options: Options, sync: Callable[[Options], SyncReport]) -> SyncReport:
        """The report of `sync(options)`, or of a running sync that asks everything that it would
        ask. If the running sync asks less, or its thread is interrupted, a new one starts after
        it. Raises what the sync raises, and RegistryError if the running sync calls this itself.
        """
        own = _Running(options, threading.get_ident(), Future())
        report: SyncReport | None = None
        fault: Exception | None = None
        try:
            while (running := self._begin(own)) is not own:
                if running.thread == own.thread:
                    raise RegistryError("a hook of this sync asked for another sync")
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
        finally:  # also after Ctrl-C, which interrupts only this thread
            if self._running is own:
                self._running = None
                own.report.set_result(report) if fault is None else own.report.set_exception(fault)

    def _begin(self, own: _Running) -> _Running:
        """The running sync: `own`, unless another one runs."""
        with self._lock:
            self._running = self._running or own
            return self._running
