"""Functions run in a child process, forked from a warm one that has a single thread.

with Forks() as forks:
    forks.run(function, argument)    # what it returned, or what it raised; or Killed

A fresh interpreter takes half a second, a fork some milliseconds; and the process of
the tests can't be forked safely, since it has a server's threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
#: What a sync imports when it is needed; here, before the first fork.
_WARM = ("tests.files.scene", "registry_core._sync.sync", "filelock", "importlib.metadata")


class Killed(Exception):
    """The child was ended by a signal, or by `os._exit`."""


class Forks:
    """The warm process. `modules` are imported before the first fork, `environ` is added."""

    def __init__(
        self, modules: Iterable[str] = _WARM, environ: Mapping[str, str] | None = None
    ) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.files.forks", str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                cwd=_ROOT,
                env={**os.environ, **(environ or {}), "PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """`function(*arguments)` in a child of its own; both must be picklable."""
        self._pipe.send((function, arguments))
        how, value = self._pipe.recv()
        if how == "killed":
            raise Killed
        if how == "raised":
            raise value
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.wait()


def _serve(pipe: Connection, modules: Iterable[str]) -> None:
    for name in modules:
        __import__(name)
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        reader, writer = Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            reader.close()
            _answer(writer, function, arguments)
            os._exit(0)
        writer.close()
        try:
            answer = reader.recv()
        except EOFError:
            answer = ("killed", None)
        os.waitpid(child, 0)
        reader.close()
        pipe.send(answer)


def _answer(writer: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        writer.send(("returned", function(*arguments)))
    except BaseException as error:
        try:
            writer.send(("raised", error))
        except Exception:
            writer.send(("raised", RuntimeError(repr(error))))


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), sys.argv[2:])
