"""Runs a command as a child that has terminal and signals as if it ran instead of us."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

#: Exit statuses of shells.
NOT_FOUND, NOT_EXECUTABLE = 127, 126

_PR_SET_PDEATHSIG = 1  # linux/prctl.h: what the kernel sends when the parent ends
_SI_KERNEL = 128  # asm-generic/siginfo.h: not sent by a process


def find_program(
    name: str, environ: Mapping[str, str], *, windows: bool = os.name == "nt"
) -> str | None:
    """The file that a shell would run for `name`. None if no folder in PATH has it.

    On Windows with the endings of PATHEXT, so that `npm` is `npm.cmd`; never from the
    current folder, unless `name` says so.
    """
    if not windows:
        return name if "/" in name else shutil.which(name, path=environ.get("PATH", os.defpath))
    endings = [
        ending for ending in environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";") if ending
    ]
    if name.lower().endswith(tuple(map(str.lower, endings))):
        endings = [""]
    folders = environ.get("PATH", "").split(";") if not set(name) & set("/\\:") else [""]
    candidates = (Path(folder) / f"{name}{ending}" for folder in folders for ending in endings)
    return next((str(path) for path in candidates if path.is_file()), None)


def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    meanwhile: Callable[[], None],
    output: int | None = None,
) -> int:
    """Run `command`, call `meanwhile` in a thread, and give the exit status at its end.

    `command[0]` is a file; `output` is the descriptor of its standard output, None that of
    this process. The status is 128 + n if signal n ended it. Raises OSError if
    it can't be started.
    """
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the console also sends it to the child
        child = subprocess.Popen(command, env=environ, stdout=output, close_fds=False)
        Thread(target=meanwhile, daemon=True).start()
        return child.wait()
    return _run(command, environ, meanwhile, output)


if sys.platform != "win32":
    _PASSED_ON = (
        signal.SIGHUP,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGTERM,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
    )

    #: Signals that a terminal sends to the whole group, except that only the session's leader gets
    #: a hang-up.
    _TO_THE_GROUP = (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH)

    def _run(
        command: Sequence[str],
        environ: Mapping[str, str],
        meanwhile: Callable[[], None],
        output: int | None,
    ) -> int:
        """Signals are taken from a queue, one after the other: none gets lost, or comes
        while the child is being started. They stay blocked, since with the child it is over.

        With a terminal the child is in our process group: Ctrl-C, Ctrl-Z and reading just
        work, beside others too, and what the terminal sent has reached the child already.
        Without one it leads a group of its own, and what we are sent goes to all of that.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ours = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGCHLD})
        us, libc = os.getpid(), ctypes.CDLL(None)
        shared = _has_terminal()

        def in_child() -> None:
            signal.pthread_sigmask(signal.SIG_SETMASK, ours)
            if sys.platform == "linux":  # the child ends if we are killed
                libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
                if os.getppid() != us:  # we were killed before that call
                    os.kill(os.getpid(), signal.SIGTERM)

        child = subprocess.Popen(
            command,
            env=environ,
            stdout=output,
            close_fds=False,  # ours are not inheritable, the others are meant for the child
            process_group=None if shared else 0,
            preexec_fn=in_child,  # no thread was started yet
        )
        Thread(target=meanwhile, daemon=True).start()
        while (status := child.poll()) is None:
            number, by_terminal = _next_signal({*_PASSED_ON, signal.SIGCHLD})
            if number == signal.SIGCHLD or (shared and by_terminal and number in _TO_THE_GROUP):
                continue
            with suppress(ProcessLookupError):
                (os.kill if shared else os.killpg)(child.pid, number)
        return status if status >= 0 else 128 - status

    def _has_terminal() -> bool:
        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return False
        return True

    def _next_signal(signals: Iterable[int]) -> tuple[int, bool]:
        """The next signal, and whether the terminal sent it."""
        if hasattr(signal, "sigwaitinfo"):
            info = signal.sigwaitinfo(signals)
            return info.si_signo, info.si_code == _SI_KERNEL
        return signal.sigwait(signals), True  # macOS does not say who sent it
