"""Everything from outside, made first: settings, plugins, places, bundle, environment, clock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ._base.defaults import PREFIXES, Defaults
from ._catalog.bundle import Bundle
from ._catalog.loading import Loaded, load
from ._catalog.places import Places
from ._catalog.store import Store, find_store

if TYPE_CHECKING:
    from ._base.secrets import Secrets
    from ._catalog.state import State
    from ._config.load import Source
    from ._http.tokens import Tokens
    from ._plugins.host import PluginHost
    from .settings import Settings

Wait = Callable[[threading.Event, float], object]


def _of_lookups(environ: Mapping[str, str]) -> Settings | Defaults:
    """The settings in the environment. `Settings` is imported only if a variable is set."""
    if not any(name.startswith(PREFIXES) for name in environ):
        return Defaults()
    from .settings import Settings

    return Settings.for_lookups(environ)


def _random() -> float:
    from random import random  # here, since lookups don't need it

    return random()  # noqa: S311  # spreads requests, protects nothing


class World:
    """The base of a registry, a sync and every command.

    Making one reads nothing: the project's file is read, and plugins are found, when `host` or
    `settings` is first used. Everything from outside can be passed in; the defaults are those
    of this process. `clock` returns epoch seconds, `monotonic` seconds, `random` a number from
    0 to 1. `wait(event, seconds)` returns when the event is set or the time is over. `source`
    says where given `settings` came from, to read them again; without it they stay.
    `types_path` is where to look for the installed types, None for `sys.path`.
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
        self.lookups = settings or _of_lookups(self.environ)
        """The settings of lookups: `settings`, else those of the environment."""
        self.places = places or Places.of_interpreter()
        self.bundle = bundle or Bundle.of_wheel()
        self.clock, self.monotonic, self.random, self.wait = clock, monotonic, random, wait
        self.types_path = types_path
        self._secrets: Secrets | None = None
        self.verified: dict[str, tuple[int, ...] | None] = {}
        """Object hash → inode, size and times of its file when it was last verified."""
        self.in_dev = False
        """Set by an adapter in a dev server. Then refreshes also write the project's files."""
        self._explicit = settings
        self._source = source
        self._host = self._given_host = host
        self._tokens: Tokens | None = None
        self._lock = threading.RLock()

    @property
    def secrets(self) -> Secrets:
        """The credentials that syncs have read. Lookups read none."""
        with self._lock:
            if self._secrets is None:
                from ._base.secrets import Secrets

                self._secrets = Secrets()
            return self._secrets

    @property
    def source(self) -> Source | None:
        """Where to read the settings again; None if they were given, and stay."""
        if self._source is None and self._explicit is None:
            from ._config.load import Source

            self._source = Source(self.environ)
        return self._source

    @property
    def serves_dev(self) -> bool:
        """Whether a dev server is running. Then syncs also write the project's files."""
        return self.in_dev or self.lookups.dev

    @property
    def tokens(self) -> Tokens:
        """Tokens that gateways have exchanged, for syncs and `resolve`."""
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

    def installed(self) -> Mapping[str, str]:
        """Plugin key → version of those that are installed and not switched off; what loads
        plugins is not even imported for it. Raises SettingsError, StoreError."""
        if self._host is not None:
            return self._host.installed()
        from ._plugins.discovery import find_plugins

        return find_plugins(self.settings).versions

    def reread(self) -> PluginHost:
        """The loaded plugins under the settings as they are now; `host` itself if these are
        unchanged. Raises SettingsError."""
        host = self.host
        settings = self.source.read() if self.source else host.settings
        if settings == host.settings:
            return host
        anew = host.with_settings(settings)
        anew.load()
        return anew

    def adopt(self, host: PluginHost) -> None:
        """Use these plugins and settings from now on."""
        with self._lock:
            self._host = host

    @property
    def settings(self) -> Settings:
        """The settings of commands and syncs: `settings`, else those of environment and project.
        Raises SettingsError."""
        if self._host is None and self._explicit is not None:
            return self._explicit
        return self.host.settings

    def load(self, damaged: Collection[str] = (), last: Loaded | None = None) -> Loaded:
        """The data that lookups serve now; see `loading.load`."""
        return load(self.lookups, self.places, self.bundle, damaged, last)

    def store(self) -> Store | None:
        """The store that lookups read; None if there is none yet. Raises StoreError."""
        folder = self.lookups.store_dir
        return find_store(self.places.stores(folder), self.places.trusts(folder))[0]

    def state(self) -> State:
        """The state of the store: times, failures, plugins. Raises StoreError."""
        from ._catalog.state import State

        store = self.store()
        return store.read_state() if store else State()

    def after_fork(self) -> None:
        """Replace the lock: another thread may have held it at the fork."""
        self._lock = threading.RLock()
        if self._given_host is not None:
            self._given_host.after_fork()
        self._host, self._secrets, self._tokens = self._given_host, None, None
