"""`registry-core init`: adds a commented table, and harms nothing that is there."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core import _writers
from registry_core._config.load import load_settings
from registry_core._config.starting import TEMPLATE
from registry_core.cli import main
from tests.files.children import STRANGER
from tests.world import written

PYPROJECT = b"""\
# The project of Acme.
[project]
name = "acme"   # two spaces

dependencies=["a",
  'b']
"""

Init = Callable[..., Result]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Run it in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["init", *arguments])

    return invoke


def bare(line: str) -> str:
    return re.sub(r"^# (?=\[|\w+ = )", "", line)


SETTINGS = [line for line in TEMPLATE.splitlines() if bare(line) != line]


def uncommented(*lines: str) -> str:
    """The template with these lines, and the tables that they are in."""
    wanted = {*lines, *(line for line in SETTINGS if line.startswith("# ["))}
    return "\n".join(bare(line) if line in wanted else line for line in TEMPLATE.splitlines())


@pytest.mark.parametrize("line", SETTINGS)
def test_each_line_of_the_template_is_a_setting_when_it_is_no_comment(
    line: str, tmp_path: Path
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text(uncommented(line))
    settings = load_settings({}, tmp_path)
    assert settings.project == tmp_path
    if "=" in line:
        key = line[2:].partition(" ")[0]
        text = repr(tomllib.loads((tmp_path / "pyproject.toml").read_text()))
        assert f"'{key}'" in text


def test_all_lines_of_the_template_together_are_settings_too(tmp_path: Path) -> None:
    (tmp_path / "registry-core.toml").write_text(uncommented(*SETTINGS))
    settings = load_settings({}, tmp_path)
    assert settings.priority
    assert settings.trusted_hosts
    assert settings.types_providers == ("openai", "anthropic")
    assert settings.outputs.keys() == {"python", "typescript"} <= {*map(_name, _writers.BUILTINS)}
    assert settings.plugin_options.keys() == {"models-dev"}


def _name(builtin: tuple[str, object]) -> str:
    return builtin[0]


def test_as_it_is_the_template_sets_nothing(init: Init, tmp_path: Path) -> None:
    init()
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "registry-core.toml").touch()
    written = load_settings({}, Path.cwd())
    assert repr(written) == repr(load_settings({}, empty)).replace("/empty", "/project")


def test_the_table_goes_to_the_end_and_nothing_else_changes(init: Init) -> None:
    file = Path("pyproject.toml").absolute()
    file.write_bytes(PYPROJECT)
    done = init()
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{file}: [tool.registry-core] is there now")
    assert file.read_bytes() == PYPROJECT + b"\n" + TEMPLATE.encode()
    assert os.listdir() == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("before", "gap"), [(b"", b""), (b"a = 1", b"\n\n"), (b"a = 1\n", b"\n"), (b"# only", b"\n\n")]
)
def test_a_file_may_end_as_it_likes(init: Init, before: bytes, gap: bytes) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(before)
    assert init().exit_code == 0
    assert file.read_bytes() == before + gap + TEMPLATE.encode()


@pytest.mark.parametrize("last", [b"", b"\r\n"])
def test_the_line_endings_of_the_file_are_kept(init: Init, last: bytes) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(b"[project]\r\nname = 'acme'" + last)
    init()
    assert file.read_bytes().count(b"\n") == file.read_bytes().count(b"\r\n")
    assert load_settings({}, Path.cwd()).project == Path.cwd()


def test_without_a_pyproject_there_is_a_registry_core_toml(init: Init) -> None:
    done = init("--json")
    file = Path.cwd() / "registry-core.toml"
    assert json.loads(done.stdout) == {"file": str(file), "written": True}
    assert file.read_text() == TEMPLATE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", PYPROJECT.decode()),
        ("pyproject.toml", "[tool.registry-core]\npriority = []\n"),
        ("pyproject.toml", "tool.registry-core.offline = true\n"),
        ("registry-core.toml", ""),
        ("elsewhere", ""),
    ],
)
def test_a_second_run_says_so_and_changes_nothing(init: Init, name: str, text: str) -> None:
    Path(name).write_text(text)
    if "registry-core" not in text + name:
        assert "is there now" in init().stdout
    before = {one: written(Path(one)) for one in os.listdir()}
    for _ in range(2):
        done = init()
        assert done.exit_code == 0
        assert "has [tool.registry-core] already; nothing was changed" in done.stdout
        assert json.loads(init("--json").stdout)["written"] is False
    assert before == {one: written(Path(one)) for one in os.listdir()}


def test_a_project_above_counts_here_unless_this_folder_is_named(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    init()
    inner = Path.cwd() / "web"
    inner.mkdir()
    monkeypatch.chdir(inner)
    done = init()
    assert f"{inner.parent / 'registry-core.toml'}: has [tool.registry-core]" in done.stdout
    assert "registry-core init --project ." in done.stdout
    assert os.listdir() == []
    assert init("--project", ".").exit_code == 0
    assert os.listdir() == ["registry-core.toml"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[project]\nname = \n", "at line 2"),
        (b"[project]\n\nname = 'caf\xe9'\n", "line 3 holds"),
        (b"\xef\xbb\xbf[project]\n", "at line 1"),
        (b"tool = {x = {y = 1}}\n", "[tool.registry-core] can't be added at its end: "),
        (b"[[tool]]\nx = 1\n", "at its end: tool is an array (write the table by hand)"),
    ],
)
def test_what_cannot_be_parsed_or_take_a_table_is_left_alone(
    init: Init, data: bytes, told: str
) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(data)
    done = init()
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert str(file.absolute()) in done.stderr
    assert file.read_bytes() == data
    assert os.listdir() == ["pyproject.toml"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are POSIX")
def test_a_link_and_the_permissions_of_the_file_stay(init: Init, tmp_path: Path) -> None:
    real = tmp_path / "shared.toml"
    real.write_bytes(PYPROJECT)
    real.chmod(0o640)
    link = Path("pyproject.toml")
    link.symlink_to("../shared.toml")
    assert init().exit_code == 0
    assert os.readlink(link) == "../shared.toml"
    assert real.read_bytes() == PYPROJECT + b"\n" + TEMPLATE.encode()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes are POSIX")
@pytest.mark.parametrize("kind", ["link that leads nowhere", "folder", "fifo"])
def test_what_is_no_file_is_not_replaced_by_one(init: Init, kind: str) -> None:
    path = Path("registry-core.toml")
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    before = path.lstat()
    done = init()
    assert done.exit_code == 2
    assert "is not a regular file" in done.stderr
    assert path.lstat().st_mode == before.st_mode


def test_a_write_that_fails_leaves_the_file_as_it_was(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(PYPROJECT)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    done = init()
    assert done.exit_code == 1
    assert f"error: {file.absolute()}: No space left on device" in done.stderr
    assert file.read_bytes() == PYPROJECT
    assert os.listdir() == ["pyproject.toml"]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else"
)
@pytest.mark.parametrize("arguments", [(), ("--project", ".")])
@pytest.mark.parametrize("text", [PYPROJECT, b"broken"])
def test_a_strangers_file_is_refused_even_if_it_is_named(
    init: Init, arguments: tuple[str, ...], text: bytes
) -> None:
    file = Path("pyproject.toml")
    file.write_bytes(text)
    os.chown(file, STRANGER, STRANGER)
    done = init(*arguments)
    assert done.exit_code == 2
    assert f"belongs to uid {STRANGER}, not to you" in done.stderr
    assert (file.read_bytes(), file.stat().st_uid) == (text, STRANGER)


def test_a_folder_that_is_not_there_is_told(init: Init) -> None:
    done = init("--project", "nowhere")
    assert (done.exit_code, os.listdir()) == (2, [])
    assert "is not a folder" in done.stderr
