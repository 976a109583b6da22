from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.world import World


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, server: Loopback) -> World:
    return World(tmp_path, server)
