"""A project on disk, a gateway upstream, and a real dev server between them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from textwrap import dedent

from registry_core.testing import write_distribution
from tests.loopback import Loopback, Reply, Request

DEADLINE = 120.0  # seconds; what a loaded machine may need

#: A plugin whose hooks tell a file which process was started and ended.
PLUGIN = """\
import os
from registry_core import ModelGateway, ProviderConfig, hookimpl

class Gateway(ModelGateway):
    id = name = "acme"
    def __init__(self, url):
        self.url = url
    def fetch_providers(self, client):
        return {"acme": ProviderConfig("acme", client.get_json(self.url))}

def tell(event):
    with open(os.environ["LIFECYCLE"], "a") as file:
        file.write(f"{event} {os.getpid()}\\n")

@hookimpl
def registry_gateways(settings):
    return [Gateway(settings.options["url"])]

@hookimpl
def registry_dev_startup():
    tell("startup")

@hookimpl
def registry_dev_shutdown():
    tell("shutdown")
"""

#: The emitters, all into folders that the servers watch.
PYPROJECT = """\
[tool.registry-core]
plugins = ["acme"]

[tool.registry-core.output]
python = "typings"
typescript = "web"
json = "data"

[tool.registry-core.plugin.acme]
url = "{url}"
"""

#: Shorter than a variable may say: so many changes happen while a server is watched.
REGISTRY = """\
import os
from pathlib import Path
from attrs import evolve
from registry_core import ModelRegistry
from registry_core._config.load import load_settings

registry = ModelRegistry(evolve(load_settings(os.environ, Path.cwd()), refresh_interval_ms=400))
"""


class Upstream:
    """A gateway's server; once `growing`, it has one model more each time it is asked."""

    def __init__(self, server: Loopback) -> None:
        self.models = ["model-0"]
        self.growing = False
        self.url = server.url("/models.json")
        server.route("/models.json", self._answer)

    def _answer(self, _request: Request) -> Reply:
        if self.growing:
            self.add()
        return Reply(200, json.dumps(self.models).encode())

    def add(self) -> str:
        self.models.append(f"model-{len(self.models)}")
        return self.models[-1]


class Project:
    """A folder with `files`, the settings above, and a virtual environment's store in it."""

    def __init__(self, folder: Path, upstream: Upstream, files: Mapping[str, str]) -> None:
        self.root = folder / "project"
        self.upstream = upstream
        self.events_file = folder / "lifecycle"
        for name in ("typings", "web", "data", ".venv"):
            (self.root / name).mkdir(parents=True)
        for name, text in {
            "pyproject.toml": PYPROJECT.format(url=upstream.url),
            "registry.py": REGISTRY,
            **files,
        }.items():
            file = self.root / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(dedent(text))
        site = write_distribution(
            folder / "site", "acme", entry_points={"acme": "acme"}, modules={"acme.py": PLUGIN}
        )
        self.environ = {
            **environment(folder),
            "LIFECYCLE": str(self.events_file),
            "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]),
            "REGISTRY_CORE_STORE_DIR": str(self.root / ".venv" / "share" / "registry-core"),
        }

    def events(self) -> list[str]:
        return self.events_file.read_text().splitlines() if self.events_file.exists() else []

    def starts(self) -> int:
        return sum(event.startswith("startup") for event in self.events())

    def generated(self, text: str) -> bool:
        """Whether each of the generated files has `text` in it."""
        files = (
            self.root / "typings" / "registry_core_types.pyi",
            self.root / "web" / "provider-types.generated.d.ts",
            self.root / "data" / "provider-registry.json",
        )
        return all(file.exists() and text in file.read_text() for file in files)

    def sync(self) -> None:
        """As a second terminal would."""
        sync(self.root, self.environ)

    def serve(self, command: Sequence[object], **environ: str) -> AbstractContextManager[Server]:
        return serve(command, self.root, {**self.environ, **environ})


def environment(home: Path) -> dict[str, str]:
    """Of a developer who has set nothing yet."""
    ours = ("REGISTRY_CORE_", "MASTRA_", "FLASK_", "FASTAPI_", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}


def sync(folder: Path, environ: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "registry_core", "sync"]
    subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)


@contextmanager
def serve(command: Sequence[object], folder: Path, environ: Mapping[str, str]) -> Iterator[Server]:
    """Run `command` in `folder` until the block is left; then it and all that it started end."""
    log = folder.with_name("output")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(process, log)
    finally:
        _end(process)


class Server:
    """A running dev server: a process, those it started, and what they print."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def output(self) -> str:
        # Some servers use colours wherever the environment says CI.
        return re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(errors="replace"))

    def port(self) -> int:
        """That it says it serves on; waits until it does."""
        pattern = re.compile(r"https?://127\.0\.0\.1:([1-9]\d*)\b")
        self.wait(lambda: pattern.search(self.output()) is not None, "an address")
        found = pattern.search(self.output())
        assert found is not None
        return int(found[1])

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Until `condition` holds; fails with what the server printed if it never does."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            ended = self._process.poll()
            assert ended is None, f"the server ended with {ended}:\n{self.output()}"
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.output()}"
            time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, as a terminal does; then end all that it started."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(DEADLINE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(DEADLINE)
