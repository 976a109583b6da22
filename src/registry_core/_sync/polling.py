"""The fleet of this machine, and whether it has something new."""

from __future__ import annotations

import logging
import platform
from typing import TYPE_CHECKING

from .._shared.apart import engine_at
from .._shared.engine import Fault
from .._shared.fleet import Fleet
from .._shared.lease import LONGEST
from .locking import patience

if TYPE_CHECKING:
    from .._catalog.store import Store
    from .._world import World

logger = logging.getLogger("registry_core")


def fleet_of(world: World, store: Store | None) -> Fleet:
    settings = world.settings
    assert settings.shared is not None
    if settings.shared_key:
        world.secrets.hide(settings.shared_key, "REGISTRY_CORE_SHARED_KEY")
    return Fleet(
        # A quarter of the deadline: a source can still be asked in time if the engine is slow.
        engine_at(settings.shared, settings.fetch_deadline_ms / 4000),
        store.folder if store else None,
        world.places.trusts(settings.store_dir),
        key=settings.shared_key or None,
        publisher=platform.node()[:200],
        term=patience(settings),
        most=settings.fetch_max_bytes,
        clock=world.clock,
        monotonic=world.monotonic,
    )


class News:
    """Tells the refresher whether the shared catalog has changed.

    All processes of this machine together ask once per poll. After each failure they ask half as
    often, down to once in ten minutes, since obstore does not pass an engine's Retry-After on.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: float | None = None
        self._failures = 0

    @property
    def poll(self) -> float | None:
        """Seconds between two requests. None if nothing is shared."""
        settings = self._world.settings
        if settings.shared is None or settings.unasked is not None:
            return None
        return settings.shared_poll_ms / 1000

    def look(self) -> bool:
        poll = self.poll
        if poll is None:
            return False
        now = self._world.clock()
        pause = min(poll * 2.0 ** min(self._failures, 30), max(poll, LONGEST))
        if _is_recent(self._asked, now, pause):
            return False
        fleet = fleet_of(self._world, self._world.store())
        if _is_recent(fleet.memory.looked_at, now, poll):
            return False
        self._asked = now
        if fleet.memory.waiting is not None:
            return True
        try:
            is_news = fleet.is_news()
        except Fault as fault:
            logger.debug("shared catalog: %s", fault)
            self._failures += 1
            return False
        self._failures = 0
        return is_news


def _is_recent(looked: float | None, now: float, poll: float) -> bool:
    return looked is not None and 0 <= now - looked < poll
