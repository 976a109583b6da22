"""docs/serving.md: a web server as the page sets it up, and those that read from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emitters.test_models_dev import opencode
from tests.ide.lsp import until

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def nginx(folder: Path, root: Path, port: int) -> list[str]:
    server = block("nginx").replace("listen 80", f"listen 127.0.0.1:{port}")
    server = server.replace("/srv/models/public", str(root))
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in temporary)
    user = "user root;\n" if os.geteuid() == 0 else ""  # or it may not enter the folder
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\ninclude /etc/nginx/mime.types;\naccess_log off;\n{paths}{server}}}\n"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, root: Path, port: int) -> list[str]:
    server = block("caddyfile").replace("/srv/models/public", str(root))
    server = server.replace("models.acme.example", f"http://127.0.0.1:{port}")
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + server)
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The machine that syncs: the folder of the page, and a small payload to sync with."""
    folder = tmp_path / "models"
    (folder / "public").mkdir(parents=True)
    (table,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    (folder / "registry-core.toml").write_text(table)
    return folder


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def url(request: pytest.FixtureRequest, tmp_path: Path, project: Path) -> Iterator[str]:
    port = free_port()
    command = request.param(tmp_path, project / "public", port)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    environ = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, env=environ, stdout=log, stderr=log) as server,
    ):
        try:
            until(lambda: answers(port), bool)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def sync(folder: Path, source: str) -> dict[str, Any]:
    """The report of a sync in `folder` whose models.dev is at `source`."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "REGISTRY_CORE_STORE_DIR": str(folder / "store"),
        "REGISTRY_CORE_DISABLE_PLUGINS": "registry-gateway-netlify",
        "REGISTRY_CORE_MODELS_DEV_URL": source,
    }
    command = [sys.executable, "-m", "registry_core", "sync", "--json", "--accept", "models.dev"]
    result = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=True
    )
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def payload(*models: str) -> str:
    acme = {"id": "acme", "name": "Acme", "env": ["ACME_KEY"], "api": "https://acme.example/v1"}
    acme |= {"models": {id: {"id": id, "name": id, "limit": {"context": 1}} for id in models}}
    return json.dumps({"acme": acme})


def test_what_is_served_is_current_small_and_asked_for_only_once(
    url: str, project: Path, tmp_path: Path
) -> None:
    upstream = tmp_path / "upstream.json"
    upstream.write_text(payload(*(f"model-{number}" for number in range(100))))
    sync(project, upstream.as_uri())

    first = requests.get(f"{url}/api.json")
    assert first.json()["acme"]["models"]["model-7"]["limit"] == {"context": 1, "output": 0}
    assert first.headers["Content-Type"].startswith("application/json")
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.headers["Cache-Control"] == "no-cache"
    asked = {"If-None-Match": first.headers["ETag"]}
    assert requests.get(f"{url}/api.json", headers=asked).status_code == 304
    for name in ("model_prices_and_context_window.json", "models.schema.json"):
        assert requests.get(f"{url}/{name}").json()
    assert requests.get(f"{url}/absent.json").status_code == 404

    sync(project, upstream.as_uri())  # nothing new
    assert requests.get(f"{url}/api.json", headers=asked).status_code == 304

    upstream.write_text(payload("one-model"))
    sync(project, upstream.as_uri())
    changed = requests.get(f"{url}/api.json", headers=asked)
    assert (changed.status_code, list(changed.json()["acme"]["models"])) == (200, ["one-model"])


def test_another_machine_takes_its_catalog_from_there(
    url: str, project: Path, tmp_path: Path
) -> None:
    upstream, other = tmp_path / "upstream.json", tmp_path / "other"
    upstream.write_text(payload("alpha", "org/beta:free"))
    other.mkdir()
    sync(project, upstream.as_uri())
    for status in ("fresh", "unchanged"):
        report = sync(other, f"{url}/api.json")
        (gateway,) = [one for one in report["gateways"] if one["id"] == "models.dev"]
        assert (gateway["status"], report["models"]) == (status, 2)

    wanted, listed = {"acme/alpha", "acme/org/beta:free"}, ""
    for _ in range(5):  # it has its own list where an answer takes more than a few seconds
        if not wanted <= {*listed.splitlines()}:
            listed = opencode(tmp_path, "models", OPENCODE_MODELS_URL=url, ACME_KEY="x")
    assert wanted <= {*listed.splitlines()}
