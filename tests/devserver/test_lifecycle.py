"""`startup` and `shutdown`, whoever calls them: once, isolated, never in the way."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from registry_core import ModelGateway, ModelRegistry, ProviderConfig, hookimpl
from registry_core._world import World as RealWorld
from registry_core.devserver import is_dev, shutdown, startup
from tests.devserver.conftest import Recorder, end_refreshers, needs, refreshers, types
from tests.world import World

SOON = 60  # seconds; what a loaded machine may need


def test_plugins_are_told_once_with_the_registry_and_their_own_settings(
    world: World, recorder: Recorder
) -> None:
    registry = world.registry(plugin_options={"test-0": {"colour": "red"}}, offline=True)
    startup(registry)
    startup(registry)
    assert recorder.events == ["startup"]
    ((given, settings),) = recorder.given
    assert given is registry
    assert settings.options == {"colour": "red"}


def test_the_data_is_refreshed_and_the_projects_types_are_written(
    world: World, recorder: Recorder, registry: ModelRegistry
) -> None:
    startup(registry)
    assert recorder.synced.wait(SOON)
    assert "gpt-5" in types(world).read_text()


def test_what_a_refresh_changed_is_shown_unless_the_application_set_up_logging(
    world: World,
    recorder: Recorder,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    registry.sync_gateways()
    world.now += 3601
    world.serve("main", {"openai": ["gpt-5", "gpt-new\x1b[2J"]})
    startup(registry)
    assert recorder.synced.wait(SOON)
    registry.stop_auto_refresh()
    end_refreshers()
    shown = capsys.readouterr().err
    assert "registry-core: asks main every hour\nregistry-core: writes to typings (python) in " in (
        shown
    )
    assert "registry-core: new: openai/gpt-new" in shown
    assert "registry-core: leaving: openai/gpt-old removed\n" in shown
    assert "\x1b" not in shown
    logging.root.addHandler(logging.NullHandler())
    logging.getLogger("registry_core").warning("by the application's handlers")
    assert capsys.readouterr().err == ""
    shutdown()
    assert logging.getLogger("registry_core").handlers == []
    assert logging.getLogger("registry_core").level == logging.NOTSET


def test_outside_dev_a_refresh_leaves_the_project_alone(
    world: World, recorder: Recorder, registry: ModelRegistry
) -> None:
    registry.start_auto_refresh()
    assert recorder.synced.wait(SOON)
    registry.stop_auto_refresh()
    assert not types(world).exists()


def test_what_a_plugin_registers_at_startup_takes_part_in_the_first_refresh(
    world: World, recorder: Recorder, registry: ModelRegistry
) -> None:
    class Late(ModelGateway):
        id = name = "late"
        needs_network = False

        def fetch_providers(self, client: Any) -> dict[str, ProviderConfig]:
            return {"late": ProviderConfig("late", ["model"])}

    class Plugin:
        @hookimpl
        def registry_dev_startup(self, registry: ModelRegistry) -> None:
            registry.register_gateway(Late())

    world.plugins.append(Plugin())
    registry = world.registry()
    startup(registry)
    assert recorder.synced.wait(SOON)
    shutdown()
    end_refreshers()
    assert registry.get_models()["late"] == ("model",)


def test_a_plugin_that_raises_is_named_and_costs_nobody_else(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    class Bad:
        @hookimpl
        def registry_dev_startup(self) -> None:
            raise ValueError("boom")

        @hookimpl
        def registry_dev_shutdown(self) -> None:
            sys.exit(3)

    world.plugins.insert(0, Bad())
    startup(world.registry(offline=True))
    shutdown()
    assert recorder.events == ["startup", "shutdown"]
    first, second = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert "test-0" in first
    assert "ValueError: boom" in first
    assert "test-0" in second
    assert "registry_dev_shutdown" in second


@pytest.mark.parametrize("wanted", [False, None, True])
def test_only_an_explicit_no_keeps_the_refresher_away(
    world: World, recorder: Recorder, wanted: bool | None
) -> None:
    startup(world.registry(auto_refresh_providers=wanted, offline=True))
    assert recorder.events == ["startup"]
    assert len(refreshers()) == (wanted is not False)


@pytest.mark.parametrize("place", ["pyproject", "environment"])
def test_a_no_of_the_user_outranks_that_dev_means_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    told = "false" if place == "pyproject" else "true"
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.registry-core]\nauto_refresh_providers = {told}\nplugins = []\n"
    )
    monkeypatch.chdir(tmp_path)
    if place == "environment":  # as beneath `registry-core dev`, which refreshes itself
        monkeypatch.setenv("REGISTRY_CORE_AUTO_REFRESH_PROVIDERS", "false")
    monkeypatch.setenv("REGISTRY_CORE_DEV", "true")
    monkeypatch.setenv("REGISTRY_CORE_OFFLINE", "true")
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path / "store"))
    ModelRegistry.reset_instance()
    try:
        startup()
        end_refreshers()
        assert not refreshers()
    finally:
        ModelRegistry.reset_instance()


def test_shutdown_ends_the_refresh_tells_plugins_once_and_all_may_begin_again(
    world: World, recorder: Recorder
) -> None:
    registry = world.registry(offline=True)
    startup(registry)
    shutdown()
    shutdown()
    end_refreshers()
    assert not refreshers()
    assert not registry.world.in_dev
    startup(registry)
    assert recorder.events == ["startup", "shutdown", "startup"]


def test_a_plugin_may_call_startup_again(world: World, recorder: Recorder) -> None:
    class Eager:
        @hookimpl
        def registry_dev_startup(self, registry: ModelRegistry) -> None:
            startup(registry)

    world.plugins.append(Eager())
    startup(world.registry(offline=True))
    assert recorder.events == ["startup"]


def test_settings_that_cannot_be_read_are_told_and_the_application_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"REGISTRY_CORE_SHRINK_LIMIT": "half", "REGISTRY_CORE_STORE_DIR": str(tmp_path)}
    startup(ModelRegistry(world=RealWorld(environ=environ)))
    assert "'half' can't be read" in caplog.text
    assert "runs without registry-core" in caplog.text
    assert not refreshers()


def test_every_decision_has_a_debug_line(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "registry_core")
    startup(world.registry(auto_refresh_providers=False))
    assert "registry_dev_startup called" in caplog.text
    assert "no refresh in this process" in caplog.text


@pytest.mark.parametrize(
    ("value", "framework", "dev"),
    [
        (None, False, False),
        (None, True, True),
        ("", True, True),
        ("true", False, True),
        ("0", True, False),
    ],
)
def test_the_variable_outranks_the_framework(value: str | None, framework: bool, dev: bool) -> None:
    environ = {} if value is None else {"REGISTRY_CORE_DEV": value}
    assert is_dev(framework, environ) is dev


def test_mastras_variable_is_read_below_ours() -> None:
    assert is_dev(False, {"MASTRA_DEV": "true"})
    assert not is_dev(False, {"MASTRA_DEV": "true", "REGISTRY_CORE_DEV": "false"})


RECORD = """
import os
from pathlib import Path
from registry_core import ModelRegistry, Settings, hookimpl
from registry_core.devserver import startup
from registry_core._plugins.host import PluginHost
from registry_core._base.secrets import Secrets

