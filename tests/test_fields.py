"""What the constructors take and refuse: at run time, and in the eyes of type checkers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from registry_core import Artifact, Disabled, Endpoint, ModelInfo, ProviderConfig
from registry_core.models import Cost, Limit, Modalities
from tests.pytypes import check, error_lines

Model: Any = ModelInfo
Provider: Any = ProviderConfig
Reason: Any = Disabled
File: Any = Artifact
Target: Any = Endpoint

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "id": (lambda: Model(1, "x"), "id: expected an id, got int"),
    "empty id": (lambda: Model("", "x"), "id: expected an id, got an empty one"),
    "by position": (lambda: Model("a", "x", 5), "name: expected text, got int"),
    "part": (
        lambda: Model("a", "x", limit={"context": "8k"}),
        "limit.context: expected a whole number, got str",
    ),
    "part of a wrong type": (
        lambda: Model("a", "x", cost="free"),
        "cost: expected an object, got str",
    ),
    "price": (lambda: Cost(input=-1), "input: expected a number from 0 to 2**53"),
    "list": (
        lambda: Model("a", "x", modalities={"input": "text"}),
        "modalities.input: expected a list, got str",
    ),
    "provider": (lambda: Provider("a", ["m"], url=5), "url: expected text, got int"),
    "model of a list": (lambda: Provider("a", [5]), "models: expected an id, got int"),
    "model": (lambda: Provider("a", {"m": 5}), "models.m: expected ModelInfo, got int"),
    "other model": (
        lambda: Provider("a", {"m": Model("n", "a")}),
        "models.m: expected the model a/m, got 'a/n'",
    ),
    "override": (
        lambda: Provider("a", ["m"], model_overrides={"m": {"api": 7}}),
        "model_overrides.m.api: expected text, got int",
    ),
    "day": (
        lambda: Model("a", "x", lifecycle={"retires_on": date(2026, 9, 30)}),
        "lifecycle.retires_on: expected a date as text, such as 2026-09-30, got date",
    ),
    "unknown name": (
        lambda: Provider("a", ["m"], api_key_env="KEY"),
        "ProviderConfig has no field 'api_key_env'; did you mean 'api_key_env_vars'?",
    ),
    "unknown name in a part": (
        lambda: Model("a", "x", limit={"contxt": 5}),
        "limit: Limit has no field 'contxt'; did you mean 'context'?",
    ),
    "unknown name of a file": (
        lambda: File(emiter="a", path="b", text="c"),
        "Artifact has no field 'emiter'; did you mean 'emitter'?",
    ),
    "missing name of a file": (
        lambda: File("a", path="b"),
        "Artifact.__init__() missing 1 required positional argument: 'text'",
    ),
    "reason": (lambda: Reason(True), "reason: expected text, got bool"),
    "unknown name of an endpoint": (
        lambda: Target(url="https://a.example/v1", base_ulr="b"),
        "Endpoint has no field 'url'",
    ),
    "unlike any name": (lambda: Model("a", "x", zzz=1), "ModelInfo has no field 'zzz'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_the_field_and_what_was_meant(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert str(caught.value) == message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_is_missing_is_said_by_python() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'provider_id'"):
        Model("a")


def test_whole_values_and_plain_objects_are_the_same() -> None:
    plain = ModelInfo(
        "a", "x", limit={"context": 5}, cost={"input": 1}, modalities={"input": ["text"]}
    )
    assert plain == ModelInfo(
        "a", "x", limit=Limit(5), cost=Cost(1), modalities=Modalities(("text",))
    )


TYPED = """
from registry_core import ModelInfo, ProviderConfig
from registry_core.models import Cost, Limit, Modalities
ModelInfo(1, "x")  # wrong
Limit(context="8k")  # wrong
Cost(input="free")  # wrong
ProviderConfig("a", ["m"], url=5)  # wrong
ProviderConfig("a", 5)  # wrong
ModelInfo("m", "a", tool_call="yes")  # wrong
ModelInfo("m", "a", limit=5)  # wrong
ModelInfo("m", "a", toolcall=True)  # wrong
Modalities(input=5)  # wrong
model = ModelInfo("m", "a", limit={"context": 5}, cost=Cost(input=1, output=0.5), tool_call=True)
ProviderConfig("a", ["m"], api_key_env_vars="KEY", model_overrides={"m": {"api": "x"}})
ProviderConfig("a", {"m": model}, api_key_env_vars=("KEY", "OTHER"), models_=1)  # wrong
limit: int | None = model.limit.context
price: float | None = model.cost.input if model.cost else None
inputs: tuple[str, ...] | None = model.modalities.input
models: dict[str, ModelInfo] = dict(ProviderConfig("a", {"m": model}).models)
"""


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "basedpyright", "pyright"])
def test_type_checkers_refuse_what_the_constructors_refuse(tmp_path: Path, checker: str) -> None:
    (tmp_path / "typings").mkdir()
    (tmp_path / "typings" / "none.pyi").write_text("")
    file = tmp_path / "typed.py"
    file.write_text(TYPED)
    wrong = [n for n, line in enumerate(TYPED.splitlines(), 1) if line.endswith("# wrong")]
    output = check(checker, file)
    assert error_lines(output) == wrong, output
