"""A source that fails is asked by one machine at a time, not by each of a fleet."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from registry_core import GatewayClient, ProviderConfig
from tests.fleet.conftest import Host, Hosts
from tests.fleet.test_lease import Live
from tests.fleet.test_sharing import HOUR, Private, pointer, status
from tests.loopback import Reply
from tests.world import JsonGateway, Plugin


def breaks(hosts: Hosts) -> None:
    hosts.server.route("/main.json", Reply(503))
    hosts.server.requests.clear()


def gateway(report: Any, id: str = "main") -> Any:
    return next(one for one in report.gateways if one.id == id)


def test_what_one_asked_in_vain_nobody_asks_again_for_a_while(hosts: Hosts) -> None:
    breaks(hosts)
    one, two = hosts.host("one"), hosts.host("two")
    report = one.sync()
    assert (report.ok, status(report)) == (False, "failed")
    report = two.sync()
    assert (report.ok, status(report), report.problems) == (True, "waiting", ())
    assert "asked and failed" in gateway(report).error
    assert "503" in gateway(report).error
    assert hosts.fetches == 1
    for host in (one, two):
        host.let_pass(60.0)
    assert status(one.sync()) == "waiting"  # who failed leaves it to others
    assert status(two.sync()) == "failed"
    assert hosts.fetches == 1
    (entry,) = pointer(hosts).entries.values()
    assert (entry.failures, entry.object) == (2, "")


class Telling(JsonGateway):
    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        raise ValueError(f"https://acme.example/v1?key=hunter2 {Path.home()}")


def test_the_text_of_an_error_stays_on_its_machine(on_moto: Hosts) -> None:
    for name in ("one", "two"):
        host = on_moto.host(name)
        host.world.plugins = [Plugin(Telling("main", ""))]
        report = host.sync()
        assert ("hunter2" in gateway(report).error) is (name == "one")
    assert "asked and failed: GatewayError" in gateway(report).error
    for private in ("hunter2", "acme.example", str(Path.home())):
        assert private.encode() not in on_moto.read()


def test_a_machine_that_is_cut_off_from_the_source_holds_up_nobody(on_moto: Hosts) -> None:
    breaks(on_moto)
    cut_off, well = on_moto.host("cut off"), on_moto.host("well")
    cut_off.sync()
    well.sync()
    on_moto.offers("gpt-1", "gpt-2")
    for host in (cut_off, well):
        host.let_pass(60.0)
    assert status(cut_off.sync()) == "waiting"
    assert status(well.sync()) == "fresh"
    assert status(cut_off.sync()) == "fresh"
    assert on_moto.fetches == 2
    (entry,) = pointer(on_moto).entries.values()
    assert (entry.failures, entry.error) == (0, "")


def test_a_machine_that_is_alone_tries_again_by_itself(on_moto: Hosts) -> None:
    breaks(on_moto)
    host = on_moto.host("one")
    assert status(host.sync()) == "failed"
    host.let_pass(119.0)
    assert status(host.sync()) == "waiting"
    host.let_pass(1.0)
    assert status(host.sync()) == "failed"
    assert on_moto.fetches == 2


def test_nobody_is_held_up_longer_than_ten_minutes(on_moto: Hosts) -> None:
    breaks(on_moto)
    for number in range(8):
        on_moto.host(f"{number}").sync(force=True)
    assert on_moto.fetches == 8
    host = on_moto.host("last")
    assert status(host.sync()) == "waiting"
    host.let_pass(600.0)
    assert status(host.sync()) == "failed"


def test_who_forces_asks_all_the_same(on_moto: Hosts) -> None:
    breaks(on_moto)
    on_moto.host("one").sync()
    on_moto.offers("gpt-1", "gpt-2")
    assert status(on_moto.host("two").sync(force=True)) == "fresh"


def test_one_gateway_that_fails_holds_up_no_other(on_moto: Hosts) -> None:
    on_moto.server.serve("/own.json", {"own": ["a"]})
    breaks(on_moto)
    for name in ("one", "two"):
        host = on_moto.host(name)
        host.world.gateway("own")
        report = host.sync()
        assert gateway(report, "own").status == "fresh"
    assert status(report) == "waiting"
    assert sorted(on_moto.server.paths) == ["/main.json", "/own.json"]


@pytest.mark.parametrize("how", ["secret", "header", "user", "query", "exchanged"])
def test_what_failed_with_a_credential_is_told_to_nobody(on_moto: Hosts, how: str) -> None:
    on_moto.server.route("/acme.json", Reply(503))
    for name in ("one", "two"):
        host = on_moto.host(name)
        host.world.environ["ACME_TOKEN"] = "0123456789abcdef"
        host.world.plugins.append(Plugin(Private("acme", on_moto.server.url("/acme.json"), how)))
        assert gateway(host.sync(), "acme").status == "failed"
    assert b"acme" not in on_moto.read()


def test_what_failed_without_a_token_is_tried_by_who_has_one(on_moto: Hosts) -> None:
    on_moto.server.route("/acme.json", Reply(503))
    for name, token, told in (("without", "", "failed"), ("with", "0123456789abcdef", "failed")):
        host = on_moto.host(name)
        host.world.environ["ACME_TOKEN"] = token
        gateway_ = Private("acme", on_moto.server.url("/acme.json"), "secret")
        host.world.plugins.append(Plugin(gateway_))
        assert gateway(host.sync(), "acme").status == told


def test_far_fewer_models_are_asked_for_once(on_moto: Hosts) -> None:
    on_moto.offers(*(f"gpt-{number}" for number in range(10)))
    one, two = on_moto.host("one"), on_moto.host("two")
    one.sync()
    two.sync()
    on_moto.offers("gpt-1")
    for host in (one, two):
        host.let_pass(HOUR)
    assert status(one.sync()) == "failed"
    assert status(two.sync()) == "waiting"
    assert on_moto.fetches == 2


class Day:
    """Live hosts, woken in the order in which they want to be."""

    def __init__(self, hosts: list[Host]) -> None:
        self.live = [Live(host) for host in hosts]
        self.passed = 0.0
        self._next = [(one.waits[-1], number) for number, one in enumerate(self.live)]
        heapq.heapify(self._next)

    def let_pass(self, seconds: float) -> None:
        ends = self.passed + seconds
        while self._next[0][0] <= ends:
            at, number = heapq.heappop(self._next)
            one = self.live[number]
            one.poll()
            heapq.heappush(self._next, (at + one.waits[-1], number))
        self.passed = ends

    def stop(self) -> None:
        for one in self.live:
            one.stop()


@pytest.mark.slow
def test_a_source_that_is_down_for_an_hour_is_asked_as_often_as_by_one_machine(
    on_moto: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    day = Day([on_moto.host(f"{number}") for number in range(12)])
    try:
        day.let_pass(HOUR - 120.0)
        assert on_moto.fetches == 1
        breaks(on_moto)
        day.let_pass(HOUR)
        assert 6 <= on_moto.fetches <= 10
        assert "works again" not in caplog.text
        on_moto.offers("gpt-2", "gpt-3")
        day.let_pass(720.0)
        assert on_moto.fetches == 1
        assert {tuple(one.host.models) for one in day.live} == {("gpt-2", "gpt-3")}
        assert "works again" in caplog.text
    finally:
        day.stop()
