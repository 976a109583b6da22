"""A disk without space: what was there stays whole, and the error names the place."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_core import StoreError
from registry_core.report import SyncReport
from tests.files.forks import Forks
from tests.files.scene import Payload, Scene, put_back
from tests.loopback import Loopback

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

OLD: Payload = {"openai": ["gpt-5+", "gpt-old"], "acme": ["a1+"]}
NEW: Payload = {"openai": ["gpt-6+", "gpt-old"], "acme": [f"a{n}+" for n in range(300)]}


def sync_with_largest_file(folder: Path, base: str, largest: int) -> SyncReport:
    """A sync whose writes fail beyond `largest` bytes of a file, as a quota's would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    return Scene(folder, base).sync()


class Disk:
    """A scene that was synced once, and has news to get."""

    def __init__(self, folder: Path, server: Loopback) -> None:
        self.base = server.url("")
        self.folder, self.saved = folder / "scene", folder.parent / "saved"
        server.serve("/main.json", OLD, etag='"old"')
        self.scene = Scene.made(self.folder, self.base)
        assert self.scene.sync().ok
        shutil.copytree(self.folder, self.saved)
        self.old = self.scene.targets()
        server.serve("/main.json", NEW, etag='"new"')
        assert self.scene.sync().ok
        self.new = self.scene.targets()
        self.largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def start_again(self) -> None:
        put_back(self.folder, self.saved)

    def holds_whole_files(self) -> None:
        """Each file is the old one or the new one; nothing half written lies about."""
        for target, files in self.scene.targets().items():
            old, new = self.old[target], self.new[target]
            for path in {*old, *files}:
                assert files.get(path) in (old.get(path), new.get(path)), path
            mark = files.get("provider-registry.json")
            if mark and mark != old.get("provider-registry.json"):
                assert files == new
        assert self.scene.leftovers() == []
        assert self.scene.world.models()["openai"] in (("gpt-5+", "gpt-old"), ("gpt-6+", "gpt-old"))

    def completes(self) -> None:
        assert self.scene.sync().ok
        assert self.scene.targets() == self.new


@pytest.fixture
def disk(tmp_path: Path, server: Loopback) -> Disk:
    return Disk(tmp_path / "disk", server)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.2, 0.4, 0.7, 0.9, 0.999])
def test_a_file_that_can_not_grow_costs_the_news_and_nothing_else(
    disk: Disk, forks: Forks, share: float
) -> None:
    disk.start_again()
    try:
        report = forks.run(
            sync_with_largest_file, disk.folder, disk.base, int(disk.largest * share)
        )
    except StoreError as error:
        assert error.culprit.startswith(str(disk.folder))
        assert "can't be written" in error.message
        assert "free some space" in error.hint
        assert disk.scene.targets() == disk.old
    else:
        assert not report.ok or disk.scene.targets() == disk.new
        for problem in report.problems:
            assert problem.kind == "target"
            assert str(disk.folder) in problem.culprit
            assert "File too large" in problem.message
    disk.holds_whole_files()
    disk.completes()


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tmpfs"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.geteuid() or not shutil.which("mount") or subprocess.call(mount) != 0:
        pytest.skip("this user can't mount a small disk")
    try:
        yield folder
    finally:
        subprocess.check_call(["umount", "--lazy", str(folder)])  # a snapshot may be mapped


@pytest.mark.slow
def test_a_full_disk_costs_the_news_and_nothing_else(tmpfs: Path, server: Loopback) -> None:
    disk = Disk(tmpfs / "disk", server)
    failed = 0
    for free in range(40):  # pages of a tmpfs
        disk.start_again()
        ballast = tmpfs / "ballast"
        with ballast.open("wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(bytes(4096))
            file.truncate(max(0, file.tell() - free * 4096))
        try:
            report = disk.scene.sync()
        except StoreError as error:
            assert "No space left" in error.message
            assert "free some space" in error.hint
            failed += 1
        else:
            failed += not report.ok
            assert all("No space left" in one.message for one in report.problems)
        disk.holds_whole_files()
        ballast.unlink()
        disk.completes()
    assert 5 < failed < 40
