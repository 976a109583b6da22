from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_core.http.client import HttpClient
from registry_core.http.payloads import Payloads
from registry_core.secrets import Secrets
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
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
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
            "options": {},
            "environ": {"ACME_TOKEN": "acme-token-4711"},
            "secrets": Secrets(),
            "payloads": Payloads(folder),
            "offline": False,
            "deadline": clock.now + 30,
            "monotonic": clock,
            "clock": clock,
            "wait": clock.wait,
            "random": lambda: 0.5,
        }
        arguments |= changes
        if "deadline" in changes:  # in seconds of the real clock, from now
            arguments |= {"deadline": time.monotonic() + changes["deadline"]}
            arguments |= {"monotonic": time.monotonic}
        client = HttpClient(**arguments)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
