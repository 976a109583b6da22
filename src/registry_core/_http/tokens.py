"""Tokens that were exchanged for a secret. They stay in memory only, until they expire."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from threading import Lock, get_ident
from typing import Any

from attrs import field, frozen
from cachetools import TLRUCache

from ..errors import GatewayError, GatewayTimeoutError

#: For all gateways and tenants together. The least recently used one is dropped first.
_MOST = 1024


@frozen
class Asker:
    """Who wants a token: a gateway's client."""

    gateway: str
    consulted: set[str]
    """The variables that it has read. The set grows during the exchange."""
    secret: Callable[[str], str | None]
    left: Callable[[], float]
    """Seconds until its deadline."""


@frozen(eq=False)
class _Running:
    """A running exchange."""

    thread: int = field(factory=get_ident)
    done: Future[_Done] = field(factory=Future)


@frozen
class _Done:
    """The end of an exchange."""

    owner: object
    """Whose token it is. This is known only now, since it depends on the variables it has read."""
    token: Any = field(default=None, repr=False)
    error: Exception | None = None


class Tokens:
    """The tokens of all syncs, and of every `resolve`, of one world. `clock` gives epoch seconds.

    A token belongs to a gateway, the key that its plugin gives, and the values of all variables
    that this gateway has ever read. So nobody with other secrets gets it. Only a digest of the
    values is stored. If many threads want a token, one of them exchanges it. If that fails, it
    fails for all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._lock = Lock()
        self._variables: dict[str, set[str]] = {}
        self._running: dict[object, _Running] = {}
        self._kept: TLRUCache[object, tuple[Any, float]] = TLRUCache(
            _MOST, ttu=lambda owner, entry, now: entry[1], timer=clock
        )

    def get(self, asker: Asker, key: Hashable, exchange: Callable[[], Any], margin: float) -> Any:
        """A token that is valid for `margin` more seconds, or was exchanged just now.

        `exchange` returns the token and when it expires: an aware datetime, or seconds from now.
        Raises what `exchange` raises. Raises GatewayError if it returns something else, or asks
        for this token itself, and GatewayTimeoutError if another thread still exchanges it at the
        deadline.
        """
        while True:
            own = _Running()
            with self._lock:
                owner = self._owner(asker, key)
                if (entry := self._kept.get(owner)) is not None:
                    return entry[0]
                running = self._running.setdefault(owner, own)
            if running is own:
                return self._exchange(own, owner, asker, key, exchange, margin)
            if running.thread == own.thread:
                raise GatewayError(
                    "its exchange asks for the token that it is to give",
                    culprit=asker.gateway,
                    hint="give each token a key of its own",
                )
            ending = self._wait(running, owner, asker)
            with self._lock:
                if ending.owner != self._owner(asker, key):
                    continue  # it has read a variable that has another value here
            if ending.error is not None:
                raise ending.error
            return ending.token

    def _exchange(
        self,
        own: _Running,
        owner: object,
        asker: Asker,
        key: Hashable,
        exchange: Callable[[], Any],
        margin: float,
    ) -> Any:
        token, until = None, 0.0
        error: BaseException | None = None
        try:
            token, until = self._read(exchange(), asker)
            return token
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._lock:
                if self._running.get(owner) is own:
                    del self._running[owner]
                owner = self._owner(asker, key)
                if error is None:
                    self._kept[owner] = token, until - margin
            if error is None or isinstance(error, Exception):
                own.done.set_result(_Done(owner, token, error))
            else:  # an interrupt concerns only this thread
                own.done.set_result(_Done(None))

    def _wait(self, running: _Running, owner: object, asker: Asker) -> _Done:
        try:
            return running.done.result(max(asker.left(), 0.0))
        except TimeoutError:
            with self._lock:  # the next thread need not wait for it
                if self._running.get(owner) is running:
                    del self._running[owner]
        raise GatewayTimeoutError(
            "another thread was still exchanging its token at the deadline",
            culprit=asker.gateway,
            hint="try again later",
        )

    def _owner(self, asker: Asker, key: Hashable) -> object:
        """Whose token it is, as far as known by now. The caller holds the lock."""
        variables = self._variables.setdefault(asker.gateway, set())
        variables |= asker.consulted
        values = json.dumps([(name, asker.secret(name)) for name in sorted(variables)])
        return asker.gateway, key, hmac.digest(self._salt, values.encode(), "sha256")

    def _read(self, returned: Any, asker: Asker) -> tuple[Any, float]:
        """The token, and when it expires in epoch seconds."""
        with suppress(OverflowError):
            match returned:
                case (token, datetime(tzinfo=zone) as expires) if zone is not None:
                    return token, expires.timestamp()
                case (token, int() | float() as seconds) if not isinstance(seconds, bool):
                    return token, self._clock() + seconds
                case _:
                    pass
        raise GatewayError(
            "its exchange did not return a token with its expiry",
            culprit=asker.gateway,
            hint="return (token, an aware datetime or seconds from now)",
        )
