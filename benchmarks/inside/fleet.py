"""Run in our environment: adopt what a fleet has published. FOLDER ROUNDS

Prints {"bytes", "models", "get", "local", "adopt"}: the last three are lists of seconds, by round.

get     the object, by plain HTTP
local   a sync that checks, merges, stores and emits the same providers, which lie in its memory
adopt   a sync that takes them from the shared catalog: pointer and object
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

from registry_core import (
    GatewayClient,
    ModelGateway,
    ModelRegistry,
    ProviderConfig,
    Settings,
    hookimpl,
)
from registry_core._base.secrets import Secrets
from registry_core._base.version import __version__
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._plugins.host import PluginHost
from registry_core._shared.pointer import Entry, Pointer, to_bytes
from registry_core._shared.results import encode
from registry_core._sync.freshness import digest
from registry_core._world import World
from registry_core._writers import BUILTINS
from registry_core.records import provider_from_record

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])


class InMemory(ModelGateway):
    id = name = "models.dev"
    needs_network = False
    namespaced = False

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        return self.providers

    providers: Mapping[str, ProviderConfig] = {}


class Plugin:
    def __init__(self) -> None:
        self.gateway = InMemory()

    @hookimpl
    def registry_gateways(self) -> tuple[ModelGateway, ...]:
        return (self.gateway,)


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def variant(suffix: str) -> dict[str, ProviderConfig]:
    """The bundled providers of models.dev, with other ids of models."""
    found = {}
    for id, one in Bundle.of_wheel().load().get_providers().items():
        if one.gateway == InMemory.id:
            models = {bare + suffix: json.loads(one.models.record(bare)) for bare in one.models}
            about = {"name": one.name, "npm": one.npm, "url": one.url, "models": models}
            made = provider_from_record(id, about)
            assert made
            found[id] = made
    return found


def registry(name: str, plugin: Plugin, **more: str) -> ModelRegistry:
    place = folder / name
    settings = Settings(store_dir=place / "store", **more)  # type: ignore[arg-type]
    host = PluginHost(
        settings,
        environ={},
        secrets=Secrets(),
        path=[],
        builtins=[*BUILTINS, ("benchmark", plugin)],
    )
    places = Places(place, place, place / "cache", place / "temporary")
    return ModelRegistry(world=World(settings, host=host, environ={}, places=places, types_path=[]))


def seconds(do: Callable[[], object]) -> float:
    os.sync()
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def changed(registry: ModelRegistry, *, force: bool) -> None:
    report = registry.sync_gateways(force_refresh=force)
    assert report.ok and report.changed, report.problems


def main() -> None:
    served = folder / "served"
    (served / "objects").mkdir(parents=True)
    results = [variant(""), variant("-b")]
    published = []
    for one in results:
        name, data = encode(one)
        (served / "objects" / name).write_bytes(data)
        published.append((name, len(data)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    plugin = Plugin()
    local, reader = registry("local", plugin), registry("reader", Plugin(), shared=url)
    reader.world.host.load()
    (loaded,) = reader.world.host.gateways()
    scope = digest([loaded.plugin.key, loaded.settings.options])
    taken: dict[str, list[float]] = {"get": [], "local": [], "adopt": []}
    for number in range(rounds + 1):  # the first only warms up
        which = number % 2
        name, _ = published[which]
        plugin.gateway.providers = results[which]
        now = time.time()
        entry = Entry(InMemory.id, scope, loaded.plugin.version, name, now, core=__version__)
        pointer = Pointer(number + 1, {entry.key: entry}, {name: now})
        (served / "pointer").write_bytes(to_bytes(pointer, None))
        object = f"{url}/objects/{name}"
        found = {
            "get": seconds(lambda object=object: urlopen(object).read()),
            "local": seconds(partial(changed, local, force=True)),
            "adopt": seconds(partial(changed, reader, force=False)),
        }
        for case, value in found.items():
            if number:
                taken[case].append(value)
    models = sum(len(one.models) for one in results[0].values())
    print(json.dumps({"bytes": published[0][1], "models": models, **taken}))


if __name__ == "__main__":
    main()
