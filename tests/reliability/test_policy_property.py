"""Random catalogs, policies that come and go, and sequences of syncs, damage, kills, upgrades,
downgrades and restarts: nothing that shows models ever shows one that a policy took out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from registry_core import ModelRegistry, RegistryError, Settings, Snapshot, SnapshotDamagedError
from registry_core._base.frozen import EMPTY
from registry_core._catalog.store import Generation, Overlays
from registry_core._sync import commit
from registry_core._world import World as RealWorld
from tests.reliability.test_policy import Policy, Source, provider, without
from tests.world import World

PROVIDERS = ("a", "a/b", "c")
MODELS = ("m", "b/m", "n", "o")
#: Of a gateway that the service registers at run time.
OWN = {"r": ["m", "n"]}
OWN_IDS = {"r/m", "r/n"}
KEYS = {f"{id.upper()}_API_KEY": "k" for id in (*PROVIDERS, *OWN)}
IDS = sorted({f"{id}/{model}" for id in PROVIDERS for model in MODELS})

HOWS = ("spoil", "cut", "remove")

catalogs = st.dictionaries(
    st.sampled_from(PROVIDERS), st.lists(st.sampled_from(MODELS), min_size=1, unique=True)
)
policies = st.sets(st.sampled_from([*PROVIDERS, *IDS]), max_size=4) | st.sets(
    st.sampled_from(["a", "c", *OWN, *sorted(OWN_IDS)]), min_size=1
)


class Killed(BaseException):
    """Stands for SIGKILL at a step of a sync that changes a file."""


@contextmanager
def killing(step: int) -> Iterator[None]:
    """The process ends at this step: before it is done, or after."""
    left = step
    functions = {
        (commit, "write_atomically"): commit.write_atomically,
        (commit, "clear"): commit.clear,
        (Path, "unlink"): Path.unlink,
    }

    def dying(function: Any) -> Any:
        def step(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            result = function(*arguments, **named)
            left -= 1
            if left == 0:
                raise Killed
            return result

        return step

    patches = [patch.object(*at, dying(function)) for at, function in functions.items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


class Policies(RuleBasedStateMachine):
    """`taken` is what nobody may see: what the policy took out of the last generation that was
    stored, and would take out of what the running service offers of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="policy"))
        self.world = World(self.folder, None)  # type: ignore[arg-type]  # nothing is served
        self.world.writers = tuple(one for one in self.world.writers if one[0] == "json")
        self.source, self.policy = Source(), Policy()
        self.world.plugins = [self.source]
        self.taken: set[str] = set()
        self.published: set[str] = set()
        """Those of `taken` that the files of the last sync lack."""
        self.in_force: Overlays = EMPTY
        self.last_denied: tuple[str, ...] | None = None
        self.remembers = True
        self.saved: list[Path] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(
        catalog=catalogs,
        denied=policies,
        plain=st.booleans(),
        killed_at=st.none() | st.integers(1, 20),
    )
    def first_syncs(
        self, catalog: dict[str, list[str]], denied: set[str], plain: bool, killed_at: int | None
    ) -> None:
        everything = [provider(id, *MODELS) for id in PROVIDERS]
        self.world.bundled = Snapshot.build([*everything, provider("z", "z")])
        self.source.sends = {**catalog, "z": ["z"]}
        self.policy.denied = tuple(denied)
        if plain:
            self.sync()
        self.install_or_give_up_the_policy()
        if killed_at is None:
            self.sync()
        else:
            self.killed_sync(killed_at)
        self.restart()

    @property
    def is_installed(self) -> bool:
        return self.policy in self.world.plugins

    @property
    def denied(self) -> tuple[str, ...]:
        return self.policy.denied if self.is_installed else ()

    @property
    def settings(self) -> dict[str, Any]:
        """The policy is one by configuration: its options say what it denies."""
        options = {"test-1": {"deny": sorted(self.denied)}} if self.is_installed else {}
        return {"shrink_limit": 0.0, "project": self.folder, "plugin_options": options}

    def would_take(self) -> set[str]:
        """What a sync would take out now, and what one under the same policy had taken out
        that is not offered any more.

        Not "a/b/m" if "a" is denied and "a/b" is not: older data may show it, and has passed.
        """
        offered = self.offered()
        ids = {id for id in IDS if offered.get_model(id) and self.denies(id)}
        if self.denied == self.last_denied:
            ids |= {id for id in self.taken if not offered.get_model(id)}
        return ids | {id for id in OWN_IDS if self.denies(id)}

    def offered(self) -> Snapshot:
        return Snapshot.build([provider(id, *ids) for id, ids in self.source.sends.items()])

    def denies(self, id: str) -> bool:
        """Whether the policy takes this id out whichever provider offers it."""
        cuts = [at for at, one in enumerate(id) if one == "/" and id[:at] in (*PROVIDERS, *OWN)]
        offers = [Snapshot.build([provider(id[:at], id[at + 1 :])]) for at in cuts]
        return not any(without(one, *self.denied).get_model(id) for one in offers)

    def stored(self) -> None:
        self.taken, self.last_denied = self.would_take(), self.denied
        generation = self.pointed()
        assert generation is not None
        self.in_force = generation.overlays
        self.remembers = True

    def pointed(self) -> Generation | None:
        try:
            return self.world.store.read_generation()
        except SnapshotDamagedError:
            return None

    def is_told(self) -> bool:
        """Whether anything in the store still tells of the policy that is in force."""
        store = self.world.store
        if store.policies() is not None:
            return True
        generation = self.pointed()
        if generation is not None:
            return generation.overlays == self.in_force
        return store.read_state().generation.get("overlays") == self.in_force

    def forget_what_nothing_tells(self) -> None:
        if not self.is_told():
            self.taken = set()

    @rule()
    def sync(self) -> None:
        report = self.world.sync(**self.settings)
        assert all(one.kind == "store" for one in report.problems), report.problems
        self.stored()
        self.published = {*self.taken}
        left = without(self.offered(), *self.denied).get_models()
        assert self.world.models() == left

    @precondition(lambda self: self.running_denied == (self.is_installed, self.denied))
    @rule()
    def sync_in_the_service(self) -> None:
        report = self.running.sync_gateways()
        assert all(one.kind == "store" for one in report.problems), report.problems
        self.stored()
        self.published = {*self.taken}
        left = without(Snapshot.build([provider("r", *OWN["r"])]), *self.denied).get_models()
        assert self.running.get_models().get("r") == left.get("r")

    @rule(catalog=catalogs)
    def upstream_changes(self, catalog: dict[str, list[str]]) -> None:
        self.source.sends = {**catalog, "z": ["z"]}

    @rule(denied=policies)
    def policy_changes(self, denied: set[str]) -> None:
        self.policy.denied = tuple(denied)

    @rule()
    def install_or_give_up_the_policy(self) -> None:
        self.world.plugins = [self.source, *([] if self.is_installed else [self.policy])]

    @rule(step=st.integers(1, 20))
    def killed_sync(self, step: int) -> None:
        before = self.pointed()
        with killing(step):
            try:
                self.world.sync(**self.settings)
            except Killed:
                self.published &= self.would_take()
                after = self.pointed()
                if after not in (None, before) and after.overlays == self.overlays():
                    self.stored()
                self.forget_what_nothing_tells()
            else:
                self.stored()
                self.published = {*self.taken}

    def overlays(self) -> Overlays:
        return self.world.registry(**self.settings).world.host.overlays()

    @precondition(lambda self: self.is_installed and self.in_force and self.is_told())
    @rule()
    def sync_without_the_project(self) -> None:
        """As cron does it: the policy then has no options, and denies nothing."""
        denied, self.policy.denied = self.policy.denied, ()
        assert not self.world.sync(shrink_limit=0.0).ok
        self.policy.denied = denied

    @rule(pick=st.randoms(use_true_random=False), how=st.sampled_from(HOWS))
    def damage_an_object(self, pick: Any, how: str) -> None:
        files = sorted(self.world.store.object("").glob("*"))
        if files:
            self.damage(pick.choice(files), pick, how)

    @rule(
        names=st.sampled_from(
            ["pointer", "policy", "pointer state", "policy state", "policy pointer"]
        ),
        pick=st.randoms(use_true_random=False),
        how=st.sampled_from(["remove", *HOWS]),
    )
    def damage_what_tells_of_the_policy(self, names: str, pick: Any, how: str) -> None:
        for name in names.split():
            path = getattr(self.world.store, name)
            if path.is_file():
                self.damage(path, pick, how)

    def damage(self, path: Path, pick: Any, how: str) -> None:
        self.last_denied = None  # what is not offered any more may be forgotten with it
        data = path.read_bytes()
        if how == "remove":
            path.unlink()
        else:
            at = pick.randrange(max(1, len(data)))
            rest = b"" if how == "cut" else b"\xff" * (len(data) - at)
            other = path.with_suffix(".damaged")  # a reader may have mapped this one
            other.write_bytes(data[:at] + rest)
            other.replace(path)
        self.forget_what_nothing_tells()

    @rule()
    def save(self) -> None:
        if self.world.store.folder.exists():
            self.saved.append(self.folder / f"saved-{len(self.saved)}")
            shutil.copytree(self.world.store.folder, self.saved[-1])

    @rule(pick=st.randoms(use_true_random=False), version=st.sampled_from(["v0", "v2"]))
    def upgrade_or_downgrade(self, pick: Any, version: str) -> None:
        """The version that runs now finds the store of another, and one of its own, if any,
        that it left long ago."""
        store = self.world.store
        self.last_denied = None
        other = store.place / version
        if store.folder.exists():
            shutil.rmtree(other, ignore_errors=True)
            store.folder.rename(other)
        if self.saved and pick.random() < 0.5:
            shutil.copytree(pick.choice(self.saved), store.folder)
            self.remembers = False  # older data knows nothing of what is offered since
            if len(store.policies() or ()) > 1:
                self.taken = set()  # as if the sync that was killed had not come this far
        self.forget_what_nothing_tells()

    @rule()
    def restart(self) -> None:
        self.running = self.world.registry(**self.settings)
        self.running_denied = self.is_installed, self.denied
        self.running.register_gateway(Source("mine", **OWN))

    @rule()
    def newer_bundle(self) -> None:
        later = dict.fromkeys(self.world.bundle.captured, self.world.now + 1)
        self.world.bundle.captured = later
        self.world.now += 2

    @invariant()
    def nobody_sees_what_was_taken(self) -> None:
        self.world.monotonic += 1000
        for registry in (self.running, self.world.registry(**self.settings)):
            assert not shown(registry) & self.taken
            for id in self.taken:
                if self.remembers:
                    with pytest.raises(RegistryError):
                        registry.resolve(id, KEYS)
                try:
                    assert registry.get_model(id) is None
                except RegistryError:
                    continue
        emitted = self.world.store.place / "provider-registry.json"
        if emitted.exists():
            models = json.loads(emitted.read_text())["models"]
            ids = {f"{id}/{one}" for id, them in models.items() for one in them}
            assert not ids & self.published

    running = ModelRegistry(world=RealWorld(Settings(plugins=()), environ={}))
    running_denied: tuple[bool, tuple[str, ...]] = (False, ())


def shown(registry: ModelRegistry) -> set[str]:
    """The full ids that it shows in any way; none if it refuses."""
    try:
        ids = {f"{id}/{one}" for id, models in registry.get_models().items() for one in models}
        for provider in registry.get_providers().values():
            ids |= {model.full_id for model in provider.models.values()}
    except RegistryError:
        return set()
    return ids


TestPolicies = pytest.mark.slow(Policies.TestCase)
TestPolicies.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes
    suppress_health_check=list(HealthCheck),
)
