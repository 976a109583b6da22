"""Many gateways' providers into one set. Pure, and independent of the order of plugins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..models import ProviderConfig
from ..report import Problem

Results = Mapping[str, Mapping[str, ProviderConfig]]
"""Gateway id → its providers by published id."""


def merge(
    results: Results,
    *,
    owners: Mapping[str, str],
    prefixes: Mapping[str, str],
    priority: Sequence[str] = (),
) -> tuple[dict[str, ProviderConfig], tuple[Problem, ...]]:
    """Every provider once, and what lost out.

    `owners` maps provider ids of the bundle to their gateway; `prefixes` maps the id
    of each namespaced gateway to itself: what it publishes starts with it. `priority`
    is the user's: of two gateways, the one named first wins.

    A provider id that two gateways publish goes to the prioritized gateway, else to
    the gateway of that id, else to its owner in the bundle, else to the lower gateway
    id. What a priority has settled is not reported. An id below a prefix that is another
    gateway's would capture that gateway's model ids; it is dropped.
    """
    problems: list[Problem] = []
    winners: dict[str, str] = {}

    def granted(gateway: str) -> int:
        return priority.index(gateway) if gateway in priority else len(priority)

    def rank(id: str, gateway: str) -> tuple[int, bool, bool, str]:
        return granted(gateway), gateway != id, owners.get(id) != gateway, gateway

    for gateway in sorted(results):
        for id in results[gateway]:
            winner = min(winners.get(id, gateway), gateway, key=lambda one: rank(id, one))
            if winner not in priority:  # what the user has settled is no news
                losers = {winners.get(id, gateway), gateway} - {winner}
                problems.extend(_lost(id, loser, winner) for loser in losers)
            winners[id] = winner

    def captured(id: str, gateway: str) -> str | None:
        for prefix in _prefixes(id):
            for other in (prefixes.get(prefix), winners.get(prefix)):
                if other and other != gateway and granted(other) <= granted(gateway):
                    return other
        return None

    merged: dict[str, ProviderConfig] = {}
    for id, gateway in winners.items():
        other = captured(id, gateway)
        if other is None:
            merged[id] = results[gateway][id]
        elif other not in priority:
            message = f"would capture model ids below {other!r}'s prefix; dropped"
            problems.append(Problem("merge", f"{gateway}: provider {id}", message, fatal=False))
    return merged, tuple(problems)


def _prefixes(id: str) -> Iterator[str]:
    end = id.find("/")
    while end != -1:
        yield id[:end]
        end = id.find("/", end + 1)


def _lost(id: str, loser: str, winner: str) -> Problem:
    message = (
        f"{winner!r} publishes it too and keeps it; list {loser!r} under `priority` to prefer it"
    )
    return Problem("merge", f"{loser}: provider {id}", message, fatal=False)
