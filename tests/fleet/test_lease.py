"""One machine of a fleet fetches at a time; nobody waits for it, and nobody depends on it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from registry_core._shared.engine import GoneError
from registry_core._shared.lease import LONGEST
from tests.fleet.conftest import Host, Hosts
from tests.fleet.proxy import Answer, Asked, Proxy
from tests.fleet.test_sharing import HOUR, pointer, status
from tests.loopback import Loopback, Reply


def hold(hosts: Hosts, number: int = 0, **more: Any) -> None:
    """Another machine has the lease."""
    body = json.dumps({"holder": "x", "nonce": number, "term": 90, "free": False, **more}).encode()
    try:
        hosts.overwrite("lease", body)
    except GoneError:
        hosts.engine.put("lease", body)


def test_a_lease_of_another_is_not_waited_for(hosts: Hosts) -> None:
    first, second = hosts.host("first"), hosts.host("second")
    first.sync()
    second.sync()
    second.let_pass(HOUR)
    hold(hosts)
    report = second.sync()
    assert (report.ok, report.problems, status(report)) == (True, (), "waiting")
    assert second.models == ["gpt-1", "gpt-2"]
    assert hosts.fetches == 1
    hold(hosts, free=True)
    hosts.offers("gpt-3", "gpt-2")
    first.let_pass(HOUR)
    first.sync()
    second.let_pass(60.0)
    assert status(second.sync()) == "fresh"
    assert second.models == ["gpt-2", "gpt-3"]
    assert hosts.fetches == 1


def test_what_is_old_is_better_than_nothing_for_who_waits(on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    fresh = on_moto.host("fresh")
    fresh.let_pass(5 * HOUR)
    hold(on_moto)
    assert status(fresh.sync()) == "fresh"
    assert fresh.models == ["gpt-1", "gpt-2"]
    assert on_moto.fetches == 1


def test_a_lease_that_its_holder_never_gives_back_ends_on_the_clock_of_who_waits(
    hosts: Hosts,
) -> None:
    host = hosts.host("one")
    hold(hosts)
    assert status(host.sync()) == "waiting"
    host.let_pass(89.0)
    assert status(host.sync()) == "waiting"
    host.let_pass(1.0)
    assert status(host.sync()) == "fresh"
    assert hosts.fetches == 1
    assert json.loads(hosts.read("lease"))["free"]


def test_a_lease_that_is_taken_anew_starts_anew(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    for number in range(3):
        hold(on_moto, number)
        assert status(host.sync()) == "waiting"
        host.let_pass(89.0)
    host.sync()
    host.let_pass(1.0)
    host.world.monotonic = 5.0  # the machine was started again: its clock says less
    assert status(host.sync()) == "waiting"
    host.let_pass(90.0)
    assert status(host.sync()) == "fresh"


@pytest.mark.parametrize("body", [b'{"term": 1e300}', b'{"term": "x"}', b"[", b"[]", b"null"])
def test_nobody_can_hold_it_for_longer_than_ten_minutes(on_moto: Hosts, body: bytes) -> None:
    host = on_moto.host("one")
    on_moto.engine.put("lease", body)
    assert status(host.sync()) == "waiting"
    host.let_pass(LONGEST)
    assert status(host.sync()) == "fresh"


def test_a_lease_that_is_taken_anew_for_ever_keeps_nobody_from_fetching(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    for number in range(10):
        hold(on_moto, number)
        assert status(host.sync()) == "waiting"
        host.let_pass(60.0)
    hold(on_moto, 10)
    assert status(host.sync()) == "fresh"
    host.let_pass(HOUR)
    hold(on_moto, 11)
    assert status(host.sync()) == "waiting"
    assert on_moto.fetches == 1


def test_who_fetches_for_itself_needs_no_lease(on_moto: Hosts) -> None:
    hold(on_moto)
    host = on_moto.host("one")
    assert status(host.sync(force=True)) == "fresh"
    host.let_pass(1.0)
    assert status(host.sync(accept=("main",))) != "waiting"
    assert on_moto.fetches == 2


def test_of_many_that_are_due_together_one_fetches(hosts: Hosts) -> None:
    machines = [hosts.host(f"{number}") for number in range(6)]
    gate = threading.Event()
    asked = threading.Event()

    def answer(request: Any) -> Reply:
        asked.set()
        assert gate.wait(60)
        return Reply(200, b'{"openai": ["gpt-1", "gpt-2"]}')

    hosts.server.route("/main.json", answer)
    first = threading.Thread(target=machines[0].sync)
    first.start()
    assert asked.wait(60)
    assert {status(host.sync()) for host in machines[1:]} == {"waiting"}
    gate.set()
    first.join(60)
    for host in machines[1:]:
        host.let_pass(60.0)
        assert status(host.sync()) == "fresh"
        assert host.models == ["gpt-1", "gpt-2"]
    assert hosts.fetches == 1


@pytest.mark.slow
def test_of_many_that_publish_together_none_is_lost(hosts: Hosts) -> None:
    machines = [hosts.host(f"{number}") for number in range(6)]
    for number, host in enumerate(machines):
        hosts.server.serve(f"/own-{number}.json", {f"own-{number}": ["a"]})
        host.world.gateway(f"own-{number}")
    reports: list[Any] = []
    threads = [
        threading.Thread(target=lambda host=host: reports.append(host.sync(force=True)))
        for host in machines
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert [report.problems for report in reports] == [()] * 6
    shared = {one.gateway for one in pointer(hosts).entries.values()}
    assert shared == {"main", *(f"own-{number}" for number in range(6))}
    assert pointer(hosts).serial == machines[0].now + 5


def test_who_comes_too_late_replaces_nothing(proxy: Proxy, on_moto: Hosts) -> None:
    """Its lease has ended while it was stopped, between its fetch and its publication."""
    slow, quick = on_moto.host("slow"), on_moto.host("quick")
    on_moto.server.serve("/own.json", {"own": ["a"]})
    slow.world.gateway("own")
    slow.sync()
    for host in (slow, quick):
        host.let_pass(HOUR)
    done: list[str] = []

    def meanwhile(asked: Asked) -> Answer | None:
        if asked.verb == "PUT pointer" and not done:
            done.append("")
            on_moto.offers("gpt-2", "gpt-3")
            done[0] = status(quick.sync(force=True))
        return None

    proxy.instead = meanwhile
    report = slow.sync()
    assert (report.problems, done) == ((), ["fresh"])
    entries = pointer(on_moto).entries.values()
    publishers = {one.gateway: one.checked_at for one in entries}
    assert publishers["own"] == slow.now
    third = on_moto.host("third")
    third.let_pass(HOUR)
    third.sync()
    assert third.models == ["gpt-2", "gpt-3"]


@pytest.mark.parametrize("fault", ["older", "damaged", "gone"])
def test_a_pointer_that_is_put_back_damaged_or_removed_in_a_publication_loses_no_result(
    proxy: Proxy, on_moto: Hosts, fault: str
) -> None:
    on_moto.server.serve("/own.json", {"own": ["a"]})
    host, other = on_moto.host("one"), on_moto.host("other")
    other.world.gateway("own")
    host.sync()
    old = on_moto.read()
    host.let_pass(2 * HOUR)
    host.sync(force=True)
    done: list[str] = []

    def meanwhile(asked: Asked) -> Answer | None:
        if asked.verb == "PUT pointer" and not done:
            done.append(fault)
            if fault == "gone":
                on_moto.engine.delete("pointer")
            else:
                on_moto.overwrite("pointer", old)
                other.let_pass(60.0)
                assert other.sync(force=True).ok
            if fault == "damaged":
                on_moto.overwrite("pointer", b"damaged")
        return None

    proxy.instead = meanwhile
    on_moto.offers("gpt-2", "gpt-3")
    host.let_pass(HOUR)
    assert host.sync().problems == ()
    assert done
    found = {one.gateway: one.checked_at for one in pointer(on_moto).entries.values()}
    assert found == {"main": host.now} | ({"own": other.now} if fault == "older" else {})


class Live:
    """A host with a refresher, over time that the test lets pass."""

    def __init__(self, host: Host, poll_ms: int = 60_000) -> None:
        self.host = host
        self.rests = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.waits: list[float] = []
        host.world.wait = self.wait
        host.settings["shared_poll_ms"] = poll_ms
        self.registry = host.registry()
        self.registry.start_auto_refresh()
        self.rested()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        self.thread = threading.current_thread()
        self.waits.append(seconds)
        self.rests.release()
        assert self.go.acquire(timeout=60)

    def rested(self) -> None:
        assert self.rests.acquire(timeout=60)

    def poll(self) -> list[str]:
        """What it wanted to wait passes; the models that are there then."""
        self.host.let_pass(self.waits[-1])
        self.go.release()
        self.rested()
        return self.host.models

    def stop(self) -> None:
        self.registry.stop_auto_refresh()
        self.go.release()
        self.thread.join(60)  # or the next test may count one refresher too many


@pytest.mark.slow
def test_a_refresher_serves_what_is_new_within_a_poll(proxy: Proxy, on_moto: Hosts) -> None:
    publisher = on_moto.host("publisher")
    publisher.sync()
    live = Live(on_moto.host("reader"))
    try:
        assert live.host.models == ["gpt-1", "gpt-2"]
        proxy.asked.clear()
        for _ in range(5):
            assert live.poll() == ["gpt-1", "gpt-2"]
        assert proxy.verbs == ["GET pointer"] * 5
        assert live.waits == [60.0] * 6
        on_moto.offers("gpt-2", "gpt-3")
        publisher.let_pass(600.0)
        publisher.sync(force=True)
        on_moto.server.requests.clear()
        proxy.asked.clear()
        assert live.poll() == ["gpt-2", "gpt-3"]
        assert proxy.verbs == ["GET pointer", "GET pointer", "GET objects"]
        assert on_moto.fetches == 0
        while live.host.now < publisher.now + HOUR:
            live.poll()
        assert on_moto.fetches == 1
    finally:
        live.stop()


def test_the_role_of_a_pod_is_asked_for_once(
    on_moto: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As EKS gives it to a pod: not a request for credentials at each poll."""
    given = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c"}
    told = json.dumps({**given, "Expiration": "2100-01-01T00:00:00Z"}).encode()
    (tmp_path / "token").write_text("x")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with Loopback() as pod:
        pod.route("/role", Reply(200, told))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", pod.url("/role"))
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        live = Live(on_moto.host("one"))
        try:
            for _ in range(5):
                assert live.poll() == ["gpt-1", "gpt-2"]
            assert pod.paths == ["/role"]
        finally:
            live.stop()


