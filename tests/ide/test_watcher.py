"""A file that is exchanged instead of renamed: whole at any time, and "changed" for VS Code."""

from __future__ import annotations

import os
import queue
import stat
import sys
import threading
from pathlib import Path

import pytest

from registry_core._files.writing import write_atomically
from tests.ide.lsp import CHANGED, CREATED, DEADLINE
from tests.ide.watcher import Watcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others can't exchange files")


@pytest.mark.slow
@pytest.mark.parametrize(("exchange", "expected"), [(False, CREATED), (True, CHANGED)])
def test_vs_code_says_changed_of_what_is_exchanged_and_created_of_what_is_renamed(
    exchange: bool, expected: int, tmp_path: Path
) -> None:
    file = tmp_path / "types.d.ts"
    file.write_text("old")
    heard: queue.Queue[tuple[Path, int]] = queue.Queue()
    with Watcher(tmp_path, lambda path, kind: heard.put((path, kind))):
        write_atomically(file, b"new", durable=False, exchange=exchange)
        path, kind = heard.get(timeout=DEADLINE)
        while path != file:  # of the temporary one
            path, kind = heard.get(timeout=DEADLINE)
    assert kind == expected


def test_who_reads_while_files_are_exchanged_meets_a_whole_one(tmp_path: Path) -> None:
    file = tmp_path / "types.d.ts"
    file.write_bytes(b"0" * 100_000)
    reads, done, seen = threading.Event(), threading.Event(), set[bytes]()

    def read() -> None:
        while not done.is_set():
            data = file.read_bytes()
            seen.add(data[:1] if data == data[:1] * 100_000 else b"a part")
            reads.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert reads.wait(60)
    for number in range(100):
        write_atomically(file, b"%d" % (number % 10) * 100_000, durable=False, exchange=True)
    done.set()
    reader.join()
    assert seen <= {b"%d" % digit for digit in range(10)}
    assert os.listdir(tmp_path) == ["types.d.ts"]


@pytest.mark.parametrize("platform", [sys.platform, "another"])
def test_an_exchanged_file_keeps_its_mode_and_nothing_is_left(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    file = tmp_path / "types.d.ts"
    write_atomically(file, b"new", durable=False, exchange=True)
    assert file.read_bytes() == b"new"
    file.chmod(0o444)
    write_atomically(file, b"newer", durable=False, exchange=True)
    assert file.read_bytes() == b"newer"
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert os.listdir(tmp_path) == ["types.d.ts"]
