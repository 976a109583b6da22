"""File systems without locks of the kernel: who is waited for is named, and not without end."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from registry_core._files.locking import locked
from tests.loopback import Loopback

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no flock")

#: As a file system that has none answers.
PRELUDE = """
import errno, fcntl, os, sys
def flock(descriptor, operation):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
fcntl.flock = flock
"""
RUN = f"{PRELUDE}from registry_core.cli import main; main(sys.argv[1:])"
KILLED = f"""{PRELUDE}
from registry_core._files.locking import locked
with locked(sys.argv[1], 1):
    os._exit(9)
"""


WAY_OUT = "if it is gone, remove the file"


class Machine:
    """A user whose store lies there."""

    def __init__(self, folder: Path, server: Loopback) -> None:
        self.store = folder / "store"
        kept = {key: value for key, value in os.environ.items() if "REGISTRY_CORE" not in key}
        server.serve("/api.json", {"acme": {"name": "Acme", "models": {"m": {"name": "M"}}}})
        self.environ = {
            **kept,
            "REGISTRY_CORE_STORE_DIR": str(self.store),
            "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
            "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev",
            "REGISTRY_CORE_SHRINK_LIMIT": "0",
        }

    def python(self, code: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**self.environ, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def sync(self, **more: str) -> subprocess.CompletedProcess[str]:
        return self.python(RUN, "sync", **more)

    def kill_holder_of(self, path: Path, host: str | None = None) -> str:
        """Leave what a process leaves that was killed while it held the lock."""
        assert self.python(KILLED, str(path)).returncode == 9
        process, here, *rest = path.read_text().splitlines()
        path.write_text("\n".join([process, host or here, *rest]) + "\n")
        return f"process {process} on {host or here}"


@pytest.fixture
def machine(tmp_path: Path, server: Loopback) -> Machine:
    return Machine(tmp_path, server)


def test_a_sync_works_without_flock_and_says_nothing_of_it(machine: Machine) -> None:
    for _ in range(2):
        done = machine.sync()
        assert (done.returncode, done.stderr) == (0, "")
    assert not (machine.store / "v1" / "lock").exists()


def test_what_a_killed_process_of_this_host_held_is_taken_over(machine: Machine) -> None:
    assert machine.sync().returncode == 0
    machine.kill_holder_of(machine.store / "v1" / "lock")
    done = machine.sync()
    assert (done.returncode, done.stderr) == (0, "")


LOCKED = f"""{PRELUDE}
from pathlib import Path
from registry_core import StoreError
from registry_core._catalog.store import Store
from registry_core._sync.locking import locked
try:
    with locked(Store(Path(sys.argv[1])), patience=0.2):
        pass
except StoreError as error:
    print(error)
"""


@pytest.mark.slow
def test_a_holder_of_another_host_is_named_and_not_waited_for_without_end(
    machine: Machine,
) -> None:
    assert machine.sync().returncode == 0
    path = machine.store / "v1" / "lock"
    holder = machine.kill_holder_of(path, "elsewhere")
    done = machine.python(LOCKED, str(machine.store))
    assert done.stderr == f"{path}: waits for {holder}, up to 0.2 s; {WAY_OUT}\n"
    assert done.stdout == f"{path}: {holder} has held it for 0.2 s ({WAY_OUT})\n"
    path.unlink()
    assert machine.sync().returncode == 0


@pytest.mark.slow
def test_so_is_one_that_held_the_lock_of_a_payload(machine: Machine) -> None:
    assert machine.sync().returncode == 0
    (payload,) = (machine.store / "payloads").glob("*.payload")
    path = payload.with_suffix(".lock")
    holder = machine.kill_holder_of(path, "elsewhere")
    done = machine.sync(REGISTRY_CORE_FETCH_DEADLINE_MS="1500")
    assert done.returncode == 1
    assert re.search(
        f"^{re.escape(f'{path}: waits for {holder}')}, up to .* s; {WAY_OUT}$",
        done.stderr,
        re.MULTILINE,
    )
    assert "error: models.dev: " in done.stderr


def test_an_unlock_that_fails_once_leaves_nothing_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    flock, failed = fcntl.flock, list[int]()

    def fails_once(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_UN and not failed:
            failed.append(descriptor)
            raise OSError(errno.ENOMEM, "no memory")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", fails_once)
    path = tmp_path / "lock"
    with locked(str(path), 0):
        pass
    assert failed
    with path.open() as other:
        flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
