from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from registry_core._http.payloads import Payload, Payloads

URL = "https://models.test/api.json"
AUTH = [("authorization", "Bearer s3cret-token")]
BODY = Payload(b'{"a": 1}', '"1"', "Thu, 01 Jan 2026 00:00:00 GMT", confirmed_ns=10**18)


def test_what_was_written_is_read_by_the_next_process(folder: Path) -> None:
    key = Payloads(folder).key(URL, AUTH)
    Payloads(folder).write(key, BODY)
    again = Payloads(folder)
    assert again.key(URL, AUTH) == key
    read = again.read(key)
    assert read == BODY
    assert read is not None
    assert read.confirmed_ns == 10**18
    assert read.digest == BODY.digest


def test_a_confirmation_changes_only_the_time(folder: Path) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    payloads.confirm(key, 2 * 10**18)
    read = payloads.read(key)
    assert read == BODY
    assert read is not None
    assert read.confirmed_ns == 2 * 10**18


def test_other_credentials_have_another_payload(folder: Path) -> None:
    payloads = Payloads(folder)
    keys = {
        payloads.key(URL, AUTH),
        payloads.key(URL, ()),
        payloads.key(URL, [("authorization", "Bearer other")]),
        payloads.key(URL + "?page=2", AUTH),
    }
    assert len(keys) == 4


def test_names_and_contents_tell_nothing_of_the_credentials(folder: Path, tmp_path: Path) -> None:
    payloads = Payloads(folder)
    payloads.write(payloads.key(URL, AUTH), BODY)
    for path in folder.iterdir():
        assert b"s3cret" not in path.read_bytes()
        assert "s3cret" not in path.name
    # A name can't be found by trying tokens: another user's key makes another name.
    assert Payloads(tmp_path / "other").key(URL, AUTH) != payloads.key(URL, AUTH)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_folder_and_files_are_for_their_owner_alone(folder: Path) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    with payloads.lock(key, 1):
        payloads.write(key, BODY)
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"": 0o600, ".lock": 0o600, ".payload": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_damage_at_any_byte_makes_it_absent(folder: Path) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    path = folder / f"{key}.payload"
    whole = path.read_bytes()
    for offset in range(len(whole)):
        path.write_bytes(whole[:offset])
        assert payloads.read(key) is None
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        assert payloads.read(key) in (None, BODY)
    path.unlink()
    path.mkdir()
    assert payloads.read(key) is None


def test_a_damaged_key_is_made_anew(folder: Path) -> None:
    first = Payloads(folder).key(URL, ())
    (folder / "key").write_bytes(b"short")
    second = Payloads(folder).key(URL, ())
    assert second != first
    assert Payloads(folder).key(URL, ()) == second


def test_processes_that_start_together_agree_on_the_key(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Payloads(folder).key(URL, AUTH), range(32)))
    assert len(keys) == 1


def unusable(tmp_path: Path) -> Iterator[Path | None]:
    yield None
    (tmp_path / "file").write_text("in the way")
    yield tmp_path / "file" / "payloads"


def test_without_a_folder_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    for folder in unusable(tmp_path):
        payloads = Payloads(folder) if folder else Payloads()
        key = payloads.key(URL, AUTH)
        with payloads.lock(key, 1):
            payloads.write(key, BODY)
            payloads.confirm(key, 1)
            assert payloads.read(key) is None
        assert payloads.key(URL, AUTH) == key


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_became_read_only_is_still_read(folder: Path) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    folder.chmod(0o500)
    try:
        again = Payloads(folder)
        with again.lock(again.key(URL, ()), 1):
            again.write(key, Payload(b"[]"))
            assert again.read(key) == BODY
    finally:
        folder.chmod(0o700)


def test_a_lock_is_waited_for_no_longer_than_said(folder: Path) -> None:
    payloads, other = Payloads(folder), Payloads(folder)
    with payloads.lock("a", 1):
        with pytest.raises(TimeoutError), other.lock("a", 0):
            pass
        with other.lock("b", 0):
            pass
    with other.lock("a", 0):
        pass


def test_what_nobody_asked_for_in_a_month_is_removed(folder: Path) -> None:
    payloads = Payloads(folder)
    day = 86_400 * 10**9
    old, new = payloads.key(URL + "?cursor=1", ()), payloads.key(URL + "?cursor=2", ())
    now = folder.stat().st_mtime_ns  # the disk's clock counts, whatever the process believes
    payloads.write(old, BODY)
    leftover = folder / ".0123.tmp"
    leftover.write_bytes(b"half")
    os.utime(leftover, ns=(10**18, 10**18))
    payloads.confirm(old, now - 29 * day)
    payloads.write(new, Payload(b"[]", confirmed_ns=10**18))
    assert payloads.read(old) == BODY
    payloads.confirm(old, now - 31 * day)
    payloads.write(new, Payload(b"[]", confirmed_ns=10**18))
    assert payloads.read(old) is None
    assert not leftover.exists()
    assert payloads.key(URL + "?cursor=2", ()) == new
    assert Payloads(folder).key(URL + "?cursor=2", ()) == new


