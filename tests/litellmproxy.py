"""A real LiteLLM proxy for tests, in an environment of its own outside the tree."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from filelock import FileLock

from tests.nodetools import cache_folder

REQUIREMENT = "litellm[proxy]==1.106.2"
KEY = "sk-litellm-test-4711"

#: The proxy imports it. Its own ways to add a deployment, and to revoke a key, want a database;
#: these do it where those would.
DOOR = """
from fastapi import Request
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy import proxy_server
from litellm.types.router import Deployment


@proxy_server.app.post("/test/deployments")
async def add(request: Request):
    proxy_server.llm_router.add_deployment(Deployment(**await request.json()))
    return {}


@proxy_server.app.post("/test/key")
async def change(request: Request):
    proxy_server.master_key = await request.json()
    return {}


door = CustomLogger()
"""


class Proxy:
    """One that listens at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def add(self, deployment: Mapping[str, Any]) -> None:
        """Serve one more, written as in `model_list`."""
        self._tell("deployments", deployment)

    @contextmanager
    def another_key(self) -> Iterator[None]:
        """Refuse `KEY` meanwhile."""
        self._tell("key", "sk-another")
        try:
            yield
        finally:
            self._tell("key", KEY)

    def _tell(self, what: str, value: Any) -> None:
        answer = requests.post(f"{self.url}/test/{what}", json=value, timeout=60)
        answer.raise_for_status()


@contextmanager
def litellm_proxy(folder: Path, deployments: list[dict[str, Any]]) -> Iterator[Proxy]:
    """One with these deployments, that wants `KEY`. It takes some ten seconds to start."""
    settings = {
        "model_list": deployments,
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"callbacks": "door.door"},
    }
    (folder / "config.yaml").write_text(json.dumps(settings), "utf-8")  # JSON is YAML
    (folder / "door.py").write_text(DOOR, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [_program(), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONUNBUFFERED": "1",
    }
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environ, **pipes) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if "Uvicorn running on" in line:
                    break
            else:
                raise AssertionError("".join(said))
            # What it says from now on is read, or it would wait for that.
            reader = Thread(target=process.stdout.read)
            reader.start()
            try:
                yield Proxy(f"http://127.0.0.1:{port}")
            finally:
                process.kill()
                reader.join()  # or the pipe would be closed while it is read
        finally:
            process.kill()


def _program() -> Path:
    """The proxy's command; installed if it isn't yet."""
    root = cache_folder() / f"litellm-{REQUIREMENT}"
    done = root / "installed"
    with FileLock(f"{root}.lock"):
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", root], check=True)
            install = [root / "bin" / "python", "-m", "pip", "install", "-q", REQUIREMENT]
            subprocess.run(install, check=True)
            done.touch()
    return root / "bin" / "litellm"
