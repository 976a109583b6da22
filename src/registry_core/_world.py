"""What everything else works in: settings, plugins, places, bundle, environment and clock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ._catalog.bundle import Bundle
from ._catalog.loading import Loaded, load
from ._catalog.places import Places
from ._catalog.store import Store, served
from .settings import Settings

if TYPE_CHECKING:
    from ._base.secrets import Secrets
    from ._catalog.state import State
    from ._config.load import Source
    from ._http.tokens import Tokens
    from ._plugins.host import PluginHost

Wait = Callable[[threading.Event, float], object]


def _random() -> float:
    from random import random  # here, since lookups need none

    return random()  # noqa: S311  # it spreads requests, and hides nothing


class World:
    """Made first; a registry, a sync and every command work over it.

    Making one touches nothing: the project's file is read, and plugins are found, when `host`
    or `settings` is asked for. Everything from outside can be passed in; the defaults are
    this process's. `clock` gives epoch seconds, `monotonic` seconds, `random` 0 to 1;
    `wait(event, seconds)` returns when either is over. `source`: where `settings`, if given, came
    from; without one they stay as they are. `types_path`: where to look for the
    installed types; None is `sys.path`.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        source: Source | None = None,
        host: PluginHost | None = None,
        environ: Mapping[str, str] | None = None,
        places: Places | None = None,
        bundle: Bundle | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random,
        wait: Wait = threading.Event.wait,
        types_path: Sequence[str] | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self.lookups = settings or Settings.for_lookups(self.environ)
        """What a lookup goes by: `settings`, else the environment alone."""
        self.places = places or Places.of_interpreter()
        self.bundle = bundle or Bundle.of_wheel()
        self.clock, self.monotonic, self.random, self.wait = clock, monotonic, random, wait
        self.types_path = types_path
        self._secrets: Secrets | None = None
        self.verified: dict[str, tuple[int, ...] | None] = {}
        """Object hash → inode, size and times of its file when it was last read whole and
        found right."""
        self.in_dev = False
        """Set by an adapter whose framework says that this is a dev server: what a refresh
        changes is written to the project's folders, too."""
        self._explicit = settings
        self._source = source
        self._host = self._given_host = host
        self._tokens: Tokens | None = None
        self._lock = threading.RLock()

    @property
    def secrets(self) -> Secrets:
        """The credentials that syncs read; lookups read none."""
        with self._lock:
            if self._secrets is None:
                from ._base.secrets import Secrets

                self._secrets = Secrets()
            return self._secrets

    @property
    def source(self) -> Source | None:
        """Where the settings are read again; None if they were given, and stay."""
        if self._source is None and self._explicit is None:
            from ._config.load import Source

            self._source = Source(self.environ)
        return self._source

    @property
    def serves_dev(self) -> bool:
        """A dev server is running: syncs also write the project's files."""
        return self.in_dev or self.lookups.dev

    @property
    def tokens(self) -> Tokens:
        """What gateways have exchanged, for syncs and `resolve`."""
        with self._lock:
            if self._tokens is None:
                from ._http.tokens import Tokens

                self._tokens = Tokens(self.clock)
            return self._tokens

    @property
    def host(self) -> PluginHost:
        """The plugins of this world, not loaded yet. Raises SettingsError."""
        with self._lock:
            if self._host is None:
                from ._plugins.host import PluginHost

                settings = self._explicit
                if settings is None:
                    assert self.source is not None
                    settings = self.source.read()
                self._host = PluginHost(
                    settings,
                    environ=self.environ,
                    secrets=self.secrets,
                    known_hooks=self.state().hooks(),
                )
            return self._host

    def reread(self) -> PluginHost:
        """The plugins under the settings as they are to be read now, loaded; `host` itself if
        these are the same. Raises SettingsError."""
        host = self.host
        settings = self.source.read() if self.source else host.settings
        if settings == host.settings:
            return host
        anew = host.anew(settings)
        anew.load()
        return anew

    def adopt(self, host: PluginHost) -> None:
        """Go by these plugins and settings from now on."""
        with self._lock:
            self._host = host

    @property
    def settings(self) -> Settings:
        """What commands and syncs go by: `settings`, else environment and project. Raises
        SettingsError."""
        return self.host.settings

    def load(self, damaged: Collection[str] = (), last: Loaded | None = None) -> Loaded:
        """What lookups serve now; see `loading.load`."""
        return load(self.lookups, self.places, self.bundle, damaged, last)

    def store(self) -> Store | None:
        """The store that is read; None if there is none yet. Raises StoreError."""
        folder = self.lookups.store_dir
        return served(self.places.stores(folder), self.places.trusts(folder))[0]

    def state(self) -> State:
        """What the store remembers beyond its data: times, failures, plugins. Raises StoreError."""
        from ._catalog.state import State

        store = self.store()
        return store.read_state() if store else State()

    def after_fork(self) -> None:
        """A lock that another thread held at the fork would be held for ever in the child."""
        self._lock = threading.RLock()
        if self._given_host is not None:
            self._given_host.after_fork()
        self._host, self._secrets, self._tokens = self._given_host, None, None
