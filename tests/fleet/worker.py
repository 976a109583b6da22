"""A machine of a fleet as a process of its own: it syncs once.

python worker.py '{"folder": …, "upstream": URL of the gateway, "now": epoch seconds, "settings"}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from registry_core import Settings
from registry_core._base.secrets import Secrets
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._catalog.snapshot import Snapshot
from registry_core._plugins.host import PluginHost
from registry_core._sync.options import Options
from registry_core._sync.sync import sync
from registry_core._world import World
from registry_core._writers import BUILTINS
from tests.world import JsonGateway, Plugin


def main(folder: str, upstream: str, now: float, settings: dict[str, Any]) -> None:
    made, place = Settings(fetch_retries=0, **settings), Path(folder)
    named = [*BUILTINS, ("test-0", Plugin(JsonGateway("main", upstream)))]
    world = World(
        made,
        host=PluginHost(made, environ={}, secrets=Secrets(), path=[], builtins=named),
        environ={},
        places=Places(place / "venv", place / "python", place / "cache", place / "tmp"),
        bundle=Bundle(lambda: Snapshot.build([]), {}, {}, {}),
        clock=lambda: now,
        monotonic=lambda: now,
        types_path=[],
    )
    report = sync(world, Options()).report
    print(json.dumps({"ok": report.ok, "problems": [str(one) for one in report.problems]}))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
