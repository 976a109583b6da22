"""Every error names its culprit and the hint, in whatever process it is read."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import pytest

from registry_core import (
    GatewayError,
    GatewayReport,
    HostChangedError,
    ModelInfo,
    OverlayError,
    Problem,
    ProviderConfig,
    RegistryError,
    ShrunkError,
    SyncError,
    SyncReport,
    TargetError,
    errors,
)
from registry_core._catalog.store import GatewayData
from registry_core._emit.targets import Manifest, Target, write
from registry_core._sync.turn import in_memory, refuse_shrunk
from registry_core.plugin import Artifact
from registry_core.report import GatewayStatus
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


def test_the_status_of_an_answer_arrives_too() -> None:
    error = GatewayError("answered 404", culprit="acme", status=404)
    assert pickle.loads(pickle.dumps(error)).status == 404
    assert GatewayError("cut off").status is None


def test_what_is_not_said_is_left_out_of_the_text() -> None:
    assert str(RegistryError("went wrong")) == "went wrong"
    assert str(RegistryError("went wrong", hint="try again")) == "went wrong (try again)"
    assert str(HostChangedError("went wrong", culprit="acme")) == "acme: went wrong"


def providers(count: int) -> dict[str, ProviderConfig]:
    models = {str(number): ModelInfo(str(number), "acme") for number in range(count)}
    return {"acme": ProviderConfig("acme", models)}


def test_a_result_that_shrank_names_the_command_that_takes_it() -> None:
    about = GatewayData("acme:acme", 0.0)
    good, half, less = (in_memory("fetched", about, providers(n)) for n in (10, 5, 4))
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


def test_a_problem_is_its_error_without_the_culprit_twice() -> None:
    error = SyncError("went wrong", culprit="acme", hint="try again")
    problem = Problem.of("store", error, fatal=False)
    assert (problem.kind, problem.culprit, problem.fatal) == ("store", "acme", False)
    assert problem.message == error.text == "went wrong (try again)"
    assert problem.error is error
    assert RegistryError("went wrong", culprit="acme").text == "went wrong"


def test_a_masked_error_holds_no_secret_nor_what_led_to_it() -> None:
    try:
        try:
            raise ValueError("key-123")
        except ValueError as cause:
            raise GatewayError(
                "key-123 is wrong", culprit="u?k=key-123", hint="not key-123"
            ) from cause
    except GatewayError as raised:
        error = raised
    error.mask(lambda text: text.replace("key-123", "***"))
    assert str(error) == "u?k=***: *** is wrong (not ***)"
    assert error.args == ("*** is wrong",)
    assert (error.__cause__, error.__context__) == (None, None)
    assert b"key-123" not in pickle.dumps(error)


@pytest.mark.parametrize(
    ("status", "tolerated", "ok"),
    [
        ("fresh", False, True),
        ("disabled", False, True),
        ("offline", False, True),
        ("failed", False, False),
        ("failed", True, True),
    ],
)
def test_a_failure_that_is_not_tolerated_is_all_that_is_not_ok(
    status: GatewayStatus, tolerated: bool, ok: bool
) -> None:
    gateway = GatewayReport("acme", "Acme", status, "stored", tolerated=tolerated)
    report = SyncReport(datetime.now(UTC), gateways=(gateway,))
    assert (gateway.ok, report.ok) == (ok, ok)
