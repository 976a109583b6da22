"""Installed distributions for tests, with real metadata instead of mocks."""

from __future__ import annotations

import base64
import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path

from .._base.frozen import EMPTY


def write_distribution(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    entry_points: Mapping[str, str] = EMPTY,
    commands: Mapping[str, str] = EMPTY,
    modules: Mapping[str, str] = EMPTY,
    group: str = "registry_core",
) -> Path:
    """Write `name-version.dist-info` (METADATA, entry_points.txt, RECORD) and the modules.

    `entry_points`: name → `module` or `module:object`, in `group`. `commands`: the same in the
    group `registry_core.commands`. `modules`: path relative to `folder`, such as
    `acme/__init__.py`, → text. Returns `folder`, for `sys.path`.

        site = write_distribution(
            tmp_path,
            "acme-gateway",
            entry_points={"acme": "acme_gateway"},
            modules={"acme_gateway.py": "from registry_core import hookimpl ..."},
        )
        monkeypatch.syspath_prepend(site)
    """
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    groups = {group: entry_points, "registry_core.commands": commands}
    lines = [
        line
        for name, entries in groups.items()
        if entries
        for line in (f"[{name}]", *(f"{entry} = {value}" for entry, value in entries.items()))
    ]
    files = {
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/entry_points.txt": "\n".join([*lines, ""]),
        f"{info}/INSTALLER": "registry-core\n",
    }
    record: list[str] = []
    for path, text in files.items():
        data = text.encode()
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(data)}\n")
    (folder / info / "RECORD").write_text(
        "".join([*record, f"{info}/RECORD,,\n"]), "utf-8", newline=""
    )
    importlib.invalidate_caches()  # folders already on sys.path have been listed before
    return folder
