"""Links, modes and other people's files in the folders that a sync writes."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from registry_core._files import writing as product
from tests.files.scene import Payload, Scene
from tests.loopback import Loopback
from tests.world import World

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and modes are POSIX")

OLD: Payload = {"openai": ["gpt-5+", "gpt-old"], "acme": ["a1+"], "gone": ["g+"]}
NEW: Payload = {"openai": ["gpt-6+", "gpt-old"], "acme": ["a1+"]}


@pytest.fixture
def scene(tmp_path: Path, server: Loopback) -> Scene:
    scene = Scene.made(tmp_path, server.url(""))
    server.serve("/main.json", OLD, etag='"old"')
    assert scene.sync().ok
    server.serve("/main.json", NEW, etag='"new"')
    return scene


@posix
def test_an_artifact_that_is_a_link_is_replaced_and_not_followed(scene: Scene) -> None:
    artifact = scene.folder / "project" / "web" / "provider-registry.json"
    mine = scene.folder / "mine.json"
    artifact.rename(mine)
    before = mine.read_bytes()
    artifact.symlink_to(mine)
    assert scene.sync().ok
    assert not artifact.is_symlink()
    assert b"gpt-6+" in artifact.read_bytes()
    assert mine.read_bytes() == before


@posix
@pytest.mark.parametrize("where", ["elsewhere", "capabilities"], ids=["outside", "itself"])
def test_a_folder_that_is_a_link_out_of_its_target_is_refused(scene: Scene, where: str) -> None:
    folder = scene.folder / "project" / "web" / "capabilities"
    elsewhere = scene.folder / "elsewhere"
    folder.rename(elsewhere)
    (elsewhere / ".registry-core-0123456789abcdef.tmp").touch()
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    folder.symlink_to(scene.folder / where if where == "elsewhere" else where)
    report = scene.sync()
    assert not report.ok
    (problem,) = report.problems
    assert problem.kind == "target"
    assert "project" in problem.culprit
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before
    assert b"gpt-5+" in (folder.parent / "provider-registry.json").read_bytes()
    assert b"gpt-6+" in scene.targets()["environment"]["provider-registry.json"]
    folder.unlink()
    assert scene.sync().ok
    assert {path.name for path in folder.iterdir()} == {"acme.json", "openai.json"}


def test_a_leftover_is_removed_whatever_a_checkout_made_of_its_line_ends(scene: Scene) -> None:
    leftover = scene.folder / "project" / "web" / "capabilities" / "gone.json"
    text = leftover.read_bytes()
    assert b"\n" in text
    leftover.write_bytes(text.replace(b"\n", b"\r\n"))
    assert scene.sync().ok
    assert not leftover.exists()


@posix
def test_a_target_that_is_a_link_itself_is_what_the_user_chose(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    real = world.tmp_path / "real"
    real.mkdir()
    (world.tmp_path / "out").symlink_to(real)
    assert world.sync(output=world.tmp_path / "out").ok
    assert (real / "provider-registry.json").exists()


@posix
def test_modes_are_kept_and_new_files_and_folders_follow_the_umask(
    tmp_path: Path, server: Loopback
) -> None:
    before = os.umask(0o027)
    try:
        scene = Scene.made(tmp_path, server.url(""))
        server.serve("/main.json", OLD)
        scene.sync()
        web = tmp_path / "project" / "web"
        (web / "provider-registry.json").chmod(0o604)
        server.serve("/main.json", NEW)
        scene.sync()
    finally:
        os.umask(before)

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(web / "provider-registry.json") == 0o604
    assert mode(web / "provider-types.generated.d.ts") == 0o640
    assert mode(web / "capabilities") == 0o750
    store = scene.world.store
    assert {mode(path) for path in store.folder.iterdir() if path.is_file()} == {0o640}
    assert mode(store.folder) == 0o750
    assert mode(tmp_path / "cache" / "payloads") == 0o700
    assert {mode(path) for path in (tmp_path / "cache" / "payloads").iterdir()} == {0o600}


@posix
def test_installed_types_that_another_environment_shares_stay_as_they_are_there(
    tmp_path: Path, server: Loopback
) -> None:
    """uv links the files of all environments to one in its cache."""
    scene = Scene.made(tmp_path, server.url(""))
    installed = tmp_path / "site" / "registry_core_types" / "__init__.pyi"
    other = tmp_path / "other-environment.pyi"
    os.link(installed, other)
    server.serve("/main.json", NEW)
    assert scene.sync().ok
    assert b"gpt-6+" in installed.read_bytes()
    assert other.read_text() == "# as installed\n"


def test_leftovers_are_removed_and_files_of_the_user_never(scene: Scene) -> None:
    folder = scene.folder / "project" / "web" / "capabilities"
    (folder / "mine.json").write_text("{}")
    (folder / ".0123456789abcdef.tmp").write_text("some other tool's")
    (folder / "gone.json").write_text("edited by hand")
    assert scene.sync().ok
    assert {path.name for path in folder.iterdir()} == {
        "openai.json", "acme.json", "mine.json", ".0123456789abcdef.tmp", "gone.json"
    }  # fmt: skip
    assert {path.name for path in (scene.world.store.place / "capabilities").iterdir()} == {
        "openai.json",
        "acme.json",
    }


def test_a_forced_sync_reads_what_seems_to_be_as_it_was_left(scene: Scene) -> None:
    """After a loss of power a file may have its size and its time, and not its content."""
    scene.sync()
    path = scene.folder / "project" / "web" / "provider-registry.json"
    whole, times = path.read_bytes(), path.stat()
    path.write_bytes(bytes(len(whole)))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert scene.sync().written == ()
    assert scene.sync(force=True).written == (str(path),)
    assert path.read_bytes() == whole


def test_a_file_that_another_process_put_there_is_noticed_by_its_inode(scene: Scene) -> None:
    """Two that write one project at once make files of one size within one tick of the clock."""
    scene.sync()
    path = scene.folder / "project" / "web" / "provider-registry.json"
    whole, times = path.read_bytes(), path.stat()
    other = path.with_name("other")
    other.write_bytes(bytes(len(whole)))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    assert scene.sync().written == (str(path),)
    assert path.read_bytes() == whole


def test_a_manifest_that_is_lost_or_damaged_costs_a_comparison(scene: Scene) -> None:
    scene.sync()
    whole = scene.world.store.emitted.read_bytes()
    before = scene.targets()
    target = f"environment {scene.world.store.place}"
    strange = {target: {"key": "", "files": {"\0": [1, 2, "x"], "a": 3}, "begun": []}}
    for damaged in ("", "[]", "[" * 100_000, whole[:99].decode(), json.dumps(strange)):
        scene.world.store.emitted.write_text(damaged)
        report = scene.sync()
        assert (report.ok, report.written) == (True, ())
        assert scene.targets() == before
        assert scene.world.store.emitted.read_bytes() == whole


def test_strange_values_in_the_manifest_cost_a_comparison(scene: Scene) -> None:
    scene.sync()
    whole = scene.world.store.emitted.read_bytes()
    strange = json.loads(whole)
    for target in strange.values():
        target |= {"key": "", "begun": {path: [1, [], "x"] for path in target["files"]}}
    scene.world.store.emitted.write_text(json.dumps(strange))
    report = scene.sync()
    assert (report.ok, report.written) == (True, ())
    assert scene.world.store.emitted.read_bytes() == whole


def test_a_file_whose_temporary_one_was_taken_for_a_leftover_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two environments sync into one project at the same time."""
    replace, attempts = os.replace, list[Path]()

    def disturbed(source: Path, target: Path) -> None:
        attempts.append(source)
        if len(attempts) < 3:
            product.clear_leftovers(tmp_path)
        replace(source, target)

    monkeypatch.setattr(os, "replace", disturbed)
    product.write_atomically(tmp_path / "x.json", b"{}", durable=False)
    assert len(attempts) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"x.json"}


def test_a_project_that_is_synced_from_two_environments_ends_as_the_last_wrote_it(
    scene: Scene, server: Loopback
) -> None:
    other = Scene(scene.folder, server.url(""))
    other.world.places = type(other.world.places)(
        scene.folder / "venv2",
        scene.folder / "python",
        scene.folder / "cache",
        scene.folder / "tmp",
    )
    assert other.sync().ok
    assert b"gpt-6+" in scene.targets()["project"]["web/provider-registry.json"]
    assert scene.sync().ok
    assert not scene.sync().written
    assert not other.sync().written


def test_what_a_killed_sync_stored_and_did_not_remember_is_bound_by_the_next(
    scene: Scene, server: Loopback
) -> None:
    state = scene.world.store.state
    before = state.read_bytes()
    server.serve("/main.json", {**NEW, "fresh": ["f+"]}, etag='"newer"')
    assert scene.sync().ok
    state.write_bytes(before)  # the pointer is written first
    assert scene.sync().ok
    assert "fresh" in scene.world.store.read_state().bindings