def test_an_engine_that_is_busy_is_asked_less_often(proxy: Proxy, on_moto: Hosts) -> None:
    live = Live(on_moto.host("reader"))
    try:
        proxy.fails(503, Retry_After="600")
        proxy.asked.clear()
        for _ in range(55):
            assert live.poll() == ["gpt-1", "gpt-2"]
        # After 1, 2, 4, 8 minutes, then every ten; obstore asks three times.
        assert proxy.verbs == ["GET pointer"] * 3 * 8
        proxy.reset()
        for _ in range(15):
            live.poll()
        assert 4 <= len(proxy.verbs) <= 20
        proxy.asked.clear()
        live.poll()
        assert proxy.verbs == ["GET pointer"]
    finally:
        live.stop()


def test_a_refresher_that_waits_for_another_looks_at_each_poll(on_moto: Hosts) -> None:
    hold(on_moto)
    live = Live(on_moto.host("reader"))
    try:
        assert live.host.models == ["gpt-old"]
        live.poll()
        assert on_moto.fetches == 0
        assert live.poll() == ["gpt-1", "gpt-2"]  # its term of 90 s is over
        assert on_moto.fetches == 1
    finally:
        live.stop()


def test_clocks_that_are_an_hour_apart_cost_no_fetch(on_moto: Hosts) -> None:
    """By the clock of who has been looking, what is new there is new."""
    early, late = on_moto.host("early"), on_moto.host("late")
    late.world.now += HOUR
    live = Live(late)
    early.sync(force=True)
    on_moto.server.requests.clear()
    try:
        live.poll()
        for _ in range(30):
            live.poll()
        assert on_moto.fetches == 0
        early.let_pass(1800.0)
        on_moto.offers("gpt-2", "gpt-3")
        early.sync(force=True)
        assert on_moto.fetches == 1
        assert live.poll() == ["gpt-2", "gpt-3"]
        for _ in range(55):
            live.poll()
        assert on_moto.fetches == 0  # an hour after it was seen, and not before
    finally:
        live.stop()
    early.let_pass(60.0)
    report = early.sync()
    assert report.ok


