"""Run in our environment: seconds of a sync with K gateways that take MS. FOLDER URL MS K…"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from registry_core import GatewayClient, ModelGateway, ModelRegistry, ProviderConfig, Settings
from registry_core._catalog.places import Places
from registry_core._world import World


class Slow(ModelGateway):
    def __init__(self, url: str, id: str) -> None:
        self.id = self.name = id
        self.url = url

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return {self.id: ProviderConfig(id=self.id, models=client.get_json(self.url))}


def seconds(folder: Path, url: str, wait_ms: int, count: int) -> float:
    settings = Settings(store_dir=folder / f"store-{count}", plugins=())
    places = Places(folder, folder, folder / "cache", folder / "temporary")
    registry = ModelRegistry(world=World(settings, environ={}, places=places))
    for n in range(count):
        registry.register_gateway(Slow(f"{url}/slow/{wait_ms}/{n}.json", f"slow-{n}"))
    began = time.perf_counter()
    registry.sync_gateways()
    taken = time.perf_counter() - began
    assert len(registry.get_models()[f"slow-{count - 1}"]) == 20
    return taken


folder, url, wait_ms, *counts = sys.argv[1:]
seconds(Path(folder), url, 1, 1)
print(json.dumps({n: seconds(Path(folder), url, int(wait_ms), int(n)) for n in counts}))
