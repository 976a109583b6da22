"""A process of its own that does what it is told: a line of JSON in, a line of JSON out.

python worker.py '{"place": FOLDER, "environment": NAME, "gateways": {ID: URL}, "settings": {}}'

`Registry` is what it has; each public method is a command, such as `["sync", true]`.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from registry_core import ModelRegistry, Settings
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._catalog.snapshot import Snapshot
from registry_core._plugins.host import PluginHost
from registry_core._world import World
from registry_core._writers import BUILTINS
from tests.world import JsonGateway, Plugin


class Registry:
    def __init__(
        self,
        place: str,
        gateways: dict[str, str],
        environment: str = "venv",
        settings: dict[str, Any] | None = None,
    ) -> None:
        folder = Path(place)
        self._age = 0.0
        self._passed = 0.0
        self._idle = threading.Event()
        made = Settings(fetch_retries=0, **(settings or {}))
        plugins = [Plugin(JsonGateway(id, url)) for id, url in gateways.items()]
        named = [(f"test-{index}", plugin) for index, plugin in enumerate(plugins)]
        world = World(
            made,
            host=PluginHost(
                made, environ={}, secrets=Secrets(), path=[], builtins=[*BUILTINS, *named]
            ),
            environ={},
            places=Places(
                folder / environment, folder / "python", folder / "cache", folder / "tmp"
            ),
            bundle=Bundle(lambda: Snapshot.build([]), {}, {}, {}),
            clock=lambda: time.time() - self._age,
            monotonic=lambda: self._passed,
            wait=self._wait,
        )
        self.registry = ModelRegistry(world=world)

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        self._idle.set()
        stop.wait(seconds)

    def sync(self, force: bool = False, age: float = 0.0) -> Any:
        """`age`: as if it had been so many seconds ago."""
        self._age = age
        report = self.registry.sync_gateways(force)
        self._age = 0.0
        return {"ok": report.ok, "changed": report.changed}

    def start(self) -> None:
        self.registry.start_auto_refresh()

    def idle(self) -> bool:
        """Wait until the refresher has nothing to do."""
        return self._idle.wait(60)

    def models(self) -> Any:
        return {id: list(models) for id, models in self.registry.get_models().items()}

    def let_pass(self, seconds: float) -> None:
        """For the cache of the loaded generation."""
        self._passed += seconds

    def fork(self) -> Any:
        """What a forked child finds."""
        self._idle.clear()
        reading, writing = os.pipe()
        with warnings.catch_warnings():  # from Python 3.12 on, of forks beside threads: our matter
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            refreshers = [
                one for one in threading.enumerate() if one.name == "registry-core refresh"
            ]
            found = {"refreshers": len(refreshers), "idle": self.idle(), "models": self.models()}
            os.write(writing, json.dumps(found).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            found = json.loads(pipe.read())
        os.waitpid(pid, 0)
        return found

    def read(self, threads: int, until: int) -> Any:
        """Read in many threads until each has seen generation `until`; what was wrong."""
        wrong: list[str] = []
        counts: list[int] = []

        def look() -> None:
            lookups = seen = 0
            while seen < until and not wrong:
                number, fault = self._whole(self.registry.snapshot())
                if fault or number < seen:
                    wrong.append(fault or f"{number} after {seen}")
                seen = number
                lookups += 1
            counts.append(lookups)

        readers = [threading.Thread(target=look, daemon=True) for _ in range(threads)]
        for one in readers:
            one.start()
        for one in readers:
            one.join(300)
        return {"wrong": wrong, "lookups": sum(counts), "threads": len(counts)}

    def churn(self, readers: int, writers: int, times: int) -> Any:
        """Read in some threads while others sync; what was wrong."""
        wrong: list[str] = []
        stop = threading.Event()

        def look() -> None:
            seen = 0
            while not stop.is_set():
                number, fault = self._whole(self.registry.snapshot())
                if fault or number < seen:
                    wrong.append(fault or f"{number} after {seen}")
                seen = number

        def refresh() -> None:
            for _ in range(times):
                report = self.registry.sync_gateways()
                syncs.append(report.ok)

        syncs: list[bool] = []
        reading = [threading.Thread(target=look, daemon=True) for _ in range(readers)]
        writing = [threading.Thread(target=refresh, daemon=True) for _ in range(writers)]
        for one in (*reading, *writing):
            one.start()
        for one in writing:
            one.join(300)
        stop.set()
        for one in reading:  # else they go on while the interpreter ends
            one.join(60)
        return {"wrong": wrong, "syncs": sum(syncs)}

    @staticmethod
    def _whole(snapshot: Snapshot) -> tuple[int, str]:
        """The generation that a snapshot is of, and what is not of that one."""
        models = snapshot.get_models()
        numbers = {int(id.split("-")[0]) for ids in models.values() for id in ids}
        if len(numbers) != 1 or any(len(ids) != 40 for ids in models.values()):
            return 0, f"torn: {sorted(numbers)}"
        ids = (f"{provider}/{id}" for provider, ids in models.items() for id in ids)
        gone = [id for id in ids if snapshot.get_model(id) is None]
        return numbers.pop(), f"gone: {gone}" if gone else ""

    def soak(self, seconds: float) -> Any:
        """Refresh and read for some time; what the process holds after a while, and at the end."""
        stop = threading.Event()
        lookups = [0] * 8

        def look(index: int) -> None:
            while not stop.is_set():
                self._whole(self.registry.snapshot())
                lookups[index] += 1

        for index in range(8):
            threading.Thread(target=look, args=(index,), daemon=True).start()
        syncs = [0, 0]
        samples = []
        for phase, share in enumerate((0.2, 0.8)):
            ends = time.monotonic() + seconds * share
            while time.monotonic() < ends:
                self.registry.sync_gateways()
                syncs[phase] += 1
            samples.append(_held())
        stop.set()
        return {"samples": samples, "syncs": syncs, "lookups": sum(lookups)}


def _held() -> dict[str, int]:
    gc.collect()  # a snapshot that nobody holds keeps its file open until then
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "KiB": int(status["VmRSS"].split()[0]),
        "threads": int(status["Threads"]),
        "files": len(os.listdir("/proc/self/fd")),
    }


def main() -> None:
    mine = Registry(**json.loads(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(mine, name)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
