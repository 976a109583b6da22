"""The lease of a fleet: the machine that holds it fetches.

A machine tries to take it, but never waits for it. It is released by writing, since no engine can
delete on a condition.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any

from .engine import Engine, Fault, GoneError, LostError, Version

NAME = "lease"
_MOST = 4096
#: Seconds. The longest time of a lease.
LONGEST = 600.0


class Lease:
    """`seen`: the ETag of a lease, and the monotonic seconds at which it was first seen. If the
    monotonic clock starts again, as at a boot, the lease only seems younger."""

    def __init__(
        self,
        engine: Engine,
        publisher: str,
        term: float,
        monotonic: Callable[[], float],
        seen: tuple[str, float],
    ) -> None:
        self._engine, self._publisher, self._term = engine, publisher, term
        self._monotonic = monotonic
        self._mine: Version | None = None
        self.seen = seen

    def take(self) -> bool:
        """Take the lease, if it is free. Whether this machine holds it now. Raises Fault."""
        try:
            try:
                result = self._engine.get(NAME, most=_MOST)
                assert result is not None
            except GoneError:
                self._mine = self._engine.put(NAME, self._body(free=False))
                return True
            if not self._is_over(result.data, result.version.get("e_tag", "")):
                return False
            self._mine = self._engine.put(NAME, self._body(free=False), result.version)
        except LostError:
            return False
        return True

    def release(self) -> None:
        """Release the lease. If that fails, it ends after its term."""
        if self._mine is not None:
            with suppress(Fault):
                self._engine.put(NAME, self._body(free=True), self._mine)
            self._mine = None

    def _is_over(self, body: bytes, tag: str) -> bool:
        """Whether it is free, or unchanged for its term by the clock of this machine."""
        term = LONGEST
        with suppress(LookupError, ArithmeticError, ValueError, TypeError, RecursionError):
            about: Any = json.loads(body)
            if about["free"] is True:
                return True
            seconds = float(about["term"])
            term = seconds if 0 <= seconds <= LONGEST else LONGEST  # for NaN, too
        known, since = self.seen
        now = self._monotonic()
        if known != tag or since > now:
            self.seen = tag, now
            return False
        return now - since >= term

    def _body(self, *, free: bool) -> bytes:
        # The nonce makes each body different, since an ETag may depend on the content only.
        about = {"holder": self._publisher, "nonce": token_hex(8), "term": self._term, "free": free}
        return json.dumps(about).encode()
