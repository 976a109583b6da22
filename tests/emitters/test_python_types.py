"""The Python stub, read back here and by the type checkers in the slow tests."""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import registry_core_types
from registry_core.emitters import python_types
from registry_core.emitters.python_types import type_names
from registry_core.models import ProviderConfig
from registry_core.snapshot import Snapshot
from tests.emitters.samples import HOSTILE_PROVIDERS, emit, hostile, snapshot_of
from tests.pytypes import CHECKERS, check, error_lines

NAME = "registry_core_types.pyi"


def emitted(snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> str:
    return emit(python_types, snapshot, scope)[NAME]


def write_types(folder: Path, snapshot: Snapshot) -> None:
    (folder / "typings").mkdir()
    (folder / "typings" / NAME).write_text(emitted(snapshot), encoding="utf-8")


def read_back(text: str) -> dict[str, list[str]]:
    """Public name → the values of its literals, whatever steps they are written in."""
    found: dict[str, list[str]] = {}

    def values(node: ast.expr) -> list[str]:
        match node:
            case ast.BinOp():
                return values(node.left) + values(node.right)
            case ast.Subscript(slice=ast.Tuple(elts=items)):
                return [ast.literal_eval(item) for item in items]
            case ast.Subscript(slice=item):
                return [ast.literal_eval(item)]
            case ast.Name(id=name):
                return found.get(name, [])
            case ast.Attribute(attr="Never"):
                return []
        raise AssertionError(ast.dump(node))

    for statement in ast.parse(text).body:
        if isinstance(statement, ast.AnnAssign) and statement.value:
            assert isinstance(statement.target, ast.Name)
            assert statement.target.id not in found
            found[statement.target.id] = values(statement.value)
    return {name: ids for name, ids in found.items() if not name.startswith("_")}


def escaped(ids: list[str] | tuple[str, ...]) -> str:
    """A literal type with every character escaped."""
    items = ("".join(f"\\U{ord(character):08x}" for character in id) for id in ids)
    return "Literal[" + ", ".join(f'"{item}"' for item in items) + "]"


def test_every_id_is_read_back_as_it_was_whatever_it_holds() -> None:
    models = hostile()
    found = read_back(emitted(snapshot_of(models)))
    assert found.pop("ProviderId") == list(models)
    full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
    assert found.pop("KnownModelId") == found.pop("ModelId") == full_ids
    names = type_names(models)
    assert found == {names[id]: list(ids) for id, ids in models.items()}


def test_the_file_is_ascii_so_that_no_id_can_break_or_turn_a_line() -> None:
    text = emitted(snapshot_of(hostile()))
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


def test_it_says_which_command_made_it() -> None:
    assert "registry-core sync" in emitted(snapshot_of({})).splitlines()[0]


def test_providers_that_mastra_cannot_call_are_there() -> None:
    azure = ProviderConfig(id="azure", gateway="models.dev", models=["m"], unroutable="no URL")
    assert read_back(emitted(Snapshot.build([azure])))["Model_azure"] == ["m"]


def test_a_full_id_that_two_providers_share_is_named_once() -> None:
    found = read_back(emitted(snapshot_of({"a": ["b/c"], "a/b": ["c"]})))
    assert found["KnownModelId"] == ["a/b/c"]


def test_the_scope_keeps_only_the_providers_that_it_names_and_their_names() -> None:
    models = {"a": ["m"], "a.b": ["n"], "a-b": ["o"]}
    found = read_back(emitted(snapshot_of(models), ("a.b", "nowhere")))
    assert found == {
        "ProviderId": ["a.b"],
        "KnownModelId": ["a.b/n"],
        "ModelId": ["a.b/n"],
        type_names(models)["a.b"]: ["n"],
    }


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("openai", "Model_openai"),
        ("fireworks-ai", "Model_fireworks_ai"),
        ("302ai", "Model_302ai"),
        ("wafer.ai", "Model_wafer_ai"),
        ("acme/openai", "Model_acme_openai"),
        ("__proto__", "Model_proto"),
        ("class", "Model_class"),
        ("..", "Model_"),
    ],
)
def test_a_provider_gives_its_type_a_name(id: str, name: str) -> None:
    assert type_names([id]) == {id: name}


