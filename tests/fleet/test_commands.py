"""Two environments on one machine, as two hosts of a fleet, by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from registry_core.cli import main
from tests.fleet.conftest import Hosts
from tests.fleet.engines import CREDENTIALS
from tests.fleet.proxy import Proxy
from tests.loopback import Loopback

CATALOG = {
    "acme": {
        "name": "Acme",
        "env": ["ACME_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/v1",
        "models": {"large": {"name": "Large"}},
    }
}


class Machine:
    def __init__(self, folder: Path, url: str, server: Loopback) -> None:
        folder.mkdir()
        self._environ = {
            "REGISTRY_CORE_STORE_DIR": str(folder),
            "REGISTRY_CORE_SHARED": url,
            "REGISTRY_CORE_SHARED_KEY": "the key of the fleet",
            "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev",
            "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
            "REGISTRY_CORE_FETCH_RETRIES": "0",
            "REGISTRY_CORE_SHARED_POLL_MS": "5000",
            "REGISTRY_CORE_SHARED_GATEWAYS": "acme",
        }

    def run(self, *arguments: str, **environ: str) -> str:
        done = CliRunner(env={**self._environ, **environ}).invoke(main, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.output

    def doctor(self, **environ: str) -> Any:
        return json.loads(self.run("doctor", "--json", **environ))["shared"]


@pytest.fixture
def machines(
    on_moto: Hosts, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Machine]:
    monkeypatch.chdir(tmp_path)
    server.serve("/api.json", CATALOG)
    return [Machine(tmp_path / name, on_moto.url, server) for name in ("one", "two")]


def test_one_fetch_serves_two_environments(machines: list[Machine], server: Loopback) -> None:
    for one in machines:
        assert "fresh" in one.run("sync")
        assert "acme/large" in one.run("list", "acme")
    assert server.paths == ["/api.json"]


def test_doctor_says_what_is_shared_how_old_it_is_and_who_published_it(
    machines: list[Machine], on_moto: Hosts
) -> None:
    one, two = machines
    assert "it has never answered" in one.run("doctor")
    one.run("sync")
    two.run("sync", REGISTRY_CORE_SHARED_MODE="read")
    found = two.doctor(REGISTRY_CORE_SHARED_MODE="read")
    assert found["url"] == on_moto.url
    assert (found["mode"], found["sealed"], found["serial"] > 0) == ("read", True, True)
    (result,) = found["results"]
    assert (result["gateway"], found["error"]) == ("models.dev", None)
    assert result["checked_at"]
    assert found["looked_at"]
    text = two.run("doctor")
    assert f"shared catalog: {on_moto.url} (sealed with a key): last answer" in text
    assert "shared models.dev: published by" in text
    other = two.run("doctor", REGISTRY_CORE_SHARED_KEY="another")
    assert "does not fit" in other


def test_doctor_says_what_failed_and_shows_no_credential(
    machines: list[Machine], proxy: Proxy
) -> None:
    (one, _) = machines
    proxy.fails(403)
    told = one.run("sync") + one.run("doctor") + one.run("doctor", "--json") + one.run("-v", "sync")
    assert "refuses pointer to these credentials" in told
    assert "the copy of this machine stays in use" in told
    for secret in ("the key of the fleet", *list(CREDENTIALS.values())[:2]):
        assert secret not in told


def test_clean_removes_what_is_remembered_of_it(machines: list[Machine], tmp_path: Path) -> None:
    machines[0].run("sync")
    memory = tmp_path / "one" / "v1" / "shared.json"
    assert memory.exists()
    machines[0].run("clean", "--yes")
    assert not memory.exists()


def test_without_obstore_a_sync_says_how_to_get_it(
    machines: list[Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "obstore", None)
    told = machines[0].run("sync")
    assert "pip install 'registry-core[fleet]'" in told
    assert "acme/large" in machines[0].run("list", "acme")
