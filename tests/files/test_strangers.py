"""Settings and stores that somebody else has put where this user looks for his own."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from registry_core import StoreError
from registry_core._catalog.places import Places
from registry_core._catalog.store import find_store
from registry_core._config.load import load_settings
from registry_core.cli import main
from registry_core.errors import SettingsError
from registry_core.settings import Settings
from tests.files.children import STRANGER, as_somebody, hosts_of_project, without_descriptors
from tests.files.forks import Forks
from tests.world import World

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="users and modes are POSIX"),
    pytest.mark.skipif(
        sys.platform != "win32" and os.geteuid() != 0, reason="only root can be somebody else"
    ),
]

NAMES = ("pyproject.toml", "registry-core.toml")
EVIL = "[tool.registry-core]\ntrusted_hosts = ['evil.example']\n"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder where every user may put files, and nobody may move another's, as `/tmp`."""
    folder = Path(tempfile.mkdtemp()).resolve()
    folder.chmod(0o1777)
    (folder / "work").mkdir()
    yield folder
    shutil.rmtree(folder)


def give_away(path: Path) -> Path:
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    return path


def planted(folder: Path, name: str = "pyproject.toml", text: str = EVIL) -> Path:
    """A file of somebody else."""
    file = folder / name
    file.write_text(text, "utf-8")
    return give_away(file)


def hosts(cwd: Path, environ: dict[str, str] | None = None, **more: Any) -> tuple[str, ...]:
    return load_settings(environ or {}, cwd, **more).trusted_hosts


# A table of somebody else


@pytest.mark.parametrize("name", NAMES)
def test_a_strangers_settings_are_an_error_that_names_the_file_its_owner_and_the_way_out(
    name: str, shared: Path
) -> None:
    file = planted(shared, name)
    with pytest.raises(SettingsError, match=f"uid {STRANGER}") as raised:
        load_settings({}, shared / "work")
    assert raised.value.culprit == str(file)
    assert f"--project {shared}" in raised.value.hint
    assert f"REGISTRY_CORE_SAFE_PROJECT={shared}" in raised.value.hint


def test_a_command_that_meets_a_strangers_settings_ends_with_2(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(shared)
    monkeypatch.chdir(shared / "work")
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(shared / "store"))
    for command in (["sync", "--offline"], ["doctor"], ["plugins"]):
        result = CliRunner().invoke(main, command)
        assert (result.exit_code, "REGISTRY_CORE_SAFE_PROJECT" in result.output) == (2, True)
    assert CliRunner().invoke(main, ["doctor", "--project", str(shared)]).exit_code == 0
    monkeypatch.setenv("REGISTRY_CORE_SAFE_PROJECT", str(shared))
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


@pytest.mark.parametrize("name", NAMES)
def test_to_name_the_folder_is_consent(name: str, shared: Path) -> None:
    planted(shared, name)
    assert hosts(shared / "work", project=shared) == ("evil.example",)
    assert hosts(shared / "work", project=Path("..")) == ("evil.example",)


@pytest.mark.parametrize(
    ("value", "consents"),
    [
        ("{shared}", True),
        ("{shared}/", True),
        ("/elsewhere, {shared}", True),
        ("{shared}/*", True),
        ("{above}/*", True),
        ("*", True),
        ("{above}", False),
        ("{shared}/work", False),
        ("{shared}/work/*", False),
        ("{shared}x/*", False),
        ("", False),
    ],
)
def test_the_variable_names_the_folder_itself_or_a_folder_above_it_with_a_star(
    value: str, consents: bool, shared: Path
) -> None:
    planted(shared)
    text = value.format(shared=shared, above=shared.parent)
    environ = {"REGISTRY_CORE_SAFE_PROJECT": text}
    if consents:
        assert hosts(shared / "work", environ) == ("evil.example",)
    else:
        with pytest.raises(SettingsError, match="belongs to"):
            load_settings(environ, shared / "work")


def test_a_file_can_not_consent_to_itself(shared: Path) -> None:
    file = planted(shared, text=f"[tool.registry-core]\nsafe_project = ['{shared}']")
    with pytest.raises(SettingsError, match="belongs to"):
        load_settings({}, shared)
    os.chown(file, 0, 0)
    with pytest.raises(SettingsError, match="set REGISTRY_CORE_SAFE_PROJECT in the environment"):
        load_settings({}, shared)


def test_other_peoples_files_without_the_table_are_passed_by(shared: Path) -> None:
    for text in ("[project]\nname = 'theirs'", "[broken", ""):
        planted(shared / "work", text=text)
        assert load_settings({}, shared / "work") == Settings()
    planted(shared / "work", text="[tool.registry-core]\nbroken = ")
    with pytest.raises(SettingsError, match="belongs to"):
        load_settings({}, shared / "work")
    planted(shared / "work", "registry-core.toml", "[broken")
    with pytest.raises(SettingsError, match="belongs to"):
        load_settings({}, shared / "work")


