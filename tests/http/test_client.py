"""Asking once: conditional requests, the payloads of others, revalidation."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_core._http.asked import Asked
from registry_core._http.client import HttpClient
from registry_core._http.payloads import Payloads
from registry_core.errors import GatewayError, GatewayTimeoutError, OfflineError
from tests.loopback import Loopback, Reply, Request

if TYPE_CHECKING:
    from .conftest import Clock, Make


def payload_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.payload"))


# Conditional requests


@pytest.mark.parametrize(
    "validator",
    [{"etag": '"1"'}, {"last_modified": "Thu, 01 Jan 2026 00:00:00 GMT"}],
    ids=["etag", "last-modified"],
)
def test_a_304_gives_the_whole_payload(
    server: Loopback, make: Make, validator: dict[str, str]
) -> None:
    server.serve("/a", {"models": ["x"]}, **validator)
    assert make().get_json(server.url("/a")) == {"models": ["x"]}
    assert make().get_json(server.url("/a")) == {"models": ["x"]}
    first, second = server.requests
    assert first.headers["If-None-Match"] is first.headers["If-Modified-Since"] is None
    assert (second.headers["If-None-Match"] or second.headers["If-Modified-Since"]) in (
        validator.values()
    )


def test_force_sends_no_validators(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    make().get_json(server.url("/a"))
    assert make(force=True).get_json(server.url("/a")) == 1
    assert server.requests[1].headers["If-None-Match"] is None


def test_a_payload_without_validators_is_fetched_each_time(server: Loopback, make: Make) -> None:
    server.serve("/a", 1)
    make().get_json(server.url("/a"))
    server.serve("/a", 2)
    assert make().get_json(server.url("/a")) == 2


def test_a_damaged_payload_is_fetched_anew(server: Loopback, make: Make, folder: Path) -> None:
    server.serve("/a", {"a": 1}, etag='"1"')
    make().get_json(server.url("/a"))
    (path,) = payload_files(folder)
    path.write_bytes(path.read_bytes()[:-1])
    assert make().get_json(server.url("/a")) == {"a": 1}
    assert server.requests[1].headers["If-None-Match"] is None


def test_a_body_that_was_damaged_is_noticed_when_it_is_needed(
    server: Loopback, make: Make, folder: Path
) -> None:
    server.serve("/a", {"a": 1}, etag='"1"')
    first = make()
    first.get_json(server.url("/a"))
    (path,) = payload_files(folder)
    path.write_bytes(path.read_bytes()[:-1])
    again = make()
    assert again.revalidate(first.asked)  # a 304 says that the stored result stays; no body is read
    assert again.get_json(server.url("/a")) == {"a": 1}
    sent = [request.headers["If-None-Match"] for request in server.requests]
    assert sent == [None, '"1"', None]


def test_a_304_that_was_not_asked_for_is_an_error(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(304))
    with pytest.raises(GatewayError, match="answered 304 Not Modified"):
        make().get_json(server.url("/a"))


@pytest.mark.parametrize("stores", [True, False])
def test_a_client_asks_for_a_url_once(server: Loopback, make: Make, stores: bool) -> None:
    server.serve("/a", {"a": []})
    client = make() if stores else make(payloads=Payloads())
    first = client.get_json(server.url("/a"))
    first["a"].append("a plugin's own change")
    assert client.get_json(server.url("/a")) == {"a": []}
    assert len(server.requests) == 1


def test_a_payload_that_is_stored_is_not_kept_in_memory(server: Loopback, make: Make) -> None:
    server.serve("/a", "x" * 2**20)
    client = make()
    tracemalloc.start()
    try:
        assert len(client.get_json(server.url("/a"))) == 2**20
        assert tracemalloc.get_traced_memory()[0] < 2**19
    finally:
        tracemalloc.stop()


def test_one_connection_serves_the_requests_of_a_client(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    server.serve("/b", 2, etag='"2"')
    for expected in (1, 2):  # with answers 200, then 304
        client = make()
        assert [client.get_json(server.url(path)) for path in ("/a", "/b")] == [1, 2]
        assert server.connections == expected


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500, b'{"error": 1}'),
        Reply(404, b'{"error": 1}'),
        Reply(200, b"<!doctype html><title>x</title>"),
        Reply(200, b'{"cut'),
        Reply(200, b""),
    ],
    ids=["500", "404", "html", "truncated", "empty"],
)
def test_a_failure_is_never_kept_as_data(
    server: Loopback, make: Make, folder: Path, reply: Reply
) -> None:
    server.serve("/a", {"good": 1}, etag='"1"')
    make().get_json(server.url("/a"))
    good = payload_files(folder)[0].read_bytes()
    server.route("/a", reply)
    with pytest.raises(GatewayError):
        make().get_json(server.url("/a"))
    assert [path.read_bytes() for path in payload_files(folder)] == [good]


def test_without_payloads_nothing_is_stored_or_remembered(
    server: Loopback, make: Make, folder: Path
) -> None:
    server.serve("/token", {"token": "t"}, etag='"1"')
    client = make(payloads=None)
    assert client.get_json(server.url("/token")) == {"token": "t"}
    assert client.get_json(server.url("/token")) == {"token": "t"}
    assert [request.headers["If-None-Match"] for request in server.requests] == [None, None]
    assert not folder.exists()
    assert client.asked == ()


def test_without_a_folder_it_still_works(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    for _ in range(2):
        client = make(payloads=Payloads())
        assert client.get_json(server.url("/a")) == 1
        assert client.get_json(server.url("/a")) == 1
    assert len(server.requests) == 2


# Validators that a server, or a firewall before it, can't take


@pytest.mark.parametrize("status", [400, 412, 416, 431, 500])
def test_a_refused_conditional_request_is_made_again_without_validators(
    server: Loopback, make: Make, clock: Clock, status: int
) -> None:
    def answer(request: Request) -> Reply:
        if request.headers["If-None-Match"] or request.headers["If-Modified-Since"]:
            return Reply(status)
        changed = "Thu, 01 Jan 2026 00:00:00 GMT"
        return Reply(200, b"1", {"ETag": '"%s"' % ("x" * 20_000), "Last-Modified": changed})

    server.route("/a", answer)
    first = make()
    first.get_json(server.url("/a"))
    again = make()
    assert not again.revalidate(first.asked)  # a 200 says nothing of what is held
    assert again.get_json(server.url("/a")) == 1
    assert len(server.requests) == 3
    assert clock.waits == []


def test_a_request_without_validators_is_refused_once(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    make().get_json(server.url("/a"))
    server.route("/a", Reply(400))
    with pytest.raises(GatewayError, match="answered 400"):
        make().get_json(server.url("/a"))
    assert len(server.requests) == 3


def test_a_server_that_fails_with_and_without_validators_is_tried_again_without(
    server: Loopback, make: Make
) -> None:
    server.serve("/a", 1, etag='"1"')
    make().get_json(server.url("/a"))
    server.route("/a", Reply(500))
    with pytest.raises(GatewayError, match="answered 500"):
        make().get_json(server.url("/a"))
    sent = [request.headers["If-None-Match"] for request in server.requests]
    assert sent == [None, '"1"', None, None, None, None]


# Doubtful news

NEWER, OLDER = "Fri, 02 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"


def test_an_answer_that_is_older_than_what_is_held_is_taken_and_reported(
    server: Loopback, make: Make
) -> None:
    server.serve("/a", ["x", "y"], last_modified=NEWER)
    make().get_json(server.url("/a"))
    server.serve("/a", ["x"], last_modified=OLDER)
    client = make(force=True)
    assert client.get_json(server.url("/a")) == ["x"]
    (problem,) = client.warnings
    assert (problem.culprit, problem.fatal) == (server.url("/a"), False)
    assert "2026-01-01" in problem.message
    assert "2026-01-02" in problem.message
    again = make()
    assert again.get_json(server.url("/a")) == ["x"]
    assert again.warnings == ()


@pytest.mark.parametrize("body", [b"[1]", b"[1, 2]"], ids=["same", "other"])
def test_the_same_body_of_a_replica_with_an_older_date_is_not_reported(
    server: Loopback, make: Make, body: bytes
) -> None:
    server.route("/a", Reply(200, b"[1]", {"Last-Modified": NEWER}))
    first = make()
    first.get_json(server.url("/a"))
    server.route("/a", Reply(200, body, {"Last-Modified": OLDER}))
    client = make()
    client.revalidate(first.asked)  # which reads no body of what is held
    assert len(client.warnings) == (body != b"[1]")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OLDER, NEWER),
        (OLDER, OLDER),
        (NEWER, "soon"),
        ("soon", OLDER),
        (NEWER, "Thu, 99 Foo 99999"),
        (NEWER, "Fri, 02 Jan 2026 01:00:00 +0100"),
        (NEWER, "Thu, 01 Jan 2026 23:59:00 GMT"),
    ],
)
def test_dates_that_say_nothing_of_the_kind_are_not_reported(
    server: Loopback, make: Make, before: str, after: str
) -> None:
    for body, date in ((b"1", before), (b"2", after)):
        server.route("/a", Reply(200, body, {"Last-Modified": date}))
        client = make()
        client.get_json(server.url("/a"))
        assert client.warnings == ()


# Credentials


def test_the_bearer_is_sent_and_outranks_netrc(
    server: Loopback, make: Make, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login user password netrc-password\n")
    server.serve("/a", 1)
    client = make()
    client.get_json(server.url("/a"), bearer=client.secret("ACME_TOKEN"))
    client.get_json(server.url("/a"), headers={"authorization": "Key k"})
    client.get_json(server.url("/a"))
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent[:2] == ["Bearer acme-token-4711", "Key k"]
    assert sent[2].startswith("Basic ")


def test_each_credential_has_its_own_payload(server: Loopback, make: Make) -> None:
    def who(request: Request) -> Reply:
        return Reply(200, b'"%s"' % (request.headers["Authorization"] or "nobody").encode())

    server.route("/a", who)
    client = make()
    assert client.get_json(server.url("/a")) == "nobody"
    assert client.get_json(server.url("/a"), bearer="one") == "Bearer one"
    assert client.get_json(server.url("/a"), bearer="two") == "Bearer two"
    assert client.get_json(server.url("/a"), headers={"X-Key": "k"}) == "nobody"
    assert len(server.requests) == 4


def test_parameters_are_part_of_the_url(server: Loopback, make: Make) -> None:
    server.route("/a", lambda request: Reply(200, b'"%s"' % request.query["page"].encode()))
    client = make()
    assert client.get_json(server.url("/a"), params={"page": "1"}) == "1"
    assert client.get_json(server.url("/a"), params={"page": "2"}) == "2"


def test_options_and_secrets_are_handed_to_the_plugin(make: Make) -> None:
    client = make(options={"url": "x"})
    assert client.options == {"url": "x"}
    assert client.secret("ACME_TOKEN") == "acme-token-4711"
    assert client.secret("NOT_SET") is None


def test_a_warning_is_kept_without_its_secret(make: Make) -> None:
    client = make()
    client.warn("openai/gpt", f"odd field {client.secret('ACME_TOKEN')}")
    (problem,) = client.warnings
    assert (problem.culprit, problem.message) == ("openai/gpt", "odd field ***ACME_TOKEN***")
    assert not problem.fatal


# Offline


def test_offline_no_socket_is_made(
    server: Loopback, make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve("/a", 1, etag='"1"')
    before = make()
    before.get_json(server.url("/a"))

    def no_socket(*_: object, **__: object) -> None:
        raise AssertionError("a socket was made")

    monkeypatch.setattr("socket.socket.__init__", no_socket)
    client = make(offline=True)
    with pytest.raises(OfflineError, match="the network is switched off"):
        client.get_json(server.url("/a"))
    with pytest.raises(OfflineError):
        client.revalidate(before.asked)
    with pytest.raises(OfflineError):
        make(offline=True, payloads=None).get_json("http://models.test/")


# One process asks for all


def test_of_clients_that_ask_at_once_one_does(server: Loopback, make: Make) -> None:
    server.serve("/a", {"a": 1}, etag='"1"')
    clients = [make(since=0.0) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda client: client.get_json(server.url("/a")), clients))
    assert values == [{"a": 1}] * 8
    assert len(server.requests) == 1


def test_what_was_confirmed_since_is_taken_over_even_by_force(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    waiting = [make(), make(force=True)]  # began before the other's answer came
    other = make()
    assert other.get_json(server.url("/a")) == 1
    for client in waiting:
        assert client.get_json(server.url("/a")) == 1
        client.close()
        assert client.revalidate(other.asked)
    assert len(server.requests) == 1


def test_a_304_counts_as_confirmed(server: Loopback, make: Make) -> None:
    server.serve("/a", 1, etag='"1"')
    make().get_json(server.url("/a"))
    waiting, other = make(), make()
    other.get_json(server.url("/a"))
    waiting.get_json(server.url("/a"))
    assert len(server.requests) == 2


def test_a_payload_from_the_future_is_not_trusted(
    server: Loopback, make: Make, clock: Clock
) -> None:
    server.serve("/a", 1, etag='"1"')
    clock.now += 1e6
    make().get_json(server.url("/a"))
    clock.now -= 1e6
    make().get_json(server.url("/a"))
    assert len(server.requests) == 2


def test_who_waits_for_another_process_gives_up_at_the_deadline(
    server: Loopback, make: Make, folder: Path
) -> None:
    server.serve("/a", 1, etag='"1"')
    client = make()
    client.get_json(server.url("/a"))
    (asked,) = client.asked
    gives_up = pytest.raises(GatewayTimeoutError, match="another process was still asking")
    with Payloads(folder).lock(asked.key, 1), gives_up:
        make(fetch_deadline_ms=50).get_json(server.url("/a"))
    assert len(server.requests) == 1


CHILD = """
import sys
from pathlib import Path
from registry_core._http.payloads import Payloads
from tests.clients import http_client
url, folder = sys.argv[1:]
print(http_client(payloads=Payloads(Path(folder))).get_json(url))
"""


@pytest.mark.parametrize("killed", [False, True], ids=["it answers", "it is killed"])
def test_another_process_is_waited_for_while_it_lives(
    server: Loopback, make: Make, folder: Path, killed: bool
) -> None:
    arrived, gate = threading.Event(), threading.Event()

    def answer(request: Request) -> Reply:
        if not arrived.is_set():
            arrived.set()
            gate.wait(60)
        return Reply(200, b'{"from": "server"}', {"ETag": '"1"'})

    server.route("/a", answer)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url("/a"), str(folder)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    with child, ThreadPoolExecutor(1) as pool:
        assert arrived.wait(60)
        client = make(fetch_deadline_ms=20_000, clock=time.time)
        value = pool.submit(client.get_json, server.url("/a"))
        if killed:
            child.kill()
            child.wait()
        else:
            gate.set()
        assert value.result(60) == {"from": "server"}
        gate.set()
    assert len(server.requests) == (2 if killed else 1)


# Revalidation


def asked_before(server: Loopback, make: Make) -> tuple[Asked, ...]:
    server.serve("/a", 1, etag='"1"')
    server.serve("/b", 2, etag='"2"')
    client = make()
    client.get_json(server.url("/a"), bearer=client.secret("ACME_TOKEN"))
    client.get_json(server.url("/b"), params={"page": "1"})
    server.requests.clear()
    return client.asked


def test_unchanged_if_all_answer_304(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    client = make()
    assert client.revalidate(asked)
    assert [request.headers["If-None-Match"] for request in server.requests] == ['"1"', '"2"']
    assert client.get_json(server.url("/b"), params={"page": "1"}) == 2
    assert len(server.requests) == 2


def test_what_is_asked_survives_the_store_and_holds_no_secret(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    stored = [one.to_dict() for one in asked]
    assert Asked.read(stored) == asked
    assert stored[0]["secret"] == "ACME_TOKEN"
    assert "acme-token" not in repr(stored)


def test_a_changed_payload_is_fetched_once(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    server.serve("/b", 3, etag='"3"')
    client = make()
    assert not client.revalidate(asked)
    assert client.get_json(server.url("/a"), bearer=client.secret("ACME_TOKEN")) == 1
    assert client.get_json(server.url("/b"), params={"page": "1"}) == 3
    assert server.paths == ["/a", "/b"]


def test_changed_if_the_payload_is_not_the_one_of_then(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    server.serve("/b", 3, etag='"3"')
    make().get_json(server.url("/b"), params={"page": "1"})  # by another environment
    assert not make().revalidate(asked)


def test_an_answer_200_is_a_change_even_with_the_same_bytes(server: Loopback, make: Make) -> None:
    server.serve("/a", 1)
    client = make()
    client.get_json(server.url("/a"))
    assert not make().revalidate(client.asked)


@pytest.mark.parametrize("environ", [{}, {"ACME_TOKEN": "another"}], ids=["unset", "changed"])
def test_another_credential_is_not_what_was_asked(
    server: Loopback, make: Make, environ: dict[str, str]
) -> None:
    asked = asked_before(server, make)
    assert not make(environ=environ).revalidate(asked)
    assert server.requests == []


def test_a_token_that_rotates_in_any_header_leaves_a_few_payloads(
    server: Loopback, make: Make, clock: Clock, folder: Path
) -> None:
    server.serve("/a", 1, etag='"1"')
    server.serve("/b", 2, etag='"1"')
    clock.now = time.time()  # the disk's clock says what is forgotten
    make().get_json(server.url("/b"))
    for n in range(40):
        make().get_json(server.url("/a"), headers={"x-api-key": f"a token of many signs {n}"})
    assert len([*folder.glob("*.payload")]) == 17
    last = make()
    last.get_json(server.url("/b"))
    assert server.requests[-1].headers["If-None-Match"] == '"1"'


def test_nothing_asked_is_not_unchanged(make: Make) -> None:
    assert not make().revalidate(())


def test_a_damaged_memory_of_what_was_asked_sends_nothing(server: Loopback, make: Make) -> None:
    (asked, _) = asked_before(server, make)
    good = asked.to_dict()
    other = Loopback()
    with other:
        for damage in (
            {},
            {**good, "url": other.url("/a")},
            {**good, "url": "htpt://x"},
            {**good, "url": 3, "params": []},
            {**good, "secret": "OTHER"},
            {**good, "params": {"a": 1}},
            {**good, "key": None},
        ):
            client = make(environ={"ACME_TOKEN": "acme-token-4711", "OTHER": "other-secret"})
            assert not client.revalidate(Asked.read([damage]))
        assert other.requests == server.requests == []


def test_an_error_while_revalidating_is_raised(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    server.route("/a", Reply(403))
    with pytest.raises(GatewayError, match=r"403 Forbidden.*check ACME_TOKEN"):
        make().revalidate(asked)


def test_without_payloads_nothing_can_be_revalidated(server: Loopback, make: Make) -> None:
    asked = asked_before(server, make)
    assert not make(payloads=None).revalidate(asked)


def ask_with_headers(client: HttpClient, server: Loopback) -> None:
    client.get_json(server.url("/a"), headers={"X-Key": "k"})


def ask_with_an_unnamed_bearer(client: HttpClient, server: Loopback) -> None:
    client.get_json(server.url("/a"), bearer="from somewhere")


def ask_with_a_secret_in_the_query(client: HttpClient, server: Loopback) -> None:
    client.get_json(server.url("/a"), params={"key": client.secret("ACME_TOKEN") or ""})


def ask_with_a_query_of_its_own(client: HttpClient, server: Loopback) -> None:
    client.get_json(server.url("/a?signature=unknown"))


def ask_with_a_password_in_the_url(client: HttpClient, server: Loopback) -> None:
    client.get_json(server.url("/a").replace("//", "//user:password@"))


def ask_in_vain(client: HttpClient, server: Loopback) -> None:
    with pytest.raises(GatewayError):
        client.get_json(server.url("/missing"))


@pytest.mark.parametrize(
    "ask",
    [
        ask_with_headers,
        ask_with_an_unnamed_bearer,
        ask_with_a_secret_in_the_query,
        ask_with_a_query_of_its_own,
        ask_with_a_password_in_the_url,
        ask_in_vain,
    ],
)
def test_what_may_not_be_stored_or_repeated_is_not_to_be_revalidated(
    server: Loopback, make: Make, ask: Callable[[HttpClient, Loopback], None]
) -> None:
    server.serve("/a", 1, etag='"1"')
    client = make()
    client.get_json(server.url("/a"))
    assert len(client.asked) == 1
    ask(client, server)
    assert not client.asked
