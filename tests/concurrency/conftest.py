from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import Loopback, Reply, Request

ROOT = Path(__file__).parents[2]


class Worker:
    """A process that runs `worker.py`."""

    def __init__(self, **about: Any) -> None:
        environ = {key: value for key, value in os.environ.items() if "REGISTRY_CORE" not in key}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(about)],
            env={**environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def tell(self, *command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        return json.loads(line)

    def ask(self, *command: Any) -> Any:
        self.tell(*command)
        return self.hear()

    def end(self) -> str:
        """What it wrote to standard error, if it was not killed."""
        return self.process.communicate(timeout=60)[1]


Start = Callable[..., Worker]


class Gate:
    """A route that holds its answers until it is opened."""

    def __init__(self, answer: Reply) -> None:
        self.asked = threading.Event()
        self.opened = threading.Event()
        self._answer = answer

    def __call__(self, request: Request) -> Reply:
        self.asked.set()
        assert self.opened.wait(60)
        return self._answer


@pytest.fixture
def start(tmp_path: Path, server: Loopback) -> Iterator[Start]:
    """Start a worker with two gateways, in a folder that all of a test's share."""
    started: list[Worker] = []

    def make(**more: Any) -> Worker:
        gateways = {id: server.url(f"/{id}.json") for id in ("main", "second")}
        worker = Worker(**{"place": str(tmp_path), "gateways": gateways, **more})
        started.append(worker)
        return worker

    yield make
    for worker in started:
        worker.process.kill()
        worker.process.communicate()
