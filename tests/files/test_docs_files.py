"""`docs/files.md` names every file that a sync leaves."""

from __future__ import annotations

from pathlib import Path

from tests.files.scene import Scene
from tests.loopback import Loopback

DOCS = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")


def test_every_file_of_the_store_is_documented(tmp_path: Path, server: Loopback) -> None:
    scene = Scene.made(tmp_path, server.url(""))
    server.serve("/main.json", {"openai": ["gpt-5+", "gpt-old"]})
    assert scene.sync().ok
    scene.world.store.pointer.write_text("damaged")
    assert scene.sync().ok
    store = scene.world.store.folder
    for path in store.iterdir():
        assert f"`v1/{path.name}{'/' if path.is_dir() else ''}" in DOCS
    for path in (tmp_path / "cache" / "payloads").iterdir():
        assert f"payloads/{'*' if path.suffix else path.name}{path.suffix}`" in DOCS
