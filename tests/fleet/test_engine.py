"""What the catalog asks of an engine, on each that can be run here."""

from __future__ import annotations

import pytest

from registry_core._shared.engine import Fault, GoneError, LostError
from tests.fleet.conftest import Hosts


def test_a_put_holds_to_its_condition(hosts: Hosts) -> None:
    engine = hosts.engine
    first = engine.put("pointer", b"1")
    with pytest.raises(LostError):
        engine.put("pointer", b"2")
    second = engine.put("pointer", b"3", first)
    for version in (first, {**second, "e_tag": '"another"', "version": "1"}):
        with pytest.raises(LostError):
            engine.put("pointer", b"4", version)
    found = engine.get("pointer", most=9)
    assert found
    assert (found.data, found.version) == (b"3", second)
    assert engine.get("pointer", most=9, unless=second["e_tag"]) is None
    other = engine.get("pointer", most=9, unless=first["e_tag"])
    assert other and other.data == b"3"


def test_what_is_not_there_is_gone_and_deleted_twice_without_a_word(hosts: Hosts) -> None:
    engine = hosts.engine
    with pytest.raises(GoneError):
        engine.get("pointer", most=9)
    assert [*engine.list("objects")] == []
    for name in ("objects/a", "objects/b", "probe/c"):
        engine.put(name, b"1")
    assert {name for name, _ in engine.list("objects")} == {"objects/a", "objects/b"}
    for _ in range(2):
        engine.delete("objects/a", "objects/b")
    assert [name for name, _ in engine.list("")] == ["probe/c"]
    with pytest.raises(Fault):
        engine.put("objects/a", b"1", {"e_tag": '"x"', "version": "1"})


def test_more_than_is_wanted_is_not_read(hosts: Hosts) -> None:
    hosts.engine.put("pointer", b"0" * 2**20)
    with pytest.raises(Fault, match="more than"):
        hosts.engine.get("pointer", most=2**10)


def test_a_bucket_that_is_not_there_is_named(hosts: Hosts) -> None:
    hosts.url = hosts.url.replace("://fleet/", "://nobodys-bucket/")
    for mode in ("full", "read"):
        host = hosts.host(mode, shared_mode=mode)
        report = host.sync()
        assert report.ok is (mode == "full")
        assert "there is no such bucket" in str(report.problems)
