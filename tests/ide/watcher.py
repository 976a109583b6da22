"""What VS Code on Linux says of files: its watcher is @parcel/watcher, an npm package, whose
events of 75 ms it makes one per file before anybody is told."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from tests.ide.lsp import CHANGED, CREATED, DELETED
from tests.nodetools import node_package

#: Prints `true` when it watches, then the events of each 75 ms.
PROGRAM = """\
const [parcel, folder] = process.argv.slice(1)
let events = []
function flush() {
  console.log(JSON.stringify(events))
  events = []
}
function hear(error, found) {
  if (error) throw error
  if (!events.length) setTimeout(flush, 75)
  events.push(...found.map(({type, path}) => [type, path]))
}
require(parcel).subscribe(folder, hear, {backend: "inotify"}).then(() => console.log(true))
"""
KINDS = {"create": CREATED, "update": CHANGED, "delete": DELETED}


class Watcher:
    """Watches a folder, and tells what happens to each file in it from a thread of its own."""

    def __init__(self, folder: Path, tell: Callable[[Path, int], object]) -> None:
        parcel = node_package("@parcel/watcher", "2.5.6")
        self._process = subprocess.Popen(
            ["node", "-e", PROGRAM, parcel, folder.resolve()], stdout=subprocess.PIPE
        )
        assert self._process.stdout
        self._lines = iter(self._process.stdout)
        assert json.loads(next(self._lines)) is True
        self._tell = tell
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._lines:
            for path, kind in coalesced(json.loads(line)).items():
                self._tell(path, kind)


def coalesced(events: Iterable[tuple[str, str]]) -> dict[Path, int]:
    """Path → the kind that VS Code reports."""
    kinds: dict[Path, int] = {}
    for event, name in events:
        path, kind = Path(name), KINDS[event]
        match kinds.get(path), kind:
            case (1, 2):  # created, changed
                pass
            case (1, 3):  # created, deleted
                del kinds[path]
            case (3, 1):  # deleted, created
                kinds[path] = CHANGED
            case _:
                kinds[path] = kind
    return kinds
