"""What the catalog asks of an engine, on each that can be run here."""

from __future__ import annotations

import pytest

from registry_core._shared.engine import Engine, Fault, GoneError, LostError
from tests.fleet.conftest import Hosts
from tests.fleet.proxy import Answer, Proxy


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


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (301, "PermanentRedirect", "is in another region (set AWS_REGION"),
        (400, "AuthorizationHeaderMalformed", "is in another region (set AWS_REGION"),
        (400, "ExpiredToken", "refuses pointer to these credentials"),
        (403, "InvalidAccessKeyId", "refuses pointer to these credentials"),
        (403, "RequestTimeTooSkewed", "the clock of this machine is wrong (set the clock)"),
        (404, "NoSuchBucket", "there is no such bucket"),
    ],
)
def test_what_it_refuses_is_said_with_what_helps(
    proxy: Proxy, on_moto: Hosts, status: int, code: str, told: str
) -> None:
    body = f"<Error><Code>{code}</Code><Message>of the engine</Message></Error>".encode()
    proxy.instead = lambda asked: Answer(status, {}, body)
    for ask in (
        lambda: on_moto.engine.get("pointer", most=9),
        lambda: on_moto.engine.put("pointer", b"1"),
    ):
        with pytest.raises(Fault) as raised:
            ask()
        assert told in str(raised.value)
        assert "of the engine" not in str(raised.value)


@pytest.mark.parametrize(
    ("scheme", "name", "value", "told"),
    [
        ("s3", "AWS_ENDPOINT", "not a url hunter2", "at its endpoint (check the engine's own"),
        ("s3", "AWS_ALLOW_HTTP", "false", "needs AWS_ALLOW_HTTP=true"),
        ("s3", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "hunter2", "as it is set up here (check the"),
        (
            "gs",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "/hunter2.json",
            "as it is set up here (check the",
        ),
        ("az", "AZURE_STORAGE_ACCOUNT_KEY", "hunter2", "as it is set up here (check the"),
    ],
)
def test_a_variable_of_the_engine_that_is_wrong_ends_no_sync(
    on_moto: Hosts,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    name: str,
    value: str,
    told: str,
) -> None:
    """One makes obstore panic, with what is no Exception."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Fault) as raised:
        Engine(f"{scheme}://bucket/{name}").get("pointer", most=9)
    assert told in str(raised.value)
    assert "hunter2" not in str(raised.value)
    host = on_moto.host("one", shared=f"{scheme}://bucket/{name}")
    report = host.sync()
    assert (report.ok, told in str(report.problems)) == (True, True)
    assert host.models == ["gpt-1", "gpt-2"]


def test_what_interrupts_a_request_is_no_fault(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a handler of SIGTERM does that exits."""
    engine = on_moto.engine

    def interrupted(*_: object, **__: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(engine._obstore, "get", interrupted)
    with pytest.raises(SystemExit):
        engine.get("pointer", most=9)
