"""Hides secrets in errors and log lines while a gateway is asked."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ..errors import RegistryError


@contextmanager
def masked(mask: Callable[[str], str]) -> Generator[None]:
    """Apply `mask` to the errors that pass, and to urllib3's log, which holds whole URLs."""

    def mask_record(record: logging.LogRecord) -> bool:
        record.msg = re.sub(r"\?[^\s\"]+", "?***", mask(record.getMessage()))
        record.args = None
        return True

    loggers = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
    for logger in loggers:
        logger.addFilter(mask_record)
    try:
        yield
    except RegistryError as error:
        error.mask(mask)
        raise
    finally:
        for logger in loggers:
            logger.removeFilter(mask_record)
