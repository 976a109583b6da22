"""Merges the providers of all gateways. Pure, and independent of the order of plugins."""

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
    """Every provider once, and a problem for each that was dropped.

    `owners`: provider id in the bundle → its gateway. `prefixes`: the id of each namespaced
    gateway → itself, since everything that it publishes starts with its id. `priority`: the user's
    list; of two gateways, the one named first wins.

    If two gateways publish a provider id, it goes to the gateway with priority, or else to the
    gateway of that id, or else to its owner in the bundle, or else to the first gateway id in
    alphabetical order. What a priority decides is not reported. An id below another gateway's
    prefix is dropped, since it would capture model ids of that gateway.
    """
    problems: list[Problem] = []
    winners: dict[str, str] = {}

    def granted(gateway: str) -> int:
        return priority.index(gateway) if gateway in priority else len(priority)

    def rank(id: str, gateway: str) -> tuple[int, bool, bool, str]:
        return granted(gateway), gateway != id, owners.get(id) != gateway, gateway

    for gateway in sorted(results):
        for id in results[gateway]:
            winner = min(
                winners.get(id, gateway), gateway, key=lambda candidate: rank(id, candidate)
            )
            if winner not in priority:  # what the user has decided is not reported
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
