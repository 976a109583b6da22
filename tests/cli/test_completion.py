"""Commands, options and ids are completed in real shells."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from registry_core import ProviderConfig, Snapshot
from registry_core.cli import main

SNAPSHOT = Snapshot.build(
    [
        ProviderConfig("openai", ["gpt-5", "gpt-5-mini", "o3"], gateway="main"),
        ProviderConfig("openrouter", ["deepseek/r1:free", "deepseek/r1:nitro"], gateway="main"),
        ProviderConfig("acme", ["evil\x1b[2J", "large"], gateway="main"),
    ],
    gateways={"main": ""},
    roles={"fast": "openai/gpt-5"},
)


@pytest.fixture
def served(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "snapshot"
    file.write_bytes(SNAPSHOT.to_bytes())
    return {"REGISTRY_CORE_SNAPSHOT": str(file)}


def asked(words: str, served: dict[str, str]) -> list[str]:
    """What bash is told at a Tab after `words`."""
    count = len(words.split(" ")) - 1
    environ = {"COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = CliRunner().invoke(
        main,
        env={**served, **environ, "_REGISTRY_CORE_COMPLETE": "bash_complete"},
        prog_name="registry-core",
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("registry-core sh", ["show"]),
        ("registry-core list --ret", ["--retires-before"]),
        ("registry-core show ", ["acme", "openai", "openrouter", "fast"]),
        ("registry-core show open", ["openai", "openrouter"]),
        (
            "registry-core show opena",
            ["openai", *(f"openai/{one}" for one in SNAPSHOT.get_models()["openai"])],
        ),
        ("registry-core show openai/o", ["openai/o3"]),
        ("registry-core show acme/", ["acme/large"]),  # nothing that a terminal would obey
        ("registry-core list openai/gpt-5-", ["openai/gpt-5-mini"]),
        ("registry-core list --provider openr", ["openrouter"]),
        ("registry-core list --gateway m", ["main"]),
        ("registry-core list --supports tools,visi", ["tools,vision"]),
        ("registry-core list --sort pri", ["price"]),
        ("registry-core list --kind emb", ["embedding"]),
        ("registry-core list --input im", ["image"]),
        ("registry-core list --output au", ["audio"]),
        ("registry-core list --status be", ["beta"]),
        ("registry-core list --columns id,cost.cache_r", ["id,cost.cache_read"]),
        ("registry-core show openai/o3 --field lifecycle.ret", ["lifecycle.retires_on"]),
        ("registry-core show openai/o3 --color n", ["never"]),
        ("registry-core providers ac", ["acme"]),
        ("registry-core changes --provider ac", ["acme"]),
        ("registry-core diff a b --field cost.cache_r", ["cost.cache_read"]),
        ("registry-core changes --field doc_", ["doc_url"]),
        ("registry-core providers --columns ur", ["url"]),
    ],
)
def test_what_is_completed(words: str, found: list[str], served: dict[str, str]) -> None:
    assert asked(words, served) == found


def test_a_tab_without_a_readable_registry_is_silent(tmp_path: Path) -> None:
    gone = {"REGISTRY_CORE_SNAPSHOT": str(tmp_path / "gone")}
    assert asked("registry-core show ope", gone) == []


START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SETUP = {
    "bash": 'eval "$(_REGISTRY_CORE_COMPLETE=bash_source registry-core)"',
    "zsh": "autoload -U compinit; compinit -u -d $ZDUMP; "
    'eval "$(_REGISTRY_CORE_COMPLETE=zsh_source registry-core)"',
    "fish": "_REGISTRY_CORE_COMPLETE=fish_source registry-core | source",
}


class Typist:
    """Types into a shell on a terminal, and reads what it prints."""

    def __init__(self, shell: str, environ: dict[str, str]) -> None:
        self.process, self._ours = self._started(START[shell], environ)
        self.printed = ""

    @staticmethod
    def _started(
        command: list[str], environ: dict[str, str]
    ) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # fish wants to own it
        )
        os.close(theirs)
        return process, ours

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def read_until(self, pattern: str) -> str:
        """All that was printed since the last time; fails if `pattern` does not come."""
        end = time.monotonic() + 60
        while not re.search(pattern, self.printed):
            ready, _, _ = select.select([self._ours], [], [], max(0, end - time.monotonic()))
            assert ready, f"{pattern!r} was not printed: {self.printed!r}"
            self.printed += os.read(self._ours, 65536).decode(errors="replace")
            if "\x1b[c" in self.printed or "\x1b[0c" in self.printed:  # fish asks what this is
                self.type("\x1b[?6c")
                self.printed = self.printed.replace("\x1b[c", "").replace("\x1b[0c", "")
        found, self.printed = self.printed, ""
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.mark.slow
@pytest.mark.parametrize("shell", sorted(START))
def test_a_tab_in_a_real_shell(shell: str, served: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {
        **served,
        "PATH": path,
        "HOME": str(tmp_path),
        "ZDUMP": str(tmp_path / "dump"),
        "TERM": "dumb" if shell != "fish" else "xterm",
        "LC_ALL": "C.UTF-8",
    }
    typist = Typist(shell, environ)
    try:
        typist.type(f"{SETUP[shell]}\n")
        typist.type("echo rea''dy\n")
        typist.read_until(r"\bready\b")
        for typed, id in (
            ("openai/o", "openai/o3"),
            ("openrouter/deepseek/r1:f", "openrouter/deepseek/r1:free"),
        ):
            typist.type(f"registry-core sho\t{typed}\t")
            typist.read_until("3|ree")
            typist.type("| cat\n")
            typist.read_until(f"full_id: {re.escape(id)}")
    finally:
        typist.close()
