"""Tests to inherit, with what the host expects of overlays, emitters and observers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from attrs import evolve
from pluggy import PluginManager

from .. import plugin as specs
from .._base.frozen import EMPTY
from .._catalog.snapshot import Snapshot
from .._emit.targets import split_legal
from .._plugins.hook_rules import HOOKS, returned_artifacts, returned_snapshot
from ..errors import RegistryError
from ..plugin import Artifact
from .canned import plugin_settings
from .samples import EMPTY_SNAPSHOT, ODD, REPORTS, SAMPLE
from .variants import with_part_replaced
from .watch import watch_acts


class _Contract:
    """`options`, `secrets` (variables), `outputs` (emitters that the project gives a folder) and
    `snapshot` are those with which the plugin has an effect. The fixture `plugin` is what the
    entry point names, a module or an object."""

    hook: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = EMPTY
    secrets: ClassVar[Mapping[str, str]] = EMPTY
    outputs: ClassVar[Collection[str]] = ()
    snapshot: ClassVar[Snapshot] = SAMPLE

    def _call(self, plugin: object, snapshot: Snapshot, **more: Any) -> Any:
        """The result of its hook, called as the host does. `more` may contain other options."""
        manager = PluginManager(specs.PROJECT)
        manager.add_hookspecs(specs)
        manager.register(plugin)
        impls = getattr(manager.hook, self.hook).get_hookimpls()
        assert impls, f"{plugin!r} has no hook {self.hook}"
        options = more.pop("options", self.options)
        settings = plugin_settings(options, secrets=self.secrets, outputs=self.outputs)
        scope = more.pop("types_providers", None)
        given = {
            **dict.fromkeys(HOOKS[self.hook], snapshot),
            "settings": evolve(settings, types_providers=scope),
            **more,
        }
        (impl,) = impls
        named = {name: given[name] for name in impl.kwargnames if name in given}
        return impl.function(*[given[name] for name in impl.argnames], **named)

    def _try_options(self, plugin: object) -> None:
        for bad in self._bad_options():
            with suppress(RegistryError):
                try:
                    self._call(plugin, self.snapshot, options=bad)
                except RegistryError:
                    raise
                except Exception as error:
                    raise AssertionError(
                        f"raise a SettingsError that names the option; {error!r} with {bad!r:.300}"
                    ) from error

    def _bad_options(self) -> Iterator[Mapping[str, Any]]:
        for key, value in self.options.items():
            for bad in with_part_replaced(value):
                yield {**self.options, key: bad}


class EmitterContract(_Contract):
    """Tests of `registry_emit`. Inherit them, and define the plugin.

        class TestPrices(EmitterContract):
            options = {"providers": ["acme"]}

            @pytest.fixture
            def plugin(self):
                return registry_price_list

    `snapshot`, `options` and `outputs` are those with which it returns an artifact.
    """

    hook = "registry_emit"

    def test_the_host_takes_its_artifacts(self, plugin: object) -> None:
        assert self._artifacts(plugin, self.snapshot), "it returns none; give other options"

    def test_the_same_snapshot_gives_the_same_files(self, plugin: object) -> None:
        again = Snapshot.from_bytes(self.snapshot.to_bytes())
        first, second = (self._artifacts(plugin, snapshot) for snapshot in (self.snapshot, again))
        assert first == second, "the second time other files came"

    def test_it_acts_through_its_arguments_alone(self, plugin: object) -> None:
        with watch_acts() as acts:
            self._artifacts(plugin, self.snapshot)
        assert not acts, f"the host reads and writes, not a writer; it did: {acts[0]}"

    def test_it_writes_any_snapshot(self, plugin: object) -> None:
        for snapshot in (EMPTY_SNAPSHOT, SAMPLE, ODD):
            self._artifacts(plugin, snapshot)

    def test_types_may_be_scoped(self, plugin: object) -> None:
        for scope in ((), ("acme",), ("gone",)):
            self._artifacts(plugin, self.snapshot, types_providers=scope)

    def test_a_bad_option_is_refused_by_an_error_of_ours(self, plugin: object) -> None:
        self._try_options(plugin)

    def _artifacts(self, plugin: object, snapshot: Snapshot, **more: Any) -> tuple[Artifact, ...]:
        artifacts, complaints = returned_artifacts(self._call(plugin, snapshot, **more))
        assert not complaints, complaints[0]
        _, problems = split_legal(artifacts)
        assert not problems, str(problems[0])
        return artifacts


class OverlayContract(_Contract):
    """Tests of `registry_overlay`. Inherit them, and define the plugin.

    class TestPolicy(OverlayContract):
        options = {"denied": ["acme"]}

        @pytest.fixture
        def plugin(self):
            return acme_policy

    """

    hook = "registry_overlay"

    def test_it_returns_a_snapshot_or_none(self, plugin: object) -> None:
        returned_snapshot(self._call(plugin, self.snapshot))

    def test_the_same_snapshot_is_changed_in_the_same_way(self, plugin: object) -> None:
        first = self._call(plugin, self.snapshot)
        assert self._call(plugin, self.snapshot) == first, "the second time it changed otherwise"

    def test_it_acts_through_its_arguments_alone(self, plugin: object) -> None:
        with watch_acts() as acts:
            self._call(plugin, self.snapshot)
        assert not acts, f"use `snapshot` and `settings`; it did: {acts[0]}"

    def test_what_is_missing_today_holds_nothing_back(self, plugin: object) -> None:
        """Models come and go, and a gateway of one process passes alone."""
        parts = [Snapshot.build([provider]) for provider in self.snapshot.get_providers().values()]
        for snapshot in (EMPTY_SNAPSHOT, SAMPLE, ODD, *parts):
            returned_snapshot(self._call(plugin, snapshot))

    def test_a_bad_option_is_refused_by_an_error_of_ours(self, plugin: object) -> None:
        self._try_options(plugin)


class ObserverContract(_Contract):
    """Tests of `registry_refreshed`. Inherit them, and define the plugin.

    It must not notify anybody: for example, use an object that takes its sender as an argument.
    """

    hook = "registry_refreshed"

    def test_it_takes_the_report_of_any_sync(self, plugin: object) -> None:
        for report in REPORTS:
            for snapshot in (EMPTY_SNAPSHOT, self.snapshot):
                self._call(plugin, snapshot, report=report)
