"""A third-party gateway as its users meet it: a wheel, a fresh environment, no configuration."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.examples.installing import EXAMPLES, environment, wheel
from tests.loopback import Loopback

TOKEN = "acme-token-4711"


@pytest.mark.slow
def test_an_installed_gateway_is_in_the_list_with_no_configuration(tmp_path: Path) -> None:
    with Loopback() as server:
        models = {"data": [{"id": "acme-large"}, {"id": "acme-small"}]}
        server.serve("/v1/models", models, etag='"1"')
        wheels = [wheel(EXAMPLES.parent, tmp_path), wheel(acme_at(server, tmp_path), tmp_path)]
        run = environment(tmp_path / "venv", wheels)
        synced = run("registry-core", "sync", ACME_TOKEN=TOKEN)
        assert synced.returncode == 0, synced.stdout + synced.stderr
        assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    offline = run("registry-core", "list", "acme/", REGISTRY_CORE_OFFLINE="true")
    assert offline.stdout.splitlines() == ["acme/acme-large", "acme/acme-small"]
    assert "acme-registry-gateway:acme" in run("registry-core", "plugins").stdout


@pytest.mark.slow
def test_an_installed_command_is_there_with_no_configuration(tmp_path: Path) -> None:
    wheels = [wheel(EXAMPLES.parent, tmp_path), wheel(EXAMPLES / "custom-command", tmp_path)]
    run = environment(tmp_path / "venv", wheels)
    assert re.search(
        r"^  keys +From registry-keys 1.0.0.$", run("registry-core", "--help").stdout, re.M
    )
    done = run("registry-core", "keys", "groq", "--json", GROQ_API_KEY="gsk-4711")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["keys"] == {"groq": ["GROQ_API_KEY"]}
    off = run("registry-core", "keys", REGISTRY_CORE_DISABLE_PLUGINS="registry-keys")
    assert off.returncode == 2


def acme_at(server: Loopback, folder: Path) -> Path:
    """The example, as Acme would write it if its server were this one."""
    copy = folder / "acme"
    shutil.copytree(EXAMPLES / "acme-registry-gateway", copy)
    code = copy / "src" / "acme_registry_gateway.py"
    text = code.read_text("utf-8")
    assert "https://llm.acme.example" in text
    code.write_text(text.replace("https://llm.acme.example", server.url().rstrip("/")), "utf-8")
    return copy
