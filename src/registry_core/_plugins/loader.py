"""Import the selected plugins, isolate their failures, and keep the results."""

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
from .discovery import Discovery, PluginSource, exclusion, find_plugins, source_mentions
from .hook_rules import implemented_hooks, option_variables
from .importing import failure, import_entry
from .known import OWNERS, install_hint
from .options import options_of, variables_in_vain

if TYPE_CHECKING:
    from .._base.secrets import Secrets
    from ..settings import Settings

logger = logging.getLogger("registry_core")

OVERLAY = "registry_overlay"


@frozen
class Plugin:
    """A plugin that was loaded, or that failed. The next `load()` tries a failed one again."""

    source: PluginSource
    hooks: tuple[str, ...] = ()
    """The hooks that it implements, sorted; for a failed plugin those of its last load."""
    load_ms: float = 0.0
    """Duration of its import in milliseconds."""
    builtin: bool = False
    error: PluginError | None = None
    """Why it could not be loaded."""
    may_overlay: bool = False
    """Whether it has an overlay; for a failed plugin whether it may have one."""

    @property
    def failure(self) -> str | None:
        """The text of `error`, without the name of the plugin."""
        return self.error.text if self.error else None

    @property
    def key(self) -> str:
        return self.source.key

    @property
    def version(self) -> str:
        return self.source.version


