"""A small world for tests of syncs and lookups: gateways behind a loopback server, a store
in a temporary folder, a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

from registry_core import (
    Artifact,
    GatewayClient,
    ModelGateway,
    ModelInfo,
    ModelRegistry,
    PluginSettings,
    ProviderConfig,
    Settings,
    Snapshot,
    SyncReport,
    hookimpl,
)
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._catalog.store import Store
from registry_core._config.load import Source
from registry_core._plugins.host import PluginHost
from registry_core._sync.options import Options
from registry_core._sync.sync import Result, check, sync
from registry_core._world import World as RealWorld
from registry_core._writers import BUILTINS
from tests.loopback import Loopback

BUNDLED_AT = 1_700_000_000.0
NOW = 1_800_000_000.0


class JsonGateway(ModelGateway):
    """Providers from `{provider: [model ids]}` at a URL."""

    namespaced = False

    def __init__(self, id: str, url: str, **attributes: Any) -> None:
        self.id = id
        self.name = id.title()
        self._url = url
        self.fetches = 0
        vars(self).update(attributes)

    def fetch_providers(self, client: GatewayClient) -> Mapping[str, ProviderConfig]:
        self.fetches += 1
        payload = client.get_json(self._url)
        return {id: ProviderConfig(id=id, models=models) for id, models in payload.items()}


class Plugin:
    """Gateways and hooks, registered through pluggy as any plugin is."""

    def __init__(self, *gateways: ModelGateway) -> None:
        self._gateways = gateways

    @hookimpl
    def registry_gateways(self) -> tuple[ModelGateway, ...]:
        return self._gateways


class Overlay:
    """A policy: `change` gets the snapshot."""

    def __init__(self, change: Any) -> None:
        self._change = change

    @hookimpl
    def registry_overlay(self, snapshot: Snapshot) -> Snapshot | None:
        return self._change(snapshot)  # type: ignore[no-any-return]


class Emitter:
    """One text file that names the providers."""

    @hookimpl
    def registry_emit(self, snapshot: Snapshot, settings: PluginSettings) -> list[Artifact]:
        return [Artifact("list", "providers.txt", "\n".join(snapshot.get_providers()))]


class World:
    """`serve` payloads, `sync`, and look at what is served."""

    def __init__(self, tmp_path: Path, server: Loopback) -> None:
        self.tmp_path = tmp_path
        self.server = server
        self.now = NOW
        self.monotonic = 0.0
        self.wait: Callable[[Event, float], object] = Event.wait
        self.environ: dict[str, str] = {}
        self.plugins: list[object] = []
        bundled = [
            ProviderConfig(id="openai", models=["gpt-old"], gateway="main"),
            ProviderConfig(id="other", models=["x"], gateway="second"),
        ]
        self.bundled = Snapshot.build(bundled)
        self.bundle = Bundle(
            lambda: self.bundled,
            {"main": BUNDLED_AT, "second": BUNDLED_AT},
            {"main": "main-plugin:main", "second": "second-plugin:second"},
            {"main": "test", "second": "test"},
        )
        self.places = Places(
            tmp_path / "venv", tmp_path / "python", tmp_path / "cache", tmp_path / "tmp"
        )
        self.writers = BUILTINS
        self.path: list[str] = []
        self.types_path: list[str] = []

    @property
    def store(self) -> Store:
        return Store(self.tmp_path / "venv" / "share" / "registry-core")

    def serve(self, id: str, payload: Any, etag: str | None = None) -> None:
        self.server.serve(f"/{id}.json", payload, etag=etag)

    def gateway(self, id: str, **attributes: Any) -> JsonGateway:
        gateway = JsonGateway(id, self.server.url(f"/{id}.json"), **attributes)
        self.plugins.append(Plugin(gateway))
        return gateway

    def registry(self, source: Source | None = None, **settings: Any) -> ModelRegistry:
        """A registry of its own, as another process would have it; with `source`, its settings
        are read there, and again."""
        made = source.read() if source else Settings(**settings)
        secrets = Secrets()
        named = [(f"test-{index}", plugin) for index, plugin in enumerate(self.plugins)]
        host = PluginHost(
            made,
            environ=self.environ,
            secrets=secrets,
            path=self.path,
            builtins=[*self.writers, *named],
        )
        world = RealWorld(
            made,
            source=source,
            host=host,
            environ=self.environ,
            places=self.places,
            bundle=self.bundle,
            clock=lambda: self.now,
            monotonic=lambda: self.monotonic,
            random=lambda: 0.0,
            wait=self.wait,
            types_path=self.types_path,
        )
        return ModelRegistry(world=world)

    def result(self, options: Options | None = None, **settings: Any) -> Result:
        return sync(self.registry(**settings).world, options or Options())

    def sync(self, options: Options | None = None, **settings: Any) -> SyncReport:
        return self.result(options, **settings).report

    def check(self, **settings: Any) -> tuple[SyncReport, tuple[str, ...]]:
        return check(self.registry(**settings).world, Options(project=True))

    def models(self, **settings: Any) -> Mapping[str, tuple[str, ...]]:
        """What a fresh process would see."""
        return self.registry(**settings).get_models()


def written(path: Path) -> tuple[int, ...]:
    """What changes if a path is written, or gets another file; not if it is only read."""
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_rdev, found.st_size, found.st_mtime_ns


def model(provider: str, id: str, **fields: Any) -> ModelInfo:
    return ModelInfo(id=id, provider_id=provider, **fields)