def test_of_ids_with_the_same_name_the_plainest_keeps_it_and_the_others_are_told_apart() -> None:
    names = type_names(["a.b", "a-b", "a_b"])
    assert names["a-b"] == "Model_a_b"
    assert re.fullmatch(r"Model_a_b__[0-9a-f]{16}", names["a.b"])
    assert names["a.b"] != names["a_b"]
    assert type_names(["a_b", "a.b"])["a.b"] == names["a.b"]


def test_names_are_identifiers_without_collision() -> None:
    names = type_names(HOSTILE_PROVIDERS).values()
    assert len(set(names)) == len(HOSTILE_PROVIDERS)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)


def test_at_run_time_every_type_is_text() -> None:
    def annotated(model: registry_core_types.ModelId) -> registry_core_types.Model_openai:
        return model

    assert get_type_hints(annotated) == {"model": str, "return": str}


def test_at_run_time_what_python_looks_for_by_itself_is_not_there() -> None:
    assert not hasattr(registry_core_types, "__wrapped__")
    assert not hasattr(registry_core_types, "_ModelId")


def test_the_bundled_stub_is_what_the_writer_makes() -> None:
    stub = Path(registry_core_types.__file__).with_name("__init__.pyi")
    found = read_back(stub.read_text(encoding="utf-8"))
    names = type_names(found["ProviderId"])
    models = {id: found[name] for id, name in names.items()}
    assert stub.read_text(encoding="utf-8") == emitted(snapshot_of(models))


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_checker_names_every_hostile_id_exactly(checker: str, tmp_path: Path) -> None:
    models = hostile()
    write_types(tmp_path, snapshot_of(models))
    full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
    names = type_names(models)
    claims = {
        "ProviderId": escaped(tuple(models)),
        "KnownModelId": escaped(full_ids),
        **{names[id]: escaped(ids) for id, ids in models.items()},
    }
    user = tmp_path / "user.py"
    user.write_text(
        "from typing import Literal, assert_type\n\nimport registry_core_types as types\n"
        + "".join(
            f"\n\ndef claim_{number}(value: types.{name}) -> None:\n"
            f"    assert_type(value, {expected})\n"
            for number, (name, expected) in enumerate(claims.items())
        )
        + f"\n\nanything: types.ModelId = 'any/thing'\nknown: types.{names['123']} = 'x'\n",
        encoding="utf-8",
    )
    output = check(checker, user)
    last = len(user.read_text(encoding="utf-8").splitlines())
    assert error_lines(output) == [last], output[:5000]


@pytest.mark.slow
def test_a_formatter_leaves_the_stub_as_it_is(tmp_path: Path) -> None:
    models = {"openai": [f"gpt-{number}" for number in range(150)], "it's": ["o3"]}
    write_types(tmp_path, snapshot_of(models))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "typings"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.slow
def test_mypys_message_about_a_wrong_id_stays_readable(tmp_path: Path) -> None:
    models = {f"provider-{number}": [f"model-{m}" for m in range(200)] for number in range(20)}
    write_types(tmp_path, snapshot_of(models))
    user = tmp_path / "user.py"
    user.write_text(
        "from registry_core_types import KnownModelId, ModelId, Model_provider_1\n"
        "known: KnownModelId = 'nope'\n"
        "one: Model_provider_1 = 'nope'\n"
        "any: ModelId = 3\n"
    )
    output = check("mypy", user)
    assert error_lines(output) == [2, 3, 4]
    assert len(output) < 2000


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_an_empty_registry_checks(checker: str, tmp_path: Path) -> None:
    write_types(tmp_path, Snapshot.build([ProviderConfig(id="a", models=[])]))
    user = tmp_path / "user.py"
    user.write_text(
        "from registry_core_types import KnownModelId, ModelId\n"
        "anything: ModelId = 'any/thing'\n"
        "known: KnownModelId = 'any/thing'\n"
    )
    output = check(checker, user)
    assert error_lines(output) == [3], output
