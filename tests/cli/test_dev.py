"""`registry-core dev`: real children, a real terminal, real signals."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_core.cli.child import find_program
from tests.loopback import Loopback, Reply

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux")

#: Tells of each signal, and at each input how many there were; ends with status 7. It looks up now
#: and then: Python does not see a signal that comes just before it waits in a system call.
COUNTS = """
import os, select, signal, sys
got = []
def note(number, frame):
    got.append(number)
    os.write(1, b"got %d\\n" % number)
for name in "SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1":
    signal.signal(getattr(signal, name), note)
os.write(1, b"ready %d\\n" % os.getpid())
while True:
    if select.select([0], [], [], 0.05)[0]:
        if not os.read(0, 99):
            break
        os.write(1, b"in all %d\\n" % len(got))
sys.exit(7)
"""

OFFLINE = "registry-core: offline: the network is not touched\n"
NO_TARGET = (
    "registry-core: writes no file of a project: no [tool.registry-core.output] names a folder\n"
)

Dev = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_CORE")}
    return {
        **kept,
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_OFFLINE": "true",
    }


@pytest.fixture
def dev(environ: dict[str, str], tmp_path: Path) -> Iterator[Dev]:
    """Start `registry-core dev` without a terminal."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "registry_core", "dev", *arguments],
            env=environ,
            cwd=tmp_path,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


#: What it says at the start where there is no project.
PLAN = [
    "registry-core: asks models.dev, netlify every hour\n",
    "registry-core: writes no file of a project: no [tool.registry-core.output] names a folder\n",
]


def finish(process: subprocess.Popen[str], input: str = "") -> tuple[int, str, str]:
    out, err = process.communicate(input, timeout=60)
    # The refresher says this beside the command, so before its end or not at all.
    return process.returncode, out, err.replace(OFFLINE + NO_TARGET, OFFLINE)


def ended(pid: int) -> Callable[[], bool]:
    """Waits for the end of a process that is not ours to wait for."""
    handle = os.pidfd_open(pid)

    def wait() -> bool:
        with os.fdopen(handle):
            return bool(select.select([handle], [], [], 60)[0])

    return wait


def test_the_command_gets_its_arguments_input_and_variables(dev: Dev) -> None:
    code = (
        "import os, sys; print(sys.argv[1:], sys.stdin.read(),"
        " os.environ['REGISTRY_CORE_DEV'], os.environ['REGISTRY_CORE_AUTO_REFRESH_PROVIDERS'])"
    )
    for separator in ([], ["--"]):
        process = dev(*separator, sys.executable, "-c", code, "--project", "-h", "--", "a b")
        status, out, err = finish(process, "typed")
        assert (status, err) == (0, OFFLINE)
        assert out == "['--project', '-h', '--', 'a b'] typed true false\n"


@pytest.mark.parametrize(
    ("ends", "status"),
    [("sys.exit(7)", 7), ("os.kill(os.getpid(), 15)", 143), ("os.kill(os.getpid(), 9)", 137)],
)
def test_the_exit_status_is_the_commands(dev: Dev, ends: str, status: int) -> None:
    assert finish(dev(sys.executable, "-c", f"import os, sys; {ends}"))[0] == status


def test_a_command_that_is_not_found_says_so(dev: Dev, tmp_path: Path) -> None:
    status, out, err = finish(dev("no-such-command"))
    assert (status, out, err) == (127, "", "error: no-such-command: command not found\n")
    assert finish(dev("./no-such-file"))[0] == 127
    (tmp_path / "plain").write_text("text")
    status, _, err = finish(dev("./plain"))
    assert (status, err) == (126, f"{OFFLINE}error: ./plain: Permission denied\n")


def test_wrong_usage_and_settings_start_nothing(
    dev: Dev, environ: dict[str, str], tmp_path: Path
) -> None:
    for arguments in ([], ["--"], ["--no-such-option", "true"]):
        assert finish(dev(*arguments))[0] == 2
    environ["REGISTRY_CORE_REFRESH_INTERVAL_MS"] = "soon"
    status, out, err = finish(dev(sys.executable, "-c", "print('started')"))
    assert (status, out) == (2, "")
    assert "REGISTRY_CORE_REFRESH_INTERVAL_MS" in err
    environ.pop("REGISTRY_CORE_REFRESH_INTERVAL_MS")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "pyproject.toml").write_text("[tool.registry-core]\nofline = true\n")
    status, _, err = finish(dev("--project", "web", "true"))
    assert status == 2
    assert "offline" in err


