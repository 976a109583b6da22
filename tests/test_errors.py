"""Every error names its culprit and the hint, in whatever process it is read."""

from __future__ import annotations

import copy
import pickle

import pytest

from registry_core import (
    GatewayError,
    HostChangedError,
    ModelInfo,
    OverlayError,
    Problem,
    ProviderConfig,
    RegistryError,
    ShrunkError,
    SyncError,
    TargetError,
    errors,
)
from registry_core._emit.targets import Manifest, Target, write
from registry_core._sync.turn import fetched, refuse_shrunk
from registry_core.plugin import Artifact
from tests.world import Overlay, World

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RegistryError)
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("send", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])
def test_an_error_arrives_whole_in_another_process(kind: type[RegistryError], send) -> None:  # type: ignore[no-untyped-def]
    error = kind("went wrong", culprit="acme", hint="try again")
    error.seen = 3  # type: ignore[attr-defined]

    found = send(error)

    assert type(found) is kind
    assert str(found) == "acme: went wrong (try again)"
    assert (found.message, found.culprit, found.hint, found.seen) == (
        "went wrong",
        "acme",
        "try again",
        3,
    )


def test_what_is_not_said_is_left_out_of_the_text() -> None:
    assert str(RegistryError("went wrong")) == "went wrong"
    assert str(RegistryError("went wrong", hint="try again")) == "went wrong (try again)"
    assert str(HostChangedError("went wrong", culprit="acme")) == "acme: went wrong"


def providers(count: int) -> dict[str, ProviderConfig]:
    models = {str(number): ModelInfo(str(number), "acme") for number in range(count)}
    return {"acme": ProviderConfig("acme", models)}


def test_a_result_that_shrank_names_the_command_that_takes_it() -> None:
    good, half, less = (fetched("acme:acme", providers(n), 0.0) for n in (10, 5, 4))
    refuse_shrunk("acme", half, good, limit=0.5)
    with pytest.raises(ShrunkError, match="--accept acme"):
        refuse_shrunk("acme", less, good, limit=0.5)


def test_a_target_that_can_not_be_written_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    target = Target("output", blocked)
    with pytest.raises(TargetError, match="file"):
        contents = target.contents([Artifact("json", "a.json", "{}")])
        write(target, contents, Manifest(None), "key")


def test_a_sync_that_a_policy_holds_keeps_the_hint_of_the_error(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    world.plugins.append(Overlay(lambda snapshot: 1 / 0))
    report = world.sync()
    (problem,) = report.problems
    hint = "switch it off: REGISTRY_CORE_DISABLE_PLUGINS=registry-core:test-1"
    assert hint in problem.error.hint
    assert hint in problem.message
    with pytest.raises(ExceptionGroup) as raised:
        report.raise_failures()
    assert raised.value.exceptions == (problem.error,)
    assert type(problem.error) is OverlayError


def test_a_problem_that_nobody_raised_is_an_error_all_the_same() -> None:
    error = Problem("gateway", "no gateway is installed", "pip install one").error
    assert (type(error), str(error)) == (SyncError, "no gateway is installed: pip install one")


def test_a_report_raises_all_failures_at_once(world: World) -> None:
    world.gateway("main")
    world.gateway("second")
    with pytest.raises(ExceptionGroup) as raised:
        world.sync(fetch_retries=0).raise_failures()
    assert [type(one) for one in raised.value.exceptions] == [GatewayError, GatewayError]
    assert [one.__notes__ for one in raised.value.exceptions] == [
        ["gateway main"],
        ["gateway second"],
    ]
    assert all(one.hint for one in raised.value.exceptions)  # type: ignore[attr-defined]
