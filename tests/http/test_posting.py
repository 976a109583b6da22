"""POST: the care of a GET, and nothing is done twice."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from registry_core.errors import GatewayError, GatewayTimeoutError, OfflineError
from tests.loopback import NOBODY, Loopback, Reply, dripping

if TYPE_CHECKING:
    from .conftest import Clock, Make


@pytest.mark.parametrize(
    ("arguments", "kind", "body"),
    [
        ({"json": {"a": "é"}}, "application/json", rb'{"a": "\u00e9"}'),
        ({"json": []}, "application/json", b"[]"),
        ({"form": {"a": "1 2", "b": "ü"}}, "application/x-www-form-urlencoded", b"a=1+2&b=%C3%BC"),
        ({}, None, b""),
    ],
)
def test_a_value_or_a_form_is_sent_and_json_comes_back(
    server: Loopback, make: Make, arguments: dict[str, Any], kind: str | None, body: bytes
) -> None:
    server.route("/a", Reply(200, gzip.compress(b'{"b": 1}'), {"Content-Encoding": "gzip"}))
    client = make()
    got = client.post_json(server.url("/a?x=1"), bearer="b", headers={"X-Key": "k"}, **arguments)
    assert got == {"b": 1}
    (request,) = server.requests
    assert (request.method, request.query, request.body) == ("POST", {"x": "1"}, body)
    assert request.headers["Content-Type"] == kind
    assert (request.headers["Authorization"], request.headers["X-Key"]) == ("Bearer b", "k")


def test_a_201_is_an_answer_to_a_post_and_to_nothing_else(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(201, b"1"))
    assert make().post_json(server.url("/a")) == 1
    with pytest.raises(GatewayError, match="answered 201"):
        make().get_json(server.url("/a"))


def test_no_post_is_cached_or_confirmed_by_a_304(server: Loopback, make: Make, folder: Any) -> None:
    server.serve("/a", 1, etag='"1"')
    server.serve("/b", 1, etag='"1"')
    client = make()
    client.get_json(server.url("/b"))
    for _ in range(2):
        assert client.post_json(server.url("/a"), json={}) == 1
    assert [request.headers["If-None-Match"] for request in server.requests] == [None] * 3
    assert client.asked == ()
    assert len(list(folder.glob("*.payload"))) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(502),
        Reply(503),
        Reply(raw=[]),
        Reply(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]),
        Reply(200, b"<html>"),
        Reply(400),
    ],
    ids=["500", "502", "503", "closed", "truncated", "page", "400"],
)
def test_what_the_server_may_have_acted_on_is_not_sent_again(
    server: Loopback, make: Make, clock: Clock, reply: Reply
) -> None:
    server.route("/a", reply)
    with pytest.raises(GatewayError):
        make().post_json(server.url("/a"), json={})
    assert len(server.requests) == 1
    assert clock.waits == []


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (Reply(429), [0.5]),
        (Reply(429, headers={"Retry-After": "7"}), [7.0]),
        (Reply(503, headers={"Retry-After": "7"}), [7.0]),
    ],
)
def test_what_it_refused_for_now_is_sent_again(
    server: Loopback, make: Make, clock: Clock, reply: Reply, waits: list[float]
) -> None:
    server.route("/a", lambda _: reply if len(server.requests) == 1 else Reply(200, b"1"))
    assert make().post_json(server.url("/a"), form={"a": "1"}) == 1
    assert clock.waits == waits
    assert [request.body for request in server.requests] == [b"a=1"] * 2


@pytest.mark.parametrize("through", ["", "http_proxy", "https_proxy"])
def test_without_a_connection_it_is_tried_again(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    url = f"{NOBODY}/a"
    if through:
        monkeypatch.setenv(through, url)
        url = through.replace("_proxy", "://models.invalid/")
    with pytest.raises(GatewayError, match="Connection refused"):
        make().post_json(url, json={})
    assert len(clock.waits) == 3


def test_a_name_that_is_not_found_is_tried_again(
    make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(GatewayError, match="its host name can't be resolved"):
        make().post_json("http://models.invalid/", json={})
    assert len(clock.waits) == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_no_redirect(server: Loopback, make: Make, status: int) -> None:
    server.serve("/b", 1)
    server.route("/a", Reply(status, headers={"Location": "/b"}))
    with pytest.raises(GatewayError, match=r"redirected to .*/b, which a POST does not follow"):
        make().post_json(server.url("/a"), json={})
    assert server.paths == ["/a"]


def test_the_deadline_the_limit_and_the_switch_hold(server: Loopback, make: Make) -> None:
    gate = threading.Event()
    server.route("/slow", lambda _: Reply(raw=dripping(b"HTTP/1.1 200 OK\r\nX: y", gate)))
    server.route("/large", Reply(200, b" " * 2**21))
    with pytest.raises(GatewayTimeoutError):
        make(fetch_deadline_ms=100).post_json(server.url("/slow"), json={})
    gate.set()
    with pytest.raises(GatewayError, match="sent more than 1 MiB"):
        make(fetch_max_bytes=2**20).post_json(server.url("/large"), json={})
    with pytest.raises(OfflineError):
        make(offline=True).post_json(server.url("/large"), json={})


def test_a_body_that_can_not_be_sent_is_an_error(server: Loopback, make: Make) -> None:
    with pytest.raises(GatewayError, match="no NaN or infinity"):
        make().post_json(server.url("/a"), json=float("nan"))
    with pytest.raises(TypeError, match="json or form, not both"):
        make().post_json(server.url("/a"), json={}, form={})
    assert server.requests == []


def test_what_it_sent_in_confidence_may_not_come_back(server: Loopback, make: Make) -> None:
    secret = "s3cret/with-16-characters"
    server.route("/a", lambda request: Reply(200, b'["%s"]' % request.body.replace(b'"', b"'")))
    client = make(environ={"TOKEN": secret})
    for arguments in (
        {"json": {"x": client.secret("TOKEN")}},
        {"form": {"x": secret}},
        {"form": {"client_secret": "another-secret/of-16"}},
    ):
        with pytest.raises(GatewayError, match="back, so its answer is not used") as caught:
            client.post_json(server.url("/a"), **arguments)
        assert secret not in str(caught.value)
