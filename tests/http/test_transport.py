"""What a server, a proxy or a network may do to a request."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_core.errors import GatewayError, GatewayTimeoutError
from tests.loopback import NOBODY, Loopback, Reply, Request, dripping

if TYPE_CHECKING:
    from .conftest import Clock, Make

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Set at the end of the test: lets routes go that wait for it."""
    event = threading.Event()
    yield event
    event.set()


# Retries


def failing(times: int, reply: Reply, server: Loopback) -> None:
    """`reply` for the first requests to /a, then JSON."""
    server.route("/a", lambda request: reply if len(server.requests) <= times else Reply(200, b"1"))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(503),
        Reply(429),
        Reply(raw=[]),
        Reply(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]),
        Reply(raw=[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"]),
        Reply(raw=[b"not HTTP at all\r\n\r\n"]),
    ],
    ids=["500", "502", "503", "429", "closed", "truncated", "truncated chunk", "no HTTP"],
)
def test_what_may_pass_is_tried_again(
    server: Loopback, make: Make, clock: Clock, reply: Reply
) -> None:
    failing(3, reply, server)
    assert make().get_json(server.url("/a")) == 1
    assert clock.waits == [0.5, 1.0, 2.0]


def test_retries_end(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(503))
    with pytest.raises(
        GatewayError, match=r"answered 503 Service Unavailable \(4 attempts\)"
    ) as caught:
        make().get_json(server.url("/a"))
    assert caught.value.status == 503
    assert len(server.requests) == 4
    with pytest.raises(GatewayError, match="answered 503"):
        make(fetch_retries=0).get_json(server.url("/a"))
    assert len(server.requests) == 5


def test_waits_are_spread_by_chance(server: Loopback, make: Make, clock: Clock) -> None:
    server.route("/a", Reply(503))
    for chance in (0.0, 1.0):
        with pytest.raises(GatewayError):
            make(random=lambda chance=chance: chance).get_json(server.url("/a"))
    assert clock.waits == [0.25, 0.5, 1.0, 0.75, 1.5, 3.0]


def test_a_refused_connection_is_tried_again_and_named(make: Make, clock: Clock) -> None:
    url = f"{NOBODY}/a?key=hidden"
    with pytest.raises(GatewayError, match=r"can't be reached: Connection refused") as caught:
        make().get_json(url)
    assert caught.value.culprit == url.partition("?")[0]
    assert caught.value.status is None
    assert len(clock.waits) == 3


def test_a_host_that_does_not_exist_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(GatewayError, match="its host name can't be resolved"):
        make(fetch_retries=0).get_json("http://models.invalid/api.json")


@pytest.mark.parametrize("status", [204, 300, 400, 401, 403, 404, 410, 418])
def test_other_answers_are_final(server: Loopback, make: Make, status: int) -> None:
    server.route("/a", Reply(status))
    with pytest.raises(GatewayError, match=f"answered {status} ") as caught:
        make().get_json(server.url("/a"))
    assert caught.value.status == status
    assert len(server.requests) == 1


def test_a_refused_credential_is_named_by_its_variable(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(401))
    client = make()
    with pytest.raises(GatewayError, match="check ACME_TOKEN"):
        client.get_json(server.url("/a"), bearer=client.secret("ACME_TOKEN"))


def test_a_credential_that_stayed_at_home_is_not_to_blame(server: Loopback, make: Make) -> None:
    server.route("/a", redirect(server.url("/b", host="localhost")))
    server.route("/b", Reply(401))
    client = make()
    with pytest.raises(GatewayError, match="check the credentials that it is sent"):
        client.get_json(server.url("/a"), bearer=client.secret("ACME_TOKEN"))


# Retry-After


def test_retry_after_in_seconds_is_honoured(server: Loopback, make: Make, clock: Clock) -> None:
    failing(1, Reply(429, headers={"Retry-After": "7"}), server)
    assert make().get_json(server.url("/a")) == 1
    assert clock.waits == [7.0]


