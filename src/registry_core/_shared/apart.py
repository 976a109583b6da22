"""The engine for a forked process. obstore's threads don't survive a fork, so a call would wait
for them for ever. Therefore each call is made in a process of its own.

python -m registry_core._shared.apart   reads a pickled call, writes its pickled result
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from .._base.forks import cut_off
from .engine import Engine, Fault, Found, Version

#: What stands before the first is what a sitecustomize prints, or any module that is imported.
_MARK = b"\0registry-core\0"


def engine_at(url: str, patience: float) -> Engine:
    """The engine at `url`. `patience`: see `Engine`. A process uses one engine for all calls, since
    it keeps its connections, and credentials that it had to ask for (the role of a pod)."""
    kind = Apart if "obstore" in cut_off else Engine
    is_folder = url.startswith("file:")  # it may be gone at the next call
    return kind(url, patience) if is_folder else _cached(kind, url, patience)


@lru_cache(maxsize=8)
def _cached(kind: type[Engine], url: str, patience: float) -> Engine:
    return kind(url, patience)


class Apart(Engine):
    def get(self, name: str, *, most: int, unless: str | None = None) -> Found | None:
        result: Found | None = self._call("get", name, most=most, unless=unless)
        return result

    def put(self, name: str, data: bytes, version: Version | None = None) -> Version:
        result: Version = self._call("put", name, data, version and dict(version))
        return result

    def delete(self, *names: str) -> None:
        self._call("delete", *names)

    def list(self, folder: str) -> Iterator[tuple[str, float]]:
        yield from self._call("list", folder)

    def _call(self, method: str, *args: Any, **named: Any) -> Any:
        python = Path(sys.executable or "none")
        folders = [one for one in sys.path if one and isinstance(one, str)]  # no Path counts
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
        try:
            if "python" not in python.name:  # that of a server, or of a frozen program
                raise OSError
            completed = subprocess.run(
                [python, "-P", "-m", __name__],
                input=pickle.dumps((self.url, self._patience, method, args, named)),
                env=environ,
                timeout=2 * self._patience + 30,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            _, _, answer = completed.stdout.partition(_MARK)
            result, fault = pickle.loads(answer)  # noqa: S301 - of our own process
        except (OSError, subprocess.SubprocessError, EOFError):
            raise Fault(
                "can't be asked by a process that was forked from one that has used it",
                culprit=self.url,
                hint="let the workers import the application themselves, or run"
                " `registry-core sync` beside them",
            ) from None
        if fault is not None:
            raise fault
        return result


def main() -> None:
    url, patience, method, args, named = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent's
    result, fault = None, None
    try:
        result = getattr(Engine(url, patience), method)(*args, **named)
        result = [*result] if method == "list" else result
    except Fault as error:
        fault = error
    with open(1, "wb", closefd=False) as out:
        out.write(_MARK)
        pickle.dump((result, fault), out)


if __name__ == "__main__":
    main()
