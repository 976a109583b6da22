"""Connections that end at a deadline, whatever the server does."""

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

    A loop that reads and looks at the clock is not enough. The timeout of a socket starts anew
    with each byte, and http.client returns from a header only when that is whole: a server
    that drips header bytes held such a loop for 338 s.
    """

    def __init__(self, trusting: Callable[[], SSLContext]) -> None:
        """`trusting` makes the context for hosts for which no CA bundle is named."""
        self._trusting = trusting
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._lock = Lock()
        super().__init__()

    @contextmanager
    def cut_after(self, seconds: float) -> Generator[None]:
        """Cut the connections in so many seconds, unless the block has ended by then."""
        done = Event()

        def watch() -> None:
            pause = seconds
            while not done.wait(max(pause, 0.0)):
                self._cut()
                pause = _WATCH_SECONDS  # one may have been opened meanwhile

        Thread(target=watch, name="registry-core deadline", daemon=True).start()
        try:
            yield
        finally:
            done.set()

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if verify is True:
            pool["ssl_context"] = self._context
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        if verify is not True:  # else its context knows whom to believe
            # For plain http, too: a proxy may speak TLS, and requests would believe any.
            super().cert_verify(conn, "https:", verify, cert)  # type: ignore[no-untyped-call]

    @cached_property
    def _context(self) -> SSLContext:
        return self._trusting()

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        if not proxies and (request.url or "").startswith("http:"):
            verify = False  # nothing to verify: spare the context, which takes 20 ms
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
        for one in sockets:
            with suppress(OSError):  # closed already
                # Below TLS: its own shutdown would pull the session from under the reader.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
