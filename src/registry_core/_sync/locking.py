"""The lock of a store: one sync, or one cleaning, at a time."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import StoreError

if TYPE_CHECKING:
    from .._catalog.store import Store
    from ..settings import Settings

logger = logging.getLogger("registry_core")


@contextmanager
def locked(store: Store, settings: Settings) -> Generator[float | None]:
    """Hold the store's lock. If that took waiting for the sync of another process, gives
    the epoch seconds at which that one began. Raises StoreError if that one goes on for longer
    than a sync may.

    The lock is the kernel's: it ends with its holder, however that dies.
    """
    from filelock import FileLock, Timeout

    patience = settings.fetch_deadline_ms / 1000 + 60
    lock = FileLock(store.lock, thread_local=False)
    since: float | None = None
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.debug("another process syncs %s: waiting", store.place)
        earlier = store.read_state().started_at
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            raise StoreError(
                f"another process has held it for {patience:g} s",
                culprit=str(store.lock),
                hint="end that process",
            ) from None
        found = store.read_state().started_at
        since = found if found != earlier else None  # it may have died, or failed
    except (OSError, NotImplementedError) as error:
        raise StoreError(
            f"can't be locked: {error}",
            culprit=str(store.lock),
            hint="set REGISTRY_CORE_STORE_DIR to a folder on another disk",
        ) from error
    try:
        yield since
    finally:
        lock.release()
