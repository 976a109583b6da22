"""Which data of each gateway a sync uses: what it fetched, else the newer of stored and bundled.

Freshness is per gateway. Newer is by time of retrieval, never by dates in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from .bundle import Bundle
from .errors import ShrunkError
from .models import ProviderConfig
from .report import DataSource
from .snapshot import Snapshot
from .store import GatewayData

Providers = Mapping[str, ProviderConfig]


@frozen
class Chosen:
    """The data of one gateway that goes into the merge."""

    source: DataSource
    data: GatewayData
    providers: Callable[[], Providers]


def of_gateway(snapshot: Snapshot, gateway: str) -> Callable[[], Providers]:
    """The providers that `gateway` published, of all that the snapshot holds; when wanted."""

    def providers() -> Providers:
        return {id: one for id, one in snapshot.get_providers().items() if one.gateway == gateway}

    return providers


def fetched(plugin: str, providers: Providers, at: float) -> Chosen:
    return Chosen("fetched", GatewayData(plugin, at), lambda: providers)


def count(providers: Providers) -> int:
    return sum(len(provider.models) for provider in providers.values())


def bundled_data(bundle: Bundle) -> dict[str, Chosen]:
    """Gateway id → its data in the wheel."""
    return {
        id: Chosen(
            "bundled",
            GatewayData(bundle.plugins[id], captured),
            _of_bundle(bundle, id),
        )
        for id, captured in bundle.captured.items()
    }


def last_good(stored: Mapping[str, Chosen], bundled: Mapping[str, Chosen]) -> dict[str, Chosen]:
    """Gateway id → the newer of stored and bundled."""
    both = [*bundled.items(), *stored.items()]
    return dict(sorted(both, key=lambda item: item[1].data.retrieved_at))


def refuse_shrunk(id: str, providers: Providers, good: Chosen | None, *, limit: float) -> None:
    """Raise ShrunkError if fewer than `limit` (0 to 1) of the last good models are left."""
    now, before = count(providers), count(good.providers()) if good else 0
    if now < limit * before:
        raise ShrunkError(
            f"sent {now} models where its last good data has {before}; quarantined",
            mend=f"if that is right, run: registry-core sync --accept {id}",
        )


def _of_bundle(bundle: Bundle, gateway: str) -> Callable[[], Providers]:
    return lambda: of_gateway(bundle.load(), gateway)()