@LINUX
@pytest.mark.parametrize("whole_group", [False, True], ids=["process", "group"])
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"])
def test_a_signal_reaches_the_command_once(dev: Dev, name: str, whole_group: bool) -> None:
    number = getattr(signal, name)
    process = dev(sys.executable, "-c", COUNTS)
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline().startswith("ready")
    (os.killpg if whole_group else os.kill)(process.pid, number)
    assert process.stdout.readline() == f"got {number}\n"
    os.kill(process.pid, signal.SIGUSR1)  # what is passed on later comes after all of it
    assert process.stdout.readline() == f"got {signal.SIGUSR1}\n"
    assert finish(process, "\n") == (7, "in all 2\n", OFFLINE)


@LINUX
def test_a_signal_that_ends_us_ends_all_that_the_command_started(dev: Dev) -> None:
    process = dev("sh", "-c", "sleep 1000 & echo $!; wait; true")
    assert process.stdout
    gone = ended(int(process.stdout.readline()))
    process.terminate()
    assert gone()
    assert process.wait(60) == 143


@LINUX
def test_the_command_does_not_outlive_us_even_if_we_are_killed(dev: Dev) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    process = dev(sys.executable, "-c", code)
    assert process.stdout
    gone = ended(int(process.stdout.readline()))
    process.kill()
    assert gone()


class Terminal:
    """`registry-core dev` in a terminal of its own."""

    def __init__(self, arguments: list[str], environ: dict[str, str]) -> None:
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)  # tests in the background may ignore them
            os.execve(sys.executable, [sys.executable, "-m", "registry_core", *arguments], environ)
        self._text = b""

    def type(self, keys: bytes) -> None:
        os.write(self._file, keys)

    def until(self, text: bytes) -> bytes:
        """What it shows up to and including `text`."""
        while text not in self._text:
            ready, _, _ = select.select([self._file], [], [], 60)
            data = os.read(self._file, 4096) if ready else b""
            assert data, f"only {self._text!r}"
            self._text += data
        before, found, self._text = self._text.partition(text)
        return before + found

    def line(self) -> str:
        """The next line of the command; what the refresher says comes at any time."""
        while (line := self.until(b"\r\n").decode()).startswith("registry-core: "):
            pass
        return line.removesuffix("\r\n")

    def foreground(self) -> int:
        return os.tcgetpgrp(self._file)

    def status(self) -> int:
        try:
            while os.read(self._file, 4096):
                pass
        except OSError:  # how Linux says that nobody holds the other end
            pass
        os.close(self._file)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@LINUX
def test_in_a_terminal_ctrl_c_reaches_the_command_once(environ: dict[str, str]) -> None:
    terminal = Terminal(["dev", "--", sys.executable, "-c", COUNTS], environ)
    assert terminal.until(b"\r\n").decode().replace("\r", "") == OFFLINE
    child = int(terminal.line().removeprefix("ready "))
    assert os.getpgid(child) == terminal.foreground()  # so it may read, and Ctrl-Z stops both
    os.kill(terminal.pid, signal.SIGINT)  # not from the keyboard: the command knows nothing of it
    terminal.until(b"got 2\r\n")
    terminal.type(b"\x03")
    terminal.until(b"got 2\r\n")
    terminal.type(b"\x1c")
    terminal.until(b"got 3\r\n")
    os.kill(terminal.pid, signal.SIGUSR1)  # what is passed on later comes after all of it
    terminal.until(b"got 10\r\n")
    terminal.type(b"\n")
    terminal.until(b"in all 4\r\n")
    terminal.type(b"\x04")
    assert terminal.status() == 7


@LINUX
def test_in_a_terminal_the_command_has_the_terminal(environ: dict[str, str]) -> None:
    code = "import os, sys; print([os.isatty(n) for n in range(3)], input('? '), os.ttyname(0))"
    terminal = Terminal(["dev", sys.executable, "-c", code], environ)
    terminal.until(b"? ")
    terminal.type(b"typed\n")
    assert terminal.until(b"/dev/pts/").endswith(b"[True, True, True] typed /dev/pts/")
    assert terminal.status() == 0


@LINUX
def test_a_terminal_that_is_closed_ends_the_command(environ: dict[str, str]) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    terminal = Terminal(["dev", sys.executable, "-c", code], environ)
    gone = ended(int(terminal.line()))
    os.close(terminal._file)
    assert gone()
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.pid, 0)[1]) == 128 + signal.SIGHUP