def test_retry_after_as_a_date_is_honoured(server: Loopback, make: Make, clock: Clock) -> None:
    client = make()
    failing(1, Reply(503, headers={"Retry-After": formatdate(clock.now + 9, usegmt=True)}), server)
    assert client.get_json(server.url("/a")) == 1
    assert clock.waits == [9.0]


@pytest.mark.parametrize("after", ["120", "9" * 400, formatdate(4_000_000_000, usegmt=True)])
def test_retry_after_the_deadline_fails_at_once_and_says_so(
    server: Loopback, make: Make, clock: Clock, after: str
) -> None:
    server.route("/a", Reply(429, headers={"Retry-After": after}))
    with pytest.raises(
        GatewayError, match=r"429 Too Many Requests; it asks to wait .* past the deadline"
    ):
        make().get_json(server.url("/a"))
    assert clock.waits == []


@pytest.mark.parametrize("after", ["", "soon", "-1", "1e3", "Thu, 99 Foo 2026"])
def test_a_retry_after_that_means_nothing_is_ignored(
    server: Loopback, make: Make, clock: Clock, after: str
) -> None:
    failing(1, Reply(429, headers={"Retry-After": after}), server)
    assert make().get_json(server.url("/a")) == 1
    assert clock.waits == [0.5]


# The deadline


def test_retries_stop_at_the_deadline(server: Loopback, make: Make, clock: Clock) -> None:
    server.route("/a", Reply(503))
    client = make(fetch_retries=100)
    with pytest.raises(GatewayTimeoutError, match=r"before the deadline.*answered 503"):
        client.get_json(server.url("/a"))
    assert sum(clock.waits) < 30


def test_after_the_deadline_nothing_is_asked(server: Loopback, make: Make, clock: Clock) -> None:
    server.serve("/a", 1)
    client = make()
    clock.now += 31
    with pytest.raises(GatewayTimeoutError):
        client.get_json(server.url("/a"))
    assert server.requests == []


def test_nothing_watches_a_deadline_once_the_answer_is_there(server: Loopback, make: Make) -> None:
    server.serve("/a.json", {})
    make().get_json(server.url("/a.json"))
    watchers = [one for one in threading.enumerate() if one.name == "registry-core deadline"]
    for one in watchers:
        one.join(60)
    assert not any(one.is_alive() for one in watchers)


def hung_before(gate: threading.Event) -> Iterator[bytes]:
    gate.wait(60)
    yield b""


