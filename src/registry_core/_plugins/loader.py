"""Imports the selected plugins, each apart from all others, and keeps what came of it."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from attrs import frozen
from pluggy import HookImpl, PluginManager

from .. import plugin as specs
from .._base.frozen import EMPTY, FrozenDict
from .._base.suggesting import did_you_mean
from .._base.variable_names import as_variable
from .._base.version import __version__
from .._config.variables import PLUGIN_PREFIX
from ..errors import OverlayError, PluginError, SettingsError
from ..plugin import PluginSettings
from ..report import Problem
from .discovery import Discovery, PluginSource, exclusion, find_plugins, mentions
from .hook_rules import implemented_hooks, option_variables
from .importing import failure, import_entry
from .known import OWNERS, adds_it
from .options import options_of, variables_in_vain

if TYPE_CHECKING:
    from .._base.secrets import Secrets
    from ..settings import Settings

logger = logging.getLogger("registry_core")

OVERLAY = "registry_overlay"


@frozen
class Plugin:
    """A plugin that was loaded, or that could not be; then the next `load()` tries again."""

    source: PluginSource
    hooks: tuple[str, ...] = ()
    """The hooks that it implements, sorted; if it failed, those it was last known to have."""
    load_ms: float = 0.0
    """Milliseconds that its import took."""
    builtin: bool = False
    error: PluginError | None = None
    """Why it could not be loaded."""
    may_overlay: bool = False
    """It has a policy; if it failed: it may have one."""

    @property
    def failure(self) -> str | None:
        """The same in words, for where the plugin is named already."""
        return self.error.text if self.error else None

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def version(self) -> str:
        return self.source.version


class PluginLoader:
    """Finds and imports plugins; `PluginHost` adds the calls of their hooks.

    `path`: where to look for metadata, None for `sys.path`. `builtins`: names and objects
    that no filter touches and that come first, None for the core's writers. `known_hooks`:
    plugin key → hooks that it had when it was last loaded, so that a policy is missed
    even if its code is gone. `timer` counts seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        secrets: Secrets,
        path: Sequence[str] | None = None,
        builtins: Sequence[tuple[str, object]] | None = None,
        known_hooks: Mapping[str, Collection[str]] = EMPTY,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.settings = settings
        self._environ = environ
        self._secrets = secrets
        self._path = path
        self._builtins = builtins
        self._known_hooks = known_hooks
        self._timer = timer
        self._lock = RLock()
        self._manager = PluginManager(specs.PROJECT)
        self._manager.add_hookspecs(specs)
        self._loaded: dict[str, Plugin] = {}
        self._load_problems: tuple[Problem, ...] = ()
        self._consulted: dict[str, set[str]] = {}
        self._entries: frozenset[str] = frozenset()
        # Plugin key → option → the variable that the plugin reads it from, too.
        self._declared: dict[str, Mapping[str, str]] = {}
        #: What the last `load()` found; None before it.
        self.discovery: Discovery | None = None
        # What went wrong at the last `load()` was the system's: try again before it is used.
        self._may_pass = False
        #: In the order in which hooks are called: the core's, then by the option `order`,
        #: distribution, entry point.
        self.plugins: tuple[Plugin, ...] = ()
        self.failed: tuple[Plugin, ...] = ()

    def anew(self, settings: Settings) -> Self:
        """The same plugins under other settings, not loaded yet."""
        return type(self)(
            settings,
            environ=self._environ,
            secrets=self._secrets,
            path=self._path,
            builtins=self._builtins,
            known_hooks={**self._known_hooks, **{one.key: one.hooks for one in self.plugins}},
            timer=self._timer,
        )

    def load(self) -> None:
        """Import what is selected and not loaded yet; what failed before is tried again.

        What went wrong is in `problems`. Raises SettingsError for an option `order` that
        is no integer.
        """
        with self._lock:
            self._load_builtins()
            if self.failed:
                importlib.invalidate_caches()  # what was missing may have been installed since
            self._may_pass = True  # until it is through
            discovery = find_plugins(self.settings, self._path)
            self._may_pass = any(one.fatal for one in discovery.problems)
            builtin = (one.source for one in self._loaded.values())
            self._entries = discovery.entries.union(one.entry for one in builtin)
            failed: list[Plugin] = []
            for source in sorted(discovery.selected, key=self._rank):
                if source.key not in self._loaded:
                    plugin = self._load(source)
                    if plugin.error is None:
                        self._loaded[plugin.key] = plugin
                    else:
                        failed.append(plugin)
            self.discovery = discovery
            self.failed = tuple(failed)
            self.plugins = tuple(
                sorted(
                    self._loaded.values(), key=lambda one: (not one.builtin, self._rank(one.source))
                )
            )
            self._load_problems = (
                *discovery.problems,
                *(Problem.of("plugin", one.error) for one in failed if one.error),
                *self._options_in_vain(),
            )

    def after_fork(self) -> None:
        """A lock that another thread held at the fork would be held for ever in the child."""
        self._lock = RLock()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the last `load()` met."""
        return self._load_problems

    @property
    def lacks_some(self) -> bool:
        """Whether a plugin that is installed could not be found out about, or loaded."""
        return any(one.fatal for one in self._load_problems)

    def installed(self) -> Mapping[str, str]:
        """Plugin key → version of what is installed and not switched off; imports none of it."""
        return (self.discovery or find_plugins(self.settings, self._path)).versions

    def known_plugins(self) -> Mapping[str, Mapping[str, Any]]:
        """Plugin key → version, hooks, load_ms and failure, to be recorded; the core's left out.

        The hooks are what `known_hooks` wants at the next start.
        """
        return FrozenDict(
            {
                one.key: FrozenDict(
                    version=one.version, hooks=one.hooks, load_ms=one.load_ms, failure=one.failure
                )
                for one in (*self.plugins, *self.failed)
                if not one.builtin
            }
        )

    def is_excluded(self, key: str) -> bool:
        """Whether the settings switch the plugin `distribution:entry` off, installed or not."""
        return exclusion(self.settings, key) is not None

    def settings_for(self, plugin: Plugin) -> PluginSettings:
        """The settings as `plugin` sees them."""
        consulted = self._consulted.setdefault(plugin.key, set())
        return self.view(self.options_of(plugin.source), consulted)

    def options_of(self, source: PluginSource) -> Mapping[str, Any]:
        """The options of a plugin, from the table and from the environment.

        Without the variables that it declares, until it is loaded.
        """
        declared = self._declared.get(source.key, EMPTY)
        return options_of(self.settings, source.entry, self._entries, declared)

    def settings_of(self, entry: str) -> PluginSettings:
        """The settings as a command with this name, or of the plugin with it, sees them."""
        self._ensure_loaded()
        declared = (own for key, own in self._declared.items() if key.endswith(f":{entry}"))
        options = options_of(self.settings, entry, self._entries, next(declared, EMPTY))
        return self.view(options)

    def view(
        self, options: Mapping[str, Any] = EMPTY, consulted: set[str] | None = None
    ) -> PluginSettings:
        """The settings as a plugin with these options sees them."""
        return PluginSettings(
            options=options,
            offline=self.settings.offline,
            dev=self.settings.dev,
            types_providers=self.settings.types_providers,
            outputs=self.settings.outputs.keys(),
            environ=self._environ,
            secrets=self._secrets,
            consulted=set() if consulted is None else consulted,
        )

    def _load_builtins(self) -> None:
        if self._builtins is None:
            from .._writers import BUILTINS

            self._builtins = BUILTINS
        for name, plugin in self._builtins:
            source = PluginSource("registry-core", name, "registry-core", __version__, name)
            if source.key not in self._loaded:
                self._loaded[source.key] = self._register(source, plugin, builtin=True)

    def _load(self, source: PluginSource) -> Plugin:
        started = self._timer()
        try:
            plugin = import_entry(source)
            if isinstance(plugin, type):
                plugin = plugin()
            loaded = self._register(source, plugin, load_ms=self._elapsed_ms(started))
        except KeyboardInterrupt:
            raise  # the user's
        except BaseException as error:  # SystemExit, CancelledError: nothing of a plugin's passes
            load_ms = self._elapsed_ms(started)
            self._may_pass |= isinstance(error, OSError)
            importlib.invalidate_caches()  # of a folder that could not be looked at for now
            module = source.value.partition(":")[0].strip()
            known = tuple(sorted(self._known_hooks.get(source.key, ())))
            may_overlay = (
                isinstance(error, OverlayError) or OVERLAY in known or mentions(module, OVERLAY)
            )
            return Plugin(
                source,
                known,
                load_ms,
                error=self._failure(source, "can't be loaded", error),
                may_overlay=may_overlay,
            )
        logger.debug("%s: loaded, implements %s", source.title, ", ".join(loaded.hooks))
        return loaded

    def _register(self, source: PluginSource, plugin: object, **about: Any) -> Plugin:
        """Raises PluginError for what breaks a rule; then it takes no part."""
        hooks, variables = implemented_hooks(self._manager, plugin), option_variables(plugin)
        if self._manager.is_registered(plugin):
            twin = self._manager.get_name(plugin)
            raise PluginError(f"is, or equals, {twin}", hint="drop one of the entry points")
        self._manager.register(plugin, name=source.key)
        self._declared[source.key] = variables
        return Plugin(source, hooks, may_overlay=OVERLAY in hooks, **about)

    def _elapsed_ms(self, started: float) -> float:
        return (self._timer() - started) * 1000

    def _rank(self, source: PluginSource) -> tuple[int, PluginSource]:
        order = self.options_of(source).get("order", 0)
        if type(order) is not int:
            variable = f"{PLUGIN_PREFIX}{as_variable(source.entry)}_ORDER"
            raise SettingsError(
                f"order = {order!r} can't be read",
                culprit=f"[tool.registry-core.plugin.{source.entry}]",
                hint=f"use an integer, there or in {variable}",
            )
        return order, source

    def _options_in_vain(self) -> Iterator[Problem]:
        installed = self.discovery.entries if self.discovery else frozenset()
        entries = self._entries - (OWNERS.keys() - installed)  # a writer's may be a plugin's, too
        for entry in self.settings.plugin_options:
            if entry not in entries:
                culprit = f"[tool.registry-core.plugin.{entry}]"
                hint = adds_it(entry) or did_you_mean(entry, entries)
                yield Problem("plugin", culprit, f"no plugin has this name; {hint}", fatal=False)
        declared = {variable for own in self._declared.values() for variable in own.values()}
        for variable, text in variables_in_vain(self.settings, entries, declared):
            yield Problem("plugin", variable, text, fatal=False)

    def implementations(self, hook: str) -> Iterator[tuple[Plugin, HookImpl]]:
        """Who implements `hook`, in the order of `plugins`; loads them if nobody did yet."""
        self._ensure_loaded()
        found = getattr(self._manager.hook, hook).get_hookimpls()
        for plugin in self.plugins:
            for impl in found:
                if impl.plugin_name == plugin.key:
                    yield plugin, impl

    def _ensure_loaded(self) -> None:
        with self._lock:
            if self.discovery is None or self._may_pass:
                self.load()

    def _failure(self, source: PluginSource, what: str, error: BaseException) -> PluginError:
        return failure(source, what, error, self._secrets.mask)