def test_a_swap_that_is_lost_reads_the_pointer_without_condition(
    proxy: Proxy, on_moto: Hosts
) -> None:
    """Where an ETag is that of the content (Google), a pointer that was put back as it was has
    the same one, and another generation."""
    host = on_moto.host("one")
    host.sync()
    host.let_pass(HOUR)
    lost: list[Asked] = []

    def lose(asked: Asked) -> Answer | None:
        if asked.verb == "PUT pointer" and not lost:
            lost.append(asked)
            proxy.asked.clear()
            return Answer(412, {}, b"<Error/>")
        return None

    proxy.instead = lose
    assert host.sync().problems == ()
    first, second, *_ = proxy.asked
    assert (first.verb, second.verb) == ("GET pointer", "PUT pointer")
    assert "if-none-match" not in first.headers
    assert pointer(on_moto).serial == host.now


def test_who_loses_each_swap_says_so(proxy: Proxy, on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    host.let_pass(HOUR)
    proxy.instead = lambda asked: (
        Answer(412, {}, b"<Error/>") if asked.verb == "PUT pointer" else None
    )
    report = host.sync()
    assert (report.ok, len(report.problems)) == (True, 1)
    assert "others publish" in str(report.problems)
    assert "others publish" in json.loads(host.memory)["unpublished"]["main"]
