"""Many machines, one catalog: each source is asked once, and everybody has what it said."""

from __future__ import annotations

from registry_core import SyncReport
from tests.fleet.conftest import Hosts

HOUR = 3600.0


def status(report: SyncReport) -> str:
    (found,) = [one for one in report.gateways if one.id == "main"]
    return found.status


def test_one_machine_fetches_and_the_others_take_it_over(hosts: Hosts) -> None:
    first, second = hosts.host("first"), hosts.host("second")
    report = first.sync()
    assert (report.ok, report.problems, status(report)) == (True, (), "fresh")
    report = second.sync()
    assert (report.ok, report.problems, status(report)) == (True, (), "fresh")
    assert first.models == second.models == ["gpt-1", "gpt-2"]
    assert hosts.server.paths == ["/main.json"]
    one, other = (host.registry().snapshot().hash for host in (first, second))
    assert one == other
    for host in (first, second):
        host.let_pass(HOUR)
    hosts.server.serve("/main.json", {"openai": ["gpt-2", "gpt-3"]}, etag='"2"')
    assert status(second.sync()) == "fresh"
    assert status(first.sync()) == "fresh"
    assert first.models == second.models == ["gpt-2", "gpt-3"]
    assert hosts.server.paths == ["/main.json"] * 2


def test_what_has_not_changed_is_confirmed_without_moving_it(hosts: Hosts) -> None:
    first, second = hosts.host("first"), hosts.host("second")
    first.sync(), second.sync()
    for host in (first, second):
        host.let_pass(HOUR)
    assert status(first.sync()) == "unchanged"
    report = second.sync()
    assert (status(report), report.changed) == ("unchanged", False)
    assert second.world.store.read_state().gateways["main"].checked_at == second.now
    second.let_pass(1.0)
    assert status(second.sync(fresh_for=HOUR)) == "unchanged"
    assert len(hosts.server.paths) == 2
