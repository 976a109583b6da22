"""What else engines, caches, strangers and administrators do: nobody is misled or stopped."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from typing import Any

import pytest
from attrs import evolve

from registry_core._shared.engine import Engine, Fault
from registry_core._shared.lease import LONGEST
from registry_core._shared.pointer import DAY, to_bytes
from registry_core._sync.polling import News
from tests.fleet.conftest import Host, Hosts, aged
from tests.fleet.proxy import Answer, Asked, Proxy
from tests.fleet.test_lease import Live
from tests.fleet.test_sharing import HOUR, pointer, status
from tests.loopback import Loopback, Reply, dripping

pytestmark = pytest.mark.slow

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"

# What lies there


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"free": 1, "term": 90}',
        b'{"term": NaN, "free": false}',
        b'{"term": 1e999, "free": false}',
        b'{"term": -5, "free": null}',
        b'{"term": %d, "free": false}' % 10**400,
        b"[" * 4000,
        b"\xff",
    ],
    ids=lambda body: body[:20].decode(errors="replace"),
)
def test_a_strange_lease_ends_as_any(on_moto: Hosts, body: bytes) -> None:
    host = on_moto.host("one")
    on_moto.engine.put("lease", body)
    assert status(host.sync()) == "waiting"
    host.let_pass(LONGEST)
    assert status(host.sync()) == "fresh"
    assert json.loads(on_moto.read("lease"))["free"]


@pytest.mark.parametrize(
    "change",
    [
        {"serial": float("inf")},
        {"serial": 10**400},
        {"serial": None},
        {"entries": 3},
        {"entries": [{}]},
        {"entries": [[]]},
        {"entries": {"a": 1}},
        {"objects": []},
        {"objects": {"../../evil": 1.0}},
        {"objects": {"0" * 64: 10**400}},
        {"cleaned_at": float("nan")},
        {"cleaned_at": 10**400},
    ],
    ids=str,
)
def test_a_strange_pointer_is_replaced(on_moto: Hosts, change: dict[str, Any]) -> None:
    on_moto.host("first").sync()
    about = {"serial": 5, "entries": [], "objects": {}, "cleaned_at": 0.0, **change}
    body = json.dumps(about).encode()
    seal = hashlib.sha256(b"registry-core/1 " + body).hexdigest()
    on_moto.overwrite("pointer", f"registry-core/1 sha256:{seal} ".encode() + body)
    host = on_moto.host("one")
    report = host.sync()
    assert (report.ok, status(report)) == (True, "fresh")
    assert [one.kind for one in report.problems] == ["shared"]
    assert len(pointer(on_moto).entries) == 1


def test_entries_that_can_not_be_are_refused_with_their_pointer(on_moto: Hosts) -> None:
    on_moto.host("first").sync()
    whole = json.loads(on_moto.read().split(b" ", 2)[2])
    changes = [
        {"object": "../../../etc/passwd"},
        {"object": "0" * 63},
        {"checked_at": 1e999},
        {"checked_at": -1},
        {"failures": 1e999},
        {"gateway": 3},
        {"publisher": "x" * 1001},
        {"consulted": "PATH"},
        {"consulted": [1]},
    ]
    for number, change in enumerate(changes):
        evil = {**whole, "entries": [{**whole["entries"][0], **change}], "serial": 100 + number}
        body = json.dumps(evil).encode()
        seal = hashlib.sha256(b"registry-core/1 " + body).hexdigest()
        on_moto.overwrite("pointer", f"registry-core/1 sha256:{seal} ".encode() + body)
        host = on_moto.host(f"{number}")
        report = host.sync()
        assert (report.ok, status(report)) == (True, "fresh"), change
        assert [one.kind for one in report.problems] == ["shared"], change


def test_counts_that_were_raised_to_the_last_number_stay_there(on_moto: Hosts) -> None:
    """Nobody could count on: a sync ended in a traceback, or each publication was refused."""
    on_moto.server.route("/main.json", Reply(503))
    host, other = on_moto.host("one"), on_moto.host("other")
    host.sync()
    old = pointer(on_moto)
    (entry,) = old.entries.values()
    entries = {entry.key: evolve(entry, failures=2**53 - 1)}
    on_moto.overwrite("pointer", to_bytes(evolve(old, entries=entries, serial=2**53 - 1), None))
    for machine in (host, other):
        machine.let_pass(HOUR)
    assert status(host.sync(force=True)) == "failed"
    on_moto.offers("gpt-2", "gpt-3")
    on_moto.server.requests.clear()
    for machine in (host, other):
        machine.let_pass(2 * HOUR)
        assert machine.sync(force=machine is host).problems == ()
        assert machine.models == ["gpt-2", "gpt-3"]
    assert on_moto.fetches == 1


@pytest.mark.parametrize("key", [None, "of the fleet"])
def test_old_pointers_put_back_and_forth_make_nothing_young(
    on_moto: Hosts, key: str | None
) -> None:
    """Both have the right seal; who can write the bucket needs no key for that."""
    host, victim = on_moto.host("one", shared_key=key), on_moto.host("victim", shared_key=key)
    host.sync()
    old = on_moto.read()
    host.let_pass(60.0)
    host.sync(force=True)
    new = on_moto.read()
    victim.let_pass(60.0)
    victim.sync()
    on_moto.server.requests.clear()
    for _ in range(13):
        on_moto.overwrite("pointer", old)
        victim.sync(fresh_for=HOUR)
        on_moto.overwrite("pointer", new)
        victim.let_pass(290.0)
        victim.sync(fresh_for=HOUR)
    assert on_moto.fetches == 1


def test_a_cache_that_is_behind_is_no_news_at_any_poll(on_moto: Hosts) -> None:
    host, reader = on_moto.host("one"), on_moto.host("reader", shared_mode="read")
    host.sync()
    old = on_moto.read()
    host.let_pass(60.0)
    host.sync(force=True)
    new = on_moto.read()
    reader.let_pass(60.0)
    reader.sync()
    remembered = reader.memory
    workers = [News(reader.registry().world) for _ in range(2)]
    for there, is_news in ((old, False), (old, False), (b"damaged", True), (new, False)):
        on_moto.overwrite("pointer", there)
        reader.let_pass(60.0)
        assert workers[0].look() == is_news
        assert reader.memory == remembered
    on_moto.overwrite("pointer", old)
    reader.let_pass(60.0)
    assert [one.look() for one in workers] == [False, False]
    host.let_pass(240.0)
    host.sync(force=True)  # the engine itself goes on
    reader.let_pass(60.0)
    assert [one.look() for one in workers] == [True, True]


@pytest.mark.parametrize("damage", [None, b"damaged"])
def test_who_replaces_an_old_pointer_keeps_what_the_newer_one_said(
    on_moto: Hosts, damage: bytes | None
) -> None:
    on_moto.server.serve("/own.json", {"own": ["a"]})
    rich, poor = on_moto.host("rich"), on_moto.host("poor")
    poor.sync()
    old = on_moto.read()
    rich.world.gateway("own")
    rich.sync()
    poor.let_pass(60.0)
    poor.sync()
    on_moto.overwrite("pointer", damage or old)
    report = poor.sync(force=True)
    assert ("does not fit" if damage else "the newer one counts") in str(report.problems)
    assert {one.gateway for one in pointer(on_moto).entries.values()} == {"main", "own"}
    assert pointer(on_moto).serial == poor.now


def test_who_replaces_an_old_pointer_keeps_what_was_published_on_it(hosts: Hosts) -> None:
    """It was put back, and one that never saw the newer one has published since."""
    hosts.server.serve("/own.json", {"own": ["a"]})
    knows, joins = hosts.host("knows"), hosts.host("joins")
    joins.world.gateway("own")
    knows.sync()
    old = hosts.read()
    knows.let_pass(2 * HOUR)
    knows.sync(force=True)
    hosts.overwrite("pointer", old)
    joins.let_pass(60.0)
    joins.sync()
    knows.let_pass(60.0)
    assert "the newer one counts" in str(knows.sync(force=True).problems)
    assert {one.gateway for one in pointer(hosts).entries.values()} == {"main", "own"}


def test_who_replaces_an_old_pointer_removes_nothing_that_the_newer_one_names(
    on_moto: Hosts,
) -> None:
    host = on_moto.host("one")
    host.sync()
    old = on_moto.read()
    on_moto.offers("gpt-2", "gpt-3")
    host.let_pass(HOUR)
    host.sync()
    host.world.gateway("own")
    on_moto.server.serve("/own.json", {"own": ["a"]})
    on_moto.overwrite("pointer", old)
    host.let_pass(3 * DAY)
    on_moto.server.route("/main.json", Reply(500))  # so that only the other one is published anew
    with aged(2 * DAY):
        host.sync()
    named = {one.object for one in pointer(on_moto).entries.values() if one.object}
    assert {f"objects/{name}" for name in named} <= {*on_moto.objects}
    assert len(named) == 2


def test_of_two_results_the_remembered_one_stays_whatever_their_clocks_say(
    on_moto: Hosts,
) -> None:
    """The first publisher's clock is an hour ahead. What it said is put back."""
    on_moto.server.serve("/own.json", {"own": ["a"]})
    ahead, right = on_moto.host("ahead"), on_moto.host("right")
    ahead.let_pass(HOUR)
    ahead.sync()
    old = on_moto.read()
    on_moto.offers("gpt-2", "gpt-3")
    right.let_pass(60.0)
    right.sync(force=True)
    newest = {one.object for one in pointer(on_moto).entries.values()}
    on_moto.overwrite("pointer", old)
    right.world.gateway("own")
    right.let_pass(60.0)
    right.sync()
    assert newest <= {one.object for one in pointer(on_moto).entries.values()}


