"""A real HTTP server on the loopback interface, for tests.

with Loopback() as server:
    server.serve("/api.json", {"openai": {}}, etag='"1"')     # JSON, answers 304
    server.route("/down", lambda request: Reply(503))           # anything else
    requests.get(server.url("/api.json"))
    assert server.paths == ["/api.json"]
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

#: Where nobody listens, and nobody will: the system gives no test a port as low as this.
NOBODY = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Request:
    """What the server was asked. Headers are found by any spelling of their name."""

    path: str
    query: dict[str, str]
    headers: Message
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """An answer. A body of several chunks has no Content-Length and ends with the
    connection; `raw` is sent as it is, in place of all else."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Iterable[bytes] | None = None


Route = Callable[[Request], Reply]


class Loopback:
    """Serves routes on a free port until closed; keeps the requests it was sent."""

    def __init__(self, host: str = "127.0.0.1", certificate: str | None = None) -> None:
        """`certificate` is a PEM file with a key and a certificate: then it speaks TLS."""
        self.requests: list[Request] = []
        self.connections = 0
        self._routes: dict[str, Route] = {}
        self._server = _Server((host, 0), _Handler)
        self._server.loopback = self
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._host = host
        self._scheme = "http" if certificate is None else "https"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def paths(self) -> list[str]:
        """Paths of the requests so far, in order."""
        return [request.path for request in self.requests]

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"{self._scheme}://{host or self._host}:{self.port}{path}"

    def route(self, path: str, answer: Route | Reply) -> None:
        """Let `answer` answer for `path`; in place of what did before."""
        self._routes[path] = answer if callable(answer) else lambda request: answer

    def serve(
        self,
        path: str,
        value: Any,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> None:
        """Serve `value` as JSON, and 304 to whoever has it."""
        body = json.dumps(value).encode()
        validators = {"ETag": etag, "Last-Modified": last_modified}
        headers = {name: text for name, text in validators.items() if text is not None}

        def answer(request: Request) -> Reply:
            if etag is not None and request.headers["If-None-Match"] == etag:
                return Reply(304, headers=headers)
            if last_modified is not None and request.headers["If-Modified-Since"] == last_modified:
                return Reply(304, headers=headers)
            return Reply(200, body, {"Content-Type": "application/json", **headers})

        self.route(path, answer)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def answer(self, path: str, headers: Message, method: str, body: bytes) -> Reply:
        parts = urlsplit(path)
        request = Request(parts.path, dict(parse_qsl(parts.query)), headers, method, body)
        self.requests.append(request)
        route = self._routes.get(request.path)
        return route(request) if route else Reply(404, b"not found")


class _Server(ThreadingHTTPServer):
    loopback: Loopback
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # of five, a burst of clients loses some, and each waits a second

    def verify_request(self, request: object, client_address: object) -> bool:
        self.loopback.connections += 1
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:  # the names are http.server's
        self.do_GET()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        reply = self.server.loopback.answer(self.path, self.headers, self.command, body)
        with suppress(OSError):
            if reply.raw is not None:
                self.close_connection = True
                self._send(reply.raw)
                return
            whole = isinstance(reply.body, bytes)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if whole and "Content-Length" not in reply.headers and reply.status != 304:
                self.send_header("Content-Length", str(len(reply.body)))  # type: ignore[arg-type]
            if not whole or "Content-Length" in reply.headers:
                self.send_header("Connection", "close")
            self.end_headers()
            self._send([reply.body] if isinstance(reply.body, bytes) else reply.body)

    def _send(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self.wfile.write(chunk)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: a test looks at `Loopback.requests`."""


def dripping(data: bytes, gate: threading.Event) -> Iterator[bytes]:
    """`data`, then one byte a time for ever (until `gate` is set), with no pause that a
    socket's timeout would notice."""
    yield data
    while not gate.wait(0.005):
        yield b" "
