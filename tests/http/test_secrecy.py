"""Nothing shows a secret: errors, tracebacks, logs, stored payloads, what was asked."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from registry_core.errors import GatewayError
from tests.loopback import NOBODY, Loopback, Reply

if TYPE_CHECKING:
    from .conftest import Make

SECRET = "s3cret+value/with&signs"
FORMS = ("s3cret", "value/with", "value%2Fwith")


def failures(server: Loopback) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests that fail in all the ways that repeat a URL, a header or a body."""
    server.route("/401", Reply(401, SECRET.encode()))
    server.route("/echo", Reply(200, SECRET.encode()))
    server.route("/cut", Reply(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]))
    server.route("/odd", Reply(raw=[b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n" + SECRET.encode()]))
    server.route("/to", Reply(302, headers={"Location": f"ftp://{SECRET}"}))
    server.route("/loop", Reply(302, headers={"Location": f"/loop?key={SECRET}"}))
    for url in (f"{NOBODY}/a", *map(server.url, ("/401", "/echo", "/cut", "/odd", "/to", "/loop"))):
        yield url, {"bearer": SECRET}
        yield url, {"params": {"key": SECRET}}
        yield url, {"headers": {"X-Api-Key": SECRET}}
        yield f"{url}?key={SECRET}", {}
        yield f"{url}/{SECRET}", {}
        yield url.replace("//", f"//user:{SECRET.replace('/', '%2F')}@"), {}
    yield server.url("/a"), {"bearer": f"{SECRET}\n"}
    yield server.url("/a"), {"headers": {"X-Api-Key": f"{SECRET}\n"}}
    yield f"ftp://user:{SECRET}@host/{SECRET}?{SECRET}", {}


def test_no_error_traceback_or_log_shows_a_secret(
    server: Loopback, make: Make, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    count = 0
    for url, arguments in failures(server):
        client = make(environ={"KEY": SECRET}, fetch_retries=1)
        assert client.secret("KEY") == SECRET
        with pytest.raises(GatewayError) as caught:
            client.get_json(url, **arguments)
        error = caught.value
        assert error.__context__ is None
        assert error.__cause__ is None
        texts = [str(error), repr(error), "".join(traceback.format_exception(error))]
        texts += [str(error.args), error.culprit, error.hint, repr(pickle.dumps(error))]
        texts += [repr(client), repr(client.asked)]
        for form in FORMS:
            assert form not in "".join(texts), (url, arguments)
        count += 1
    assert count == 45
    assert caplog.records
    for form in FORMS:
        assert form not in caplog.text


def test_nothing_stored_shows_a_credential(server: Loopback, make: Make, folder: Path) -> None:
    server.serve("/a", {"a": 1}, etag='"1"')
    client = make(environ={"KEY": SECRET})
    client.secret("KEY")
    client.get_json(server.url("/a"), bearer=SECRET)
    client.get_json(server.url("/a"), headers={"X-Api-Key": SECRET})
    client.get_json(server.url("/a"), params={"key": SECRET})
    client.get_json(server.url("/a").replace("//", "//user:s3cret@"))
    files = list(folder.iterdir())
    assert len([path for path in files if path.suffix == ".payload"]) == 4
    for path in files:
        for form in FORMS:
            assert form not in path.name
            assert form.encode() not in path.read_bytes()
            assert server.url("/a").encode() not in path.read_bytes()


def test_the_log_of_urllib3_is_left_as_it_was(server: Loopback, make: Make) -> None:
    loggers = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
    before = [list(logger.filters) for logger in loggers]
    server.serve("/a", 1)
    make().get_json(server.url("/a"))
    assert [logger.filters for logger in loggers] == before
