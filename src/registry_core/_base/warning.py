"""Warnings of which one is enough."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=256)
def warn_once(message: str) -> None:
    """Log `message` as a warning, unless this process already did."""
    import logging

    logging.getLogger("registry_core").warning("%s", message)
