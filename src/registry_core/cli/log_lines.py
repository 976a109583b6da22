"""Shows log lines of the library on standard error."""

from __future__ import annotations

import logging

import click

from .output import complain


class LogLines(logging.Handler):
    """One line for each record, marked as ours. `whole`: with tracebacks, line by line."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self._whole = whole

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) if self._whole else record.getMessage()
            lines = text.splitlines() if self._whole else text.splitlines()[:1]
            complain(*(f"registry-core: {line}" for line in lines))
        except Exception:
            self.handleError(record)


def follow(context: click.Context, level: str, *, whole: bool) -> None:
    """Show log lines at `level` and above while the command runs, unless an option has done so
    already."""
    logger = logging.getLogger("registry_core")
    if any(isinstance(handler, LogLines) for handler in logger.handlers):
        return
    handler, before = LogLines(whole=whole), logger.level
    logger.addHandler(handler)
    logger.setLevel(level)

    @context.call_on_close
    def end() -> None:
        logger.removeHandler(handler)
        logger.setLevel(before)
