"""Make the snapshot and the types that ship in the wheel, by running our own sync.

    python tools/make_bundle.py --models-dev SOURCE --netlify SOURCE [--captured DATE] [--note TEXT]

A SOURCE is a URL, or a file that is served to the sync over loopback. A release runs it
with the live URLs, and then DATE is now; for files give the date of their capture (UTC).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from registry_core import ModelRegistry, Settings, Snapshot
from registry_core._catalog import data
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.places import Places
from registry_core._world import World

SOURCE = Path(__file__).resolve().parent.parent / "src"
DATA = Path(data.__file__).parent
TYPES = SOURCE / "registry_core_types" / "__init__.pyi"
PLUGINS = {
    "models.dev": "registry-gateway-models-dev:models-dev",
    "netlify": "registry-gateway-netlify:netlify",
}
NOTHING = Bundle(lambda: Snapshot.build([]), {}, {}, {})


@contextmanager
def served(source: str) -> Iterator[str]:
    """The URL of `source`; a file gets one on loopback for the time being."""
    if source.startswith(("http://", "https://")):
        yield source
        return
    file = Path(source).resolve()
    handler = partial(SimpleHTTPRequestHandler, directory=str(file.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{file.name}"
        server.shutdown()


def synced(models_dev: str, netlify: str, folder: Path) -> Snapshot:
    settings = Settings(
        store_dir=folder / "store",
        plugin_options={"models-dev": {"url": models_dev}, "netlify": {"url": netlify}},
        plugins=tuple(PLUGINS.values()),
    )
    places = Places(folder, folder, folder / "cache", folder / "temporary")
    registry = ModelRegistry(world=World(settings, environ={}, places=places, bundle=NOTHING))
    report = registry.sync_gateways(force_refresh=True)
    report.raise_failures()
    for problem in report.problems:
        print(f"{problem.culprit}: {problem.message}")
    TYPES.write_bytes((folder / "store" / "registry_core_types.pyi").read_bytes())
    return registry.snapshot()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models-dev", required=True)
    parser.add_argument("--netlify", required=True)
    parser.add_argument("--captured", type=datetime.fromisoformat, default=datetime.now(UTC))
    parser.add_argument("--note", default="models.dev (MIT)")
    parser.add_argument("--netlify-note", default="Netlify AI Gateway")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(options.models_dev) as models_dev,
        served(options.netlify) as netlify,
    ):
        snapshot = synced(models_dev, netlify, Path(folder))
    captured = options.captured.replace(tzinfo=options.captured.tzinfo or UTC).timestamp()
    (DATA / "bundled.snapshot").write_bytes(snapshot.to_bytes())
    (DATA / "__init__.py").write_text(
        f'''"""About bundled.snapshot beside this file, written by tools/make_bundle.py."""

#: Gateway id → epoch seconds of the capture.
CAPTURED = {{"models.dev": {captured}, "netlify": {captured}}}
#: Gateway id → key of its plugin.
PLUGINS = {{
    "models.dev": "{PLUGINS["models.dev"]}",
    "netlify": "{PLUGINS["netlify"]}",
}}
#: Gateway id → where the data came from.
SOURCES = {{
    "models.dev": """{options.note}""",
    "netlify": """{options.netlify_note}""",
}}
''',
        "utf-8",
    )
    models = snapshot.get_models()
    print(f"{len(models)} providers, {sum(map(len, models.values()))} models")


if __name__ == "__main__":
    main()