class PluginLoader:
    """Finds and imports plugins. `PluginHost` calls their hooks.

    `path`: where to look for metadata, None for `sys.path`. `builtins`: names and objects
    that come first and that no filter excludes, None for the core's writers. `known_hooks`:
    plugin key → hooks at the last load, so that a policy is noticed even if its code is gone.
    `timer` returns seconds.
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
        # Plugin key → option → the variable that it is also read from.
        self._declared: dict[str, Mapping[str, str]] = {}
        #: What the last `load()` found; None before it.
        self.discovery: Discovery | None = None
        # The last `load()` had a temporary problem: load again before use.
        self._may_pass = False
        #: In the order in which hooks are called: the core's first, then by the option `order`,
        #: distribution, entry point.
        self.plugins: tuple[Plugin, ...] = ()
        self.failed: tuple[Plugin, ...] = ()

    def with_settings(self, settings: Settings) -> Self:
        """A host for the same plugins under other settings, not loaded yet."""
        return type(self)(
            settings,
            environ=self._environ,
            secrets=self._secrets,
            path=self._path,
            builtins=self._builtins,
            known_hooks={
                **self._known_hooks,
                **{plugin.key: plugin.hooks for plugin in self.plugins},
            },
            timer=self._timer,
        )

    def load(self) -> None:
        """Import the selected plugins that are not loaded yet, also those that failed before.

        Problems are in `problems`. Raises SettingsError if an option `order` is not an integer.
        """
        with self._lock:
            self._load_builtins()
            if self.failed:
                importlib.invalidate_caches()  # missing modules may have been installed since
            self._may_pass = True  # until this has finished
            discovery = find_plugins(self.settings, self._path)
            self._may_pass = any(problem.fatal for problem in discovery.problems)
            builtin = (plugin.source for plugin in self._loaded.values())
            self._entries = discovery.entries.union(source.entry for source in builtin)
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
                    self._loaded.values(),
                    key=lambda plugin: (not plugin.builtin, self._rank(plugin.source)),
                )
            )
            self._load_problems = (
                *discovery.problems,
                *(Problem.of("plugin", plugin.error) for plugin in failed if plugin.error),
                *self._options_in_vain(),
            )

    def after_fork(self) -> None:
        """Replace the lock: another thread may have held it at the fork."""
        self._lock = RLock()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of the last `load()`."""
        return self._load_problems

    @property
    def lacks_some(self) -> bool:
        """Whether an installed plugin could not be read or loaded."""
        return any(problem.fatal for problem in self._load_problems)

    def installed(self) -> Mapping[str, str]:
        """Plugin key → version of what is installed and not switched off; imports none of it."""
        return (self.discovery or find_plugins(self.settings, self._path)).versions

    def known_plugins(self) -> Mapping[str, Mapping[str, Any]]:
        """Plugin key → version, hooks, load_ms and failure, for the state; without the core's.

        The next start passes the hooks as `known_hooks`.
        """
        return FrozenDict(
            {
                plugin.key: FrozenDict(
                    version=plugin.version,
                    hooks=plugin.hooks,
                    load_ms=plugin.load_ms,
                    failure=plugin.failure,
                )
                for plugin in (*self.plugins, *self.failed)
                if not plugin.builtin
            }
        )

    def is_excluded(self, key: str) -> bool:
        """Whether the settings exclude the plugin `distribution:entry`, installed or not."""
        return exclusion(self.settings, key) is not None

    def settings_for(self, plugin: Plugin) -> PluginSettings:
        """The settings as `plugin` sees them."""
        consulted = self._consulted.setdefault(plugin.key, set())
        return self.view(self.options_of(plugin.source), consulted)

    def options_of(self, source: PluginSource) -> Mapping[str, Any]:
        """The options of a plugin, from the table and from the environment.

        Variables that the plugin declares count only after it is loaded.
        """
        declared = self._declared.get(source.key, EMPTY)
        return options_of(self.settings, source.entry, self._entries, declared)

    def settings_of(self, entry: str) -> PluginSettings:
        """The settings as the command or plugin with this entry-point name sees them."""
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
        except BaseException as error:  # also SystemExit and CancelledError
            load_ms = self._elapsed_ms(started)
            self._may_pass |= isinstance(error, OSError)
            importlib.invalidate_caches()  # a folder may have been unreadable for a moment
            module = source.value.partition(":")[0].strip()
            known = tuple(sorted(self._known_hooks.get(source.key, ())))
            may_overlay = (
                isinstance(error, OverlayError)
                or OVERLAY in known
                or source_mentions(module, OVERLAY)
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

    def _register(self, source: PluginSource, plugin: object, **details: Any) -> Plugin:
        """Register a plugin. Raises PluginError if it breaks a rule; then it is not used."""
        hooks, variables = implemented_hooks(self._manager, plugin), option_variables(plugin)
        if self._manager.is_registered(plugin):
            twin = self._manager.get_name(plugin)
            raise PluginError(f"is, or equals, {twin}", hint="drop one of the entry points")
        self._manager.register(plugin, name=source.key)
        self._declared[source.key] = variables
        return Plugin(source, hooks, may_overlay=OVERLAY in hooks, **details)

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
        entries = self._entries - (OWNERS.keys() - installed)  # writers may share a plugin's name
        for entry in self.settings.plugin_options:
            if entry not in entries:
                culprit = f"[tool.registry-core.plugin.{entry}]"
                hint = install_hint(entry) or did_you_mean(entry, entries)
                yield Problem("plugin", culprit, f"no plugin has this name; {hint}", fatal=False)
        declared = {variable for own in self._declared.values() for variable in own.values()}
        for variable, text in variables_in_vain(self.settings, entries, declared):
            yield Problem("plugin", variable, text, fatal=False)

    def implementations(self, hook: str) -> Iterator[tuple[Plugin, HookImpl]]:
        """The implementations of `hook`, in the order of `plugins`. Loads the plugins if needed."""
        self._ensure_loaded()
        impls = getattr(self._manager.hook, hook).get_hookimpls()
        for plugin in self.plugins:
            for impl in impls:
                if impl.plugin_name == plugin.key:
                    yield plugin, impl

    def _ensure_loaded(self) -> None:
        with self._lock:
            if self.discovery is None or self._may_pass:
                self.load()

    def _failure(self, source: PluginSource, what: str, error: BaseException) -> PluginError:
        return failure(source, what, error, self._secrets.mask)
