"""What the library logs while a dev server runs."""

from __future__ import annotations

import logging

from .common import complain


class LogLines(logging.Handler):
    """A line each on standard error, apart from the server's."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            complain(f"registry-core: {record.getMessage()}")
        except Exception:
            self.handleError(record)
