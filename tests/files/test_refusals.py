"""Each call of the system's that a sync or a lookup makes fails once, for a reason that may pass:
nothing healthy is put aside, nothing is forgotten, and the next run is right.

A small C library, preloaded, makes the n-th call fail; see `refusals.c`.
"""

from __future__ import annotations

import ctypes
import errno
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from attrs import frozen

from registry_core import RegistryError
from registry_core.testing import write_distribution
from tests.files.forks import Forks
from tests.files.scene import Payload, Scene, put_back
from tests.loopback import Loopback

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="preloads a library of glibc's functions"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]

ERRORS = ("EMFILE", "ENFILE", "ENOMEM", "EIO", "EACCES", "ENOSPC", "EDQUOT", "EINTR")

OLD: Payload = {"openai": ["gpt-5+"], "acme": ["a1+"], "gone": ["g+"], "denied": ["d"]}
NEW: Payload = {"openai": ["gpt-6+"], "acme": ["a1+", "a2+"], "fresh": ["f+"], "denied": ["d", "e"]}
POLICY = """
from registry_core import hookimpl

@hookimpl
def registry_overlay(snapshot):
    providers = snapshot.get_providers()
    return snapshot.with_providers({id: one for id, one in providers.items() if id != "secret"})
"""


@frozen
class Seen:
    """What a process saw in which the n-th call failed."""

    calls: int
    refused: str
    outcome: str
    models: dict[str, tuple[str, ...]]
    quarantined: bool
    bindings: dict[str, Any]
    afterwards: dict[str, tuple[str, ...]]
    """After the next sync, or at the next lookup."""
    complete: bool


class Refusing:
    """The n-th call fails while this is entered."""

    def __init__(self, n: int, error: int) -> None:
        self._library = ctypes.CDLL(None)
        self._library.refusals_name.restype = ctypes.c_char_p
        self._arguments = n, error
        self.calls, self.refused = 0, ""

    def __enter__(self) -> Self:
        self._library.refusals_arm(*self._arguments)
        return self

    def __exit__(self, *_: object) -> None:
        self.calls = self._library.refusals_disarm()
        self.refused = self._library.refusals_name().decode()


def scene_of(folder: Path, base: str) -> Scene:
    scene = Scene(folder, base)
    scene.world.path = [str(folder / "site")]
    sys.path.insert(0, str(folder / "site"))
    sys.dont_write_bytecode = True
    return scene


def loaded_by_a_sync(folder: Path, base: str) -> list[str]:
    scene = scene_of(folder, base)
    assert scene.sync().ok
    scene.world.registry().get_model("openai/gpt-5+")
    own = ("__main__", "__mp_main__", "policy")
    return [
        name
        for name, one in sys.modules.items()
        if name not in own and getattr(one, "__spec__", None)
    ]


def sync_refusing(folder: Path, base: str, n: int, error: int) -> Seen:
    scene = scene_of(folder, base)
    with Refusing(n, error) as refusing:
        try:
            report = scene.sync()
            outcome = "ok" if report.ok else "failed"
        except RegistryError as error:
            outcome = f"{type(error).__name__}: {error}"
    models = dict(scene.world.models())
    quarantined = (scene.world.store.folder / "quarantine").exists()
    again = scene.sync()
    return Seen(
        refusing.calls,
        refusing.refused,
        outcome,
        models,
        quarantined,
        dict(scene.world.store.load_state().bindings),
        dict(scene.world.models()),
        again.ok and scene.sync().written == (),
    )


def look_refusing(folder: Path, base: str, n: int, error: int, loaded: bool) -> Seen:
    scene = scene_of(folder, base)
    registry = scene.world.registry()
    if loaded:
        registry.get_models()
        scene.world.monotonic += 1000
    with Refusing(n, error) as refusing:
        try:
            registry.get_model("openai/gpt-5+")
            models, outcome = dict(registry.get_models()), "ok"
        except RegistryError as error:
            models, outcome = {}, f"{type(error).__name__}: {error}"
    quarantined = (scene.world.store.folder / "quarantine").exists()
    bindings = dict(scene.world.store.load_state().bindings)
    afterwards = dict(registry.get_models())
    return Seen(
        refusing.calls, refusing.refused, outcome, models, quarantined, bindings, afterwards, True
    )


