"""What docs/dev-server.md walks through, with each of the example applications: start the
server, publish a model upstream, and the types and the application have it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.devserver.conftest import needs
from tests.devserver.servers import environment, serve, sync

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "fastapi_app": (("fastapi", "fastapi_cli"), ("-m", "fastapi", "dev", "app.py", "--port", "0")),
    "flask_app": (("flask",), ("-m", "flask", "run", "--debug", "--port", "0")),
    "django_app": (("django",), ("manage.py", "runserver", "127.0.0.1:0")),
}


@contextmanager
def upstream() -> Iterator[tuple[subprocess.Popen[str], Mapping[str, str]]]:
    """The script of the walk-through, and the variables that it says to set."""
    script = ROOT / "examples" / "dev_server" / "upstream.py"
    with subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            environ: dict[str, str] = {}
            for line in process.stdout:
                if found := re.match(r"export (\w+)=([^#\s]*)", line):
                    environ[found[1]] = found[2]
                if line.startswith("# Type"):
                    break
            yield process, environ
            process.communicate(timeout=60)  # the end of its input is its end
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_model_that_is_published_upstream_reaches_the_types_and_the_application(
    tmp_path: Path, name: str
) -> None:
    packages, command = EXAMPLES[name]
    for package in packages:
        needs(package)
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "examples" / name, folder)
    types = folder / "typings" / "registry_core_types.pyi"
    with upstream() as (publisher, environ):
        assert publisher.stdin is not None
        environ = {**environment(tmp_path), **environ, "REGISTRY_CORE_CACHE_TTL_MS": "0"}
        with serve([sys.executable, *command], folder, environ) as server:
            url = f"http://127.0.0.1:{server.port()}/models/openai"
            server.wait(lambda: types.exists() and '"gpt-4o"' in types.read_text(), "the types")
            server.wait(lambda: get(url) == ["gpt-4o"], "the only model")
            publisher.stdin.write("gpt-99\n")
            publisher.stdin.flush()
            sync(folder, environ)  # as the impatient do; else it takes a minute
            assert '"openai/gpt-99"' in types.read_text()
            server.wait(lambda: get(url) == ["gpt-4o", "gpt-99"], "the new model")


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.loads(reply.read())