class Plugin:
    @hookimpl
    def registry_dev_startup(self):
        print("startup", os.getpid(), flush=True)

    @hookimpl
    def registry_dev_shutdown(self):
        print("shutdown", os.getpid(), flush=True)

settings = Settings(offline=True, store_dir="store", auto_refresh_providers=False)
builtins = [("plugin", Plugin())]
host = PluginHost(settings, environ={}, secrets=Secrets(), path=[], builtins=builtins)
startup(ModelRegistry(settings, host=host))
"""


def run(code: str, cwd: Path, **environ: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_end_of_the_interpreter_is_a_shutdown(tmp_path: Path) -> None:
    first, second = run(RECORD, tmp_path)
    assert first.split()[0] == "startup"
    assert second == first.replace("startup", "shutdown")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_worker_starts_its_own(tmp_path: Path) -> None:
    fork = """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        startup(ModelRegistry(settings, host=host))
    """
    events = run(RECORD + dedent(fork), tmp_path)
    assert [one.split()[0] for one in events] == ["startup", "startup", "shutdown", "shutdown"]
    parent, child, ended, last = [one.split()[1] for one in events]
    assert parent == last != child == ended


ADAPTERS = {
    "starlette": """
        import asyncio
        from starlette.applications import Starlette
        from registry_core.devserver.asgi import dev_lifespan
        app = Starlette(lifespan=dev_lifespan())
        async def serve():
            async with app.router.lifespan_context(app):
                pass
        asyncio.run(serve())
        """,
    "flask": """
        from flask import Flask
        from registry_core.devserver.flask import init_app
        app = Flask("app")
        init_app(app)
        app.test_client().get("/")
        """,
    "django": """
        import django, sys
        from django.conf import settings
        sys.argv = ["manage.py", "migrate"]
        settings.configure(INSTALLED_APPS=["registry_core.devserver.django.RegistryCoreConfig"])
        django.setup()
        """,
}


@pytest.mark.parametrize("framework", ADAPTERS)
def test_in_production_an_adapter_loads_neither_plugins_nor_a_registry(
    tmp_path: Path, framework: str
) -> None:
    needs(framework)
    heavy = {"pluggy", "requests", "registry_core._plugins.host", "registry_core.registry"}
    told = f"import sys; print(sorted({heavy} & set(sys.modules)))"
    assert run(f"{dedent(ADAPTERS[framework])}\n{told}", tmp_path) == ["[]"]
