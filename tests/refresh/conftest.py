"""A registry that refreshes itself in its real thread, over hours that the test lets pass."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from registry_core import ModelRegistry
from tests.world import World

MINUTE, HOUR = 60.0, 3600.0


class Live:
    """Every method returns when the refresher has nothing to do but to wait."""

    def __init__(self, world: World, registry: ModelRegistry) -> None:
        self.world = world
        self.registry = registry
        self._idle: SimpleQueue[float] = SimpleQueue()
        self._go: SimpleQueue[None] = SimpleQueue()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self._idle.put(seconds)
        self._go.get(timeout=60)

    def start(self, interval_ms: int | None = None) -> Counter[str]:
        """The requests, by path, that it began with."""
        self.registry.start_auto_refresh(interval_ms)
        self._wanted = self._idle.get(timeout=60)
        return self.requests()

    def let_pass(self, seconds: float) -> Counter[str]:
        """The requests since the last look."""
        while seconds > 0:
            step = min(seconds, self._wanted)
            seconds -= step
            self._wanted -= step
            self.world.now += step
            if self._wanted <= 0:
                self._go.put(None)
                self._wanted = self._idle.get(timeout=60)
        return self.requests()

    def requests(self) -> Counter[str]:
        found = Counter(self.world.server.paths)
        self.world.server.requests.clear()
        return found

    def stop(self) -> None:
        self.registry.stop_auto_refresh()
        self._go.put(None)


@pytest.fixture
def live(world: World) -> Iterator[Callable[..., Live]]:
    """Make a registry with these settings; `start` it."""
    made: list[Live] = []

    def make(registry: ModelRegistry | None = None, **settings: Any) -> Live:
        one = Live(world, registry or world.registry(fetch_retries=0, **settings))
        world.wait = one.wait
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
    for thread in threading.enumerate():
        if thread.name == "registry-core refresh":
            thread.join(60)
