from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from registry_core._files.writing import write_atomically

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_made_and_replaced(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "x.json"
    for data in (b"one", b"", b"three\r\n"):
        write_atomically(path, data, durable=durable)
        assert path.read_bytes() == data
    assert os.listdir(tmp_path) == ["x.json"]


@posix
def test_a_new_file_honours_the_umask_and_a_replaced_one_keeps_its_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"", durable=False)
        write_atomically(tmp_path / "private", b"", durable=False, mode=0o600)
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640
    assert mode(tmp_path / "private") == 0o600
    (tmp_path / "new").chmod(0o604)
    write_atomically(tmp_path / "new", b"again", durable=False)
    assert mode(tmp_path / "new") == 0o604


@posix
def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(victim)
    write_atomically(link, b"new", durable=False)
    assert victim.read_text() == "mine"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".json")
    write_atomically(path, b"{}", durable=False)
    assert path.read_bytes() == b"{}"


def test_a_failure_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new", durable=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.json"]


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    def lowest_free() -> int:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    before = lowest_free()
    write_atomically(tmp_path / "file", b"data", durable=False)
    assert lowest_free() <= before  # other threads may have closed some meanwhile


def test_a_file_that_windows_holds_open_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    replace, pauses = os.replace, list[float]()

    def busy(source: Path, target: Path) -> None:
        if len(pauses) < 3:
            error = PermissionError(13, "held")
            error.winerror = 32  # type: ignore[attr-defined]  # as Windows sets it
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr("registry_core._files.writing.time.sleep", pauses.append)
    write_atomically(path, b"new", durable=False)
    assert path.read_bytes() == b"new"
    assert len(pauses) == 3


def test_a_refusal_that_will_last_is_raised_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "x.json", b"new", durable=False)
    assert os.listdir(tmp_path) == []