@pytest.mark.parametrize(
    ("link_is_ours", "file_is_ours"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_a_link_counts_as_the_choice_of_who_made_it(
    link_is_ours: bool, file_is_ours: bool, shared: Path, tmp_path: Path
) -> None:
    file, link = tmp_path / "elsewhere.toml", shared / "pyproject.toml"
    file.write_text(EVIL)
    link.symlink_to(file)
    if not link_is_ours:
        give_away(link)
    if not file_is_ours:
        give_away(file)
    if link_is_ours and file_is_ours:
        assert hosts(shared / "work") == ("evil.example",)
    else:
        with pytest.raises(SettingsError, match=f"uid {STRANGER}"):
            load_settings({}, shared / "work")


def test_a_user_obeys_root_and_himself_and_nobody_else(shared: Path, forks: Forks) -> None:
    file = shared / "pyproject.toml"
    file.write_text(EVIL)
    user = STRANGER + 1
    arguments = (user, hosts_of_project, shared / "work")
    assert forks.run(as_somebody, *arguments) == ("evil.example",)
    os.chown(file, user, user)
    assert forks.run(as_somebody, *arguments) == ("evil.example",)
    give_away(file)
    with pytest.raises(SettingsError, match="belongs to"):
        forks.run(as_somebody, *arguments)


def test_under_sudo_the_files_of_who_called_it_are_roots(shared: Path, forks: Forks) -> None:
    planted(shared)
    called = {"SUDO_UID": str(STRANGER)}
    assert hosts(shared / "work", called) == ("evil.example",)
    for other in (str(STRANGER + 1), "", "0", "x"):
        with pytest.raises(SettingsError, match="belongs to"):
            load_settings({"SUDO_UID": other}, shared / "work")
    with pytest.raises(SettingsError, match="belongs to"):  # whoever is not root is not under sudo
        forks.run(as_somebody, STRANGER + 1, hosts_of_project, shared / "work", called)


def test_a_strangers_git_folder_does_not_make_the_repository_larger(shared: Path) -> None:
    work = shared / "work"
    (work / "pyproject.toml").write_text("[tool.registry-core.output]\njson = '../web'")
    (shared / ".git").mkdir()
    assert load_settings({}, work).outputs == {"json": shared / "web"}
    give_away(shared / ".git")
    with pytest.raises(SettingsError, match="inside the repository"):
        load_settings({}, work)
    give_away(work / "pyproject.toml")  # a checkout of another user, trusted as a whole
    assert load_settings({}, work, project=work).outputs == {"json": shared / "web"}


# What can't be read is not absent


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, path: Path, number: int) -> None:
    """Let the function `os.<name>` fail for `path`."""
    if name == "stat":  # pathlib takes either
        refuse(monkeypatch, "lstat", path, number)
    real = getattr(os, name)

    def fail(one: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(one, int) and os.fspath(one) == str(path):
            raise OSError(number, os.strerror(number), os.fspath(one))
        return real(one, *args, **kwargs)

    monkeypatch.setattr(os, name, fail)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("call", ["stat", "open"])
@pytest.mark.parametrize(
    "number",
    [errno.EMFILE, errno.ENFILE, errno.EIO, errno.ENOMEM, errno.EACCES, errno.ESTALE, errno.EINTR],
    ids=errno.errorcode.get,
)
def test_an_error_of_the_system_is_not_taken_for_no_project(
    name: str, call: str, number: int, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shared / name
    file.write_text(EVIL)
    refuse(monkeypatch, call, file, number)
    with pytest.raises(SettingsError, match=os.strerror(number)) as raised:
        load_settings({}, shared / "work")
    assert raised.value.culprit == str(file)


def test_a_process_without_a_free_descriptor_does_not_lose_its_project(
    shared: Path, forks: Forks
) -> None:
    (shared / "pyproject.toml").write_text(EVIL)
    with pytest.raises(SettingsError, match=os.strerror(errno.EMFILE)):
        forks.run(without_descriptors, hosts_of_project, shared / "work")


def test_what_may_not_be_read_or_entered_is_named(shared: Path, forks: Forks) -> None:
    file = shared / "pyproject.toml"
    file.write_text(EVIL)
    file.chmod(0o600)
    user = STRANGER + 1
    with pytest.raises(SettingsError, match="Permission denied") as raised:
        forks.run(as_somebody, user, hosts_of_project, shared / "work")
    assert raised.value.culprit == str(file)
    assert "--project" in raised.value.hint
    own = shared / "work" / "registry-core.toml"  # ends the search
    own.touch()
    assert forks.run(as_somebody, user, hosts_of_project, shared / "work") == ()
    (shared / "work").chmod(0o700)
    with pytest.raises(SettingsError, match="Permission denied"):
        forks.run(as_somebody, user, hosts_of_project, shared / "work")


def test_a_git_folder_that_can_not_be_looked_at_is_named(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shared / "pyproject.toml").write_text("[tool.registry-core.output]\njson = 'web'")
    refuse(monkeypatch, "stat", shared / ".git", errno.EIO)
    with pytest.raises(SettingsError, match=os.strerror(errno.EIO)) as raised:
        load_settings({}, shared)
    assert raised.value.culprit == str(shared / ".git")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "device", "dangling link"])
def test_what_is_no_file_holds_no_table_and_is_not_waited_for(
    kind: str, name: str, shared: Path
) -> None:
    (shared / "pyproject.toml").write_text(EVIL)
    path = shared / "work" / name
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "socket": lambda: _bind(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "dangling link": lambda: path.symlink_to(shared / "nowhere"),
    }
    make[kind]()
    assert hosts(shared / "work") == ("evil.example",)
    if name == "pyproject.toml":
        with pytest.raises(SettingsError, match="is not a file"):
            load_settings({}, shared, project=shared / "work")


def _bind(path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def test_a_file_without_end_is_not_read_to_it(shared: Path) -> None:
    with (shared / "pyproject.toml").open("wb") as file:
        file.truncate(2**40)
    assert load_settings({}, shared / "work") == Settings()
    (shared / "registry-core.toml").write_bytes(b"# \n" * (6 * 2**20))
    with pytest.raises(SettingsError, match="larger than"):
        load_settings({}, shared / "work")


# A store of somebody else

_SWAPS = """
import os, sys
prepared, place, stop = sys.argv[1:]
os.setuid(os.stat(prepared).st_uid)
swaps = 0
print("ready", flush=True)
while not os.path.exists(stop):
    for _ in range(100):
        try:
            os.rename(prepared, place)
            os.rename(place, prepared)
            swaps += 1
        except OSError:  # the user has made his own
            pass
print(swaps)
"""


@pytest.fixture
def homeless(world: World, shared: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that has only a temporary folder, and that in one which all users share."""
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("TMPDIR", str(shared))
    world.places = Places(world.tmp_path / "python", world.tmp_path / "python")
    world.gateway("main")
    return world


@pytest.fixture
def place(homeless: World, shared: Path) -> Path:
    return shared / f"registry-core-{os.getuid()}"


@pytest.fixture
def prepared(homeless: World, place: Path, shared: Path) -> Path:
    """What a stranger would like this user to take for his own store."""
    homeless.serve("main", {"openai": ["planted"], "planted": ["m"]})
    assert homeless.sync().ok
    folder = place.rename(shared / "prepared")
    for path in (folder, *folder.rglob("*")):
        give_away(path)
    return folder


@pytest.fixture
def swapping(prepared: Path, place: Path, shared: Path) -> Iterator[Callable[[], int]]:
    """Meanwhile a stranger renames what he prepared into the place of the store, and out.
    Ends when called, with how often he did."""
    stop = shared / "stop"
    arguments = [sys.executable, "-c", _SWAPS, str(prepared), str(place), str(stop)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"

        def end() -> int:
            stop.touch()
            return int(child.communicate(timeout=60)[0])

        yield end
        child.kill()


def test_a_folder_that_comes_after_the_look_is_not_read(
    homeless: World, prepared: Path, place: Path
) -> None:
    found = [*homeless.places.stores()]
    prepared.rename(place)
    assert find_store(found) == (None, None)
    assert find_store(homeless.places.stores()) == (None, None)
    assert not [*homeless.places.payloads(None)]


@pytest.mark.slow
def test_no_lookup_adopts_a_store_that_is_swapped_in_and_out(
    homeless: World, swapping: Callable[[], int]
) -> None:
    homeless.registry().get_models()
    adopted = [homeless.registry().get_model("openai/planted") for _ in range(2000)]
    assert swapping() > 100
    assert [one for one in adopted if one is not None] == []


@pytest.mark.slow
def test_no_first_sync_adopts_a_store_that_is_swapped_in_and_out(
    homeless: World, swapping: Callable[[], int], place: Path
) -> None:
    homeless.serve("main", {"openai": ["gpt-5"]})
    synced = 0
    for _ in range(40):
        try:
            assert homeless.sync().ok
        except StoreError:  # his folder was there: then there is no place
            continue
        synced += 1
        store = homeless.registry().world.store()
        assert store is not None
        assert store.place.parent == place
        assert store.place.stat().st_uid == os.getuid()
        assert homeless.models()["openai"] == ("gpt-5",)
        assert "planted" not in store.state.read_text()
        shutil.rmtree(place)
    assert swapping() > 0
    assert synced > 0


def test_what_a_store_remembers_is_read_only_where_its_data_would_be(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"acme": ["a"]})
    world.sync()
    own = Path([*world.places.stores()][1])
    shutil.copytree(world.store.place, own)
    os.utime(world.store.pointer)  # newer, and a stranger's
    for file in world.store.folder.rglob("*"):
        give_away(file)
    registry = world.registry()
    served, remembered = registry.world.load().store, registry.world.store()
    assert served is not None and served.place == own
    assert remembered is not None and remembered.place == own
