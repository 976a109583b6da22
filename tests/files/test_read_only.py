"""Folders that can't be written: each costs itself, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry_core import StoreError
from registry_core._sync import commit
from tests.files.children import Told, powerless_sync
from tests.files.forks import Forks
from tests.files.scene import Payload, Scene, contents
from tests.loopback import Loopback, Reply
from tests.world import World

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or (sys.platform != "linux" and os.geteuid() == 0),
    reason="needs a user whom modes bind",
)

OLD: Payload = {"openai": ["gpt-5+", "gpt-old"], "private": ["p"]}
NEW: Payload = {"openai": ["gpt-6+", "gpt-old"], "private": ["p"]}


class Site:
    """A scene that was synced once by somebody who may write everywhere."""

    def __init__(self, folder: Path, server: Loopback, forks: Forks) -> None:
        self.folder, self.server, self.forks = folder, server, forks
        self.scene = Scene.made(folder, server.url(""))
        server.serve("/main.json", OLD, etag='"old"')
        assert self.scene.sync().ok
        self.old = self.scene.targets()
        server.serve("/main.json", NEW, etag='"new"')

    def sync(self, **settings: object) -> Told:
        told: Told = self.forks.run(
            powerless_sync, self.folder, self.server.url(""), False, settings
        )
        return told


@pytest.fixture
def site(tmp_path: Path, server: Loopback, forks: Forks) -> Site:
    return Site(tmp_path, server, forks)


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    every = [path for one in folders for path in (one, *one.rglob("*")) if path.is_dir()]
    for folder in every:
        folder.chmod(0o555)
    try:
        yield
    finally:
        for folder in every:
            folder.chmod(0o755)


def test_a_project_that_is_read_only_is_named_and_the_others_are_written(site: Site) -> None:
    with read_only(site.folder / "project"):
        told = site.sync()
    (problem,) = told.report.problems
    assert not told.report.ok
    assert (problem.kind, problem.fatal) == ("target", True)
    assert str(site.folder / "project") in problem.culprit
    assert "make it writable" in problem.message
    targets = site.scene.targets()
    assert targets["project"] == site.old["project"]
    assert b"gpt-6+" in targets["environment"]["provider-registry.json"]
    assert b"gpt-6+" in targets["installed"]["__init__.pyi"]
    assert site.scene.sync().ok
    assert b"gpt-6+" in site.scene.targets()["project"]["web/provider-registry.json"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "make it writable"),
        (errno.EROFS, "make it writable"),
        (errno.EIO, "try again when the cause is gone"),
        (errno.EMFILE, "try again when the cause is gone"),
    ],
)
def test_the_hint_fits_what_the_system_said(world: World, number: int, told: str) -> None:
    with pytest.raises(StoreError, match=told), commit.writing(world.store):
        raise OSError(number, os.strerror(number), "x")


@pytest.mark.parametrize("name", ["web", "web/provider-registry.json", "typings"])
def test_what_lies_in_place_of_a_file_or_folder_is_to_be_moved(site: Site, name: str) -> None:
    path = site.folder / "project" / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.mkdir() if path.suffix else path.write_text("mine")
    (problem,) = site.sync().report.problems
    assert problem.kind == "target"
    assert f"(move {path} away)" in problem.message
    assert "space" not in problem.message


def test_installed_types_that_are_read_only_are_no_failure(site: Site) -> None:
    with read_only(site.folder / "site"):
        told = site.sync()
    assert told.report.ok
    assert told.warnings == ()
    targets = site.scene.targets()
    assert targets["installed"] == site.old["installed"]
    assert b"gpt-6+" in targets["project"]["typings/registry_core_types.pyi"]


def test_an_artifact_folder_that_is_read_only_is_no_failure_of_the_store(site: Site) -> None:
    place = site.scene.world.store.place
    (place / "capabilities").chmod(0o555)
    told = site.sync()
    (place / "capabilities").chmod(0o755)
    assert told.report.ok
    assert [one.kind for one in told.report.problems] == ["target"]
    assert "gpt-6+" in told.models["openai"]
    # The mark is the last file of a target: what it vouches for could not be written.
    assert contents(place) == site.old["environment"]


def test_a_read_only_environment_is_left_for_the_cache_of_the_user(site: Site) -> None:
    shutil.rmtree(site.scene.world.store.place)
    site.scene.world.store.place.mkdir()
    with read_only(site.folder / "venv"):
        told = site.sync()
    assert told.report.ok
    assert told.serves is not None
    assert Path(told.serves).parent == site.folder / "cache"
    (warning,) = told.warnings
    assert str(site.scene.world.store.folder) in warning
    assert told.serves in warning


def test_a_store_made_by_root_is_read_until_the_user_has_a_newer_one(site: Site) -> None:
    """An image is built with a sync, and runs as another user, who can't write there."""
    with read_only(site.folder / "venv"):
        assert site.scene.world.models()["openai"] == ("gpt-5+", "gpt-old")
        told = site.sync()
        assert told.models["openai"] == ("gpt-6+", "gpt-old")
        assert told.serves is not None
        assert Path(told.serves).parent == site.folder / "cache"
        again = site.sync()
        assert not again.report.changed
        assert again.serves == told.serves


def test_what_a_read_only_store_holds_outlives_a_gateway_that_is_down(site: Site) -> None:
    site.server.route("/main.json", Reply(500))
    with read_only(site.folder / "venv"):
        told = site.sync(fetch_retries=0)
    assert not told.report.ok
    assert told.models["private"] == ("p",)
    assert told.report.gateways[0].source == "stored"


def test_a_newer_read_only_store_takes_over_from_the_cache(site: Site) -> None:
    with read_only(site.folder / "venv"):
        site.sync()
    site.server.serve("/main.json", {**NEW, "later": ["l"]}, etag='"later"')
    assert site.scene.sync().ok  # the image is built anew
    with read_only(site.folder / "venv"):
        told = site.sync(offline=True)
    assert told.models["later"] == ("l",)


def test_a_store_that_was_named_and_is_read_only_is_an_error_with_its_mend(site: Site) -> None:
    place = site.scene.world.store.place
    with read_only(place), pytest.raises(StoreError, match="REGISTRY_CORE_STORE_DIR") as caught:
        site.sync(store_dir=place)
    assert str(place) in str(caught.value)
    assert site.scene.world.models(store_dir=place)["openai"] == ("gpt-5+", "gpt-old")


def test_a_lock_that_can_not_be_opened_is_an_error_with_its_mend(site: Site) -> None:
    lock = site.scene.world.store.lock
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(StoreError, match="is not a regular file") as caught:
        site.scene.sync()
    assert caught.value.culprit == str(lock)
    assert caught.value.hint


def test_payloads_that_can_not_be_kept_are_fetched_each_time(site: Site) -> None:
    with read_only(site.folder / "cache"):
        told = site.sync()
    assert told.report.ok
    assert "gpt-6+" in told.models["openai"]
