"""The registry for applications: lazy, thread-safe, with a TTL cache."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from attr import evolve

from ._base.forks import after_fork
from ._catalog.snapshot import Snapshot
from ._files.reading import unreadable
from ._world import World
from .errors import SnapshotDamagedError, StoreError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Unpack

    from ._base.model import ModelInfo
    from ._catalog.filters import Filters, Words
    from ._catalog.loading import Loaded
    from ._plugins.host import PluginHost
    from ._sync.joining import Joining
    from ._sync.options import Options
    from ._sync.refresh import Refresher
    from ._sync.runtime import RuntimeGateway
    from .endpoint import Endpoint
    from .models import ProviderConfig
    from .plugin import ModelGateway
    from .report import Changes, FieldSources, SyncReport
    from .settings import Settings

T = TypeVar("T")

_registries: WeakSet[ModelRegistry] = WeakSet()


class ModelRegistry:
    """The providers and models of the last sync.

    A lookup reads one record of a stored snapshot. It loads no plugin, uses no network, and
    writes nothing. The loaded generation is used for `cache_ttl_ms`; then one `stat` shows
    whether another process has stored a new one.

    Constructing a registry reads nothing. `world` holds everything from outside; by default it is
    that of this process, with the given `settings`, plugins and clock (epoch seconds).
    """

    _instance: ModelRegistry | None = None
    _instance_lock = threading.Lock()

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: PluginHost | None = None,
        clock: Callable[[], float] = time.time,
        world: World | None = None,
    ) -> None:
        if world is not None and (settings, host, clock) != (None, None, time.time):
            raise TypeError("a world has its own settings, host and clock")
        self.world = world or World(settings, host=host, clock=clock)
        """Its world: settings, plugins, places, clock. For commands and adapters."""
        self._lock = threading.RLock()
        # The snapshot, and until when it is trusted. One object, since it is read without the lock.
        self._trusted: tuple[Snapshot, float] | None = None
        self._loaded: Loaded | None = None
        self._served: Snapshot | None = None
        self._damaged: set[str] = set()
        self._runtime: dict[str, RuntimeGateway] = {}
        self._joining: Joining | None = None
        self._refresher: Refresher | None = None
        _registries.add(self)

    @classmethod
    def get_instance(cls) -> ModelRegistry:
        """The registry of this process, made on first use.

        Starts the background refresh if the environment says so (`REGISTRY_CORE_DEV`,
        `REGISTRY_CORE_AUTO_REFRESH_PROVIDERS`).
        """
        if cls._instance is not None:
            return cls._instance
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
                if cls._instance.world.lookups.auto_refresh:
                    cls._instance.start_auto_refresh()
            return cls._instance

    @classmethod
    def reset_instance(cls) -> None:
        """Forget the registry of this process. For tests."""
        with cls._instance_lock:
            if cls._instance is not None:
                cls._instance.stop_auto_refresh()
            cls._instance = None

    @classmethod
    def from_snapshot(cls, path: str | os.PathLike[str]) -> ModelRegistry:
        """A frozen registry over a snapshot file. Raises StoreError at the first lookup if
        the file can't be read."""
        from pathlib import Path

        from .settings import Settings

        return cls(Settings(snapshot=Path(path)))

    # Lookups

    def snapshot(self) -> Snapshot:
        """An immutable view of the data served now, with the same lookups, but no lock or clock."""
        trusted = self._trusted
        if trusted is not None and self.world.monotonic() < trusted[1]:
            return trusted[0]
        with self._lock:
            trusted = self._trusted
            if trusted is not None and self.world.monotonic() < trusted[1]:
                return trusted[0]  # another thread has looked while this one waited
            snapshot, lasting = self._look()
            ends = self.world.monotonic() + self.world.lookups.cache_ttl_ms / 1000
            self._trusted = (snapshot, ends) if lasting else None
            return snapshot

    def invalidate(self) -> None:
        """Drop the loaded generation. The next lookup reads the store."""
        with self._lock:
            self._served = self._trusted = None

    def get_model(self, id: str) -> ModelInfo | None:
        """The model with this full id, such as "openai/gpt-4o", or with this role. None if there
        is none."""
        snapshot = self.snapshot()
        try:
            return snapshot.get_model(id)
        except (SnapshotDamagedError, MemoryError):
            return self._read(lambda snapshot: snapshot.get_model(id))

    def find_models(
        self, text: Words | None = None, **filters: Unpack[Filters]
    ) -> tuple[ModelInfo, ...]:
        """The models that fit all filters, in the order of providers and ids.

        `text`: words that must all occur in the full id, the name or the family, in any case.
        A filter for several texts also takes a single text.

        - `provider` (globs), `gateway` (globs), `kind`, `status`: one of them must fit.
        - `supports`: the model must have all of them. They are capabilities, or common names for
          them ("tools", "vision").
        - `input`, `output`: modalities. The model must have all of them.
        - `min_context` in tokens; `max_input_cost`, `max_output_cost` in USD per million tokens.
        - `released_since`, `retires_before`: a date, or text such as "2026-09-30".
        - `usable`: the model has a URL, and its key is set in `environ` (by default the process's
          environment), or its provider needs none.
        - `sort`: "price", "output_cost", "context", "released", "retires", "name" or "id". The
          first one counts most. "-price" reverses the order. Unknown values always come last.
        - `limit`: the largest number of models.

        Unknown values don't fit a filter, unless `include_unknown` is set. Models that are
        deprecated or retired `today` (a date; by default the clock's) are left out, unless
        `include_deprecated` or `status` is given. With `retires_before`, only retired models are
        left out. Raises ArgumentError, which suggests the nearest valid value, and TypeError for an
        argument that does not exist.
        """
        known = self._with_defaults(filters)
        return self._read(lambda snapshot: snapshot.find_models(text, **known))

    def find_ids(self, text: Words | None = None, **filters: Unpack[Filters]) -> tuple[str, ...]:
        """The full ids of the models that `find_models` returns. Decodes no model."""
        known = self._with_defaults(filters)
        return self._read(lambda snapshot: snapshot.find_ids(text, **known))

    def _with_defaults(self, filters: Filters) -> Filters:
        """The filters, with the environment and the day of this world by default."""
        if filters.get("environ") is None:
            filters["environ"] = self.world.environ
        if filters.get("today") is None:
            from datetime import UTC, datetime

            filters["today"] = datetime.fromtimestamp(self.world.clock(), UTC)
        return filters

    def sources(self, id: str) -> tuple[FieldSources, ...]:
        """What each source says about the model with this full id or role: one item for each
        field with a source, by name ("cost.input").

        Reads the stored data of each gateway and source of facts, or the bundle. Loads plugins
        only for facts in a plugin's own package. Raises UnknownModelError, and StoreError if
        the data of a gateway is damaged or can't be read.
        """
        from ._sync.sources import sources

        return self._read(lambda snapshot: sources(id, snapshot, self.world, self._loaded))

    def disagreements(
        self, ids: Iterable[str] | None = None
    ) -> Mapping[str, tuple[FieldSources, ...]]:
        """Full id → the fields in which sources differ, as in `sources`. For these ids, or by
        default for all. Raises what `sources` raises."""
        from ._sync.sources import disagreements

        wanted = self.find_ids(include_deprecated=True) if ids is None else tuple(ids)
        return self._read(
            lambda snapshot: disagreements(wanted, snapshot, self.world, self._loaded)
        )

    def suggest(self, text: str, most: int = 3) -> tuple[str, ...]:
        """Full ids that `text` probably means. See `registry_core.suggest`."""
        return self._read(lambda snapshot: snapshot.suggest(text, most))

    def offline(self) -> tuple[Snapshot, Mapping[str, ModelInfo]]:
        """What is known without the network, for commands that may run before any sync: a
        snapshot, and facts about models that it does not offer, by full id.

        If the plugins are those of the last sync, the snapshot is the served one. Otherwise it is
        what a sync without the network would serve; then plugins are loaded, and nothing is
        written. If a snapshot file is pinned, there are no further facts. Raises OverlayError if a
        policy fails, SettingsError and StoreError.
        """
        from ._sync.offline import offline

        def read(snapshot: Snapshot) -> tuple[Snapshot, Mapping[str, ModelInfo]]:
            assert self._loaded is not None
            return offline(self.world, self._loaded, snapshot)

        return self._read(read)

    def get_provider_config(self, id: str) -> ProviderConfig | None:
        """The provider with this id. None if it is unknown.

        Its models are decoded on demand. This raises SnapshotDamagedError if the stored snapshot
        is damaged. The next lookup then serves the bundle.
        """
        return self._read(lambda snapshot: snapshot.get_provider_config(id))

    def get_providers(self) -> Mapping[str, ProviderConfig]:
        """All providers by id, sorted."""
        return self._read(Snapshot.get_providers)

    def get_models(self) -> Mapping[str, tuple[str, ...]]:
        """Provider id → its bare model ids, sorted."""
        return self._read(Snapshot.get_models)

    def is_provider_registered(self, id: str) -> bool:
        return self._read(lambda snapshot: snapshot.is_provider_registered(id))

    def split(self, id: str) -> tuple[str | None, str]:
        """Split a full id into (provider, bare model id), by the known providers."""
        return self._read(lambda snapshot: snapshot.split(id))

    def _read(self, lookup: Callable[[Snapshot], T]) -> T:
        while True:
            snapshot = self.snapshot()
            try:
                return lookup(snapshot)
            except SnapshotDamagedError:
                self._condemn(snapshot)
            except MemoryError as error:
                raise unreadable("the registry", error) from error

    def _look(self) -> tuple[Snapshot, bool]:
        """What to serve, and whether that may be trusted for a while."""
        try:
            if self._loaded and self._served and self._loaded.lasting and self._loaded.current:
                return self._served, True
        except StoreError:
            pass  # `load` tries again, and raises the error
        while True:
            loaded = self.world.load(self._damaged, self._loaded)
            try:
                self._served = self._with_runtime(loaded.snapshot)
            except SnapshotDamagedError:
                self._served = loaded.snapshot
                self._condemn(loaded.snapshot)
            except MemoryError as error:
                raise unreadable("the registry", error) from error
            else:
                self._loaded = loaded
                return self._served, loaded.lasting

    def _condemn(self, snapshot: Snapshot) -> None:
        """Don't serve this damaged snapshot any more, but a newer generation, the previous one, or
        the bundle. Raises SnapshotDamagedError if there is nothing else."""
        with self._lock:
            if self._served is not snapshot:
                return  # another thread has found it already
            if self.world.lookups.snapshot is not None or snapshot.hash in self._damaged:
                raise  # the original error: the user wants only this file
            self._damaged.add(snapshot.hash)
            self.world.verified.pop(snapshot.hash, None)
            self._served = self._trusted = None

    def _with_runtime(self, snapshot: Snapshot) -> Snapshot:
        if not self._runtime:
            return snapshot
        from ._sync.runtime import add_to

        return add_to(snapshot, self._runtime.values())

    # Syncs

    def sync_gateways(self, force_refresh: bool = False) -> SyncReport:
        """Fetch all enabled gateways, merge, overlay, store, emit.

        With `force_refresh` no validators are sent. Concurrent calls join one sync. Failures are in
        the report, and the last good data stays. Raises only SettingsError and StoreError, and
        with the setting `strict` an ExceptionGroup of all failures.
        """
        from ._sync.options import Options

        report = self._join(Options(force=force_refresh))
        if self.world.settings.strict:
            report.raise_failures()
        return report

    def _join(self, options: Options) -> SyncReport:
        from ._sync.joining import Joining

        with self._lock:
            joining = self._joining = self._joining or Joining()
        return joining.run(options, self._sync)

    def _sync(self, options: Options) -> SyncReport:
        """Sync, and serve the result from now on."""
        from ._sync.sync import sync

        if options.host is not None:
            self.world.adopt(options.host)
        project = self.world.serves_dev or self.world.settings.dev
        options = evolve(options, project=project)
        result = sync(self.world, options, tuple(self._runtime.values()))
        with self._lock:
            for gateway in result.runtime:
                if self._runtime[gateway.gateway.id].gateway is gateway.gateway:
                    self._runtime[gateway.gateway.id] = gateway
            self._damaged.clear()
            self.invalidate()
        return result.report

    def register_gateway(self, gateway: ModelGateway) -> None:
        """Add a gateway to this process. It is asked at the next `sync_gateways()`.

        Its providers are merged in memory, and neither stored nor emitted. An installed gateway
        with the same id, and a stored provider with the same id, have priority. A gateway that was
        registered with this id before is replaced; its data is served until the next sync. Raises
        TypeError if `gateway` is not a gateway.
        """
        from ._plugins.hook_rules import describe_gateway
        from ._sync.runtime import RuntimeGateway

        new = describe_gateway(gateway)
        with self._lock:
            before = self._runtime.get(new.id)
            if before is None or before.gateway.itself is not gateway:
                self._runtime[new.id] = RuntimeGateway.instead_of(before, new)

    @property
    def gateways(self) -> tuple[ModelGateway, ...]:
        """The gateways in use: those of the installed plugins (loaded now, if they were
        not), then those registered at run time."""
        from .plugin import ModelGateway

        installed = [gateway.gateway for gateway in self.world.host.gateways()]
        own = [gateway.gateway for gateway in self._runtime.values()]
        sources = (gateway.itself for gateway in (*installed, *own))
        return tuple(source for source in sources if isinstance(source, ModelGateway))

    def get_last_refresh_time(self) -> datetime | None:
        """Aware UTC time of the last sync that reached every enabled gateway.

        None if there was none, if that time is in the future (a wrong clock), or if a snapshot
        file is served, whose age is unknown.
        """
        if self.world.lookups.snapshot is not None:
            return None
        from ._catalog.state import past, utc

        return utc(past(self.world.state().last_refresh, self.world.clock()))

    def changes(self, since: datetime | None = None) -> tuple[Changes, ...]:
        """What each sync of the last 90 days changed, oldest first, or only each after `since`.

        `since` is an aware time. Volatile models are never included. Empty while a snapshot file
        is served. Raises StoreError, and ArgumentError if `since` is not aware.
        """
        store = None if self.world.lookups.snapshot else self.world.store()
        if store is None:
            return ()
        from ._catalog.journal import read

        return read(store, store.read_generation(), since)

    # Refreshing in the background

    def start_auto_refresh(self, interval_ms: int | None = None) -> None:
        """Sync in a daemon thread whenever the stored data is older than the interval.

        None means the setting `refresh_interval_ms`. An argument under 60 000 is raised to 60 000,
        with one warning. If the data is older already, the first sync starts at once. A second
        start does nothing, unless the thread has ended. Processes of one user share what one of
        them has fetched.
        """
        from ._sync.refresh import refresher_of

        with self._lock:
            if self._refresher is None or not self._refresher.runs:
                self._refresher = refresher_of(self.world, self._join, interval_ms)
                self._refresher.start()

    def stop_auto_refresh(self) -> None:
        """Start no further sync. Returns at once; a running sync ends by itself."""
        with self._lock:
            if self._refresher is not None:
                self._refresher.stop()
                self._refresher = None

    def _after_fork(self) -> None:
        """Replace the locks: another thread may have held them at the fork."""
        self._lock = threading.RLock()
        self._joining = None
        self.world.after_fork()
        self._loaded = self._served = self._trusted = None

    # Routing

    def resolve(self, id: str, environ: Mapping[str, str] | None = None) -> Endpoint:
        """Where and how to call this model: base URL, dialect, key.

        `environ` holds the credentials; by default it is this process's environment. If the
        registry doesn't know the model, but its provider, the id is passed on. The model of a role
        must be known. Loads plugins. Uses the network only if the gateway must exchange a token.
        Raises ResolveError. If the exchange fails, that is an ExchangeError, which is also a
        GatewayError.
        """
        from ._resolve.resolving import resolve

        environ = self.world.environ if environ is None else environ
        own = {id: gateway.gateway.itself for id, gateway in self._runtime.items()}
        return self._read(lambda snapshot: resolve(id, snapshot, self.world, environ, own))

    async def aresolve(self, id: str, environ: Mapping[str, str] | None = None) -> Endpoint:
        """`resolve`, without blocking the event loop."""
        from asyncio import to_thread

        return await to_thread(self.resolve, id, environ)


def _after_fork() -> None:
    ModelRegistry._instance_lock = threading.Lock()
    for registry in list(_registries):
        registry._after_fork()


after_fork(_after_fork)
