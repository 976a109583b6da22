"""Many processes and threads read while others refresh: nothing torn, lost or stuck."""

from __future__ import annotations

import json
import threading
from itertools import count

import pytest

from tests.concurrency.conftest import Start
from tests.loopback import Loopback, Reply, Request


class Upstream:
    """A gateway whose every answer is another generation, whole in all its ids."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._lock = threading.Lock()
        self.last = 0

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            self.last = next(self._numbers)
            ids = [f"{self.last}-{index}" for index in range(40)]
        return Reply(200, json.dumps({"p": ids}).encode())


@pytest.fixture
def upstream(server: Loopback) -> Upstream:
    route = Upstream()
    server.route("/main.json", route)
    return route


def gateways(server: Loopback) -> dict[str, str]:
    return {"main": server.url("/main.json")}


@pytest.mark.parametrize(
    ("processes", "threads", "generations"),
    [
        (3, 2, 4),
        (1, 30, 4),
        pytest.param(50, 1, 12, marks=pytest.mark.slow),
        pytest.param(1, 200, 12, marks=pytest.mark.slow),
        pytest.param(50, 4, 12, marks=pytest.mark.slow),
    ],
)
def test_readers_see_whole_generations_in_order_while_others_refresh(
    start: Start,
    server: Loopback,
    upstream: Upstream,
    processes: int,
    threads: int,
    generations: int,
) -> None:
    about = {"gateways": gateways(server), "settings": {"cache_ttl_ms": 0}}
    writers = [start(**about) for _ in range(2)]
    assert [one.hear() for one in writers] == ["ready"] * 2
    writers[0].ask("sync")
    readers = [start(**about) for _ in range(processes)]
    for reader in readers:
        reader.hear()
        reader.tell("read", threads, generations)
    syncs = 1
    while upstream.last < generations:
        for writer in writers:
            writer.tell("sync")
        for writer in writers:
            assert writer.hear()["ok"]
            syncs += 1
    for reader in readers:
        found = reader.hear()
        assert found["wrong"] == []
        assert found["threads"] == threads
        assert reader.end() == ""
    later = start(**about)
    later.hear()
    newest = {id.split("-")[0] for id in later.ask("models")["p"]}
    assert newest == {str(upstream.last)}  # nobody overwrote it with something older
    assert upstream.last <= syncs


@pytest.mark.slow
def test_threads_that_read_and_sync_in_one_process_agree(
    start: Start, server: Loopback, upstream: Upstream
) -> None:
    worker = start(gateways=gateways(server), settings={"cache_ttl_ms": 0})
    worker.hear()
    worker.ask("sync")
    found = worker.ask("churn", 8, 4, 5)
    assert found["wrong"] == []
    assert found["syncs"] == 20
    assert upstream.last <= 1 + 20  # those that came together joined one
    assert worker.end() == ""


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [150])
def test_a_soak_holds_memory_threads_and_files_flat(
    start: Start, server: Loopback, upstream: Upstream, seconds: float
) -> None:
    worker = start(gateways=gateways(server), settings={"cache_ttl_ms": 0})
    worker.hear()
    found = worker.ask("soak", seconds)
    early, late = found["samples"]
    assert found["syncs"][1] > 50
    assert late["threads"] <= early["threads"] + 2  # a fetch may be ending
    assert late["files"] <= early["files"] + 4
    assert late["KiB"] <= early["KiB"] + 4 * 1024
    assert worker.end() == ""
