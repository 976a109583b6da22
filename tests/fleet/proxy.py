"""Stands before an engine and does what networks, buckets and kills do."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

CONDITIONS = ("if-match", "if-none-match")


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""

    @property
    def name(self) -> str:
        """As "pointer", "lease", "objects", "probe" or "" for a list."""
        parts = urlsplit(self.path).path.strip("/").split("/")
        names = ("pointer", "lease", "objects", "probe")
        return next((one for one in parts if one in names), "")

    @property
    def verb(self) -> str:
        return f"{self.method} {self.name}".strip()


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Proxy:
    """Forwards to `target`. `instead(asked)` may answer; `change(asked, answer)` sees what the
    engine said and may change it, after the engine has done it; None cuts the connection."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.asked: list[Asked] = []
        self.instead: Callable[[Asked], Answer | None] = lambda asked: None
        self.change: Callable[[Asked, Answer], Answer | None] = lambda asked, answer: answer
        self.minds_conditions = True
        self.moved = 0  # bytes of bodies
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def verbs(self) -> list[str]:
        """What was asked since the last look."""
        found = [one.verb for one in self.asked]
        self.asked.clear()
        return found

    def reset(self) -> None:
        self.instead = lambda asked: None
        self.change = lambda asked, answer: answer

    def fails(self, status: int, **headers: str) -> None:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.instead = lambda asked: Answer(status, told, b"<Error/>")

    def forward(self, asked: Asked, body: bytes) -> Answer:
        headers = {
            name: value
            for name, value in asked.headers.items()
            if self.minds_conditions or asked.method != "PUT" or name not in CONDITIONS
        }
        assert self.target.hostname
        there = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        try:
            there.request(asked.method, asked.path, body, headers)
            answer = there.getresponse()
            skipped = ("connection", "transfer-encoding", "content-length", "date", "server")
            told = {name: one for name, one in answer.getheaders() if name.lower() not in skipped}
            if asked.method == "HEAD":
                told["Content-Length"] = answer.getheader("Content-Length") or "0"
            return Answer(answer.status, told, answer.read())
        finally:
            there.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    proxy: Proxy
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # of five, a burst of clients loses some, and each waits a second

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers)
        proxy.asked.append(asked)
        answer: Answer | None = proxy.instead(asked)
        if answer is None:
            answer = proxy.change(asked, proxy.forward(asked, body))
        with suppress(OSError):
            if answer is None:
                self.close_connection = True
                return
            proxy.moved += len(answer.body) + len(body)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers and answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""
