"""Programs that PyInstaller makes of an application: data, plugins and the store are there."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from registry_core._catalog.places import Places
from registry_core.testing import write_distribution
from tests.files.test_installed import ROOT, run
from tests.loopback import Loopback

PROGRAM = """\
import sys
from registry_core import ModelRegistry, get_model

if "sync" in sys.argv:
    ModelRegistry.get_instance().sync_gateways().raise_failures()
for id in sys.argv[1].split(","):
    model = get_model(id)
    print(model and model.name)
"""

PLUGIN = """\
import os
from registry_core import ModelGateway, ModelInfo, ProviderConfig, hookimpl


class Acme(ModelGateway):
    id = name = "acme"

    def fetch_providers(self, client):
        ids = client.get_json(os.environ["ACME_URL"])
        models = {id: ModelInfo(id, "acme", name=id.title()) for id in ids}
        return {"acme": ProviderConfig("acme", models)}


@hookimpl
def registry_gateways(settings):
    return [Acme()]
"""


def test_a_package_without_its_data_is_an_error_that_says_what_to_add(tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns("*.snapshot", "__pycache__")
    shutil.copytree(ROOT / "src" / "registry_core", tmp_path / "registry_core", ignore=left_out)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "empty"),
    }
    code = (
        "import registry_core\n"
        "try: registry_core.get_model('openai/gpt-4o')\n"
        "except registry_core.StoreError as error: print(error.culprit, error.hint, sep='; ')"
    )
    told = run(sys.executable, "-c", code, environ=environ, cwd=tmp_path)
    assert told.startswith("bundled.snapshot; ")
    assert "registry_core/_catalog/data" in told


def test_a_frozen_program_has_one_store_wherever_it_unpacks_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stores = []
    for unpacked in ("one", "two"):
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setattr(sys, "prefix", str(tmp_path / unpacked))
        monkeypatch.setattr(sys, "base_prefix", str(tmp_path / unpacked))
        stores.append(next(Places.of_interpreter().stores(make=True)))
    assert stores[0] == stores[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="looks into bin and site-packages")
@pytest.mark.parametrize("form", ["--onedir", "--onefile"])
def test_a_program_of_pyinstaller_finds_its_data_its_plugins_and_its_store(
    form: str, tmp_path: Path, server: Loopback
) -> None:
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        pytest.skip("PyInstaller needs a Python with a shared library")
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, ROOT)
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    run(*pip, "install", "-q", "--no-deps", "--no-index", *wheels.iterdir())
    (site,) = venv.glob("lib/python*/site-packages")
    # What it depends on, and PyInstaller, are in the environment of the tests.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    write_distribution(site, "acme", entry_points={"acme": "acme"}, modules={"acme.py": PLUGIN})
    (tmp_path / "app.py").write_text(PROGRAM)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "PYINSTALLER_CONFIG_DIR": str(tmp_path / "pyinstaller"),
        "ACME_URL": server.url("/models.json"),
        "REGISTRY_CORE_PLUGINS": "acme",
    }
    python = venv / "bin" / "python"
    run(python, "-m", "PyInstaller", form, "app.py", environ=environ, cwd=tmp_path)
    program = tmp_path / "dist" / "app"
    program = program / "app" if form == "--onedir" else program
    shutil.rmtree(venv)  # nothing of it is needed any more

    server.serve("/models.json", ["new"])
    ids = "openai/gpt-4o,acme/new"
    assert run(program, ids, environ=environ, cwd=tmp_path) == "GPT-4o\nNone\n"
    # Its own plugin is the only one that is switched on.
    assert run(program, ids, "sync", environ=environ, cwd=tmp_path) == "None\nNew\n"
    assert run(program, ids, environ=environ, cwd=tmp_path) == "None\nNew\n"
