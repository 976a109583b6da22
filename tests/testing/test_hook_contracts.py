"""A good overlay, emitter and observer passes its contract; each bad one fails where it is bad."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

import pytest

from registry_core import Artifact, PluginSettings, SettingsError, Snapshot, SyncReport, hookimpl
from registry_core.testing import EmitterContract, ObserverContract, OverlayContract

NUMBERS = count()
OPTIONS: Mapping[str, Any] = {"providers": ["acme"]}


def providers(settings: PluginSettings) -> list[str]:
    wanted = settings.options.get("providers", [])
    if not isinstance(wanted, (list, tuple)) or not all(isinstance(one, str) for one in wanted):
        raise SettingsError("expected a list of ids", culprit="providers")
    return list(wanted)


class Emitter:
    """Good, unless `change` makes something else of its artifacts."""

    def __init__(self, change: Callable[[Snapshot, str], Any] | None = None) -> None:
        self._change = change

    @hookimpl
    def registry_emit(self, snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
        scope = settings.types_providers
        ids = [id for id in snapshot.get_providers() if scope is None or id in scope]
        text = " ".join([*ids, *providers(settings)])
        if self._change is not None:
            changed: Iterable[Artifact] = self._change(snapshot, text)
            return changed
        return [Artifact("ids", "ids.txt", text)]


class Overlay:
    def __init__(self, change: Callable[[Snapshot], Any] | None = None) -> None:
        self._change = change

    @hookimpl
    def registry_overlay(self, snapshot: Snapshot, settings: PluginSettings) -> Snapshot | None:
        if self._change is not None:
            changed: Snapshot | None = self._change(snapshot)
            return changed
        denied = providers(settings)
        kept = {id: one for id, one in snapshot.get_providers().items() if id not in denied}
        return snapshot.with_providers(kept)


class Observer:
    def __init__(self, tell: Callable[[SyncReport], Any] = str) -> None:
        self._tell = tell

    @hookimpl
    def registry_refreshed(self, report: SyncReport) -> None:
        self._tell(report)


class Rare:
    @hookimpl
    def registry_emit(self, snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
        return [Artifact("x", "x.txt", str(len(snapshot.get_models())))][: settings.wants("x")]


class Careless:
    @hookimpl
    def registry_emit(self, settings: PluginSettings) -> Iterable[Artifact]:
        return [Artifact("x", "x.txt", ",".join(settings.options["providers"]))]

    @hookimpl
    def registry_overlay(self, settings: PluginSettings) -> None:
        ",".join(settings.options["providers"])


class TestAGoodEmitter(EmitterContract):
    options = OPTIONS

    @pytest.fixture
    def plugin(self) -> object:
        return Emitter()


class TestAnEmitterThatFewNeed(EmitterContract):
    outputs = ("x",)

    @pytest.fixture
    def plugin(self) -> object:
        return Rare()


class TestAGoodOverlay(OverlayContract):
    options = OPTIONS

    @pytest.fixture
    def plugin(self) -> object:
        return Overlay()


class TestAGoodObserver(ObserverContract):
    @pytest.fixture
    def plugin(self) -> object:
        return Observer()


def file(text: str, path: str = "x.txt") -> list[Artifact]:
    return [Artifact("x", path, text)]


BAD: list[tuple[type, object, str]] = [
    (EmitterContract, Emitter(lambda snapshot, text: []), "host_takes_its_artifacts"),
    (EmitterContract, Emitter(lambda snapshot, text: [text]), "host_takes_its_artifacts"),
    (EmitterContract, Emitter(lambda snapshot, text: file(text, "../x")), "host_takes"),
    (EmitterContract, Emitter(lambda snapshot, text: file("\ud800")), "host_takes"),
    (EmitterContract, Observer(), "host_takes_its_artifacts"),
    (EmitterContract, Emitter(lambda snapshot, text: file(str(next(NUMBERS)))), "the_same_files"),
    (EmitterContract, Emitter(lambda snapshot, text: file(str(os.listdir()))), "arguments_alone"),
    (
        EmitterContract,
        Emitter(lambda snapshot, text: file(str(snapshot.get_models()["acme"]))),
        "writes_any_snapshot",
    ),
    (EmitterContract, Emitter(lambda snapshot, text: file(text[5:] or 7)), "may_be_scoped"),  # type: ignore[arg-type]
    (EmitterContract, Careless(), "bad_option_is_refused"),
    (OverlayContract, Overlay(lambda snapshot: 7), "returns_a_snapshot_or_none"),
    (
        OverlayContract,
        Overlay(lambda snapshot: snapshot.with_roles({f"r{next(NUMBERS)}": "acme/large"})),
        "changed_in_the_same_way",
    ),
    (OverlayContract, Overlay(lambda snapshot: print(os.listdir())), "arguments_alone"),
    (OverlayContract, Overlay(lambda snapshot: snapshot.get_models()["acme"] and None), "missing"),
    (OverlayContract, Careless(), "bad_option_is_refused"),
    (ObserverContract, Observer(lambda report: report.gateways[0].id), "report_of_any_sync"),
]


@pytest.mark.parametrize(("contract", "plugin", "failing"), BAD)
def test_a_bad_plugin_fails_where_it_is_bad(contract: type, plugin: object, failing: str) -> None:
    assert [name for name in failures(contract, plugin) if failing in name]


@pytest.mark.parametrize("contract", [EmitterContract, OverlayContract, ObserverContract])
def test_there_is_a_bad_plugin_for_each_test_of_a_contract(contract: type) -> None:
    for name in (name for name in vars(contract) if name.startswith("test_")):
        assert [one for one in BAD if one[0] is contract and one[2] in name], name


def test_the_message_says_what_to_raise() -> None:
    (message,) = failures(OverlayContract, Careless()).values()
    assert "raise a SettingsError that names the option; TypeError(" in message
    assert "with {'providers': None}" in message


def failures(contract: type, plugin: object) -> dict[str, str]:
    """Test of the contract → why it fails."""
    failed: dict[str, str] = {}
    made: Any = type("Mine", (contract,), {"options": OPTIONS})()
    for name in vars(contract):
        if name.startswith("test_"):
            try:
                getattr(made, name)(plugin)
            except Exception as error:
                failed[name] = str(error)
    return failed
