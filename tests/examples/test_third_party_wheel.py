"""A third-party gateway as its users meet it: a wheel, a fresh environment, no configuration."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.installing import EXAMPLES
from tests.loopback import Loopback

TOKEN = "acme-token-4711"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_an_installed_gateway_is_in_the_list_with_no_configuration(tmp_path: Path) -> None:
    with Loopback() as server:
        models = {"data": [{"id": "acme-large"}, {"id": "acme-small"}]}
        server.serve("/v1/models", models, etag='"1"')
        wheels = [wheel(EXAMPLES.parent, tmp_path), wheel(acme_at(server, tmp_path), tmp_path)]
        run = environment(tmp_path / "venv", wheels)
        synced = run("sync", ACME_TOKEN=TOKEN)
        assert synced.returncode == 0, synced.stdout + synced.stderr
        assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    offline = run("list", "acme/", REGISTRY_CORE_OFFLINE="true")
    assert offline.stdout.splitlines() == ["acme/acme-large", "acme/acme-small"]
    assert "acme-registry-gateway:acme" in run("plugins").stdout


@pytest.mark.slow
def test_an_installed_command_is_there_with_no_configuration(tmp_path: Path) -> None:
    wheels = [wheel(EXAMPLES.parent, tmp_path), wheel(EXAMPLES / "custom-command", tmp_path)]
    run = environment(tmp_path / "venv", wheels)
    assert "  keys     From registry-keys 1.0.0." in run("--help").stdout
    done = run("keys", "groq", "--json", GROQ_API_KEY="gsk-4711")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["keys"] == {"groq": ["GROQ_API_KEY"]}
    assert run("keys", REGISTRY_CORE_DISABLE_PLUGINS="registry-keys").returncode == 2


def acme_at(server: Loopback, folder: Path) -> Path:
    """The example, as Acme would write it if its server were this one."""
    copy = folder / "acme"
    shutil.copytree(EXAMPLES / "acme-registry-gateway", copy)
    code = copy / "src" / "acme_registry_gateway.py"
    text = code.read_text("utf-8")
    assert "https://llm.acme.example" in text
    code.write_text(text.replace("https://llm.acme.example", server.url().rstrip("/")), "utf-8")
    return copy


def wheel(project: Path, folder: Path) -> Path:
    out = folder / "wheels" / project.name
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(out), str(project)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


def environment(folder: Path, wheels: list[Path]) -> Run:
    """Install the wheels in a new environment; run its `registry-core` with few variables."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    install = [str(programs / "python"), "-m", "pip", "install", "-q", *map(str, wheels)]
    subprocess.run(install, check=True)
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / "registry-core"), *arguments],
            cwd=folder,
            env={**kept, "HOME": str(folder), **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
