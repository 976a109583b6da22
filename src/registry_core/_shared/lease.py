"""Who of a fleet fetches: the one that holds the lease.

It is tried, never waited for. It is let go by writing, since no engine deletes on a condition.
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
#: Seconds: what a lease may ask for at most.
LONGEST = 600.0


class Lease:
    """`seen`: ETag of somebody's lease, and monotonic seconds since when it is known. A
    monotonic clock that starts anew, as at a boot, only makes that seem shorter."""

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
        """Whether this machine holds it now. Raises Fault."""
        try:
            try:
                found = self._engine.get(NAME, most=_MOST)
                assert found is not None
            except GoneError:
                self._mine = self._engine.put(NAME, self._body(free=False))
                return True
            if not self._is_over(found.data, found.version.get("e_tag", "")):
                return False
            self._mine = self._engine.put(NAME, self._body(free=False), found.version)
        except LostError:
            return False
        return True

    def release(self) -> None:
        """Let others have it. If that fails, it ends with its term."""
        if self._mine is not None:
            with suppress(Fault):
                self._engine.put(NAME, self._body(free=True), self._mine)
            self._mine = None

    def _is_over(self, body: bytes, tag: str) -> bool:
        """Whether it is free, or has been the same for its term, on the clock of this machine."""
        term = LONGEST
        with suppress(LookupError, ArithmeticError, ValueError, TypeError, RecursionError):
            about: Any = json.loads(body)
            if about["free"] is True:
                return True
            told = float(about["term"])
            term = told if 0 <= told <= LONGEST else LONGEST  # nor is it NaN
        known, since = self.seen
        now = self._monotonic()
        if known != tag or since > now:
            self.seen = tag, now
            return False
        return now - since >= term

    def _body(self, *, free: bool) -> bytes:
        # An ETag may be that of the content: no two of these are the same.
        about = {"holder": self._publisher, "nonce": token_hex(8), "term": self._term, "free": free}
        return json.dumps(about).encode()