def hung_in_the_body(gate: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
    yield from hung_before(gate)


STALLS = {
    "hung before": hung_before,
    "hung in the body": hung_in_the_body,
    "a header that never ends": lambda gate: dripping(b"HTTP/1.1 200 OK\r\nX-A: b", gate),
    "a body that drips": lambda gate: dripping(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n[", gate
    ),
    "a body that drips until the end": lambda gate: dripping(b"HTTP/1.0 200 OK\r\n\r\n1", gate),
    "chunks that drip": lambda gate: dripping(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n[", gate
    ),
}


@pytest.mark.parametrize("stall", STALLS.values(), ids=STALLS)
def test_no_stall_outlives_the_deadline(
    server: Loopback, make: Make, gate: threading.Event, stall: object
) -> None:
    assert callable(stall)
    server.route("/a", lambda request: Reply(raw=stall(gate)))
    threads = threading.active_count()
    with pytest.raises(GatewayTimeoutError, match="gave no whole answer before the deadline"):
        make(fetch_deadline_ms=100).get_json(server.url("/a"))
    assert threading.active_count() <= threads + 2  # the server's own, no watcher


# Size


def test_a_body_larger_than_the_limit_is_given_up(server: Loopback, make: Make) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b" " * 65536

    server.route("/a", lambda request: Reply(200, endless()))
    with pytest.raises(GatewayError, match=r"sent more than 1 MiB.*raise fetch_max_bytes"):
        make(fetch_max_bytes=2**20).get_json(server.url("/a"))
    assert len(sent) < 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_gzip_bomb_is_given_up(server: Loopback, make: Make, chunked: bool) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"0" * 2**20
    bomb = b"".join(packer.compress(zeros) for _ in range(20)) + packer.flush()
    assert len(bomb) < 2**18
    headers = {"Content-Encoding": "gzip"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb)
        server.route("/a", lambda request: Reply(200, iter([body]), headers))
    else:
        server.route("/a", Reply(200, bomb, headers))
    with pytest.raises(GatewayError, match="sent more than 1 MiB"):
        make(fetch_max_bytes=2**20).get_json(server.url("/a"))


def test_a_bomb_takes_no_more_memory_than_the_limit_allows(server: Loopback, make: Make) -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"0" * 2**20
    bomb = b"".join(packer.compress(zeros) for _ in range(256)) + packer.flush()
    assert len(bomb) < 300_000
    server.route("/a", Reply(200, bomb, {"Content-Encoding": "gzip"}))
    client = make(fetch_max_bytes=2**20)
    tracemalloc.start()
    try:
        with pytest.raises(GatewayError, match="sent more than 1 MiB"):
            client.get_json(server.url("/a"))
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_gzip_is_asked_for_and_unpacked(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(200, gzip.compress(b'{"a": 1}'), {"Content-Encoding": "gzip"}))
    assert make().get_json(server.url("/a")) == {"a": 1}
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b"{}", "gzip", "can't be decompressed"),
        (gzip.compress(gzip.compress(b"{}")), "gzip, gzip", "encoded as 'gzip, gzip'"),
        (gzip.compress(b'{"a": "' + b"x" * 9999 + b'"}')[:-30], "gzip", "sent"),
    ],
    ids=["no gzip", "twice", "cut off"],
)
def test_a_body_that_can_not_be_unpacked_is_an_error(
    server: Loopback, make: Make, body: bytes, encoding: str, message: str
) -> None:
    server.route("/a", Reply(200, body, {"Content-Encoding": encoding}))
    with pytest.raises(GatewayError, match=message):
        make().get_json(server.url("/a"))


@pytest.mark.parametrize("encoding", ["br", "zstd", "Deflate", "gzip, br", "x-\x1bodd"])
def test_an_encoding_that_nobody_asked_for_is_refused_by_name_and_not_unpacked(
    server: Loopback, make: Make, encoding: str
) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"\x28\xb5\x2f\xfd" * 16384

    headers = {"Content-Encoding": encoding}
    server.route("/a", lambda request: Reply(200, endless(), headers))
    with pytest.raises(GatewayError, match="which was not asked for") as caught:
        make().get_json(server.url("/a"))
    assert repr(encoding.lower()) in str(caught.value)
    assert len(server.requests) == 1
    assert len(sent) < 200  # what the kernel holds: nothing was read


@pytest.mark.parametrize("encoding", ["identity", "GZIP", "x-gzip", ""])
def test_the_other_names_of_what_was_asked_for_are_known(
    server: Loopback, make: Make, encoding: str
) -> None:
    body = gzip.compress(b"1") if "zip" in encoding.lower() else b"1"
    server.route("/a", Reply(200, body, {"Content-Encoding": encoding}))
    assert make().get_json(server.url("/a")) == 1


# Redirects


