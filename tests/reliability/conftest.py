from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.reliability.shell import Shell

# The same examples each time: a proof that fails must fail for everybody. `slow` looks further.
settings.register_profile(
    "reliability",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
PROOF = settings.get_profile("reliability")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name.startswith(("REGISTRY_CORE_", "MASTRA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)
