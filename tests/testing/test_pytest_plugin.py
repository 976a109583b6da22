"""`frozen_registry` is there by itself wherever the package is installed, and light until used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from registry_core.testing import write_distribution

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in `folder`, with the entry point of pyproject.toml in a real distribution."""
    project: Any = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    site = write_distribution(
        folder / "site",
        "registry-core-entry-point",
        entry_points=project["entry-points"]["pytest11"],
        group="pytest11",
    )
    path = os.pathsep.join([str(ROOT / "src"), str(site)])
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


USER = """
import os
import subprocess
import sys

from registry_core import ModelRegistry, ProviderConfig, get_model, is_valid_model_id, resolve

ASK = "import registry_core; print(*registry_core.get_registered_providers())"


def test_frozen(frozen_registry, monkeypatch):
    registry = frozen_registry({"openai": ["gpt"], "acme": ["a", "b"]})
    assert registry is ModelRegistry.get_instance()
    assert is_valid_model_id("acme/b") and not is_valid_model_id("acme/c")
    frozen_registry([ProviderConfig("acme", ["c"], url="https://x.example", api_key_env_vars="K")])
    assert is_valid_model_id("acme/c") and get_model("openai/gpt") is None
    assert resolve("acme/c", {"K": "key"}).base_url == "https://x.example"
    child = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True)
    assert child.stdout.split() == ["acme"]
    report = ModelRegistry.get_instance().sync_gateways()
    assert (report.models, report.gateways) == (1, ())


def test_afterwards():
    assert ModelRegistry._instance is None
    assert "REGISTRY_CORE_SNAPSHOT" not in os.environ
"""


@pytest.fixture
def user(tmp_path: Path) -> Path:
    (tmp_path / "test_user.py").write_text(dedent(USER))
    return tmp_path


@pytest.mark.slow
def test_the_fixture_freezes_the_registry_of_the_process_for_one_test(user: Path) -> None:
    done = run(user, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_user.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_pytest_starts_without_loading_the_registry(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import json, sys\n"
        "def test_nothing():\n"
        "    print(json.dumps([name for name in sys.modules if 'registry_core' in name]))\n"
    )
    done = run(tmp_path, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = json.loads(done.stdout.splitlines()[0].rstrip("."))
    assert sorted(loaded) == ["registry_core", "registry_core.pytest_plugin"]


def test_the_helpers_for_plugins_need_no_pytest(tmp_path: Path) -> None:
    code = "import registry_core.testing, sys; sys.exit('pytest' in sys.modules)"
    assert run(tmp_path, "-c", code).returncode == 0
