"""The types in site-packages: replaced there by a sync, and still the installer's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from registry_core._emit.targets import installed_types
from registry_core.testing import write_distribution
from tests.loopback import Loopback

ROOT = Path(__file__).parents[2]
PYI = "registry_core_types/__init__.pyi"
PAYLOAD = {
    "acme": {
        "id": "acme",
        "name": "Acme",
        "env": ["ACME_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/v1",
        "doc": "https://acme.example",
        "models": {"acme-new-model": {"id": "acme-new-model", "name": "New"}},
    }
}


def test_installed_types_are_found_where_record_lists_them(tmp_path: Path) -> None:
    write_distribution(tmp_path, "registry-core", modules={PYI: ""}, group="nobody")
    found = installed_types([str(tmp_path)])
    assert found is not None
    assert (found.kind, found.root) == ("installed", tmp_path / "registry_core_types")
    assert not found.requested


def test_types_of_an_editable_installation_are_the_developers(tmp_path: Path) -> None:
    write_distribution(tmp_path, "registry-core", modules={PYI: ""}, group="nobody")
    url = {"url": "file:///src", "dir_info": {"editable": True}}
    (tmp_path / "registry_core-1.0.dist-info" / "direct_url.json").write_text(json.dumps(url))
    assert installed_types([str(tmp_path)]) is None


@pytest.mark.parametrize("text", ["", "[", "[]", '{"dir_info": 3}', '{"archive_info": {}}'])
def test_an_installation_from_elsewhere_is_no_editable_one(tmp_path: Path, text: str) -> None:
    write_distribution(tmp_path, "registry-core", modules={PYI: ""}, group="nobody")
    (tmp_path / "registry_core-1.0.dist-info" / "direct_url.json").write_text(text)
    assert installed_types([str(tmp_path)]) is not None


def test_types_that_record_does_not_list_or_that_are_gone_are_left_alone(tmp_path: Path) -> None:
    write_distribution(tmp_path, "registry-core", modules={"other.py": ""}, group="nobody")
    (tmp_path / "registry_core_types").mkdir()
    (tmp_path / PYI).touch()
    assert installed_types([str(tmp_path)]) is None
    write_distribution(tmp_path, "registry-core", modules={PYI: ""}, group="nobody")
    (tmp_path / PYI).unlink()
    assert installed_types([str(tmp_path)]) is None


def test_types_are_found_once_they_are_installed(tmp_path: Path) -> None:
    assert installed_types([str(tmp_path)]) is None
    write_distribution(tmp_path, "registry-core", modules={PYI: ""}, group="nobody")
    assert installed_types([str(tmp_path)]) is not None


def run(*command: object, environ: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [str(part) for part in command], env=environ, cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="looks into bin and site-packages")
def test_a_sync_from_an_installed_wheel_replaces_the_types_and_pip_can_still_remove_it(
    tmp_path: Path, server: Loopback
) -> None:
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    plugin = ROOT / "plugins" / "registry-gateway-models-dev"
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, ROOT, plugin)
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    run(*pip, "install", "-q", "--no-deps", "--no-index", *wheels.iterdir())
    (site,) = venv.glob("lib/python*/site-packages")
    # What they depend on is in the environment of the tests.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    linked = tmp_path / "in-the-cache-of-the-installer.pyi"
    os.link(site / PYI, linked)
    bundled = linked.read_bytes()
    server.serve("/api.json", PAYLOAD)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev",
        "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
    }
    command = venv / "bin" / "registry-core"
    run(command, "sync", "--accept", "models.dev", environ=environ, cwd=tmp_path)

    installed = (site / PYI).read_bytes()
    assert b"acme-new-model" in installed
    assert linked.read_bytes() == bundled
    assert (site / PYI).stat().st_nlink == 1
    (record,) = site.glob("registry_core-*.dist-info/RECORD")
    assert f"\n{PYI}," in "\n" + record.read_text()
    artifacts = venv / "share" / "registry-core"
    assert (artifacts / "registry_core_types.pyi").read_bytes() == installed
    code = "import registry_core; print(registry_core.get_model('acme/acme-new-model').name)"
    assert run(venv / "bin" / "python", "-c", code, environ=environ, cwd=tmp_path) == "New\n"

    run(*pip, "uninstall", "-q", "-y", "registry-core")
    assert not list(site.rglob("registry_core*"))
    assert artifacts.exists()  # the environment's; it goes with the environment
