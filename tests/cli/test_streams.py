"""Commands whose output nobody takes, and whose working directory is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")

COMMANDS = {
    "list": "list",
    "list --json": "list --json",
    "show": "show openai",
    "plugins": "plugins",
    "doctor": "doctor",
    "sync": "sync --offline",
    "check": "sync --offline --check --output out",
    "export": "export --format snapshot exported",
    "help": "--help",
    "version": "--version",
}


#: The others by `-m slow`: each costs processes.
SOME = [
    name if name in ("list", "sync", "help") else pytest.param(name, marks=pytest.mark.slow)
    for name in COMMANDS
]


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if "REGISTRY_CORE" not in key}
        self.environ = {**kept, "REGISTRY_CORE_STORE_DIR": str(folder / "store")}

    def __call__(self, script: str) -> tuple[int, str, str]:
        """Status, and what came from standard output and error where they are not redirected."""
        command = f'rc() {{ "{sys.executable}" -m registry_core "$@"; }}\n{script}'
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_output_that_can_not_be_written_is_one_line_and_status_1(shell: Shell, name: str) -> None:
    for where, why in ((">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")):
        status, out, err = shell(f"rc {COMMANDS[name]} {where}")
        lines = [line for line in err.splitlines() if not line.startswith("211 files")]
        assert (status, out) == (1, ""), where
        assert lines[-1:] == [f"error: standard output: {why}"], err
        assert "Traceback" not in err
        assert "Exception ignored" not in err


@pytest.mark.parametrize("name", SOME)
def test_a_pipe_that_nobody_reads_ends_in_silence(shell: Shell, name: str) -> None:
    status, _, err = shell(f"set -o pipefail; rc {COMMANDS[name]} | : ; exit ${{PIPESTATUS[0]}}")
    assert status in (0, 1)  # 0: it was quicker than the end of the reader
    assert "rror" not in err


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_errors_that_can_not_be_written_change_nothing_else(shell: Shell, name: str) -> None:
    usual = shell(f"rc {COMMANDS[name]} 2>/dev/null")
    for where in ("2>&-", "2>/dev/full", "<&-"):
        status, out, err = shell(f"rc {COMMANDS[name]} {where}")
        assert (status, out.count("\n")) == (usual[0], usual[1].count("\n")), (where, err)
        assert where == "<&-" or err == ""
    assert shell("rc list no-such-model 2>/dev/full") == (1, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_python_warns_of_no_stream_that_is_left_open(shell: Shell, name: str) -> None:
    for where in ("", "<&-"):
        _, _, err = shell(f"export PYTHONDEVMODE=1; rc {COMMANDS[name]} {where}")
        assert "Warning" not in err


def test_no_file_of_the_store_gets_the_number_of_a_closed_stream(shell: Shell) -> None:
    assert shell("rc sync --offline <&- >&- 2>&-")[0] == 1  # since it could not be told
    status, out, _ = shell("rc sync --offline --json")
    assert (status, '"written": []' in out) == (0, True)


@pytest.mark.slow
def test_a_working_directory_that_is_gone_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    gone = f'mkdir "{tmp_path}/gone"; cd "{tmp_path}/gone"; rmdir "{tmp_path}/gone"; '
    lookups = ("list", "list --json", "show", "help", "version")
    for name, command in {**COMMANDS, "dev": "dev -- true"}.items():
        status, _, err = shell(f"{gone} rc {command}")
        if name in lookups:
            assert (status, err) == (0, ""), name
        else:
            assert status == 2, name
            assert err.startswith("error: the working directory: can't be determined: "), err
            assert err.count("\n") == 1
    code = "import registry_core; registry_core.resolve('openai/gpt-4o', {})"
    status, _, err = shell(f'{gone} "{sys.executable}" -P -c "{code}"')
    assert "SettingsError: the working directory" in err
    status, _, err = shell(f"{gone} REGISTRY_CORE_STORE_DIR=relative rc show openai")
    assert (status, "REGISTRY_CORE_STORE_DIR: 'relative' can't be read" in err) == (0, True)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252"])
@pytest.mark.parametrize("command", ["list --help", "list gpt-5", "show openai/nothing"])
def test_output_is_utf8_whatever_the_locale_can_write(
    tmp_path: Path, command: str, encoding: str
) -> None:
    shell = Shell(tmp_path)
    shell.environ |= {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-m", "registry_core", *command.split()],
        env=shell.environ,
        cwd=tmp_path,
        capture_output=True,
    )
    assert b"Traceback" not in done.stderr
    printed = (done.stdout + done.stderr).decode("utf-8")
    assert ("chat, embedding, image, \u2026" in printed) == ("--help" in command)
