"""A release: cut in the files, built from what is committed, checked, and traced to its commit."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from registry_core import __version__
from tools.release import ROOT, VERSION, ReleaseError, build, cut, notes, version

DAY = date(2026, 11, 26)
LOG = "# Changelog\n\n## Unreleased\n\n- Something new.\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository in the shape of ours: the core, and one plugin."""
    folder = tmp_path / "repository"
    for name, project in (("registry_core", "."), ("registry_acme", "plugins/registry-acme")):
        where = folder / project
        (where / "src" / name / "_base").mkdir(parents=True)
        (where / "src" / name / "__init__.py").touch()
        (where / "README.md").write_text("# About\n", "utf-8")
        path = VERSION if project == "." else f"../../{VERSION}"
        (where / "pyproject.toml").write_text(
            f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
dynamic = ["version"]
readme = "README.md"
requires-python = ">=3.11"
[tool.hatch.version]
path = "{path}"
[tool.hatch.build.targets.wheel]
packages = ["src/{name}"]
""",
            "utf-8",
        )
    (folder / VERSION).write_text('"""The version."""\n\n__version__ = "0.1.0"\n', "utf-8")
    (folder / "CHANGELOG.md").write_text(LOG, "utf-8")
    git(folder, "init", "-q")
    commit(folder)
    return folder


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", root, *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "All")


def test_the_version_stands_in_one_place() -> None:
    assert version(ROOT) == __version__
    for file in (ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")):
        text = file.read_text("utf-8")
        assert 'dynamic = ["version"]' in text
        assert f'{VERSION}"' in text
        assert __version__ not in text.replace(f">={__version__}", "")


def test_a_cut_names_the_version_and_gives_it_what_is_unreleased(root: Path) -> None:
    cut(root, "0.2.0", DAY)
    assert version(root) == "0.2.0"
    text = (root / "CHANGELOG.md").read_text("utf-8")
    assert text.startswith("# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-11-26)\n\n")
    assert notes(text, "0.2.0") == "- Something new.\n"


def test_a_cut_of_nothing_or_of_what_is_released_changes_nothing(root: Path) -> None:
    with pytest.raises(ReleaseError, match="no version"):
        cut(root, "next", DAY)
    cut(root, "0.2.0", DAY)
    for again in ("0.2.0", "0.3.0"):  # is released; has no news
        with pytest.raises(ReleaseError):
            cut(root, again, DAY)
    assert version(root) == "0.2.0"


def test_the_changelog_of_this_repository_can_be_cut() -> None:
    assert notes((ROOT / "CHANGELOG.md").read_text("utf-8"), "Unreleased").startswith("- ")


@pytest.mark.slow
def test_a_build_is_what_is_committed_and_says_of_which_commit_it_is(root: Path) -> None:
    pytest.importorskip("twine")
    with pytest.raises(ReleaseError, match="says nothing under"):
        build(root, root.parent / "none")
    cut(root, "0.2.0", DAY)
    commit(root)
    (root / "src/registry_core/unfinished.py").write_text("not committed", "utf-8")
    out, again = root.parent / "out", root.parent / "again"
    build(root, out)

    sums = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text().splitlines())
    assert sorted(sums) == [
        "registry_acme-0.2.0-py3-none-any.whl",
        "registry_acme-0.2.0.tar.gz",
        "registry_core-0.2.0-py3-none-any.whl",
        "registry_core-0.2.0.tar.gz",
    ]
    for name, digest in sums.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
        assert b"unfinished" not in (out / name).read_bytes()
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["commit"] == git(root, "rev-parse", "HEAD")
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == sums
    assert (out / "NOTES.md").read_text("utf-8") == "- Something new.\n"

    build(root, again)
    assert (again / "SHA256SUMS").read_bytes() == (out / "SHA256SUMS").read_bytes()
    with pytest.raises(ReleaseError, match="not empty"):
        build(root, out)


@pytest.mark.slow
def test_a_dry_run_needs_no_cut(root: Path) -> None:
    pytest.importorskip("twine")
    build(root, root.parent / "out", dry_run=True)
    assert json.loads((root.parent / "out/manifest.json").read_text("utf-8"))["dry_run"]
