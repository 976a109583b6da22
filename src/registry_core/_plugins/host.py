"""The plugin host: calls the hooks of plugins, and isolates their failures.

Whatever a plugin raises (also `SystemExit`) becomes a `Problem` that names it, and the results
of the others are used. The exception is policy, which fails closed, see `PluginHost.overlay`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, frozen
from pluggy import HookImpl

from .._base.frozen import EMPTY, FrozenDict
from .._base.version import __version__
from .._catalog.snapshot import Snapshot
from ..errors import OverlayError, PluginError, RegistryError
from ..plugin import PluginSettings
from ..records import Warnings
from ..report import Problem
from .hook_rules import (
    Complaint,
    Described,
    returned_artifacts,
    returned_facts,
    returned_gateways,
    returned_snapshot,
)
from .loader import OVERLAY, Plugin, PluginLoader

if TYPE_CHECKING:
    from ..plugin import Artifact
    from ..report import SyncReport

Kind = Literal["plugin", "overlay", "emitter"]
_SOURCES = (("registry_gateways", returned_gateways), ("registry_facts", returned_facts))
_KINDS: Mapping[str, Kind] = {OVERLAY: "overlay", "registry_emit": "emitter"}


@frozen(eq=False)
class LoadedGateway:
    """A gateway or a source of facts, its plugin, and the settings of that plugin."""

    gateway: Described
    plugin: Plugin
    settings: PluginSettings


@frozen(eq=False)
class Outcome:
    """The result of one implementation of a hook, or its problem."""

    plugin: Plugin
    value: Any = None
    problem: Problem | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.warnings, *((self.problem,) if self.problem else ()))


class PluginHost(PluginLoader):
    """The plugins of one process. `load()` finds and imports them; the other methods call hooks."""

    # By implementation of a hook in _SOURCES. Each is called once, so that gateways keep state.
    _asked: Mapping[HookImpl, Outcome] = EMPTY
    _gateway_problems: tuple[Problem, ...] = ()

    def load(self) -> None:
        """As `PluginLoader.load`. Hooks for gateways that failed will be called again."""
        with self._lock:
            super().load()
            self._asked = {
                impl: outcome for impl, outcome in self._asked.items() if outcome.problem is None
            }
            self._gateway_problems = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of the last `load()`, and of the call of `gateways()` after it."""
        return (*super().problems, *self._gateway_problems)

    def call_each(self, hook: str, /, **arguments: Any) -> list[Outcome]:
        """Call each implementation of `hook`, in the order of `plugins`.

        Each also gets `settings`, its own view.
        """
        return [
            self._call(plugin, impl, lambda value: value, arguments)
            for plugin, impl in self.implementations(hook)
        ]

    def gateways(self) -> tuple[LoadedGateway, ...]:
        """The gateways and sources of facts of all plugins. If two have the same id, the first
        plugin keeps it.

        Each hook is called once, and again only if it failed. Problems go to `problems`.
        """
        taken: dict[str, LoadedGateway] = {}
        problems: list[Problem] = []
        with self._lock:
            calls = [
                (implementation, hook, read)
                for hook, read in _SOURCES
                for implementation in self.implementations(hook)
            ]
            for (plugin, impl), hook, read in calls:
                if impl not in self._asked:
                    outcome = self._call(plugin, impl, read, {})
                    self._asked = {**self._asked, impl: outcome}
                outcome = self._asked[impl]
                problems += outcome.problems
                if outcome.problem is not None:
                    continue
                gateways, complaints = outcome.value
                for gateway in gateways:
                    added = LoadedGateway(gateway, plugin, self.settings_for(plugin))
                    owner = taken.setdefault(gateway.id, added).plugin.source.title
                    if taken[gateway.id] is not added:
                        complaints = (*complaints, f"gateway {gateway.id!r} is taken by {owner}")
                problems += self._complaints(hook, plugin, complaints)
            self._gateway_problems = tuple(problems)
        return tuple(taken.values())

    def failure_of(self, key: str) -> PluginError | None:
        """Why a gateway of the plugin with this key is missing: a failure, or a refused gateway.

        None if the plugin has no problem, or is not installed.
        """
        for plugin in self.failed:
            if plugin.key == key:
                return plugin.error
        failures: list[str] = []
        for asked in self._asked.values():
            if asked.plugin.key == key:
                messages = asked.value[1] if asked.problem is None else [asked.problem.error.text]
                failures += map(str, messages)
        return PluginError("; ".join(failures), culprit=key) if failures else None

    def overlays(self) -> Mapping[str, Mapping[str, str]]:
        """Key of each plugin with an overlay → its `version`, and a digest of its `options` (""
        without options). Includes plugins that could not be loaded and may have one."""
        self._ensure_loaded()
        return FrozenDict(
            {
                plugin.key: FrozenDict(
                    version=plugin.version,
                    options=_digest(self.options_of(plugin.source)),
                )
                for plugin in (*self.plugins, *self.failed)
                if plugin.may_overlay
            }
        )

    def unseen_by(self, snapshot: Snapshot) -> str | None:
        """Key of a plugin whose overlay has not passed `snapshot`, or passed it with other options;
        None if all have passed it.

        Without a project, options are not compared, since a service may run in any folder.
        Versions are never compared: after an upgrade, data that a new process has synced is right
        for a process that still runs the old version.
        """
        for key, overlay in self.overlays().items():
            passed = snapshot.overlays.get(key)
            if passed is None or (
                self.settings.project and passed.get("options") != overlay["options"]
            ):
                return key
        return None

    def policy_hint(self, unseen: str) -> str:
        """The hint for data that the overlay of this plugin has not passed."""
        if self.settings.snapshot is None:
            return "run registry-core sync"
        return (
            "export a snapshot from where the policy is installed and synced, or give it up: "
            f"REGISTRY_CORE_DISABLE_PLUGINS={unseen}"
        )

    def outdated_overlay(self) -> PluginError | None:
        """Why this process must not apply its policy: another version of an overlay has been
        installed since it was loaded. None if all are up to date."""
        selected = self.discovery.selected if self.discovery else ()
        installed = {source.key: source.version for source in selected}
        for key, overlay in self.overlays().items():
            version = installed.get(key, overlay["version"])
            if version != overlay["version"]:
                return OverlayError(
                    f"this process runs version {overlay['version']}, and {version} is installed",
                    culprit=key,
                    hint="restart this process",
                )
        return None

    def overlay(
        self,
        snapshot: Snapshot,
        before: Snapshot | None = None,
        tell: Callable[[Problem], object] = lambda warning: None,
    ) -> Snapshot:
        """`snapshot` after all overlays, each applied to the result of the previous one.

        The result lists the overlays, and what each withheld. If `before` has passed the same
        overlays, its withheld ids that are not offered any more stay listed, since somebody may
        still ask for them. `tell` is called for each warning.

        Raises OverlayError that names the plugin if an overlay raises or returns something else,
        or if a plugin that may have one could not be loaded: a skipped deny list is worse than
        old data.
        """
        overlays = self.overlays()
        for failed in self.failed:
            if failed.may_overlay:
                raise _held(failed, failed.error)
        result, withheld = snapshot, dict[str, str]()
        if before is not None and before.overlays == overlays:
            withheld |= before.withheld
        for plugin, impl in self.implementations(OVERLAY):
            outcome = self._call(plugin, impl, returned_snapshot, {"snapshot": result})
            for warning in outcome.warnings:
                tell(warning)
            if outcome.problem is not None:
                raise _held(plugin, outcome.problem.error)
            if outcome.value is not None:
                withheld |= {id: plugin.key for id, _ in _gone(result, outcome.value)}
                roles = {**result.roles, **outcome.value.roles}  # kept even if it dropped them
                result = outcome.value
                if roles != result.roles:
                    result = result.replace(roles=roles)
        if not overlays:
            return result
        # An overlay may restore a part of a provider that another one took out completely.
        parts = {id: withheld.get(owner, "") for id, owner in _gone(snapshot, result)}
        withheld = {id: key for id, key in (parts | withheld).items() if not result.offers(id)}
        return result.replace(gateways=snapshot.gateways, overlays=overlays, withheld=withheld)

    def emit(
        self, snapshot: Snapshot, types_providers: tuple[str, ...] | None
    ) -> tuple[tuple[Artifact, ...], tuple[Problem, ...]]:
        """The artifacts of all writers, and the problems. If two claim the same file of an
        emitter, the first keeps it. `types_providers`: the scope of the types, None for all."""
        taken: dict[tuple[str, str], tuple[Artifact, Plugin]] = {}
        problems: list[Problem] = []
        for plugin, impl in self.implementations("registry_emit"):
            view = evolve(self.settings_for(plugin), types_providers=types_providers)
            arguments = {"snapshot": snapshot, "settings": view}
            outcome = self._call(plugin, impl, returned_artifacts, arguments)
            problems += outcome.problems
            if outcome.problem is not None:
                continue
            artifacts, complaints = outcome.value
            for artifact in artifacts:
                key = artifact.emitter, artifact.path
                first, owner = taken.setdefault(key, (artifact, plugin))
                if first is not artifact:
                    name = f"{artifact.path!r} of {artifact.emitter!r}"
                    complaints = (*complaints, f"{name} is taken by {owner.source.title}")
            problems += self._complaints("registry_emit", plugin, complaints)
        return tuple(artifact for artifact, _ in taken.values()), tuple(problems)

    def emitters_fingerprint(self) -> str:
        """A digest of each writer's version, code and options, of the core's version, and of the
        answers of `PluginSettings.wants`."""
        from .._writers import ALWAYS

        self._ensure_loaded()
        writers = [
            (plugin.key, plugin.version, plugin.source.code, self.options_of(plugin.source))
            for plugin in self.plugins
            if "registry_emit" in plugin.hooks
        ]
        wanted = sorted(self.settings.outputs.keys() - ALWAYS)
        return hashlib.sha256(repr((__version__, writers, wanted)).encode()).hexdigest()

    def refreshed(
        self, report: SyncReport, snapshot: Snapshot, previous: Snapshot
    ) -> tuple[Problem, ...]:
        """Call the observers of a sync."""
        arguments = {"report": report, "snapshot": snapshot, "previous": previous}
        outcomes = self.call_each("registry_refreshed", **arguments)
        return tuple(problem for outcome in outcomes for problem in outcome.problems)

    def _call(
        self,
        plugin: Plugin,
        impl: HookImpl,
        read: Callable[[Any], Any],
        arguments: Mapping[str, Any],
    ) -> Outcome:
        """Call one implementation. `read` checks and converts the result; its errors count as
        errors of the plugin."""
        given = {"settings": self.settings_for(plugin), **arguments}
        positional = [given[name] for name in impl.argnames]
        defaulted = {name: given[name] for name in impl.kwargnames if name in given}
        name = impl.opts.get("specname") or impl.function.__name__
        kind, value, problem = _KINDS.get(name, "plugin"), None, None
        try:
            value = read(impl.function(*positional, **defaulted))
        except KeyboardInterrupt:
            raise  # the user's
        except BaseException as error:
            problem = Problem.of(kind, self._failure(plugin.source, name, error))
        heard = Warnings(plugin.source.entry, kind)
        for culprit, message in given["settings"].warnings:
            heard(self._secrets.mask(culprit), self._secrets.mask(message))
        return Outcome(plugin, value, problem, heard.problems)

    def _complaints(
        self, hook: str, plugin: Plugin, complaints: Iterable[Complaint]
    ) -> Iterator[Problem]:
        kind = _KINDS.get(hook, "plugin")
        for complaint in complaints:
            if isinstance(complaint, RegistryError):
                yield Problem.of(kind, self._failure(plugin.source, hook, complaint))
            else:
                yield Problem(kind, plugin.source.title, complaint)


def _gone(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str]]:
    """(id, provider id) of all that `after` lacks: providers, and models of other providers."""
    remaining = after.get_models()
    for id, models in before.get_models().items():
        if id not in remaining:
            yield id, id
        elif remaining[id] != models:
            models_left = set(remaining[id])
            yield from ((f"{id}/{model}", id) for model in models if model not in models_left)


def _digest(options: Mapping[str, Any]) -> str:
    if not options:
        return ""
    text = json.dumps(options, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _held(plugin: Plugin, error: RegistryError | None) -> OverlayError:
    return OverlayError(
        error.text if error else "it could not be loaded",
        culprit=plugin.source.title,
        hint=f"repair it, or switch it off: REGISTRY_CORE_DISABLE_PLUGINS={plugin.key}",
    )
