"""A process that forks while another thread is in the middle of a lookup."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: An alarm, not a timeout, ends a child that waits for a lock which nobody holds any more.
SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from registry_core import ModelRegistry, ProviderConfig, Settings, Snapshot
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._plugins.host import PluginHost
from registry_core._world import World

folder, parent, inside = Path(sys.argv[1]), os.getpid(), threading.Event()
snapshot = Snapshot.build([ProviderConfig("acme", ["m"])])

def load():
    if os.getpid() == parent:
        inside.set()
        threading.Event().wait()
    return snapshot

held = threading.Event()

def hold():  # as a thread does that loads plugins
    with host._lock:
        held.set()
        threading.Event().wait()

host = PluginHost(Settings(plugins=()), environ={}, secrets=Secrets())
places = Places(*(folder / name for name in ("venv", "python", "cache", "tmp")))
world = World(Settings(plugins=()), host=host, places=places, bundle=Bundle(load, {}, {}, {}))
registry = ModelRegistry(world=world)
threading.Thread(target=registry.get_models, daemon=True).start()
inside.wait(60)
threading.Thread(target=hold, daemon=True).start()
held.wait(60)
ModelRegistry._instance_lock.acquire()  # as `get_instance` in another thread
child = os.fork()
if child == 0:
    signal.alarm(30)
    known = dict(registry.get_models())
    registry.gateways
    made = ModelRegistry.get_instance() is ModelRegistry.get_instance()
    os._exit(0 if known == {"acme": ("m",)} and made else 3)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_inherits_no_lock_that_another_thread_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path)]
    environ = {**os.environ, "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store")}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90)
    assert (done.returncode, done.stderr) == (0, "")
