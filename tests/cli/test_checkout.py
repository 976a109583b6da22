"""Generated files that are committed, and checked out with the line endings of Windows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core import ModelRegistry, ProviderConfig, Snapshot
from registry_core.cli import main
from tests.world import written

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

TABLE = """\
[tool.registry-core.output]
json = "web"
python = "typings"
typescript = "web"
"""


def git(folder: Path, *arguments: object) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *who, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def run(folder: Path, *arguments: str) -> Result:
    ModelRegistry.reset_instance()
    environ = {
        "REGISTRY_CORE_SNAPSHOT": str(folder / "models.snapshot"),
        "REGISTRY_CORE_STORE_DIR": str(folder.parent / f"store-of-{folder.name}"),
        "REGISTRY_CORE_PLUGINS": "",
    }
    return CliRunner().invoke(main, ["sync", "--project", str(folder), *arguments], env=environ)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """With core.autocrlf, of a repository to which the files of a sync were committed."""
    made = tmp_path / "made"
    made.mkdir()
    git(made, "init", "-q")
    (made / "pyproject.toml").write_text(TABLE)
    snapshot = Snapshot.build([ProviderConfig(id, ["m"]) for id in ("acme", "openai")])
    (made / "models.snapshot").write_bytes(snapshot.to_bytes())
    assert run(made).exit_code == 0
    git(made, "add", ".")
    git(made, "commit", "-q", "-m", "types")
    git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", made, "clone")
    assert b"\r\n" in (tmp_path / "clone" / "typings" / "registry_core_types.pyi").read_bytes()
    return tmp_path / "clone"


def test_a_checkout_with_other_line_endings_is_current(clone: Path) -> None:
    checked = run(clone, "--check")
    assert checked.exit_code == 0, checked.output


def test_a_sync_writes_no_file_of_it_back_and_forth(clone: Path) -> None:
    files = [file for folder in ("typings", "web") for file in (clone / folder).rglob("*")]
    before = {file: written(file) for file in files}
    assert before
    for _ in range(2):
        assert run(clone).exit_code == 0
        assert {file: written(file) for file in files} == before
    assert git(clone, "status", "--porcelain") == ""


def test_other_words_are_a_difference_all_the_same(clone: Path) -> None:
    file = clone / "typings" / "registry_core_types.pyi"
    file.write_bytes(file.read_bytes().replace(b"acme", b"Acme"))
    checked = run(clone, "--check")
    assert checked.exit_code == 1
    assert file.name in checked.output
