"""`registry-core clean`: what it removes, and what it must not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from registry_core import ProviderConfig, Settings, Snapshot, StoreError
from registry_core._catalog.store import Store
from registry_core._emit.manifest import digest
from registry_core._sync import locking
from registry_core._sync.cleaning import clean, plan
from registry_core._sync.options import Options
from registry_core.cli import main
from registry_core.errors import SnapshotDamagedError
from registry_core.testing import write_distribution
from tests.loopback import Loopback, Reply
from tests.world import Overlay, World

MINE = ProviderConfig("mine", url="https://a.example", api_key_env_vars="KEY", models=["a"])


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def synced(world: World, tmp_path: Path) -> dict[str, bytes]:
    """Sync into a project; the files there."""
    world.gateway("private", fetch_providers=lambda client: {"mine": MINE})
    folder = tmp_path / "project" / "types"
    settings = {"project": tmp_path / "project", "outputs": {"json": folder, "python": folder}}
    assert world.sync(Options(project=True), **settings).ok
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_leaves_bindings_projects_and_payloads(world: World, tmp_path: Path) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    project = synced(world, tmp_path)
    assert "mine" in world.models()
    before = world.store.read_state().bindings
    real = world.registry().world
    shown = plan(real, bindings=False)
    assert shown.remove
    assert names(world.store.place) >= {"v1/pointer", "provider-registry.json"}  # still there

    assert clean(real, bindings=False) == shown
    assert names(world.store.place) == {"v1/state.json", "v1/lock"}
    assert not any(path.exists() for path in shown.remove)
    assert world.store.read_state().bindings == before
    assert {path.name: path.read_bytes() for path in (tmp_path / "project/types").iterdir()} == (
        project
    )
    assert list((tmp_path / "cache" / "payloads").glob("*.payload"))
    assert {*shown.stays} == {
        world.store.state,
        tmp_path / "cache" / "payloads",
        tmp_path / "project",
    }
    assert world.models() == {"openai": ("gpt-old",), "other": ("x",)}  # of the wheel
    assert not clean(real, bindings=False).remove

    moved = MINE.replace(url="https://b.example")
    world.plugins.clear()
    world.gateway("private", fetch_providers=lambda client: {"mine": moved})
    assert world.sync().ok
    assert world.store.read_state().bindings == before


def test_bindings_go_if_that_is_said(world: World, tmp_path: Path) -> None:
    synced(world, tmp_path)
    clean(world.registry().world, bindings=True)
    assert names(world.store.place) == {"v1/lock"}


def test_damaged_bindings_are_not_dropped_in_silence(world: World, tmp_path: Path) -> None:
    synced(world, tmp_path)
    before = world.store.read_state().bindings
    world.store.state.write_text("damaged")
    with pytest.raises(StoreError, match="sync first, or clean with --bindings"):
        clean(world.registry().world, bindings=False)
    world.sync()
    clean(world.registry().world, bindings=False)
    assert world.store.read_state().bindings == before
    world.store.state.write_text("damaged")
    clean(world.registry().world, bindings=True)
    assert names(world.store.place) == {"v1/lock"}


def test_lookups_raise_until_the_next_sync_where_a_policy_applies(
    world: World, tmp_path: Path
) -> None:
    def deny(snapshot: Snapshot) -> Snapshot:
        providers = snapshot.get_providers()
        return snapshot.with_providers({id: providers[id] for id in providers if id != "openai"})

    world.plugins.append(Overlay(deny))
    synced(world, tmp_path)
    world.store.policy.unlink()  # a cleaner of another kind
    found = clean(world.registry().world, bindings=True)
    assert world.store.policy in found.stays
    with pytest.raises(StoreError, match="run registry-core sync"):
        world.models()
    assert world.sync().ok
    assert world.models() == {"mine": ("a",), "other": ("x",)}


def test_it_takes_only_what_is_surely_ours(world: World, tmp_path: Path) -> None:
    """A store in a folder that the user has named, with things of his own in it."""
    synced(world, tmp_path)
    place = world.store.place
    mine = {"v2/state.json": "{}", "v2/pointer": "x", "v1/notes.txt": "x", "objects/x": "y"}
    for name, text in mine.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    (place / "provider-registry.json").write_text("edited")
    stays = clean(world.registry().world, bindings=True).stays
    assert stays[place / "provider-registry.json"] == "changed since it was written"
    assert names(place) == {"v1/lock", "provider-registry.json", *mine}


@pytest.mark.skipif(os.name == "nt", reason="symlinks need a privilege there")
def test_no_file_outside_is_removed_whatever_the_manifest_says(
    world: World, tmp_path: Path
) -> None:
    synced(world, tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("mine")
    (world.store.place / "link").symlink_to(outside)
    told = json.loads(world.store.emitted.read_text())
    about = [0, 0, 0, digest(b"mine")]
    for name in ("link/a.txt", "../../../outside/a.txt"):
        path = world.store.place / name
        assert path.read_text() == "mine"
        told[f"environment {world.store.place}"]["files"][str(path)] = about
    world.store.emitted.write_text(json.dumps(told))
    clean(world.registry().world, bindings=True)
    assert (outside / "a.txt").exists()


def test_a_folder_that_is_no_store_is_left_alone(world: World) -> None:
    """One that the user named, and that no sync has seen: clean would be the first."""
    mine = {"v1/state.json", "v1/emitted.json"}
    world.store.folder.mkdir(parents=True)
    for name in mine:
        (world.store.place / name).write_text("{}")
    assert not clean(world.registry().world, bindings=True).remove
    assert names(world.store.place) == mine


def test_the_policy_of_another_version_stays_though_its_mark_was_removed(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"], "mine": ["a"]})
    world.plugins.append(Overlay(lambda snapshot: snapshot))
    world.sync()
    world.store.policy.unlink()
    world.store.folder.rename(world.store.place / "v2")
    assert world.store.policy in clean(world.registry().world, bindings=True).stays
    with pytest.raises(StoreError, match="a policy applies"):
        world.models()


def test_another_version_leaves_its_bindings_and_no_data(world: World, tmp_path: Path) -> None:
    synced(world, tmp_path)
    world.store.folder.rename(world.store.place / "v2")
    Store(world.store.place).folder.mkdir()
    bindings = Store(world.store.place, schema=2).read_state().bindings
    clean(world.registry().world, bindings=False)
    assert names(world.store.place) == {"v1/state.json", "v1/lock", "v2/lock"}
    assert world.store.read_state().bindings == bindings
    world.plugins.clear()
    world.sync()
    assert "mine" not in world.models()


def test_all_other_versions_leave_their_bindings(world: World, tmp_path: Path) -> None:
    bound: dict[str, Any] = {}
    for version in ("v0", "v3", "v2"):
        mine = ProviderConfig(
            version, url="https://a.example", api_key_env_vars="KEY", models=["a"]
        )
        world.gateway(version, fetch_providers=lambda client, mine=mine: {mine.id: mine})
        world.sync()
        bound |= world.store.read_state().bindings
        world.store.folder.rename(world.store.place / version)
        world.plugins.clear()
    Store(world.store.place).folder.mkdir()
    assert {"v0", "v2", "v3"} <= bound.keys()
    clean(world.registry().world, bindings=False)
    assert world.store.read_state().bindings == bound


def test_the_damaged_state_of_another_version_is_not_taken_for_no_bindings(
    world: World, tmp_path: Path
) -> None:
    synced(world, tmp_path)
    newer = Store(world.store.place, schema=2)
    shutil.copytree(world.store.folder, newer.folder)
    newer.state.write_text("damaged")
    with pytest.raises(SnapshotDamagedError, match="remove that file, or clean with --bindings"):
        clean(world.registry().world, bindings=False)
    assert newer.state.exists()


@pytest.mark.parametrize("version", [1, 2])
def test_it_waits_for_a_sync_of_any_version(world: World, tmp_path: Path, version: int) -> None:
    synced(world, tmp_path)
    if version != world.store.schema:
        shutil.copytree(world.store.folder, world.store.place / f"v{version}")
    lock = FileLock(Store(world.store.place, schema=version).lock)
    with lock:
        waiting = Thread(target=clean, args=(world.registry().world,), kwargs={"bindings": True})
        waiting.start()
        waiting.join(0.3)
        assert world.store.pointer.exists()
    waiting.join(60)
    assert not world.store.pointer.exists()


def test_the_types_of_the_wheel_are_put_back(world: World, tmp_path: Path) -> None:
    pyi = "registry_core_types/__init__.pyi"
    write_distribution(tmp_path / "site", "registry-core", modules={pyi: ""}, group="nobody")
    world.types_path = [str(tmp_path / "site")]
    types = tmp_path / "site" / pyi
    assert clean(world.registry().world, bindings=False).restore == (types,)
    shipped = types.read_bytes()
    assert b"gpt-old" in shipped
    synced(world, tmp_path)
    assert b"mine/a" in types.read_bytes()
    clean(world.registry().world, bindings=False)
    assert types.read_bytes() == shipped
    assert not clean(world.registry().world, bindings=False).restore


def test_a_sync_that_waits_meanwhile_finds_its_folders(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(world, tmp_path)

    def locked(store: Store, settings: Settings) -> AbstractContextManager[float | None]:
        clean(world.registry().world, bindings=False)  # got the lock first
        return locking.locked(store, settings)

    monkeypatch.setattr("registry_core._sync.sync.locked", locked)
    assert world.sync().ok
    assert "mine" in world.models()


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_a_kill_halfway_is_ended_by_a_second_try(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(world, tmp_path)
    unlink, count = Path.unlink, 0

    def dies(path: Path, missing_ok: bool = False) -> None:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", dies)
    with pytest.raises(KeyboardInterrupt):
        clean(world.registry().world, bindings=False)
    monkeypatch.undo()
    assert world.models() == {"openai": ("gpt-old",), "other": ("x",)}
    clean(world.registry().world, bindings=False)
    assert names(world.store.place) == {"v1/state.json", "v1/lock"}


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_what_this_user_can_not_write_is_said_and_left(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder around it is open to all, and what is in it is another user's."""
    synced(world, tmp_path)
    before = names(world.store.place)
    access = os.access
    mine = (world.store.folder, world.store.folder / "objects")
    monkeypatch.setattr(
        os, "access", lambda path, mode: path not in mine and access(path, mode)
    )  # root may write everywhere
    found = clean(world.registry().world, bindings=True)
    assert (found.remove, found.stays[world.store.place]) == ((), "this user can't write there")
    assert names(world.store.place) == before


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    server.route("/api.json", Reply(404))
    variables = {
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_PLUGINS": "registry-gateway-netlify",
        "REGISTRY_CORE_NETLIFY_URL": server.url("/netlify.json"),
    }
    server.serve("/netlify.json", {"providers": {"openai": {"models": ["only-one"]}}})

    def invoke(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), env=variables, input=answer)

    return invoke


def test_the_command_lists_asks_and_removes(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert "there is nothing to remove" in run("clean").stdout
    run("sync")
    before = names(store)
    refused = run("clean", answer="n\n")
    assert f"remove: {store / 'v1'}: 3 files" in refused.stdout
    assert run("clean", answer="").exit_code == 1  # nobody is there to say so
    listed = json.loads(run("clean", "--json").stdout)
    assert (listed["removed"], names(store)) == (False, before)
    done = run("clean", "--yes", "--bindings")
    assert f"{len(listed['files'])} files removed" in done.stdout
    assert names(store) == {"v1/lock"}  # a store that was named has its payloads in it
    assert json.loads(run("clean", "--json", "--yes").stdout) == {
        "removed": True,
        "files": [],
        "restored": [],
        "stays": {},
    }
    assert run("sync").exit_code == 0
