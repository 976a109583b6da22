"""The lifespan: in dev around the application's own, in production only that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from registry_core import ModelRegistry
from registry_core.devserver.asgi import dev_lifespan
from tests.devserver.conftest import Recorder, needs
from tests.world import World


@pytest.fixture
def registry(world: World, recorder: Recorder) -> ModelRegistry:
    return world.registry(offline=True)


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_CORE_DEV", "true")


def serve(lifespan: Any, app: object = None) -> Any:
    """Start and end an application, as a server does; what its lifespan yields."""

    async def run() -> Any:
        async with lifespan(app) as state:
            return state

    return asyncio.run(run())


def own(recorder: Recorder, *, fails: bool = False) -> Any:
    @asynccontextmanager
    async def lifespan(app: object) -> AsyncGenerator[dict[str, object]]:
        recorder.events.append("own startup")
        if fails:
            raise RuntimeError("no database")
        yield {"app": app}
        recorder.events.append("own shutdown")

    return lifespan


@pytest.mark.usefixtures("dev")
def test_the_registrys_is_around_the_applications_own(
    recorder: Recorder, registry: ModelRegistry
) -> None:
    state = serve(dev_lifespan(own(recorder), registry=registry), "the app")
    assert recorder.events == ["startup", "own startup", "own shutdown", "shutdown"]
    assert state == {"app": "the app"}


@pytest.mark.usefixtures("dev")
def test_an_application_may_have_none_of_its_own(
    recorder: Recorder, registry: ModelRegistry
) -> None:
    assert serve(dev_lifespan(registry=registry)) is None
    assert recorder.events == ["startup", "shutdown"]


@pytest.mark.usefixtures("dev")
def test_what_the_applications_own_raises_is_its_own_and_the_registrys_ends(
    recorder: Recorder, registry: ModelRegistry
) -> None:
    with pytest.raises(RuntimeError, match="no database"):
        serve(dev_lifespan(own(recorder, fails=True), registry=registry))
    assert recorder.events == ["startup", "own startup", "shutdown"]


@pytest.mark.parametrize(
    ("environ", "acts"),
    [
        ({}, False),
        ({"FASTAPI_ENV": "development"}, True),
        ({"FASTAPI_ENV": "production"}, False),
        ({"REGISTRY_CORE_DEV": "true", "FASTAPI_ENV": "production"}, True),
        ({"REGISTRY_CORE_DEV": "false", "FASTAPI_ENV": "development"}, False),
    ],
)
def test_it_acts_in_dev_only(
    recorder: Recorder,
    registry: ModelRegistry,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    acts: bool,
) -> None:
    lifespan = dev_lifespan(own(recorder), registry=registry)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    serve(lifespan)
    assert ("startup" in recorder.events) is acts
    assert "own startup" in recorder.events


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize("framework", ["starlette.applications.Starlette", "fastapi.FastAPI"])
def test_a_framework_takes_it_as_it_is_and_hands_the_state_on(
    recorder: Recorder, registry: ModelRegistry, framework: str
) -> None:
    module, name = framework.rsplit(".", 1)
    needs(module)
    application = getattr(pytest.importorskip(module), name)
    app = application(lifespan=dev_lifespan(own(recorder), registry=registry))
    sent: list[dict[str, Any]] = []

    async def run() -> None:
        messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "app": app, "state": {}}
        await app(scope, receive, send)
        assert scope["state"] == {"app": app}

    asyncio.run(run())
    assert [one["type"] for one in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert recorder.events == ["startup", "own startup", "own shutdown", "shutdown"]
