"""Where the store lies for users without a home, and what others plant there."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import platformdirs
import pytest
from filelock import FileLock

from registry_core import ProviderConfig, Snapshot
from registry_core._catalog.places import Places
from registry_core._catalog.store import GatewayData, Generation, Store, find_store
from registry_core._sync import commit
from tests.files.children import stores_of_nobody
from tests.files.forks import Forks
from tests.world import NOW, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="users and modes are POSIX")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for temporary files of a user without a home."""
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path / f"registry-core-{os.getuid()}"


@pytest.fixture
def homeless(world: World, nobody: Path) -> World:
    """A world with a system Python, and no home folder."""
    world.places = Places(world.tmp_path / "python", world.tmp_path / "python")
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]}, etag='"1"')
    return world


@posix
def test_without_a_home_the_store_is_temporary_and_one_warning_says_so(
    homeless: World, nobody: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert homeless.models()["openai"] == ("gpt-old",)
    assert not nobody.exists()
    for _ in range(3):
        assert homeless.sync().ok
    assert homeless.models()["openai"] == ("gpt-5", "gpt-old")
    (warning,) = caplog.messages
    assert str(nobody) in warning
    assert "home" in warning
    assert {path.name for path in nobody.iterdir()} >= {"payloads"}


@posix
def test_the_temporary_folder_is_for_its_user_alone_whatever_the_umask(
    homeless: World, nobody: Path
) -> None:
    before = os.umask(0)
    try:
        assert homeless.sync().ok
    finally:
        os.umask(before)
    assert stat.S_IMODE(nobody.stat().st_mode) == 0o700
    assert "gpt-5" in homeless.models()["openai"]


@posix
def test_a_temporary_folder_that_somebody_else_made_is_not_touched(
    homeless: World, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert homeless.sync().ok  # by another user, for whom it holds what he likes
    before = sorted(nobody.rglob("*"))
    me = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: me)
    planted = nobody.rename(nobody.with_name(f"registry-core-{me}"))
    if os.geteuid() == 0:
        os.chown(planted, me + 1, -1)  # what is root's, everybody trusts
    else:
        monkeypatch.setattr(os, "geteuid", lambda: me)
    assert homeless.models()["openai"] == ("gpt-old",)
    with pytest.raises(Exception, match="REGISTRY_CORE_STORE_DIR"):
        homeless.sync()
    assert not [*homeless.places.payloads(None)]
    assert [path.relative_to(planted) for path in sorted(planted.rglob("*"))] == [
        path.relative_to(nobody) for path in before
    ]


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_temporary_folder_that_others_can_write_is_refused(
    homeless: World, nobody: Path, mode: int
) -> None:
    nobody.mkdir()
    nobody.chmod(mode)
    assert list(homeless.places.stores(make=True)) == []
    assert not [*homeless.places.payloads(None)]


@posix
def test_an_environment_is_synced_even_if_there_is_no_place_for_payloads(
    homeless: World, nobody: Path
) -> None:
    nobody.mkdir()
    nobody.chmod(0o777)
    homeless.places = Places(homeless.tmp_path / "venv", homeless.tmp_path / "python")
    assert homeless.sync().ok
    assert homeless.models()["openai"] == ("gpt-5", "gpt-old")
    assert not list(nobody.iterdir())


@posix
def test_a_link_in_place_of_the_temporary_folder_is_refused(
    homeless: World, nobody: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    nobody.symlink_to(elsewhere)
    assert list(homeless.places.stores(make=True)) == []


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, as pytest's own can't be."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else"
)
def test_a_user_whom_the_system_does_not_know_has_a_place(forks: Forks, open_folder: Path) -> None:
    try:
        places, cache = forks.run(stores_of_nobody, open_folder)
    except PermissionError:
        pytest.skip("this root may not become another user")
    assert cache is None
    assert [path.parent.name for path in places] == ["registry-core-54321"]


@posix
def test_looking_for_a_store_writes_nothing(
    homeless: World, nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    before = homeless.tmp_path.stat().st_mtime_ns
    homeless.models()
    assert homeless.tmp_path.stat().st_mtime_ns == before
    assert tempfile.tempdir is None  # to find that out, Python writes a file


def refuse_writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    may_write = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) != store.folder and may_write(path, mode)
    )


def test_a_store_that_can_not_be_written_gives_way_to_a_newer_one_within_the_ttl(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    mine = world.registry()
    assert "gpt-5" in mine.get_models()["openai"]
    refuse_writing(world.store, monkeypatch)
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    world.sync()  # by another process of the same user
    assert "gpt-5" in mine.get_models()["openai"]
    world.monotonic += 61
    assert "gpt-6" in mine.get_models()["openai"]
    store, _ = find_store(world.places.stores())
    assert store is not None
    assert store.place.parent == world.tmp_path / "cache"


def test_who_waited_for_a_store_to_be_made_does_not_make_it_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both processes can't write the environment's store, and start from it."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.sync()
    refuse_writing(world.store, monkeypatch)
    (_, place) = world.places.stores()
    mine, waiting = Store(place), Event()
    commit.create(mine)
    logger = logging.getLogger("registry_core")
    monkeypatch.setattr(logger, "debug", lambda text, *_: "waiting" in text and waiting.set())
    newer = Snapshot.build([ProviderConfig("later", ["l"], gateway="main")])
    data = GatewayData("main-plugin:main", NOW + 1, newer.hash)
    with ThreadPoolExecutor(1) as pool:
        with FileLock(mine.lock):
            other = pool.submit(world.sync, offline=True)
            assert waiting.wait(60)
            commit.commit(mine, Generation(newer.hash, {"main": data}, ""), [newer])
        assert other.result().ok
    assert world.models() == {"later": ("l",), "other": ("x",)}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the library is asked")
@pytest.mark.parametrize(
    "environ",
    [{}, {"XDG_CACHE_HOME": "/elsewhere"}, {"XDG_CACHE_HOME": "  "}, {"HOME": "/srv/me"}],
    ids=["as it is", "elsewhere", "blank", "home"],
)
def test_the_users_cache_is_where_the_library_says(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    expected = platformdirs.user_cache_dir("registry-core", appauthor=False)
    assert Places(sys.prefix, sys.prefix).user_cache() == expected


@posix
@pytest.mark.parametrize("relative", ["cache", "~/cache", "./"])
def test_a_relative_cache_folder_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    """Else the store, and a policy's mark with it, would be looked for elsewhere."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    assert Places("/usr", "/usr").user_cache() == str(tmp_path / ".cache" / "registry-core")


@posix
@pytest.mark.parametrize("home", ["", "home"])
def test_a_home_that_is_no_folder_is_left_to_the_library(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    expected = platformdirs.user_cache_dir("registry-core", appauthor=False)
    found = Places("/usr", "/usr").user_cache()
    assert found == (expected if os.path.isabs(expected) else None)


def test_on_a_new_machine_a_first_lookup_asks_no_library_where_a_store_might_be(
    tmp_path: Path,
) -> None:
    program = (
        "import sys; from registry_core import get_model; assert get_model('openai/gpt-4o');"
        "print(*{'hashlib', 'logging', 'platformdirs', 'pathlib'} & sys.modules.keys())"
    )
    environ = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
