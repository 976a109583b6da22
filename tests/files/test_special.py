"""FIFOs, devices, sockets and folders in the place of files: nobody waits for them or reads them
without end, and those that we did not make are not replaced."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry_core import (
    Artifact,
    ModelRegistry,
    PluginSettings,
    RegistryError,
    Snapshot,
    StoreError,
    SyncError,
    TargetError,
    hookimpl,
)
from registry_core._emit.exports import export_mastra, export_snapshot
from registry_core._sync.options import Options
from tests.world import World, written

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")


def bound(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    here = os.getcwd()
    os.fchdir(folder)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)
        os.close(folder)


def folder_with_a_file(path: Path) -> None:
    path.mkdir()
    (path / "file").write_text("mine")


KINDS: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "socket": bound,
    "folder": folder_with_a_file,
}


class Empty:
    """Its file is as long as that of a FIFO is said to be."""

    @hookimpl
    def registry_emit(self, snapshot: Snapshot, settings: PluginSettings) -> list[Artifact]:
        return [Artifact("empty", "empty.txt", "")]


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    """A test that would wait without end fails."""

    def end(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def put_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.fixture
def synced(world: World) -> World:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    assert world.sync().ok
    return world


def path_of(world: World, name: str) -> Path:
    generation, payloads = world.store.read_generation(), next(world.places.payloads(None))
    assert generation is not None
    return {
        "object": world.store.object(generation.snapshot),
        "policy": world.store.policy,
        "payload": next(payloads.glob("*.payload")),
        "key": payloads / "key",
    }.get(name, world.store.folder / name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["pointer", "state.json", "emitted.json", "object", "payload", "key"]
)
def test_a_special_file_in_the_store_is_not_waited_for_and_a_sync_mends_it(
    synced: World, name: str, kind: str
) -> None:
    path = path_of(synced, name)
    for _ in range(2):  # what was put aside is no obstacle to the next
        put_away(path)
        KINDS[kind](path)
        assert synced.models()["openai"] in (("gpt-5", "gpt-old"), ("gpt-old",))
        assert synced.sync().ok
        assert synced.models()["openai"] == ("gpt-5", "gpt-old")
        assert synced.sync().written == ()
        if not (kind == "folder" and name in ("payload", "key")):  # then it is fetched each time
            assert path.is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_special_file_in_place_of_a_policy_holds_as_a_damaged_one_does(
    synced: World, kind: str
) -> None:
    KINDS[kind](synced.store.policy)
    with pytest.raises(StoreError, match="policy"):
        synced.models()
    report = synced.sync()
    assert [one.kind for one in report.problems if one.fatal] == ["overlay"]
    assert "registry-core.policy" in str(report.problems)


@pytest.mark.parametrize("kind", KINDS)
def test_a_special_file_in_place_of_the_lock_is_named(synced: World, kind: str) -> None:
    path = synced.store.lock
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    if kind == "FIFO":  # it can be locked
        assert synced.sync().ok
        return
    with pytest.raises(StoreError, match="not a regular file") as caught:
        synced.sync()
    assert (caught.value.culprit, caught.value.hint) == (str(path), "remove it")


@pytest.mark.parametrize("kind", [*KINDS, "device"])
def test_a_snapshot_is_exported_to_nothing_that_is_no_file(
    synced: World, tmp_path: Path, kind: str
) -> None:
    if kind == "device" and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    path = tmp_path / "here"
    KINDS.get(kind, lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3)))(path)
    before = written(path)
    with pytest.raises((OSError, RegistryError)):
        export_snapshot(synced.registry().snapshot(), path)
    assert written(path) == before
    registry = ModelRegistry.from_snapshot(path)
    with pytest.raises(StoreError):
        registry.get_models()


def test_an_exported_snapshot_goes_to_the_file_that_a_link_leads_to(
    synced: World, tmp_path: Path
) -> None:
    """`/dev/stdout` is a link: to a pipe, or to the file that the shell has opened."""
    link, path = tmp_path / "link", tmp_path / "file"
    link.symlink_to(path)
    for _ in range(2):
        export_snapshot(synced.registry().snapshot(), link)
        assert link.is_symlink()
        Snapshot.open(path).verify()
    reader, writer = os.pipe()
    link.unlink()
    link.symlink_to(f"/dev/fd/{writer}")
    with pytest.raises(TargetError, match=r"FIFO .*\(name a regular file\)"):
        export_snapshot(synced.registry().snapshot(), link)
    assert link.is_symlink()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("name", ["pointer", "objects", "new", "payload", "policy", "link"])
def test_nothing_is_exported_into_a_store(synced: World, tmp_path: Path, name: str) -> None:
    store, payloads = synced.store, tmp_path / "cache" / "payloads"
    path = store.folder / name
    if name == "objects":
        path = next(path.iterdir())
    elif name == "payload":
        path = next(payloads.glob("*.payload"))
    elif name == "policy":
        path = store.policy
    elif name == "link":
        path = tmp_path / name
        path.symlink_to(store.pointer)
    tops = (store.place, payloads)
    before = {one: one.read_bytes() for top in tops for one in top.rglob("*") if one.is_file()}
    snapshot = synced.registry().snapshot()
    with pytest.raises(TargetError, match="lies in a store of registry-core"):
        export_snapshot(snapshot, path)
    if name == "new":
        with pytest.raises(SyncError, match="lies in a store of registry-core"):
            export_mastra(snapshot, synced.registry().world.host, None, path)
    assert before == {
        one: one.read_bytes() for top in tops for one in top.rglob("*") if one.is_file()
    }


def test_nor_does_a_sync_write_there_for_a_project(synced: World) -> None:
    report = synced.sync(output=synced.store.folder / "new")
    assert ["lies in a store of registry-core" in one.message for one in report.problems] == [True]
    assert not (synced.store.folder / "new").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", ["output", "project"])
def test_no_special_file_in_a_target_is_replaced(
    synced: World, tmp_path: Path, settings: str, kind: str
) -> None:
    synced.plugins.append(Empty())
    folder = tmp_path / "out"
    folder.mkdir()
    given = (
        {"output": folder}
        if settings == "output"
        else {"project": tmp_path, "outputs": {"json": folder, "empty": folder}}
    )
    paths = [folder / "provider-registry.json", folder / "empty.txt"]
    for path in paths:
        KINDS[kind](path)
    before = [os.lstat(path) for path in paths]
    report = synced.sync(Options(project=True), **given)
    assert not report.ok
    assert [os.lstat(path).st_mode for path in paths] == [one.st_mode for one in before]
    _, differing = synced.check(**given)
    assert {str(path) for path in paths} <= {*differing}
