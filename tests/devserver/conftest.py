from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_core import ModelRegistry, PluginSettings, SyncReport, hookimpl
from registry_core.devserver import shutdown
from tests.world import World

#: What frameworks and settings go by; unset for each test.
VARIABLES = (
    "REGISTRY_CORE_DEV",
    "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS",
    "MASTRA_DEV",
    "MASTRA_AUTO_REFRESH_PROVIDERS",
    "FASTAPI_ENV",
    "FLASK_DEBUG",
    "WERKZEUG_RUN_MAIN",
    "RUN_MAIN",
)


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    end_refreshers()
    yield
    shutdown()
    end_refreshers()


class Recorder:
    """Hears of the dev server, and of syncs."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.given: list[tuple[ModelRegistry, PluginSettings]] = []
        self.synced = threading.Event()

    @hookimpl
    def registry_dev_startup(self, registry: ModelRegistry, settings: PluginSettings) -> None:
        self.events.append("startup")
        self.given.append((registry, settings))

    @hookimpl
    def registry_dev_shutdown(self, registry: ModelRegistry) -> None:
        self.events.append("shutdown")

    @hookimpl
    def registry_refreshed(self, report: SyncReport) -> None:
        self.synced.set()


@pytest.fixture
def recorder(world: World) -> Recorder:
    recorder = Recorder()
    world.plugins.append(recorder)
    return recorder


@pytest.fixture
def registry(world: World, recorder: Recorder) -> ModelRegistry:
    """With one gateway behind a loopback server, and a project that wants a file of types."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    return world.registry(**project(world))


def project(world: World) -> dict[str, Any]:
    folder = world.tmp_path / "project"
    return {"project": folder, "outputs": {"python": folder / "typings"}}


def types(world: World) -> Path:
    return project(world)["outputs"]["python"] / "registry_core_types.pyi"  # type: ignore[no-any-return]


def refreshers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "registry-core refresh"]


def end_refreshers() -> None:
    """Those that were stopped may still be about to notice it."""
    for thread in refreshers():
        thread.join(60)


def needs(package: str) -> None:
    """Skip the test without this package of the extra."""
    pytest.importorskip(package, reason="install the extra registry-core[devserver-test]")
