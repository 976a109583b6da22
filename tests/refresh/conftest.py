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

    registry: ModelRegistry

    def __init__(self, world: World) -> None:
        self.world = world
        self._idle: SimpleQueue[float] = SimpleQueue()
        self._go: SimpleQueue[None] = SimpleQueue()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self._idle.put(seconds)
        self._go.get(timeout=60)

    def start(self, interval_ms: int | None = None) -> Counter[str]:
        """The requests, by path, that it began with."""
        self.registry.start_auto_refresh(interval_ms)
        self.wanted = self._idle.get(timeout=60)
        return self.requests()

    def let_pass(self, seconds: float) -> Counter[str]:
        """The requests since the last look."""
        let_pass(self.world, seconds, self)
        return self.requests()

    def go_on(self, seconds: float) -> None:
        """So much of the time that it wanted to wait has passed."""
        self.wanted -= seconds
        if self.wanted <= 0:
            self._go.put(None)
            self.wanted = self._idle.get(timeout=60)

    def requests(self) -> Counter[str]:
        found = Counter(self.world.server.paths)
        self.world.server.requests.clear()
        return found

    def stop(self) -> None:
        self.registry.stop_auto_refresh()
        self._go.put(None)


def let_pass(world: World, seconds: float, *all: Live) -> None:
    """For several at once."""
    while seconds > 0:
        step = min(seconds, *(one.wanted for one in all))
        seconds -= step
        world.now += step
        for one in all:
            one.go_on(step)


Make = Callable[..., Live]


@pytest.fixture
def live(world: World) -> Iterator[Make]:
    """Make a registry with these settings, or with `make`, which is given its `wait`."""
    made: list[Live] = []

    def new(make: Callable[..., ModelRegistry] | None = None, **settings: Any) -> Live:
        one = Live(world)
        world.wait = one.wait
        one.registry = make(one.wait) if make else world.registry(fetch_retries=0, **settings)
        world.wait = threading.Event.wait
        made.append(one)
        return one

    yield new
    for one in made:
        one.stop()
    for thread in threading.enumerate():
        if thread.name == "registry-core refresh":
            thread.join(60)
