"""Compare what our writers make of two payloads with what Mastra made of them.

    python tools/compare_mastra.py PAYLOAD NETLIFY GOLDEN

PAYLOAD is models.dev's `api.json`, NETLIFY the list of Netlify's AI Gateway, GOLDEN a
folder with Mastra's `provider-registry.json` and `capabilities/` for the same two. Files
are compared once parsed. Exit status: 0 equal, 1 different (and this is where).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import registry_gateway_models_dev as models_dev
import registry_gateway_netlify as netlify

from registry_core._catalog.snapshot import Snapshot
from registry_core._writers import capabilities, json_registry
from registry_core.records import clean_providers

_SHOWN = 50


def ours(payload: Any, netlify_list: Any) -> dict[str, Any]:
    """Path → parsed content of the files that our writers make."""
    public, _ = clean_providers("models.dev", False, models_dev.providers_from_payload(payload))
    private, _ = clean_providers("netlify", True, netlify.providers_from_payload(netlify_list))
    snapshot = Snapshot.build({**public, **private})
    return {
        artifact.path: json.loads(artifact.text)
        for emitter in (json_registry, capabilities)
        for artifact in emitter.registry_emit(snapshot)
    }


def theirs(folder: Path) -> dict[str, Any]:
    """Path → parsed content of Mastra's files."""
    files = (folder / "provider-registry.json", *folder.glob("capabilities/*.json"))
    return {file.relative_to(folder).as_posix(): json.loads(file.read_bytes()) for file in files}


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """One line for each place where two JSON values differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            path = f"{where} › {key}" if where else key
            if key not in theirs:
                yield f"{path}: only in ours: {_shown(ours[key])}"
            elif key not in ours:
                yield f"{path}: only in Mastra's: {_shown(theirs[key])}"
            else:
                yield from differences(ours[key], theirs[key], path)
    elif ours != theirs:
        yield f"{where}: ours {_shown(ours)}, Mastra's {_shown(theirs)}"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:99]}…"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("payload", type=Path, metavar="PAYLOAD")
    parser.add_argument("netlify", type=Path, metavar="NETLIFY")
    parser.add_argument("golden", type=Path, metavar="GOLDEN")
    options = parser.parse_args(arguments)
    made = ours(json.loads(options.payload.read_bytes()), json.loads(options.netlify.read_bytes()))
    lines = list(differences(made, theirs(options.golden)))
    for line in islice(lines, _SHOWN):
        print(line)
    providers = len(made["provider-registry.json"]["providers"])
    if lines:
        print(f"{len(lines)} differences ({min(len(lines), _SHOWN)} shown)")
        return 1
    print(f"equal: {providers} providers, {len(made) - 1} capability files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
