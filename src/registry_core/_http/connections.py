"""Connections that end at a deadline, no matter what the server does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import cached_property
from ssl import SSLContext
from threading import Event, Lock, Thread
from typing import Any
from weakref import WeakSet

from requests import PreparedRequest
from requests.adapters import HTTPAdapter

_WATCH_SECONDS = 0.1


class CutAdapter(HTTPAdapter):
    """Knows the sockets of its connections, so that another thread can cut them.

    A loop that reads and checks the clock is not enough. The timeout of a socket starts again
    with each byte, and http.client returns only after a whole header. A server that sent single
    bytes of a header kept such a loop busy for 338 s.
    """

    def __init__(self, trusting: Callable[[], SSLContext]) -> None:
        """`trusting` makes the TLS context for hosts without a CA bundle of their own."""
        self._trusting = trusting
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._lock = Lock()
        super().__init__()

    @contextmanager
    def cut_after(self, seconds: float) -> Generator[None]:
        """Cut the connections after this many seconds, unless the block has ended by then."""
        ended = Event()

        def watch() -> None:
            pause = seconds
            while not ended.wait(max(pause, 0.0)):
                self._cut()
                pause = _WATCH_SECONDS  # a new one may have been opened since

        Thread(target=watch, name="registry-core deadline", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if verify is True:
            pool["ssl_context"] = self._context
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if verify is not True:  # otherwise the context decides
            # Also for plain http: a proxy may speak TLS, and requests would not verify it.
            super().cert_verify(conn, "https:", verify, cert)  # type: ignore[no-untyped-call]

    @cached_property
    def _context(self) -> SSLContext:
        return self._trusting()

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        if not proxies and (request.url or "").startswith("http:"):
            verify = False  # nothing to verify, and the context would take 20 ms
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        if "ConnectionCls" not in vars(pool):
            pool.ConnectionCls = self._noting(pool.ConnectionCls)
        return pool

    def _noting(self, base: Any) -> Any:
        def note(connection: object, name: str, value: object) -> None:
            if name == "sock" and isinstance(value, socket.socket):
                with self._lock:
                    self._sockets.add(value)
            base.__setattr__(connection, name, value)

        return type(base.__name__, (base,), {"__setattr__": note})

    def _cut(self) -> None:
        with self._lock:
            sockets = list(self._sockets)
        for connected in sockets:
            with suppress(OSError):  # closed already
                # Below TLS: its own shutdown would remove the session that the reader uses.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)
