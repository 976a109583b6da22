"""Which artifacts may be written, in which order, and what of an earlier emission goes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from registry_core import Artifact, TargetError
from registry_core._emit.manifest import Manifest
from registry_core._emit.targets import Target, split_legal, write


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return Manifest(tmp_path / "emitted.json")


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("v1/pointer", "belongs to the store"),
        ("V12/objects/x", "belongs to the store"),
        ("payloads/x", "belongs to the store"),
        ("registry-core.policy", "belongs to the store"),
        ("Registry-Core.Policy", "belongs to the store"),
        ("/etc/x", "must be relative"),
        ("C:/x", "must be relative"),
        ("a//b", "must be relative"),
        ("", "must be relative"),
        ("a/../../x", "must stay in its folder"),
        ("a/NUL.txt", "reserved name"),
        ("a\ud800", "can't be a file name"),
        ("é" * 128, "longer than 255 bytes"),
    ],
)
def test_a_path_that_some_system_takes_for_another_is_left_out(path: str, fault: str) -> None:
    kept, problems = split_legal([Artifact("acme", path, "x"), Artifact("acme", "good", "x")])
    assert [one.path for one in kept] == ["good"]
    (problem,) = problems
    assert fault in problem.message
    assert not problem.fatal


@pytest.mark.parametrize("path", ["v1x/a", "xv1/a", "a/v1", "é" * 127 + "x", "a/b/c.d"])
def test_what_only_looks_like_that_is_written(path: str) -> None:
    kept, problems = split_legal([Artifact("acme", path, "x")])
    assert [one.path for one in kept] == [path]
    assert not problems


def test_the_json_is_written_last_for_it_says_that_the_rest_is_there(
    tmp_path: Path, manifest: Manifest
) -> None:
    made = [
        Artifact("json", "a.json", "{}"),
        Artifact("python", "b.pyi", ""),
        Artifact("c", "c", ""),
    ]
    kept, _ = split_legal(made)
    assert [one.emitter for one in kept] == ["c", "python", "json"]
    target = Target("output", tmp_path / "out")
    changed = write(target, target.contents(kept), manifest, "key")
    assert [Path(path).name for path in changed] == ["c", "b.pyi", "a.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="links are POSIX")
def test_a_leftover_that_the_user_replaced_by_a_link_stays(
    tmp_path: Path, manifest: Manifest
) -> None:
    target = Target("output", tmp_path / "out")
    write(target, {target.root / "old": "text", target.root / "new": "n"}, manifest, "1")
    mine = tmp_path / "mine"
    (target.root / "old").rename(mine)
    (target.root / "old").symlink_to(mine)
    assert write(target, {target.root / "new": "n"}, manifest, "2") == ()
    assert (target.root / "old").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="links are POSIX")
def test_a_link_from_one_folder_of_a_project_to_a_third_is_not_followed(
    tmp_path: Path, manifest: Manifest
) -> None:
    """Below the project all the same: but no folder that its table names."""
    project = tmp_path / "project"
    (project / "private").mkdir(parents=True)
    (project / "web").mkdir()
    (project / "web" / "sub").symlink_to(project / "private")
    target = Target("project", project, {"json": project / "web", "python": tmp_path / "typings"})
    inside = target.contents([Artifact("python", "x.pyi", "t"), Artifact("json", "x.json", "{}")])
    write(target, inside, manifest, "1")
    assert (tmp_path / "typings" / "x.pyi").read_text() == "t"
    through = target.contents([Artifact("json", "sub/x.json", "{}")])
    with pytest.raises(TargetError, match="symlink"):
        write(target, through, manifest, "2")
    assert not list((project / "private").iterdir())