def test_tokens_that_rotate_leave_no_more_than_a_few_payloads(folder: Path) -> None:
    payloads = Payloads(folder)
    other = payloads.key(URL + "?page=2", ())
    payloads.write(other, Payload(b"[]", confirmed_ns=1, url=payloads.key(URL + "?page=2", ())))
    os.utime(folder / f"{other}.payload")  # not forgotten
    keys = [payloads.key(URL, [("x-api-key", f"token {n}")]) for n in range(40)]
    now = folder.stat().st_mtime_ns
    for seconds, key in zip(range(-len(keys), 0), keys, strict=True):
        body = Payload(b"[]", confirmed_ns=now + seconds * 10**9, url=payloads.key(URL, ()))
        payloads.write(key, body)
    kept = [key for key in keys if payloads.read(key)]
    assert kept == keys[-16:]
    assert payloads.read(other) is not None


@pytest.mark.parametrize("key", [None, "key"])
def test_a_folder_in_place_of_a_file_is_put_aside(folder: Path, key: str | None) -> None:
    if key is not None:
        (folder / key).mkdir(parents=True)
    payloads = Payloads(folder)
    name = payloads.key(URL, AUTH)
    if key is None:
        (folder / f"{name}.payload" / "of somebody").mkdir(parents=True)
    with payloads.lock(name, 1):
        payloads.write(name, BODY)
    assert Payloads(folder).key(URL, AUTH) == name
    assert Payloads(folder).read(name) == BODY
    (aside,) = (path for path in folder.iterdir() if path.is_dir())
    assert aside.name.startswith(f"{key or name}")


posix = pytest.mark.skipif(sys.platform == "win32", reason="users, modes and FIFOs are POSIX")


@posix
@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "device"])
def test_what_is_no_file_is_absent_and_not_waited_for(folder: Path, kind: str) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    for path in (folder / f"{key}.payload", folder / "key"):
        path.unlink()
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to(path if kind == "link" else "/dev/zero")
    assert payloads.read(key) is None
    assert payloads.read(key, whole=False) is None
    again = Payloads(folder).key(URL, ())
    assert again != key
    if kind != "folder":  # what can be replaced is
        assert Payloads(folder).key(URL, ()) == again
        payloads.write(key, BODY)
        assert payloads.read(key) == BODY


@posix
@pytest.mark.skipif(sys.platform != "win32" and os.geteuid() != 0, reason="only root can give away")
def test_what_belongs_to_somebody_else_is_absent(folder: Path) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    for path in (folder / f"{key}.payload", folder / "key"):
        os.chown(path, 54321, -1)
    assert payloads.read(key) is None
    assert Payloads(folder).key(URL, ()) != key
    assert (folder / "key").stat().st_uid == 0  # made anew
    payloads.write(key, BODY)
    assert payloads.read(key) == BODY
    os.chown(folder, 54321, -1)
    assert payloads.read(key) is None


@posix
@pytest.mark.parametrize("spoil", ["open to others", "a link"])
def test_a_folder_that_others_may_write_in_or_chose_is_not_used(folder: Path, spoil: str) -> None:
    payloads = Payloads(folder)
    key = payloads.key(URL, ())
    payloads.write(key, BODY)
    if spoil == "a link":
        folder.symlink_to(folder.rename(folder.with_name("elsewhere")))
    else:
        folder.chmod(0o777)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    with payloads.lock(key, 1):
        payloads.write(key, Payload(b"[]"))
        payloads.confirm(key, 5)
    assert payloads.read(key) is None
    assert Payloads(folder).key(URL, ()) != key
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_payload_larger_than_the_limit_is_not_read_to_its_end(folder: Path) -> None:
    body = Payload(b"x" * 1000)
    payloads = Payloads(folder, max_bytes=1000)
    key = payloads.key(URL, ())
    payloads.write(key, body)
    assert payloads.read(key) == body
    assert Payloads(folder, max_bytes=999).read(key) is None
    with (folder / f"{key}.payload").open("wb") as file:
        file.truncate(2**40)
    assert payloads.read(key) is None
    assert payloads.read(key, whole=False) is None


def test_an_error_that_passes_does_not_replace_the_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Payloads(folder).key(URL, ())
    kept = (folder / "key").read_bytes()
    with monkeypatch.context() as patch:
        real = os.open

        def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
            if os.fspath(path) == str(folder / "key"):
                raise OSError(errno.EMFILE, "no descriptor")
            return real(path, *args, **kwargs)

        patch.setattr(os, "open", refuse)
        assert Payloads(folder).key(URL, ()) != key
    assert (folder / "key").read_bytes() == kept
    assert Payloads(folder).key(URL, ()) == key