def redirect(to: str, status: int = 302) -> Reply:
    return Reply(status, headers={"Location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_keeps_the_credentials_at_home(
    server: Loopback, make: Make, status: int
) -> None:
    server.route("/old", redirect("/new?x=1", status))
    server.serve("/new", 1, etag='"1"')
    for _ in range(2):
        assert make().get_json(server.url("/old"), bearer="b", headers={"X-Key": "k"}) == 1
    last = server.requests[-1]
    assert (last.headers["Authorization"], last.headers["X-Key"]) == ("Bearer b", "k")
    assert last.headers["If-None-Match"] == '"1"'
    assert last.query == {"x": "1"}


def test_credentials_do_not_follow_to_another_host(
    server: Loopback, make: Make, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login user password netrc-password\n")
    elsewhere = server.url("/b", host="localhost").replace("//", "//planted:password@")
    server.route("/a", redirect(elsewhere))
    server.route("/b", redirect(server.url("/c")))
    server.serve("/c", 1)
    headers = {"X-Api-Key": "k", "Cookie": "c=1", "Authorization": "Basic x"}
    assert make().get_json(server.url("/a"), bearer="b", headers=headers) == 1
    assert make().get_json(server.url("/a")) == 1
    for request in server.requests:
        secrets = {request.headers[name] for name in headers}
        assert (secrets == {None}) == (request.path != "/a"), request.path  # nor when it returns


def test_another_port_is_another_origin(server: Loopback, make: Make) -> None:
    with Loopback() as other:
        server.route("/a", redirect(other.url("/b")))
        other.serve("/b", 1)
        assert make().get_json(server.url("/a"), bearer="b") == 1
        assert other.requests[0].headers["Authorization"] is None


def test_cookies_are_not_kept(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(302, headers={"Location": "/b", "Set-Cookie": "id=1"}))
    server.route("/b", Reply(200, b"1", {"Set-Cookie": "id=2"}))
    client = make()
    client.get_json(server.url("/a"))
    client.get_json(server.url("/b"))
    assert [request.headers["Cookie"] for request in server.requests] == [None] * 3


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/a", "redirected to .*/a again, in a loop"),
        ("file:///etc/passwd", "which is not an http or https URL"),
        ("http://[", "redirected to something that is not"),
        ("http://host:99999999/", "redirected to something that is not"),
        ("http://", "redirected to"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_an_error(
    server: Loopback, make: Make, location: str, message: str
) -> None:
    server.route("/a", redirect(location))
    with pytest.raises(GatewayError, match=message):
        make().get_json(server.url("/a"))
    assert len(server.requests) == 1


def test_redirects_end(server: Loopback, make: Make) -> None:
    for n in range(7):
        server.route(f"/{n}", redirect(f"/{n + 1}"))
    server.serve("/7", 1)
    with pytest.raises(GatewayError, match="after 5 other redirects"):
        make().get_json(server.url("/0"))
    assert make().get_json(server.url("/2")) == 1


def test_the_body_of_a_redirect_is_not_read(server: Loopback, make: Make) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    server.route("/a", lambda request: Reply(302, endless(), {"Location": "/b"}))
    server.serve("/b", 1)
    assert make().get_json(server.url("/a")) == 1


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a",
        "models.dev/api.json",
        "",
        "http://",
        "http://[::1",
        "//h",
    ],
)
def test_only_http_urls_are_asked(make: Make, url: str) -> None:
    with pytest.raises(GatewayError) as caught:
        make().get_json(url)
    assert url in str(caught.value)
    assert caught.value.hint == "check the url"


def test_a_password_in_the_url_is_sent_and_not_shown(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(404))
    with pytest.raises(GatewayError) as caught:
        make().get_json(server.url("/a?key=hidden").replace("//", "//user:hidden@"))
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert "hidden" not in str(caught.value)
    assert caught.value.culprit == server.url("/a")


def test_control_characters_of_a_server_are_not_shown(server: Loopback, make: Make) -> None:
    server.route("/a", redirect("gopher://\x1b[31mred"))
    with pytest.raises(GatewayError) as caught:
        make().get_json(server.url("/a"))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("token", ["two\nlines", "snow\u2603man"])
def test_a_token_that_http_can_not_carry_is_an_error_that_does_not_show_it(
    server: Loopback, make: Make, token: str
) -> None:
    with pytest.raises(GatewayError, match="check the token") as caught:
        make().get_json(server.url("/a"), bearer=token)
    assert token not in str(caught.value)
    assert server.requests == []


# Proxies and TLS


def test_the_proxy_of_the_environment_is_used(
    server: Loopback, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url())
    server.serve("/api.json", 1)
    assert make().get_json("http://models.invalid/api.json") == 1
    assert server.requests[0].headers["Host"] == "models.invalid"


@pytest.mark.parametrize("proxy", [NOBODY, NOBODY.replace("//", "//user:hidden@")])
def test_a_dead_proxy_is_named_by_its_variable(
    make: Make, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(
        GatewayError, match=r"proxy failed: Connection refused.*HTTP_PROXY"
    ) as caught:
        make(fetch_retries=0).get_json("http://models.invalid/api.json")
    assert "hidden" not in str(caught.value)


def test_a_proxy_that_refuses_a_tunnel_is_told_from_the_server(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Loopback() as proxy:  # it does not know CONNECT
        monkeypatch.setenv("https_proxy", proxy.url())
        with pytest.raises(GatewayError, match=r"proxy failed: it answered 501.*HTTPS_PROXY"):
            make(fetch_retries=0).get_json("https://models.invalid/api.json")


@pytest.mark.parametrize("proxy", ["http://", "socks5h://127.0.0.1:1", "gopher://x:1"])
def test_a_proxy_setting_that_can_not_be_used_is_named(
    make: Make, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(GatewayError, match="HTTPS_PROXY"):
        make(fetch_retries=0).get_json("http://models.invalid/api.json")


def test_a_socks_proxy_without_its_package_names_the_variable_and_the_package(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hidden@127.0.0.1:1")
    with pytest.raises(GatewayError, match=r"SOCKS.*requests\[socks\].*ALL_PROXY") as caught:
        make().get_json("http://models.invalid/api.json")
    assert "hidden" not in str(caught.value)


REQUEST = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    " -subj /CN=loopback -addext subjectAltName=IP:127.0.0.1"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PEM file with a key and a self-signed certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    path = str(tmp_path_factory.mktemp("tls") / "server.pem")
    subprocess.run(
        [openssl, *REQUEST.split(), "-keyout", path, "-out", path + ".crt"],
        check=True,
        capture_output=True,
    )
    Path(path).write_text(Path(path).read_text() + Path(path + ".crt").read_text())
    return path


def test_an_unknown_ca_is_an_error_that_names_the_setting(make: Make, certificate: str) -> None:
    told = pytest.raises(GatewayError, match=r"TLS failed: self.signed.*REQUESTS_CA_BUNDLE")
    with Loopback(certificate=certificate) as server, told:
        make().get_json(server.url("/a"))


def test_the_ca_bundle_of_the_environment_is_used(
    make: Make, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate + ".crt")
    with Loopback(certificate=certificate) as server:
        server.serve("/a", 1)
        assert make().get_json(server.url("/a")) == 1


def test_a_ca_bundle_that_is_not_there_is_named(
    make: Make, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    told = pytest.raises(GatewayError, match=r"CA bundle can't be read.*REQUESTS_CA_BUNDLE")
    with Loopback(certificate=certificate) as server, told:
        make().get_json(server.url("/a"))


def test_https_is_not_left_for_http(
    make: Make, certificate: str, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate + ".crt")
    with Loopback(certificate=certificate) as secure:
        secure.route("/a", redirect(server.url("/b")))
        with pytest.raises(GatewayError, match=r"redirected to .*/b, from https to http"):
            make().get_json(secure.url("/a"), bearer="b")
    assert server.requests == []


def test_no_stall_outlives_the_deadline_over_tls(
    make: Make, certificate: str, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate + ".crt")
    with Loopback(certificate=certificate) as server:
        server.route("/a", lambda request: Reply(raw=dripping(b"HTTP/1.1 200 OK\r\nX: y", gate)))
        with pytest.raises(GatewayTimeoutError):
            make(fetch_deadline_ms=200).get_json(server.url("/a"))


def test_a_handshake_that_hangs_ends_at_the_deadline(make: Make, gate: threading.Event) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(GatewayTimeoutError):
        make(fetch_deadline_ms=100).get_json(f"https://127.0.0.1:{silent.getsockname()[1]}/a")


def test_the_user_agent_says_who_asks(server: Loopback, make: Make) -> None:
    def agent(request: Request) -> Reply:
        return Reply(200, b'"%s"' % request.headers["User-Agent"].encode())

    server.route("/a", agent)
    assert make().get_json(server.url("/a")).startswith("registry-core/")
