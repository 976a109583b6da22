"""Flask's adapter: the process that serves, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from registry_core import ModelRegistry
from registry_core.devserver.flask import init_app
from tests.devserver.conftest import Recorder, needs
from tests.world import World


@pytest.fixture
def registry(world: World, recorder: Recorder) -> ModelRegistry:
    needs("flask")
    return world.registry(offline=True)


def application(registry: ModelRegistry, **attributes: Any) -> Any:
    from flask import Flask

    app = Flask("app")
    for name, value in attributes.items():
        setattr(app, name, value)
    init_app(app, registry=registry)
    return app


def test_the_reloaders_child_starts_at_once(
    recorder: Recorder, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    app = application(registry)  # `app.run(debug=True)` sets debug later
    assert recorder.events == ["startup"]
    app.test_client().get("/")
    assert recorder.events == ["startup"]


def test_where_nobody_can_tell_the_first_request_does(
    recorder: Recorder, registry: ModelRegistry
) -> None:
    app = application(registry, debug=True)
    assert recorder.events == []  # a reloader's parent, or `flask shell`
    client = app.test_client()
    client.get("/")
    client.get("/")
    assert recorder.events == ["startup"]


def test_the_variable_makes_any_server_a_dev_server(
    recorder: Recorder, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_CORE_DEV", "true")
    application(registry).test_client().get("/")
    assert recorder.events == ["startup"]


def test_tests_of_the_application_start_nothing(
    recorder: Recorder, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_CORE_DEV", "true")
    application(registry, testing=True).test_client().get("/")
    assert recorder.events == []


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WERKZEUG_RUN_MAIN": "true", "REGISTRY_CORE_DEV": "false"},
        {"FLASK_DEBUG": "1", "REGISTRY_CORE_DEV": "false"},
    ],
)
def test_in_production_and_if_told_so_it_adds_nothing_to_the_application(
    recorder: Recorder,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    app = application(registry)
    app.test_client().get("/")
    assert recorder.events == []
    assert not app.before_request_funcs
