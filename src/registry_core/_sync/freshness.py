"""Which gateways a sync asks. Each gateway has its own freshness, which all processes share: if
another process has just asked a gateway, it is not asked again.

All times are epoch seconds. A time in the future (the clock was set back) is ignored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from .._base.version import __version__
from .fetch import Outcome

if TYPE_CHECKING:
    from .._catalog.state import GatewayState, State
    from .._plugins.host import LoadedGateway
    from ..report import GatewayStatus
    from .options import Options

_ANSWERED = ("fresh", "unchanged")
#: Despite rounding of floats, a gateway that is exactly as old as the limit is asked.
_MILLISECOND = 0.001


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def fingerprint(loaded: LoadedGateway) -> str:
    """Fingerprint of everything that a stored result depends on, except its payloads."""
    plugin = loaded.plugin
    code = plugin.source.code
    return digest([__version__, plugin.key, plugin.version, code, loaded.settings.options])


def trusted_since(
    known: GatewayState, options: Options, waited_since: float | None, now: float
) -> float | None:
    """The time since which an answer of a gateway, or of one of its URLs, need not be asked for
    again. None: ask in any case.

    `waited_since`: another process has synced the same store since then.
    """
    if known.status == "disabled":
        return None  # this process may have a token that the other one lacked
    limits = [] if waited_since is None else [waited_since]
    if options.fresh_for is not None:
        age = options.retry_after if known.status == "failed" else options.fresh_for
        limits.append(now - age + _MILLISECOND)
    return min(limits, default=None)


def stands(known: GatewayState, trusted: float | None, now: float, *, current: bool) -> bool:
    """Whether a gateway need not be asked again.

    `current`: its stored data can be read, and comes from its plugin as it is now.
    """
    if trusted is None or known.checked_at is None or not trusted <= known.checked_at <= now:
        return False
    in_use = known.retrieved_at == known.checked_at  # otherwise an overlay has held it
    return known.status not in _ANSWERED or (current and in_use)


def taken_over(known: GatewayState) -> Outcome:
    """The outcome of another sync that has just asked the gateway, and has stored its result."""
    status: GatewayStatus = "unchanged"
    if known.status == "failed":
        status = "failed"
    elif known.status == "disabled":
        status = "disabled"
    elif known.status == "absent":
        status = "absent"
    return Outcome(status, error=known.error, finished_at=known.checked_at or 0.0)


def reached_at(
    state: State, outcomes: Collection[Outcome], started: float, now: float
) -> float | None:
    """The time since which every enabled gateway has answered, or is known to be away. If one has
    failed now, the previous time stays.

    `outcomes`: those of a sync that began at `started`.
    """
    last = state.last_refresh
    if last is not None and last > now:
        last = None
    wanted = [outcome for outcome in outcomes if outcome.status != "disabled"]
    if not wanted or not all(outcome.reached for outcome in wanted):
        return last
    # Before `started`, if it was taken over.
    oldest = min(outcome.finished_at for outcome in wanted)
    return max(now if oldest >= started else oldest, last or 0.0)


def answered_at(state: State, gateways: Iterable[LoadedGateway]) -> float | None:
    """The time of the last refresh, if each of `gateways` has answered as it is installed and
    configured now. None otherwise (a new plugin, a new token): then an auto-refresh syncs at once.
    """
    for gateway in gateways:
        known = state.gateways.get(gateway.gateway.id)
        if known is None or known.status not in (*_ANSWERED, "absent"):
            return None
        if known.fingerprint != fingerprint(gateway):
            return None
    return state.last_refresh
