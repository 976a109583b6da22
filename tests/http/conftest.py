from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_core._http.client import HttpClient
from registry_core._http.payloads import Payloads
from tests.clients import http_client
from tests.loopback import Loopback

Make = Callable[..., HttpClient]


class Clock:
    """Both clocks of a client; waiting moves them on at once."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "payloads"


@pytest.fixture
def make(clock: Clock, folder: Path) -> Iterator[Make]:
    """Builds clients that share the payloads, each a second after the one before."""
    made: list[HttpClient] = []

    def make(**changes: Any) -> HttpClient:
        clock.now += 1
        arguments: dict[str, Any] = {
            "environ": {"ACME_TOKEN": "acme-token-4711"},
            "payloads": Payloads(folder),
            "monotonic": clock,
            "clock": clock,
            "wait": clock.wait,
            "random": lambda: 0.5,
        }
        if "fetch_deadline_ms" in changes:  # of the real clock
            arguments["monotonic"] = time.monotonic
        client = http_client(**arguments | changes)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
