"""The lock of a store: one sync, or one cleaning, at a time."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .._files.locking import HeldError, locked as locked_file
from ..errors import StoreError

if TYPE_CHECKING:
    from .._catalog.store import Store
    from ..settings import Settings

logger = logging.getLogger("registry_core")


@contextmanager
def locked(store: Store, settings: Settings) -> Generator[float | None]:
    """Hold the store's lock. If that took waiting for the sync of another process, gives
    the epoch seconds at which that one began. Raises StoreError, also if that one goes on for
    longer than a sync may.
    """
    patience = settings.fetch_deadline_ms / 1000 + 60
    started: list[float | None] = []

    def waits(holder: str | None) -> None:
        started.append(store.read_state().started_at)
        logger.debug("another process syncs %s: waiting", store.place)
        if holder:  # which nobody may be able to tell from one that is gone
            logger.warning("%s: waits for %s, up to %g s", store.lock, holder, patience)

    try:
        with locked_file(str(store.lock), patience, waits):
            found = store.read_state().started_at if started else None
            yield found if started and found != started[0] else None  # it may have died, or failed
    except HeldError as error:
        hint = error.way_out or "end that process"
        raise StoreError(str(error), culprit=str(store.lock), hint=hint) from None
