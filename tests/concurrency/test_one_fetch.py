"""However many processes start together, a gateway is asked once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.concurrency.conftest import Gate, Start
from tests.loopback import Loopback, Reply

PATHS = ("/main.json", "/second.json")
ONE_EACH = Counter(PATHS)


def serve(server: Loopback, model: str) -> None:
    for path in PATHS:
        server.serve(path, {path[1:5]: [model]}, etag=f'"{model}"')


def hold(server: Loopback, model: str) -> list[Gate]:
    """Routes that answer only when told: all processes are there before anybody gets data."""
    gates = []
    for path in PATHS:
        body = json.dumps({path[1:5]: [model]}).encode()
        gates.append(Gate(Reply(200, body)))
        server.route(path, gates[-1])
    return gates


@pytest.mark.parametrize("count", [4, pytest.param(16, marks=pytest.mark.slow)])
@pytest.mark.parametrize("stale", [False, True], ids=["empty", "stale"])
def test_processes_that_start_together_fetch_once(
    start: Start, server: Loopback, count: int, stale: bool
) -> None:
    if stale:
        serve(server, "old")
        first = start()
        first.hear()
        assert first.ask("sync", False, 7200.0)["ok"]
        first.end()
        server.requests.clear()
    gates = hold(server, "new")
    workers = [start() for _ in range(count)]
    for worker in workers:
        worker.hear()
    for worker in workers:
        worker.tell("start")
    for worker in workers:
        worker.hear()
    for gate in gates:
        gate.opened.set()
    assert all(worker.ask("idle") for worker in workers)
    for worker in workers:
        worker.ask("let_pass", 60.0)
        assert worker.ask("models") == {"main": ["new"], "seco": ["new"]}
    assert Counter(server.paths) == ONE_EACH
    assert all(worker.end() == "" for worker in workers)


def test_two_environments_of_a_user_fetch_once(
    start: Start, server: Loopback, tmp_path: Path
) -> None:
    gates = hold(server, "new")
    workers = [start(environment=name) for name in ("one", "two")]
    for worker in workers:
        worker.hear()
        worker.tell("start")
    for worker in workers:
        worker.hear()
    for gate in gates:
        gate.opened.set()
    for worker in workers:
        assert worker.ask("idle")
        assert worker.ask("models") == {"main": ["new"], "seco": ["new"]}
    assert Counter(server.paths) == ONE_EACH
    stores = [tmp_path / name / "share" / "registry-core" / "v1" for name in ("one", "two")]
    assert all((store / "pointer").exists() for store in stores)


def test_an_environment_that_comes_later_asks_nobody(start: Start, server: Loopback) -> None:
    serve(server, "new")
    for name in ("one", "two"):
        worker = start(environment=name)
        worker.hear()
        worker.ask("start")
        assert worker.ask("idle")
        assert worker.ask("models") == {"main": ["new"], "seco": ["new"]}
    assert Counter(server.paths) == ONE_EACH


def test_who_had_to_wait_takes_over_what_was_fetched(start: Start, server: Loopback) -> None:
    """`sync_gateways()` in two processes at once."""
    gates = hold(server, "new")
    first, second = start(), start()
    for worker in (first, second):
        worker.hear()
    first.tell("sync")
    assert gates[0].asked.wait(60)
    second.tell("sync")
    for gate in gates:
        gate.opened.set()
    assert first.hear() == {"ok": True, "changed": True}
    assert second.hear()["ok"]
    # The second may have come when the first was done; then it asked, as it was told to.
    assert set(Counter(server.paths).values()) <= {1, 2}
    assert second.ask("models") == {"main": ["new"], "seco": ["new"]}


@pytest.mark.slow
def test_a_failure_is_taken_over_too(start: Start, server: Loopback) -> None:
    gates = [Gate(Reply(500)) for _ in PATHS]
    for path, gate in zip(PATHS, gates, strict=True):
        server.route(path, gate)
    workers = [start() for _ in range(3)]
    for worker in workers:
        worker.hear()
        worker.tell("start")
    for worker in workers:
        worker.hear()
    for gate in gates:
        gate.opened.set()
    assert all(worker.ask("idle") for worker in workers)
    assert Counter(server.paths) == ONE_EACH
    for worker in workers:
        lines = worker.end().splitlines()
        assert len(lines) == 1
        assert "main: " in lines[0]


def test_a_killed_holder_of_the_locks_blocks_nobody(start: Start, server: Loopback) -> None:
    gates = hold(server, "never")
    holder, waiter = start(), start()
    for worker in (holder, waiter):
        worker.hear()
    holder.tell("sync")
    assert all(gate.asked.wait(60) for gate in gates)  # it holds the store's and both payloads'
    waiter.tell("sync")
    serve(server, "new")
    holder.process.kill()
    assert waiter.hear()["ok"]
    assert waiter.ask("models") == {"main": ["new"], "seco": ["new"]}
    for gate in gates:
        gate.opened.set()


def test_another_process_sees_a_new_generation_within_its_ttl_without_the_network(
    start: Start, server: Loopback
) -> None:
    serve(server, "old")
    writer, reader = start(), start(gateways={})
    for worker in (writer, reader):
        worker.hear()
    writer.ask("sync")
    assert reader.ask("models") == {"main": ["old"], "seco": ["old"]}
    serve(server, "new")
    writer.ask("sync")
    reader.ask("let_pass", 59.0)
    assert reader.ask("models") == {"main": ["old"], "seco": ["old"]}
    reader.ask("let_pass", 2.0)
    assert reader.ask("models") == {"main": ["new"], "seco": ["new"]}
    assert Counter(server.paths) == dict.fromkeys(PATHS, 2)


def test_a_forked_process_refreshes_itself_and_asks_nobody_again(
    start: Start, server: Loopback
) -> None:
    serve(server, "new")
    worker = start()
    worker.hear()
    worker.ask("start")
    assert worker.ask("idle")
    for _ in range(3):
        assert worker.ask("fork") == {
            "refreshers": 1,
            "idle": True,
            "models": {"main": ["new"], "seco": ["new"]},
        }
    assert Counter(server.paths) == ONE_EACH
    assert worker.end() == ""


def test_a_process_that_forks_in_mid_fetch_ends_its_fetch_and_the_child_takes_it_over(
    start: Start, server: Loopback
) -> None:
    gates = hold(server, "new")
    worker = start()
    worker.hear()
    worker.ask("start")
    assert all(gate.asked.wait(60) for gate in gates)
    worker.tell("fork")  # the child waits for the lock that its parent holds
    for gate in gates:
        gate.opened.set()
    found = worker.hear()
    assert (found["refreshers"], found["idle"]) == (1, True)
    worker.ask("let_pass", 60.0)
    assert worker.ask("models") == {"main": ["new"], "seco": ["new"]}
    assert Counter(server.paths) == ONE_EACH
    assert worker.end() == ""
