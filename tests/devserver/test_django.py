"""Django's adapter: `runserver`, in the process that serves, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_core import ModelRegistry
from tests.devserver.conftest import needs


@pytest.fixture(autouse=True)
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The registry of this process: no plugins, no network, a store of its own."""
    needs("django")
    monkeypatch.setenv("REGISTRY_CORE_PLUGINS", ",")
    monkeypatch.setenv("REGISTRY_CORE_OFFLINE", "true")
    monkeypatch.setenv("REGISTRY_CORE_AUTO_REFRESH_PROVIDERS", "false")
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path / "store"))
    ModelRegistry.reset_instance()
    yield
    ModelRegistry.reset_instance()


@pytest.mark.parametrize(
    ("command", "environ", "starts"),
    [
        ("runserver", {}, False),  # the autoreloader's parent
        ("runserver", {"RUN_MAIN": "true"}, True),
        ("runserver 0 --noreload", {}, True),
        ("runserver", {"RUN_MAIN": "true", "REGISTRY_CORE_DEV": "false"}, False),
        ("runserver", {"REGISTRY_CORE_DEV": "true"}, False),
        ("migrate", {"REGISTRY_CORE_DEV": "true"}, False),
        ("test", {"REGISTRY_CORE_DEV": "true"}, False),
        ("shell", {"RUN_MAIN": "true"}, False),  # started from a dev server
        ("", {"RUN_MAIN": "true"}, False),
    ],
)
def test_it_starts_in_the_process_of_runserver_that_serves(
    monkeypatch: pytest.MonkeyPatch, command: str, environ: dict[str, str], starts: bool
) -> None:
    from django.apps import AppConfig

    from registry_core.devserver import django

    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["manage.py", *command.split()])
    installed = AppConfig.create("registry_core.devserver.django.RegistryCoreConfig")
    assert (type(installed), installed.label) == (django.RegistryCoreConfig, "registry_core")
    config = django.RegistryCoreConfig(installed.name, django)
    config.ready()
    assert ModelRegistry.get_instance().world.in_dev is starts
