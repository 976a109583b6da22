"""Run in our environment: syncs on demand. STORE URL [GATEWAY…]

Reads a command a line, and answers each with a line of JSON:
sync, force   {"ms", "models", "written"} of a sync; `opened`: files opened for writing
304 [PATH]    {"ms"} of a conditional request with requests
floor         {"ms"} of the least that a sync has to do: GET, hash, parse, three durable files
peak          {"MiB"}: the most memory that this process has had
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec.json
import requests

from registry_core import ModelRegistry, Settings
from registry_core._catalog.places import Places
from registry_core._files.writing import write_atomically
from registry_core._world import World

store, url, *gateways = sys.argv[1:]
folder = Path(store)
models_url = f"{url}/models.json"
settings = Settings(
    store_dir=folder / "store",
    plugin_options={"models-dev": {"url": models_url}, "netlify": {"url": f"{url}/netlify.json"}},
    plugins=gateways or None,
    fetch_max_bytes=2**32,
    fetch_deadline_ms=600_000,
)
places = Places(folder, folder, folder / "cache", folder / "temporary")
registry = ModelRegistry(world=World(settings, environ={}, places=places))
etags: dict[str, str] = {}
opened: list[str] = []


def hear(event: str, arguments: tuple[Any, ...]) -> None:
    named = event == "open" and isinstance(arguments[0], str | bytes | os.PathLike)
    if named and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        opened.append(Path(os.fsdecode(arguments[0])).name)


def sync(force: bool = False) -> dict[str, Any]:
    report = registry.sync_gateways(force_refresh=force)
    assert report.ok, report
    return {"models": report.models, "written": len(report.written)}


def unchanged(path: str) -> dict[str, Any]:
    headers = {"If-None-Match": etags[path]}
    assert requests.get(f"{url}/{path}", headers=headers).status_code == 304
    return {}


def floor() -> dict[str, Any]:
    body = requests.get(models_url).content
    hashlib.sha256(body).hexdigest()
    value = msgspec.json.decode(body)
    ids = msgspec.json.encode({id: list(one["models"]) for id, one in value.items()})
    for name, data in (("snapshot", body), ("ids", ids), ("pointer", b"")):
        write_atomically(folder / name, data, durable=True)
    return {}


def peak() -> dict[str, Any]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {"MiB": next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024}


commands: dict[str, Callable[..., dict[str, Any]]] = {
    "sync": sync,
    "force": lambda: sync(force=True),
    "304": unchanged,
    "floor": floor,
    "peak": peak,
}
for line in sys.stdin:
    command, *arguments = line.split()
    for path in arguments:
        etags[path] = etags.get(path) or requests.get(f"{url}/{path}").headers["ETag"]
    if command == "hear":
        sys.addaudithook(hear)
        answer: dict[str, Any] = {}
    else:
        opened.clear()
        began = time.perf_counter()
        answer = commands[command](*arguments)
        answer["ms"] = (time.perf_counter() - began) * 1000
    print(json.dumps({**answer, "opened": sorted({*opened})}), flush=True)