@pytest.mark.parametrize("key", [None, "new"])
def test_a_publisher_that_remembers_nothing_is_believed_by_readers_that_do(
    on_moto: Hosts, key: str | None
) -> None:
    """As a job in a container of its own, after the bucket was emptied, or the key was changed."""
    publisher, reader = on_moto.host("publisher"), on_moto.host("reader", shared_mode="read")
    for _ in range(5):
        publisher.sync(force=True)
    reader.sync()
    if key is None:
        on_moto.engine.delete("pointer", *on_moto.objects)
    on_moto.offers("gpt-2", "gpt-3")
    fresh = on_moto.host("fresh", shared_key=key)
    reader.settings["shared_key"] = key
    for host in (fresh, reader):
        host.let_pass(HOUR)
        assert host.sync().ok
    assert reader.models == ["gpt-2", "gpt-3"]


# The engine, and what is on the way


def copy(hosts: Hosts, web: Loopback, pointer: bytes, **headers: str) -> None:
    """What a web server or a cache has of it."""
    told = {"Last-Modified": DATE, **headers}
    for name in hosts.objects:
        web.route(f"/fleet/{name}", Reply(200, hosts.read(name), told))
    web.route("/fleet/pointer", Reply(200, pointer, told))


def test_a_cache_that_is_behind_is_no_failure_of_a_reader(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    old = on_moto.read()
    on_moto.offers("gpt-2", "gpt-3")
    host.let_pass(HOUR)
    host.sync()
    with Loopback() as web:
        reader = on_moto.host("reader", shared=web.url("/fleet"))
        reader.let_pass(HOUR)
        for number, text in enumerate((on_moto.read(), old, on_moto.read())):
            copy(on_moto, web, text, ETag=f'"{number}"')
            report = reader.sync()
            assert report.ok
            assert reader.models == ["gpt-2", "gpt-3"]
            assert len(report.problems) == (text == old)


def test_a_server_without_etags_makes_no_news(on_moto: Hosts) -> None:
    on_moto.host("one").sync()
    with Loopback() as web:
        copy(on_moto, web, on_moto.read())
        live = Live(on_moto.host("reader", shared=web.url("/fleet")))
        try:
            web.requests.clear()
            for _ in range(5):
                assert live.poll() == ["gpt-1", "gpt-2"]
            assert web.paths == ["/fleet/pointer"] * 5  # a sync would ask once more
        finally:
            live.stop()


def test_an_engine_whose_etags_can_not_be_compared_gets_nothing_published(
    proxy: Proxy, on_moto: Hosts
) -> None:
    def weak(asked: Asked) -> Answer | None:
        return Answer(412, {}, b"<Error/>") if "if-match" in asked.headers else None

    proxy.instead = weak
    host = on_moto.host("one")
    report = host.sync()
    assert (report.ok, host.models) == (True, ["gpt-1", "gpt-2"])
    assert "ignores conditions" in str(report.problems)
    assert "PUT pointer" not in proxy.verbs


@pytest.mark.parametrize("where", ["body", "headers"])
def test_an_engine_that_drips_is_given_up(where: str) -> None:
    gate = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\nLast-Modified: " + DATE.encode()
    sent = {"body": head + b"\r\n\r\n", "headers": head}[where]
    with Loopback() as web:
        web.route(
            "/fleet/pointer",
            lambda _: Reply(raw=itertools.chain([sent], dripping(b"x" * 999, gate))),
        )
        with pytest.raises(Fault, match="did not answer in time"):
            Engine(web.url("/fleet"), patience=0.3).get("pointer", most=10**6)
        gate.set()


def test_a_pointer_without_end_is_not_read_to_it(on_moto: Hosts) -> None:
    with Loopback() as web:
        endless = itertools.repeat(b"x" * 65536)
        told = {"Last-Modified": DATE, "Content-Length": f"{10**12}"}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        raw = itertools.chain([f"HTTP/1.1 200 OK\r\n{head}\r\n".encode()], endless)
        web.route("/fleet/pointer", lambda _: Reply(raw=raw))
        host = on_moto.host("one", shared=web.url("/fleet"))
        report = host.sync()
        assert "holds more than 1 MiB" in str(report.problems)
        assert host.models == ["gpt-old"]


def test_a_server_that_compresses_on_the_fly_is_named(on_moto: Hosts) -> None:
    with Loopback() as web:
        chunks = [b"x", b"y"]
        web.route("/fleet/pointer", lambda _: Reply(200, chunks, {"Last-Modified": DATE}))
        report = on_moto.host("one", shared=web.url("/fleet")).sync()
        assert "without Content-Length" in str(report.problems)


@pytest.mark.parametrize("prefix", ["ключ/ä", "a%2Fb", "a+b&c=d", "x" * 200, "NoSuchBucket"])
def test_any_prefix_holds_a_catalog_of_its_own(hosts: Hosts, prefix: str) -> None:
    whole, hosts.url = hosts.url, f"{hosts.url}/{prefix}"
    for name in ("one", "two"):
        host = hosts.host(name)
        assert host.sync().problems == ()
        assert host.models == ["gpt-1", "gpt-2"]
    assert hosts.fetches == 1
    assert len(hosts.objects) == 1
    hosts.url = whole
    assert hosts.objects == []


def test_thousands_of_objects_are_cleaned_up(on_moto: Hosts) -> None:
    host = on_moto.host("one")
    host.sync()
    for number in range(2100):
        on_moto.engine.put(f"objects/{number:064}", b"x")
    host.let_pass(25 * HOUR)
    on_moto.offers("gpt-1", "gpt-3")
    with aged(2 * DAY):
        assert host.sync().problems == ()
    assert len(on_moto.objects) == 2


# Administrators


def keyed(hosts: Hosts, name: str, key: str) -> Host:
    return hosts.host(name, shared_key=key)


def test_two_fleets_with_keys_of_their_own_in_one_place_serve_right_data(on_moto: Hosts) -> None:
    """They replace each other's pointers, which costs fetches and nothing else."""
    machines = [keyed(on_moto, f"{key} {n}", key) for n in range(2) for key in ("a", "b")]
    for hour in range(4):
        on_moto.offers("gpt-1", f"gpt-{hour + 2}")
        for host in machines:
            report = host.sync()
            assert report.ok
            assert f"gpt-{hour + 2}" in host.models
            host.let_pass(HOUR)
        assert on_moto.fetches <= len(machines)


def test_a_key_that_is_changed_machine_by_machine_costs_fetches_only(on_moto: Hosts) -> None:
    hosts = [keyed(on_moto, f"{number}", "old") for number in range(3)]
    for host in hosts:
        host.sync()
    for number in range(3):
        hosts[number].settings["shared_key"] = "new"
        for host in hosts:
            host.let_pass(HOUR)
            assert host.sync().ok
            assert host.models == ["gpt-1", "gpt-2"]
    on_moto.server.requests.clear()
    for host in hosts:
        host.let_pass(HOUR)
        assert host.sync().problems == ()
    assert on_moto.fetches == 1


def test_a_machine_moves_to_another_bucket_and_back(on_moto: Hosts) -> None:
    here, there = on_moto.url, f"{on_moto.url}/there"
    mover = on_moto.host("mover")
    mover.sync()
    on_moto.url = there
    other = on_moto.host("other")
    other.let_pass(600.0)
    on_moto.offers("gpt-2", "gpt-3")
    other.sync()
    on_moto.server.requests.clear()
    for url, models in ((there, ["gpt-2", "gpt-3"]), (here, ["gpt-2", "gpt-3"])):
        mover.settings["shared"] = url
        mover.let_pass(600.0)
        report = mover.sync()
        assert (report.problems, mover.models) == ((), models)  # never older than what it has
    assert on_moto.fetches == 0


def test_without_a_shared_catalog_a_machine_goes_on_by_itself(on_moto: Hosts) -> None:
    on_moto.host("one").sync()
    host = on_moto.host("two")
    host.sync()
    on_moto.offers("gpt-2", "gpt-3")
    on_moto.server.requests.clear()
    host.settings["shared"] = None
    host.let_pass(HOUR)
    assert host.models == ["gpt-1", "gpt-2"]
    report = host.sync()
    assert (report.ok, host.models, on_moto.fetches) == (True, ["gpt-2", "gpt-3"], 1)


@pytest.mark.parametrize("back", [120.0, 2 * HOUR, 400 * 24 * HOUR])
def test_a_clock_that_jumps_back_costs_one_fetch(on_moto: Hosts, back: float) -> None:
    one, jumper = on_moto.host("one"), on_moto.host("jumper")
    one.sync()
    jumper.sync()
    jumper.world.now -= back
    for _ in range(5):
        report = jumper.sync(fresh_for=HOUR)
        assert (report.problems, jumper.models) == ((), ["gpt-1", "gpt-2"])
        jumper.let_pass(60.0)
    assert on_moto.fetches <= 2