PAYLOAD = {
    "openai": {
        "id": "openai",
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "npm": "@ai-sdk/openai",
        "doc": "https://platform.openai.com/docs",
        "models": {f"new-{n}": {"id": f"new-{n}", "name": "New"} for n in range(8000)},
    }
}

NETLIFY = [f"model-{n}" for n in range(200)]


@pytest.fixture
def online(environ: dict[str, str], server: Loopback) -> Loopback:
    environ.pop("REGISTRY_CORE_OFFLINE")
    environ["REGISTRY_CORE_MODELS_DEV_URL"] = server.url("/api.json")
    environ["REGISTRY_CORE_NETLIFY_URL"] = server.url("/netlify.json")
    server.serve("/netlify.json", {"providers": {"openai": {"models": NETLIFY}}})
    return server


def test_neither_start_nor_end_waits_for_a_gateway(dev: Dev, online: Loopback) -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(request: Any) -> Reply:
        asked.set()
        release.wait(60)
        return Reply(500)

    online.route("/api.json", hang)
    process = dev(sys.executable, "-c", "print(input())")
    assert asked.wait(60)
    status, out, err = finish(process, "served\n")
    assert (status, out, err.count("\n")) == (0, "served\n", len(PLAN))
    release.set()


def test_it_refreshes_beside_the_command_and_writes_the_project(
    dev: Dev, online: Loopback, tmp_path: Path
) -> None:
    online.serve("/api.json", PAYLOAD)
    (tmp_path / "pyproject.toml").write_text('[tool.registry-core.output]\njson = "generated"\n')
    process = dev(sys.executable, "-c", "input()")
    assert process.stderr
    lines = [process.stderr.readline().removeprefix("registry-core: ") for _ in range(6)]
    assert lines[0] == "asks models.dev, netlify every hour\n"
    assert lines[1] == (
        f"writes to generated (json) in {tmp_path}; watches them and pyproject.toml\n"
    )
    name = "generated/provider-registry.json"
    assert lines[2] == f"project target {tmp_path}: 1 file written or removed: {name}\n"
    assert re.match(r"new: netlify/openai/model-0; .*, and 8197 more$", lines[3])
    assert [line.partition(":")[0] for line in lines[4:]] == ["leaving", "changed"]
    written = json.loads((tmp_path / "generated" / "provider-registry.json").read_text())
    assert "new-7" in written["models"]["openai"]
    assert sorted(online.paths) == ["/api.json", "/netlify.json"]
    assert finish(process, "\n") == (0, "", "")


def test_a_refresh_that_fails_is_one_line_and_nothing_else(dev: Dev, online: Loopback) -> None:
    for path in ("/api.json", "/netlify.json"):
        online.route(path, Reply(404, b"\x1b[2Jgone"))
    process = dev(sys.executable, "-c", "input()")
    assert process.stderr
    lines = [process.stderr.readline() for _ in range(len(PLAN) + 1)]
    assert lines[:-1] == PLAN
    line = lines[-1]
    assert line.startswith("registry-core: auto-refresh: models.dev: ")
    assert "404" in line
    assert "netlify: " in line
    assert "last good data stays" in line
    assert finish(process, "\n") == (0, "", "")


def test_on_windows_a_command_has_the_endings_of_pathext(tmp_path: Path) -> None:
    bin, other = tmp_path / "bin", tmp_path / "other"
    for file in (bin / "npm", bin / "npm.cmd", bin / "tool.v2.exe", other / "uvicorn.EXE"):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    environ = {"PATH": f"{bin};{other}", "PATHEXT": ".COM;.EXE;.cmd"}

    def find(name: str) -> str | None:
        return find_program(name, environ, windows=True)

    assert find("npm") == str(bin / "npm.cmd")  # beside it lies a script for other shells
    assert find("npm.CMD".lower()) == str(bin / "npm.cmd")
    assert find("tool.v2") is None  # this test's file system knows ".exe" from ".EXE"
    assert find("uvicorn") == str(other / "uvicorn.EXE")
    assert find(str(bin / "npm")) == str(bin / "npm.cmd")
    assert find("nothing") is None


def test_elsewhere_a_command_is_found_on_the_path(tmp_path: Path) -> None:
    file = tmp_path / "tool"
    file.touch(0o755)
    assert find_program("tool", {"PATH": str(tmp_path)}, windows=False) == str(file)
    assert find_program("tool", {"PATH": "/nowhere"}, windows=False) is None
    assert find_program("./tool", {}, windows=False) == "./tool"
