"""The watch sees I/O and reads of the environment in its own thread, and no imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread

import pytest

from registry_core.testing import write_distribution
from registry_core.testing.watch import watch_acts


def test_reads_of_the_environment_are_seen_however_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACME_TOKEN", "x")
    with watch_acts() as seen:
        os.getenv("ACME_TOKEN")
        assert os.environ["ACME_TOKEN"] == "x"
        assert "NO_SUCH_NAME" not in os.environ
    assert [line.split()[-1] for line in seen] == ["'ACME_TOKEN'", "'ACME_TOKEN'", "'NO_SUCH_NAME'"]


def test_files_are_seen(tmp_path: Path) -> None:
    with watch_acts() as seen:
        (tmp_path / "x").write_text("x")
    assert len(seen) == 1
    assert seen[0].startswith("open ")


def test_nothing_is_seen_afterwards_or_in_another_thread(tmp_path: Path) -> None:
    with watch_acts() as seen:
        thread = Thread(target=(tmp_path / "x").write_text, args=("x",))
        thread.start()
        thread.join()
    (tmp_path / "y").write_text("y")
    os.getenv("ACME_TOKEN")
    assert seen == []


def test_what_an_import_does_is_not_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; os.getenv('HOME'); os.listdir('.')"
    monkeypatch.syspath_prepend(write_distribution(tmp_path, "x", modules={"acme_lazy.py": code}))
    with watch_acts() as seen:
        import acme_lazy  # noqa: F401  # pyright: ignore
    del sys.modules["acme_lazy"]
    assert seen == []
