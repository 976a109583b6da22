"""What can go wrong with a shared catalog: nothing is lost, nothing is mixed, nobody waits."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from registry_core import StoreError
from registry_core._shared.pointer import DAY, to_bytes
from registry_core._sync import commit
from tests.fleet.conftest import Hosts, aged
from tests.fleet.proxy import Answer, Asked, Proxy
from tests.fleet.test_sharing import HOUR, pointer, status

pytestmark = pytest.mark.slow

CUT = Answer(500, {}, b"")
ROOT = Path(__file__).parents[2]


def start(hosts: Hosts, name: str, now: float) -> subprocess.Popen[str]:
    about = {
        "folder": str(hosts.folder / name),
        "upstream": hosts.server.url("/main.json"),
        "now": now,
        "settings": {"shared": hosts.url},
    }
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(about)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def requests_of_a_publication(hosts: Hosts, proxy: Proxy, now: float) -> int:
    done, _ = start(hosts, "counted", now).communicate(timeout=60)
    assert json.loads(done) == {"ok": True, "problems": []}
    return len(proxy.verbs)


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [True, False], ids=["after", "before"])
def test_a_publisher_that_is_killed_at_any_request_costs_one_more_fetch(
    proxy: Proxy, on_moto: Hosts, is_done: bool
) -> None:
    """SIGKILL in the midst of each request: after the engine has done it, or before."""
    url = on_moto.url
    on_moto.url = f"{url}/counted"
    count = requests_of_a_publication(on_moto, proxy, 1_800_000_000.0)
    assert count >= 9
    for number in range(count):
        on_moto.url = f"{url}/{number}"
        on_moto.server.requests.clear()
        asked: list[Asked] = []
        victims: list[subprocess.Popen[str]] = []

        def kill(
            one: Asked, number: int = number, asked: Any = asked, victims: Any = victims
        ) -> bool:
            asked.append(one)
            if len(asked) == number + 1:
                victims[0].send_signal(signal.SIGKILL)
                victims[0].wait()
                return True
            return False

        if is_done:
            proxy.change = lambda one, answer, kill=kill: None if kill(one) else answer
        else:
            proxy.instead = lambda one, kill=kill: CUT if kill(one) else None
        victims.append(start(on_moto, f"victim {number} {is_done}", 1_800_000_000.0))
        victims[0].communicate(timeout=60)
        assert victims[0].returncode == -signal.SIGKILL
        proxy.reset()

        # Another machine goes on, at once or when the lease has ended.
        other = on_moto.host(f"other {number}")
        other.let_pass(1.0)
        if status(other.sync()) == "waiting":
            assert other.models == ["gpt-old"]
            other.let_pass(100.0)
            assert status(other.sync()) == "fresh"
        assert other.models == ["gpt-1", "gpt-2"]
        assert on_moto.fetches <= 2
        (entry,) = pointer(on_moto).entries.values()
        assert entry.gateway == "main"
        third = on_moto.host(f"third {number}")
        third.let_pass(102.0)
        report = third.sync()
        assert (report.problems, third.models) == ((), ["gpt-1", "gpt-2"])
        assert on_moto.fetches == 0
        # And so does the one that was killed, when it is started again.
        again = start(on_moto, f"victim {number} {is_done}", 1_800_000_102.0)
        assert json.loads(again.communicate(timeout=60)[0]) == {"ok": True, "problems": []}


def test_publishers_whose_clocks_are_an_hour_apart_agree(on_moto: Hosts) -> None:
    fast, slow = on_moto.host("fast"), on_moto.host("slow")
    fast.world.now += HOUR
    for number in range(6):
        on_moto.offers("gpt-2", f"gpt-{number}")
        for host in (fast, slow) if number % 2 else (slow, fast):
            host.let_pass(HOUR)
            report = host.sync()
            assert (report.ok, report.problems) == (True, ())
            assert f"gpt-{number}" in host.models
        assert on_moto.fetches <= 2
    assert len(pointer(on_moto).entries) == 1


# The engine


def test_an_engine_that_is_down_leaves_each_machine_on_its_own(
    proxy: Proxy, on_moto: Hosts
) -> None:
    proxy.change = lambda asked, answer: None
    host = on_moto.host("one")
    report = host.sync()  # at the start
    assert (report.ok, status(report), host.models) == (True, "fresh", ["gpt-1", "gpt-2"])
    assert [one.kind for one in report.problems] == ["shared"]
    for hour in range(3):  # for a day, in short
        host.let_pass(8 * HOUR)
        on_moto.offers("gpt-2", f"gpt-{hour}")
        assert host.sync().ok
        assert f"gpt-{hour}" in host.models
    reader = on_moto.host("reader", shared_mode="read")
    report = reader.sync()
    assert not report.ok
    assert reader.models == ["gpt-old"]
    proxy.reset()
    host.let_pass(HOUR)
    assert host.sync().problems == ()
    reader.let_pass(25 * HOUR)
    assert reader.sync().problems == ()
    assert reader.models == host.models


@pytest.mark.parametrize(
    ("code", "told"),
    [(403, "refuses"), (503, "answered 503"), (500, "answered 500"), (404, "")],
)
def test_an_engine_that_refuses_is_named_and_costs_nothing(
    proxy: Proxy, on_moto: Hosts, code: int, told: str
) -> None:
    on_moto.host("first").sync()
    proxy.fails(code, Retry_After="3600")
    host = on_moto.host("one")
    report = host.sync()
    assert (report.ok, host.models) == (True, ["gpt-1", "gpt-2"])
    assert told in str(report.problems)
    assert len(proxy.verbs) < 40


def test_a_download_that_is_cut_off_leaves_what_is_there(proxy: Proxy, on_moto: Hosts) -> None:
    on_moto.host("first").sync()

    def cut(asked: Asked, answer: Answer) -> Answer | None:
        if asked.verb == "GET objects":
            length = str(len(answer.body))
            return answer._replace(headers={**answer.headers, "Content-Length": length}, body=b"x")
        return answer

    proxy.change = cut
    host = on_moto.host("one", shared_mode="read")
    thread = threading.Thread(target=host.sync, daemon=True)
    thread.start()
    # Whatever a sync waits for, a lookup does not.
    assert host.models == ["gpt-old"]
    proxy.close()
    thread.join(60)
    assert not thread.is_alive()
    assert host.models == ["gpt-old"]


def test_a_slow_engine_keeps_no_lookup_waiting(proxy: Proxy, on_moto: Hosts) -> None:
    first = on_moto.host("first")
    first.sync()
    gate, asked = threading.Event(), threading.Event()

    def hold(one: Asked) -> Answer | None:
        asked.set()
        assert gate.wait(60)
        return None

    proxy.instead = hold
    first.let_pass(HOUR)
    registry = first.registry()
    thread = threading.Thread(target=registry.sync_gateways)
    thread.start()
    assert asked.wait(60)
    assert registry.get_model("openai/gpt-1")
    assert first.models == ["gpt-1", "gpt-2"]
    gate.set()
    thread.join(60)


def test_an_engine_that_takes_no_notice_of_conditions_gets_nothing_published(
    proxy: Proxy, on_moto: Hosts
) -> None:
    proxy.minds_conditions = False
    host = on_moto.host("one")
    report = host.sync()
    assert report.ok
    assert "ignores conditions" in str(report.problems)
    assert host.models == ["gpt-1", "gpt-2"]
    assert "PUT pointer" not in proxy.verbs
    host.let_pass(HOUR)
    report = host.sync()
    assert "ignores conditions" in str(report.problems)
    assert "PUT pointer" not in proxy.verbs
    proxy.minds_conditions = True  # the engine was updated
    host.let_pass(HOUR)
    assert host.sync().problems == ()
    host.let_pass(HOUR)
    proxy.asked.clear()
    assert host.sync().problems == ()
    assert "PUT probe" not in proxy.verbs  # it is tried once


def test_an_answer_that_is_lost_while_conditions_are_tried_costs_one_publication(
    proxy: Proxy, on_moto: Hosts
) -> None:
    lost: list[Asked] = []

    def lose(asked: Asked, answer: Answer) -> Answer:
        if asked.verb == "PUT probe" and "if-match" in asked.headers and not lost:
            lost.append(asked)
            return Answer(503, {}, b"<Error/>")  # the engine has done it, and obstore tries again
        return answer

    proxy.change = lose
    host = on_moto.host("one")
    assert "ignores conditions" in str(host.sync().problems)
    host.let_pass(HOUR)
    assert host.sync().problems == ()
    assert pointer(on_moto).entries


def test_a_pointer_that_nobody_could_read_is_not_published(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    old = pointer(on_moto)
    objects = {f"{number:064}": host.now for number in range(2**20 // 82 - 10)}
    on_moto.overwrite("pointer", to_bytes(evolve(old, objects=objects), None))
    before = on_moto.read()
    other = on_moto.host("other")
    for number in range(3):
        on_moto.server.serve(f"/own-{number}.json", {f"own-{number}": ["a"]})
        other.world.gateway(f"own-{number}")
    report = other.sync()
    assert (report.ok, on_moto.read()) == (True, before)
    assert "more than 1 MiB (let fewer gateways" in str(report.problems)
    assert host.sync().problems == ()


# What lies there


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "gone", "bomb"])
def test_an_object_that_is_not_what_its_name_says_is_fetched_anew_and_put_right(
    hosts: Hosts, damage: str
) -> None:
    hosts.host("first").sync()
    (name,) = hosts.objects
    whole = hosts.read(name)
    if damage == "gone":
        hosts.engine.delete(name)
    else:
        import zlib

        bomb = zlib.compress(b"0" * 2**27)
        foreign = zlib.compress(b'{"openai": {"models": ["gpt-evil"]}}')
        bad = {"cut": whole[: len(whole) // 2], "empty": b"", "foreign": foreign, "bomb": bomb}
        hosts.overwrite(name, bad[damage])
    second, third = hosts.host("second"), hosts.host("third")
    report = second.sync()
    assert report.ok
    assert [one.kind for one in report.problems] == ["shared"]
    assert second.models == ["gpt-1", "gpt-2"]
    assert hosts.read(name) == whole
    report = third.sync()
    assert (report.problems, third.models) == ((), ["gpt-1", "gpt-2"])
    assert hosts.fetches == 2


def test_an_object_that_is_there_already_is_not_written_again(proxy: Proxy, on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    on_moto.engine.delete("pointer")
    proxy.asked.clear()
    # The object holds more than the payload, and more than this machine reads.
    assert on_moto.host("second", fetch_max_bytes=60).sync().ok
    puts = [verb for verb in proxy.verbs if verb in ("PUT objects", "PUT pointer")]
    assert puts == ["PUT objects", "PUT pointer"]


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "numbers"])
def test_a_pointer_that_is_damaged_is_replaced_by_the_next_publisher(
    hosts: Hosts, damage: str
) -> None:
    hosts.host("first").sync()
    whole = hosts.read()
    evil = {"cut": whole[:-9], "empty": b"", "foreign": b"<html>", "numbers": b"0 1 2"}[damage]
    hosts.overwrite("pointer", evil)
    second = hosts.host("second")
    report = second.sync()
    assert (report.ok, second.models) == (True, ["gpt-1", "gpt-2"])
    assert "does not fit" in str(report.problems)
    third = hosts.host("third")
    assert third.sync().problems == ()
    assert hosts.fetches == 2


def test_a_pointer_of_a_newer_version_is_left_alone(on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    newer = on_moto.read().replace(b"registry-core/1 ", b"registry-core/2 ")
    on_moto.overwrite("pointer", newer)
    host = on_moto.host("one")
    for _ in range(2):
        report = host.sync()
        assert not report.ok
        assert "another version of registry-core" in str(report.problems)
        assert host.models == ["gpt-1", "gpt-2"]
        assert on_moto.read() == newer
        host.let_pass(HOUR)


@pytest.mark.parametrize("key", [None, "of the fleet"])
def test_a_pointer_that_is_replayed_is_refused_and_replaced(
    on_moto: Hosts, key: str | None
) -> None:
    host, other = on_moto.host("one", shared_key=key), on_moto.host("other", shared_key=key)
    host.sync()
    old = on_moto.read()
    for machine in (host, other):
        machine.let_pass(HOUR)
        on_moto.offers("gpt-2", "gpt-3")
        machine.sync()
    on_moto.overwrite("pointer", old)
    other.let_pass(60.0)
    report = other.sync(fresh_for=HOUR)
    assert "somebody restored an old one" in str(report.problems)
    assert other.models == ["gpt-2", "gpt-3"]
    other.let_pass(HOUR)
    other.sync()
    assert pointer(on_moto, key).serial == other.now
    host.let_pass(HOUR + 60.0)
    assert host.sync().problems == ()
    assert host.models == ["gpt-2", "gpt-3"]


def test_a_bucket_that_somebody_emptied_is_filled_again(hosts: Hosts) -> None:
    machines = [hosts.host(name) for name in ("one", "other")]
    for host in machines:
        host.sync()
    hosts.engine.delete(*(name for name, _ in hosts.engine.list("")))
    hosts.server.requests.clear()
    for host in machines:
        host.let_pass(HOUR)
        report = host.sync()
        assert (report.ok, report.problems) == (True, ())
        assert host.models == ["gpt-1", "gpt-2"]
    assert hosts.fetches == 1
    assert pointer(hosts).serial == machines[0].now


def test_only_what_is_not_listed_and_a_day_old_is_removed(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    (first,) = on_moto.objects
    on_moto.engine.put("objects/" + "0" * 64, b"of a publisher that was killed")
    for number in range(3):
        host.let_pass(10 * HOUR)
        on_moto.offers("gpt-2", f"gpt-{number + 3}")
        host.sync()
    assert len(on_moto.objects) == 5  # none is a day old on the engine's clock
    with aged(2 * DAY):
        for number in range(2):
            before = {f"objects/{name}" for name in pointer(on_moto).objects}
            host.let_pass(25 * HOUR)
            on_moto.offers("gpt-2", f"gpt-{number + 8}")
            host.sync()
    listed = {f"objects/{name}" for name in pointer(on_moto).objects}
    assert {*on_moto.objects} == listed | before
    assert first not in listed | before
    assert len(listed) == 2  # that of now, and that of before


def test_an_object_that_is_deleted_under_a_slow_reader_is_looked_for_anew(
    proxy: Proxy, on_moto: Hosts
) -> None:
    first = on_moto.host("first")
    first.sync()
    (name,) = on_moto.objects
    reader = on_moto.host("reader", shared_mode="read")

    def remove(asked: Asked) -> Answer | None:
        if asked.verb == "GET objects" and name in on_moto.objects:
            proxy.reset()
            on_moto.engine.delete(name)
        return None

    proxy.instead = remove
    report = reader.sync()
    assert reader.models == ["gpt-old"]
    assert not report.ok
    on_moto.offers("gpt-2", "gpt-3")
    first.let_pass(HOUR)
    first.sync()
    reader.let_pass(HOUR)
    assert reader.sync().ok
    assert reader.models == ["gpt-2", "gpt-3"]


def test_who_may_not_clean_up_publishes_all_the_same(proxy: Proxy, on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    host.let_pass(25 * HOUR)
    proxy.instead = lambda asked: Answer(403, {}, b"<Error/>") if asked.verb == "GET" else None
    report = host.sync()
    assert (report.ok, "refuses objects" in str(report.problems)) == (True, True)
    assert json.loads(host.memory)["unpublished"] == {}
    (entry,) = pointer(on_moto).entries.values()
    assert entry.checked_at == host.now


# This machine


def test_a_disk_that_is_full_publishes_nothing_and_lets_others_go_on(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = on_moto.host("one")
    host.sync()
    before = on_moto.read()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    on_moto.offers("gpt-2", "gpt-3")
    host.let_pass(HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(commit, "write_atomically", full)
        with pytest.raises(StoreError, match="No space left"):
            host.sync()
    assert host.models == ["gpt-1", "gpt-2"]
    assert on_moto.read() == before
    assert json.loads(on_moto.read("lease"))["free"]


def test_what_can_not_be_remembered_is_asked_again(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    path = host.world.store.folder / "shared.json"
    for text in (b"", b"{", b"[]", b'{"url": 3}', None):
        if text is None:
            path.unlink()
            path.mkdir()
        else:
            path.write_bytes(text)
        host.let_pass(HOUR)
        report = host.sync()
        assert (report.ok, report.problems) == (True, ())


def test_machines_with_other_plugins_share_what_they_have_in_common(on_moto: Hosts) -> None:
    on_moto.server.serve("/own.json", {"own": ["a"]})
    rich, poor = on_moto.host("rich"), on_moto.host("poor")
    rich.world.gateway("own")
    rich.sync()
    poor.sync()
    assert {*poor.world.models()} == {"openai", "other"}
    poor.let_pass(HOUR)
    poor.sync()
    assert {one.gateway for one in pointer(on_moto).entries.values()} == {"main", "own"}
    rich.let_pass(HOUR)
    rich.sync()
    assert {*rich.world.models()} == {"openai", "other", "own"}
    assert on_moto.server.paths.count("/main.json") == 2


def test_a_clock_that_is_a_little_behind_costs_no_fetch(on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    behind = on_moto.host("behind")
    behind.let_pass(-200.0)
    assert status(behind.sync()) == "fresh"
    assert on_moto.fetches == 1
    behind.let_pass(60.0)
    assert status(behind.sync(fresh_for=HOUR)) == "unchanged"


def test_an_entry_of_the_future_makes_nothing_young(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    (entry,) = pointer(on_moto).entries.values()
    old = pointer(on_moto)
    far = evolve(entry, checked_at=entry.checked_at + 10 * 365 * DAY)
    changed = evolve(old, serial=old.serial + 1, entries={entry.key: far})
    on_moto.overwrite("pointer", to_bytes(changed, None))
    fresh = on_moto.host("fresh")
    fresh.sync()
    assert on_moto.fetches == 2
