"""A stored snapshot that is cut or overwritten while processes have it open, and their
descriptors: how many there are, and what becomes of a lookup when somebody closes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.world import World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a mapped file can't be cut there")

#: In a process of its own, which a signal would end.
READER = """
import os, resource, sys
sys.prefix = sys.argv[1]
from registry_core import ModelRegistry, Settings
"""

CHANGED = f"""{READER}
registry = ModelRegistry()
assert registry.get_model("openai/gpt-5")
provider = registry.get_provider_config("acme")
path, how = sys.argv[2:]
size = os.path.getsize(path)
with open(path, "r+b") as file:
    file.truncate(0 if how == "emptied" else size // 2 if how == "cut" else size)
    if how == "overwritten":
        file.write(bytes(size))
    elif how == "longer":
        file.write(bytes(2 * size))
print(registry.get_model("openai/gpt-old"), len(registry.get_models()))
print(registry.snapshot().count())
"""


def told(code: str, world: World, *arguments: object) -> str:
    command = [sys.executable, "-I", "-c", code, str(world.places.prefix), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"], "acme": [f"a{n}" for n in range(2000)]})
    world.sync()
    return world


def the_object(world: World) -> Path:
    generation = world.store.read_generation()
    assert generation is not None
    return world.store.object(generation.snapshot)


@pytest.mark.parametrize("how", ["emptied", "cut", "overwritten", "longer"])
def test_a_snapshot_that_changes_in_place_ends_no_reader(synced: World, how: str) -> None:
    assert told(CHANGED, synced, the_object(synced), how)
    assert synced.sync().ok
    assert synced.models()["openai"] == ("gpt-5", "gpt-old")


MANY = f"""{READER}
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
registries = [ModelRegistry(Settings()) for _ in range(1200)]
assert all(one.get_model("openai/gpt-5") for one in registries)
held = [registries[0].snapshot(), registries[-1].snapshot()]
before = len(os.listdir("/dev/fd"))
del registries, held
print(before - len(os.listdir("/dev/fd")))
"""


def test_registries_of_one_store_share_one_descriptor_and_give_it_back(synced: World) -> None:
    assert told(MANY, synced) == "1\n"


DAEMON = f"""{READER}
registry = ModelRegistry()
assert registry.get_model("openai/gpt-5")
os.closerange(3, 64)
if sys.argv[2] == "taken":
    for _ in range(60):
        os.open(sys.executable, os.O_RDONLY)
assert registry.get_model("openai/gpt-old")
assert len(registry.get_models()["acme"]) == 2000
inodes = [os.fstat(n).st_ino for n in range(3, 63)] if sys.argv[2] == "taken" else []
del registry
assert inodes == [os.fstat(n).st_ino for n in range(3, 3 + len(inodes))]
"""


@pytest.mark.parametrize("number", ["free", "taken"])
def test_who_closes_every_descriptor_goes_on_reading(synced: World, number: str) -> None:
    """As a process does that becomes a daemon; its next files get the same numbers."""
    told(DAEMON, synced, number)


def test_a_snapshot_that_was_removed_is_still_read_by_who_has_it(synced: World) -> None:
    snapshot = synced.registry().snapshot()
    os.unlink(the_object(synced))
    assert snapshot.get_model("openai/gpt-5") is not None
    snapshot.verify()
