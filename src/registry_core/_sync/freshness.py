"""Which gateways a sync asks. Freshness is per gateway, and shared by all processes: what
another one has asked lately is not asked again.

All times are epoch seconds. One in the future (the clock was set back) tells nothing.
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
#: What is exactly as old as the limit is asked, whatever a float loses in between.
_MILLISECOND = 0.001


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def fingerprint(loaded: LoadedGateway) -> str:
    """Of what a stored result depends on, beyond its payloads."""
    plugin = loaded.plugin
    code = plugin.source.code
    return digest([__version__, plugin.key, plugin.version, code, loaded.settings.options])


def trusted_since(
    known: GatewayState, options: Options, waited_since: float | None, now: float
) -> float | None:
    """What a gateway, or one of its URLs, said since then is not asked for again; None: ask.

    `waited_since`: another process has synced the same store since then.
    """
    if known.status == "disabled":
        return None  # this process may have the token that another one lacked
    limits = [] if waited_since is None else [waited_since]
    if options.fresh_for is not None:
        age = options.retry_after if known.status == "failed" else options.fresh_for
        limits.append(now - age + _MILLISECOND)
    return min(limits, default=None)


def stands(known: GatewayState, trusted: float | None, now: float, *, current: bool) -> bool:
    """Whether what is known of a gateway need not be asked for again.

    `current`: its data can be read, and is that of the plugin as it is now.
    """
    if trusted is None or known.checked_at is None or not trusted <= known.checked_at <= now:
        return False
    in_use = known.retrieved_at == known.checked_at  # else an overlay held it
    return known.status not in _ANSWERED or (current and in_use)


def taken_over(known: GatewayState) -> Outcome:
    """What another sync has just made of a gateway; what it fetched is stored by now."""
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
    """Since when every enabled gateway has answered, or is known to be away; as it was, if one
    has not now.

    `outcomes` are those of a sync that began at `started`.
    """
    last = state.last_refresh
    if last is not None and last > now:
        last = None
    wanted = [one for one in outcomes if one.status != "disabled"]
    if not wanted or not all(one.reached for one in wanted):
        return last
    oldest = min(one.finished_at for one in wanted)  # before `started`, if it was taken over
    return max(now if oldest >= started else oldest, last or 0.0)


def answered_at(state: State, gateways: Iterable[LoadedGateway]) -> float | None:
    """The last refresh, if each of `gateways` has answered, as it is now installed and set up.

    None has an auto-refresh look at once: a new plugin, a token that was set.
    """
    for one in gateways:
        known = state.gateways.get(one.gateway.id)
        if known is None or known.status not in (*_ANSWERED, "absent"):
            return None
        if known.fingerprint != fingerprint(one):
            return None
    return state.last_refresh
