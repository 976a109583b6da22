"""SIGKILL at every step of a sync: what holds then, and that the next sync completes it.

A step is anything that changes a file or folder: open to write, the first half of a
write, fsync, rename, remove, mkdir, chmod, utime.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from attrs import field, frozen

from registry_core import Changes
from registry_core._catalog import journal
from tests.files.forks import Forks, Killed
from tests.files.scene import Files, Payload, Scene, put_back, sync_until
from tests.loopback import Loopback

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

OLD: Payload = {
    "openai": ["gpt-5+", "gpt-old"],
    "acme": ["a1+"],
    "gone": ["g+"],
    "denied": ["d"],
}
CHANGED: Payload = {
    "openai": ["gpt-6+", "gpt-old"],
    "acme": ["a1+", "a2+"],
    "fresh": ["f+"],
    "denied": ["d", "e"],
}
FEWER: Payload = {"openai": ["gpt-5+", "gpt-old"], "denied": ["d"]}
NEXT: Payload = {"openai": ["gpt-7+", "gpt-old"], "acme": ["a1"], "later": ["l+"]}


@frozen
class Case:
    """A sync that is killed: what was synced before it, if anything was, and what it gets."""

    before: Payload | None
    upstream: Payload


CASES = {
    "the first": Case(None, OLD),
    "one that changes everything": Case(OLD, CHANGED),
    "one that removes artifacts": Case(OLD, FEWER),
    "a 304": Case(OLD, OLD),
}


@frozen
class Seen:
    """What users of a scene see."""

    targets: dict[str, Files]
    models: dict[str, tuple[str, ...]]
    changes: tuple[Changes, ...] = field(eq=False)
    """Those of a killed sync may count."""

    @classmethod
    def of(cls, scene: Scene) -> Seen:
        registry = scene.world.registry()
        return cls(scene.targets(), dict(registry.get_models()), registry.changes())


class Killing:
    """One case: the folder before the sync, and what undisturbed syncs make of it."""

    def __init__(self, folder: Path, server: Loopback, forks: Forks, case: Case, output: bool):
        self.server, self.forks, self.case, self.output = server, forks, case, output
        self.base = server.url("")
        self.folder, self.saved = folder / "scene", folder / "saved"
        scene = Scene.made(self.folder, self.base, output=output)
        if case.before is not None:
            self.serve(case.before)
            assert scene.sync().ok
        shutil.copytree(self.folder, self.saved)
        self.old = Seen.of(scene)
        self.serve(case.upstream)
        self.steps = len(forks.run(sync_until, self.folder, self.base, output, 0))
        self.new = Seen.of(scene)
        self.bindings = scene.world.store.read_state().bindings
        put_back(self.folder, self.saved)
        self.serve(NEXT)
        assert scene.sync().ok
        self.next = Seen.of(scene)

    def serve(self, payload: Payload) -> None:
        self.server.serve("/main.json", payload, etag=f'"{hash(str(payload))}"')

    def kill(self, step: int) -> Scene:
        """The scene after a sync that was killed before its step number `step`."""
        put_back(self.folder, self.saved)
        self.serve(self.case.upstream)
        with pytest.raises(Killed):
            self.forks.run(sync_until, self.folder, self.base, self.output, step)
        return Scene(self.folder, self.base, output=self.output)

    def try_all(self, steps: range, *, both: bool = False) -> int:
        """Kill at each of `steps`. Upstream then stays as it is at one step, and changes at
        the next; with `both`, each is tried at every step. The count of syncs killed."""
        afterwards = ((self.case.upstream, self.new), (NEXT, self.next))
        count = 0
        for number, step in enumerate(steps):
            for upstream, expected in afterwards if both else [afterwards[number % 2]]:
                scene = self.kill(step)
                self.hold(scene)
                self.serve(upstream)
                self.complete(scene, expected)
                if expected is self.new:  # else it may be told by way of this one
                    assert Seen.of(scene).changes == self.new.changes
                count += 1
        return count

    def hold(self, scene: Scene) -> None:
        """What is promised right after the kill."""
        seen = Seen.of(scene)
        assert (seen.models, seen.changes) in [
            (one.models, one.changes) for one in (self.old, self.new)
        ]
        generation = scene.world.store.read_generation()
        for hash in generation.objects() if generation else ():
            scene.world.store.open_snapshot(hash).verify()
        scene.world.store.load_state()
        for target, files in seen.targets.items():
            old, new = dict(self.old.targets[target]), dict(self.new.targets[target])
            whole = {path: data for path, data in files.items() if not path.endswith(".tmp")}
            for each in (old, new, whole):  # `seen.models` has told what the mark lets serve
                each.pop("registry-core.policy", None)
            for path in {*old, *new, *whole}:
                assert whole.get(path) in (old.get(path), new.get(path)), path
            mark = next((path for path in new if path.endswith("provider-registry.json")), None)
            if mark and whole.get(mark) == new[mark] != old.get(mark):
                assert whole.items() >= new.items(), f"{target}: the mark says it is complete"

    def complete(self, scene: Scene, expected: Seen) -> None:
        """What the next sync makes of it: the same as if nothing had happened."""
        assert scene.sync().ok
        seen = Seen.of(scene)
        assert seen == expected
        hashes = [one.after for one in seen.changes]
        assert [one.before for one in seen.changes[1:]] == hashes[:-1]
        assert scene.leftovers() == []
        assert not (scene.world.store.folder / "quarantine").exists()
        if expected is self.new:
            assert scene.world.store.read_state().bindings.items() >= self.bindings.items()
        generation = scene.world.store.read_generation()
        assert generation is not None
        assert {*hashes[-1:]} <= {journal.lasting(generation)}
        assert {path.name for path in scene.world.store.object("").iterdir()} >= (
            generation.objects()
        )
        again = scene.sync()
        assert (again.ok, again.changed, again.written) == (True, False, ())


@pytest.mark.parametrize("output", [False, True], ids=["project", "output"])
@pytest.mark.parametrize("name", CASES)
def test_a_sync_killed_at_a_step_leaves_one_whole_generation_and_the_next_completes_it(
    tmp_path: Path, server: Loopback, forks: Forks, name: str, output: bool
) -> None:
    killing = Killing(tmp_path, server, forks, CASES[name], output)
    first = 3 + 5 * list(CASES).index(name) + 13 * output  # each case looks at other steps
    killing.try_all(range(first, killing.steps + 1, 31))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_many_syncs_killed_one_after_the_other_leave_nothing_behind(
    tmp_path: Path, server: Loopback, forks: Forks, seed: int
) -> None:
    """Upstream changes between them, so that each starts from another's unfinished work."""
    random = Random(seed)
    payloads = [OLD, CHANGED, NEXT]
    ends = {}
    for number, payload in enumerate(payloads):
        killing = Killing(tmp_path / str(number), server, forks, Case(None, payload), False)
        ends[number] = killing.new
    scene = Scene.made(tmp_path / "scene", server.url(""))
    allowed = [dict(scene.world.models()), *(end.models for end in ends.values())]
    for _ in range(12):
        number = random.randrange(len(payloads))
        killing.serve(payloads[number])
        step = random.randrange(1, 110)
        with suppress(Killed):  # or it was done before
            forks.run(sync_until, scene.folder, server.url(""), False, step)
        assert dict(scene.world.models()) in allowed
    killing.complete(scene, ends[number])


@pytest.mark.slow
@pytest.mark.parametrize("output", [False, True], ids=["project", "output"])
@pytest.mark.parametrize("name", CASES)
def test_every_step_of_a_sync_can_be_its_last(
    tmp_path: Path, server: Loopback, forks: Forks, name: str, output: bool
) -> None:
    killing = Killing(tmp_path, server, forks, CASES[name], output)
    count = killing.try_all(range(1, killing.steps + 1), both=not output)
    print(f"{name}, {'output' if output else 'project'}: {count} syncs killed")
