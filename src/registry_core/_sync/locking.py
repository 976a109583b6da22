"""The lock of a store: one sync, or one cleaning, at a time."""

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
    """For how many seconds another sync may go on."""
    return settings.fetch_deadline_ms / 1000 + 60


@contextmanager
def locked(store: Store, patience: float) -> Generator[float | None]:
    """Hold the store's lock. If that took waiting for the sync of another process, gives
    the epoch seconds at which that one began. Raises StoreError, also after `patience` seconds,
    and at once in a thread that holds it: a hook that syncs would wait for itself.
    """
    held: set[str] = vars(_thread).setdefault("held", set())
    if str(store.lock) in held:
        raise StoreError("a hook of this sync asked for another one")
    started: list[float | None] = []

    def waits() -> None:
        started.append(store.read_state().started_at)
        logger.debug("another process syncs %s: waiting", store.place)

    try:
        with locked_file(str(store.lock), patience, waits):
            held.add(str(store.lock))
            found = store.read_state().started_at if started else None
            yield found if started and found != started[0] else None  # it may have died, or failed
    except HeldError as error:
        hint = error.way_out or "end that process"
        raise StoreError(str(error), culprit=str(store.lock), hint=hint) from None
    finally:
        held.discard(str(store.lock))