class Cases:
    """A scene that was synced once; upstream has changed since."""

    def __init__(self, folder: Path, server: Loopback, library: Path) -> None:
        self.folder, self.saved, self.server = folder / "scene", folder / "saved", server
        self.serve(OLD)
        base = server.url("")
        Scene.made(self.folder, base)
        write_distribution(
            self.folder / "site",
            "policy",
            entry_points={"policy": "policy"},
            modules={"policy.py": POLICY},
        )
        environ = {"LD_PRELOAD": str(library)}
        with Forks() as forks:
            modules = forks.run(loaded_by_a_sync, self.folder, base)
        self.forks = Forks(modules, environ)
        shutil.copytree(self.folder, self.saved)
        scene = Scene(self.folder, base)
        self.old = dict(scene.world.models())
        self.bindings = dict(scene.world.store.load_state().bindings)
        self.serve(NEW)
        seen = self.sync(0, 0)
        self.new, self.calls = seen.afterwards, seen.calls
        assert (seen.outcome, seen.models) == ("ok", self.new)

    def serve(self, payload: Payload) -> None:
        self.server.serve("/main.json", payload, etag=f'"{hash(str(payload))}"')

    def sync(self, n: int, error: int) -> Seen:
        put_back(self.folder, self.saved)
        seen: Seen = self.forks.run(sync_refusing, self.folder, self.server.url(""), n, error)
        return seen

    def look(self, n: int, error: int, *, loaded: bool) -> Seen:
        seen: Seen = self.forks.run(
            look_refusing, self.folder, self.server.url(""), n, error, loaded
        )
        return seen


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "refusals.so"
    source = Path(__file__).with_name("refusals.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def cases(tmp_path: Path, server: Loopback, library: Path) -> Iterator[Cases]:
    cases = Cases(tmp_path, server, library)
    with cases.forks:
        yield cases


def try_syncs(cases: Cases, chosen: Iterable[tuple[int, str]]) -> Counter[str]:
    """How many syncs ended in which way."""
    outcomes: Counter[str] = Counter()
    for n, name in chosen:
        seen = cases.sync(n, getattr(errno, name))
        case = f"{name} at call {n}, {seen.refused}: {seen.outcome}"
        assert seen.models in (cases.old, cases.new), case
        assert not seen.quarantined, case
        assert seen.bindings.items() >= cases.bindings.items(), case
        assert (seen.afterwards, seen.complete) == (cases.new, True), case
        outcomes[seen.outcome.partition(":")[0]] += 1
    return outcomes


def try_lookups(cases: Cases, chosen: Iterable[tuple[int, str]], *, loaded: bool) -> Counter[str]:
    """The same of lookups: of a registry that has looked before, or that has not."""
    outcomes: Counter[str] = Counter()
    put_back(cases.folder, cases.saved)
    for n, name in chosen:
        seen = cases.look(n, getattr(errno, name), loaded=loaded)
        case = f"{name} at call {n}, {seen.refused}: {seen.outcome}"
        assert (seen.outcome, seen.models) == ("ok", cases.old), case
        assert seen.afterwards == cases.old, case
        assert not seen.quarantined, case
        assert seen.bindings == cases.bindings, case
        outcomes[seen.outcome] += 1
    return outcomes


def calls_of_a_lookup(cases: Cases, *, loaded: bool) -> int:
    put_back(cases.folder, cases.saved)
    return cases.look(0, 0, loaded=loaded).calls


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0, len(ERRORS) // 2])
def test_each_call_of_a_sync_may_fail_once(cases: Cases, shift: int) -> None:
    """Each with two errors, in turn: with all of them it takes ten minutes."""
    every = range(1, cases.calls + 1)
    outcomes = try_syncs(cases, ((n, ERRORS[(n + shift) % len(ERRORS)]) for n in every))
    assert outcomes["ok"] + outcomes["StoreError"] + outcomes["failed"] == len(every)


@pytest.mark.slow
def test_each_call_of_a_lookup_may_fail_once(cases: Cases) -> None:
    for loaded in (False, True):
        calls = calls_of_a_lookup(cases, loaded=loaded)
        chosen = [(n, name) for n in range(1, calls + 1) for name in ERRORS]
        assert try_lookups(cases, chosen, loaded=loaded)["ok"] == len(chosen) > 1
