"""The lock of a store: only one sync or `clean` runs at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .._files.locking import HeldError, locked as locked_file
from ..errors import StoreError

if TYPE_CHECKING:
    from .._catalog.store import Store
    from ..settings import Settings

logger = logging.getLogger("registry_core")
_thread = threading.local()


def patience(settings: Settings) -> float:
    """How many seconds to wait for another sync."""
    return settings.fetch_deadline_ms / 1000 + 60


@contextmanager
def locked(store: Store, patience: float) -> Generator[float | None]:
    """Hold the store's lock. If this had to wait for the sync of another process, yields the time
    at which that sync began, in epoch seconds. Raises StoreError, also after `patience` seconds,
    and at once in a thread that holds the lock: a hook that syncs would wait for itself.
    """
    locks: set[str] = vars(_thread).setdefault("held", set())
    if str(store.lock) in locks:
        raise StoreError("a hook of this sync asked for another sync")
    started: list[float | None] = []

    def waits() -> None:
        started.append(store.read_state().started_at)
        logger.debug("another process syncs %s: waiting", store.place)

    try:
        with locked_file(str(store.lock), patience, waits):
            locks.add(str(store.lock))
            began = store.read_state().started_at if started else None
            # The same time as before: that sync has died or failed.
            yield began if started and began != started[0] else None
    except HeldError as error:
        hint = error.way_out or "end that process"
        raise StoreError(str(error), culprit=str(store.lock), hint=hint) from None
    finally:
        locks.discard(str(store.lock))
