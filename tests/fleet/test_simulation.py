"""Hours of a fleet in fast time: six hosts with clocks of their own, ten processes on each, killed
at random in the midst of requests, and cut off from the engine now and then.

FLEET_HOURS=24 lets a day pass; docs/reliability.md has its figures.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from registry_core import StoreError
from registry_core._shared.engine import Engine, Fault
from registry_core._sync.freshness import answered_at
from registry_core._sync.options import Options
from registry_core._sync.polling import News
from registry_core._sync.sync import sync
from tests.fleet.conftest import Host, Hosts
from tests.fleet.proxy import Proxy

T = TypeVar("T")
POLL, HOUR = 60.0, 3600.0
HOSTS, PROCESSES = 6, 10


class Killed(BaseException):
    """From here on this process asks for nothing any more."""


class Process:
    """What a process with a refresher does, step by step."""

    def __init__(self, host: Host, jitter: float) -> None:
        self.host, self.jitter = host, jitter
        self.start()

    def start(self) -> None:
        self.registry = self.host.registry()
        self.world = self.registry.world
        self.world.host.load()
        self.news = News(self.world)

    def step(self) -> None:
        last = answered_at(self.world.state(), self.world.host.gateways())
        pause = HOUR * (1 + self.jitter)
        if last is None or not last <= self.host.now < last + pause or self.news.look():
            sync(self.world, Options(fresh_for=HOUR, retry_after=POLL))


class Sky:
    """Who is killed at which request, and which hosts reach nothing."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.cut_off = False
        self.requests = 0

    def tried(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(engine: Engine, name: str, do: Callable[[], T]) -> T:
            self.requests += 1
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            if self.cut_off:
                raise Fault("can't be reached", culprit=engine.url)
            return real(engine, name, do)  # type: ignore[no-any-return]

        return instead


@pytest.mark.slow
@pytest.mark.parametrize("faults", [False, True], ids=["calm", "stormy"])
def test_a_fleet_over_hours(
    proxy: Proxy, on_moto: Hosts, monkeypatch: pytest.MonkeyPatch, faults: bool
) -> None:
    chance, sky = random.Random(15), Sky()
    monkeypatch.setattr(Engine, "_tried", sky.tried(Engine._tried))
    hosts = [on_moto.host(f"{number}") for number in range(HOSTS)]
    for number, host in enumerate(hosts):
        host.world.now += chance.uniform(-HOUR, HOUR) if number else 0.0
    processes = [Process(host, chance.uniform(0, 0.1)) for host in hosts for _ in range(PROCESSES)]
    hours, version, kills = int(os.environ.get("FLEET_HOURS", "6")), 0, 0
    fetched: list[int] = []
    latest: list[float] = []
    published_at: dict[str, float] = {}
    islands: dict[int, float] = {}
    proxy.asked.clear()
    for minute in range(hours * 60):
        if minute % 60 == 0:
            if minute:
                fetched.append(on_moto.fetches)
            version += 1
            on_moto.offers("gpt-0", f"gpt-{version}")
        if faults and chance.random() < 0.02:
            islands[chance.randrange(HOSTS)] = minute + chance.randrange(10, 60)
        chance.shuffle(processes)
        for process in processes:
            sky.cut_off = islands.get(hosts.index(process.host), 0) > minute
            sky.left = chance.randrange(8) if faults and chance.random() < 0.05 else None
            try:
                process.step()
            except Killed:
                kills += 1
                process.start()
            except StoreError:
                raise AssertionError("a lock was left behind") from None
        sky.left, sky.cut_off = None, False
        newest = max((one for host in hosts for one in host.models), key=lambda id: int(id[4:]))
        published_at.setdefault(newest, minute)
        for number, host in enumerate(hosts):
            assert len(host.models) == 2 or minute < 2, host.models  # whole, and of one generation
            if newest not in host.models and islands.get(number, 0) < minute:
                latest.append(minute - published_at[newest])
            host.let_pass(POLL)
    fetched.append(on_moto.fetches)
    verbs = [one.verb for one in proxy.asked]
    looks = verbs.count("GET pointer") / (hours * 60 * HOSTS)
    print(
        f"\n{HOSTS * PROCESSES} processes, {hours} h: fetches per hour {fetched}, kills {kills}, "
        f"polls until all serve what is new {max(latest, default=0) + 1:g}, "
        f"looks per host and poll {looks:.2f}, requests {len(verbs)}, {proxy.moved} bytes"
    )
    if faults:
        assert kills > 0
        assert sum(fetched) <= hours * 3 + kills + 3 * HOSTS
    else:
        assert fetched[0] <= HOSTS  # of those that never looked, some have clocks far behind
        assert all(one <= 1 for one in fetched[1:])
        assert max(latest, default=0) <= 1
        assert looks <= 1.1
