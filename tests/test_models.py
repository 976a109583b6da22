"""What a model says of itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from registry_core import Lifecycle, ModelInfo, Snapshot
from registry_core.structure import model_from_record, provider_from_record


def model(id: str = "m", **fields: Any) -> ModelInfo:
    return ModelInfo(id, "acme", **fields)


# --- lifecycle -----------------------------------------------------------------------

GOING = Lifecycle(deprecated_on="2026-03-01", retires_on="2026-09-30", successor="acme/n")


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-02-28", "beta"),
        ("2026-03-01", "deprecated"),
        ("2026-09-29", "deprecated"),
        ("2026-09-30", "retired"),
        (date(2027, 1, 1), "retired"),
        (datetime(2026, 9, 29, 23, 59, tzinfo=UTC), "deprecated"),
    ],
)
def test_what_has_passed_is_decided_when_it_is_asked(day: Any, status: str) -> None:
    going = model(status="beta", lifecycle=GOING)
    assert going.status_on(day) == status
    assert going.status == "beta"


def test_without_dates_the_status_is_what_the_source_said() -> None:
    assert model().status_on("2026-01-01") is None
    assert model(status="deprecated").status_on("2026-01-01") == "deprecated"
    gone = model(status="retired", lifecycle={"deprecated_on": "2020-01-01"})
    assert gone.status_on("2026-01-01") == "retired"


def test_an_unknown_lifecycle_is_one_of_nothing() -> None:
    assert model().lifecycle == Lifecycle(None, None, None)
    assert model(lifecycle=None).lifecycle == model(lifecycle={}).lifecycle == Lifecycle()
    same = [model(id, lifecycle={"retires_on": "2026-09-30"}).lifecycle for id in "ab"]
    assert same[0] is same[1]


@pytest.mark.parametrize("wrong", ["soon", "2026-9-30", "20260930", "2026-02-30", "2026-09", ""])
def test_what_is_no_day_is_refused_and_becomes_unknown_in_a_record(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"lifecycle\.retires_on: expected a date such as"):
        model(lifecycle={"retires_on": wrong})
    with pytest.raises(ValueError, match="expected a date such as"):
        model().status_on(wrong)
    losses: list[tuple[str, str]] = []
    record = {"lifecycle": {"retires_on": wrong, "successor": "n"}, "name": "M"}
    found = model_from_record("acme", "m", record, lambda *loss: losses.append(loss))
    assert found == model(name="M", lifecycle=Lifecycle(successor="n"))
    ((culprit, message),) = losses
    assert (culprit, message.partition(":")[0]) == (
        "acme/m",
        "lifecycle.retires_on is taken as unknown",
    )


def test_a_lifecycle_survives_the_snapshot() -> None:
    record = {"lifecycle": {"retires_on": "2026-09-30", "successor": "n", "deprecated_on": None}}
    provider = provider_from_record("acme", {"models": {"m": record}})
    assert provider is not None
    stored = Snapshot.from_bytes(Snapshot.build([provider]).to_bytes()).get_model("acme/m")
    assert stored == model(lifecycle=Lifecycle(retires_on="2026-09-30", successor="n"))
