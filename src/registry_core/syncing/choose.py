"""Which data of each gateway a sync uses: what it fetched, else the newer of stored and bundled.

Freshness is per gateway. Newer is by time of retrieval, never by dates in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from ..bundle import Bundle
from ..errors import ShrunkError
from ..models import ProviderConfig
from ..report import DataSource
from ..snapshot import Snapshot
from ..store import GatewayData

Providers = Mapping[str, ProviderConfig]


@frozen
class Chosen:
    """The data of one gateway that goes into the merge."""

    source: DataSource
    data: GatewayData
    providers: Callable[[], Providers]
    count: Callable[[], tuple[int, int]]
    """How many providers and models these are; asks for less than `providers`."""


def in_snapshot(
    source: DataSource, data: GatewayData, load: Callable[[], Snapshot], gateway: str
) -> Chosen:
    """What `gateway` published, of all that the snapshot holds; when wanted."""
    return Chosen(source, data, lambda: load().providers_of(gateway), lambda: load().count(gateway))


def fetched(plugin: str, providers: Providers, at: float) -> Chosen:
    count = len(providers), sum(len(provider.models) for provider in providers.values())
    return Chosen("fetched", GatewayData(plugin, at), lambda: providers, lambda: count)


def bundled_data(bundle: Bundle) -> dict[str, Chosen]:
    """Gateway id → its data in the wheel."""
    return {
        id: in_snapshot("bundled", GatewayData(bundle.plugins[id], captured), bundle.load, id)
        for id, captured in bundle.captured.items()
    }


def last_good(stored: Mapping[str, Chosen], bundled: Mapping[str, Chosen]) -> dict[str, Chosen]:
    """Gateway id → the newer of stored and bundled."""
    both = [*bundled.items(), *stored.items()]
    return dict(sorted(both, key=lambda item: item[1].data.retrieved_at))


def refuse_shrunk(id: str, fresh: Chosen, good: Chosen | None, *, limit: float) -> None:
    """Raise ShrunkError if fewer than `limit` (0 to 1) of the last good models are left."""
    now, before = fresh.count()[1], good.count()[1] if good else 0
    if now < limit * before:
        raise ShrunkError(
            f"sent {now} models where its last good data has {before}; quarantined",
            culprit=id,
            hint=f"if that is right, run: registry-core sync --accept {id}",
        )
