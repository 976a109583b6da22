"""The Python stub, read back here and by the type checkers in the slow tests."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import registry_core_types
from registry_core._catalog.bundle import Bundle
from registry_core._catalog.snapshot import Snapshot
from registry_core._writers import python_types
from registry_core._writers.featured import featured
from registry_core._writers.python_types import FEW, type_names
from registry_core.models import ModelInfo, ProviderConfig
from registry_core.records import provider_from_record
from tests.emitters.samples import HOSTILE_PROVIDERS, emit, hostile, snapshot_of
from tests.pytypes import CHECKERS, check, error_lines

NAME = "registry_core_types.pyi"
#: pyrefly checks nothing of what is larger, and says nothing of it.
MOST_IN_A_LITERAL, MOST_IN_A_UNION = 256, 4096


def emitted(snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> str:
    return emit(python_types, snapshot, scope)[NAME]


def write_types(folder: Path, snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> None:
    (folder / "typings").mkdir()
    (folder / "typings" / NAME).write_text(emitted(snapshot, scope), encoding="utf-8")


def read_back(text: str) -> dict[str, list[str]]:
    """Public type, or function → the values of its literals, or those that its overloads take
    together; whatever steps they are written in."""
    found: dict[str, list[str]] = {}

    def values(node: ast.expr) -> list[str]:
        match node:
            case ast.BinOp():
                return values(node.left) + values(node.right)
            case ast.Subscript(value=ast.Attribute(attr="Union"), slice=ast.Tuple(elts=items)):
                return [value for item in items for value in values(item)]
            case ast.Subscript(slice=ast.Tuple(elts=items)):
                assert len(items) <= MOST_IN_A_LITERAL
                return [ast.literal_eval(item) for item in items]
            case ast.Name(id=name):
                return found.get(name, [])
            case ast.Attribute(attr="Never"):
                return []
        raise AssertionError(ast.dump(node))

    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name.endswith("_id"):
            taken = statement.args.posonlyargs[0].annotation
            if taken is not None and statement.name != "takes_model_id":
                assert len(values(taken)) <= MOST_IN_A_UNION
                found.setdefault(statement.name, []).extend(values(taken))
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
    found = read_back(emitted(snapshot_of(models), tuple(models)))
    assert found.pop("ProviderId") == found.pop("provider_id") == list(models)
    full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
    assert found.pop("KnownModelId") == found.pop("ModelId") == full_ids
    assert found.pop("model_id") == full_ids
    names = type_names(models)
    assert found == {names[id]: list(ids) for id, ids in models.items()}


@pytest.mark.slow
def test_without_a_scope_the_unions_stay_small_and_the_functions_name_every_id_exactly() -> None:
    """What is compared is small, whatever the size; see `FEW`."""
    for size in (1, 10):
        models = {
            id: tuple(f"{model}+{n}" if n else model for model in ids for n in range(size))
            for id, ids in Bundle.of_wheel().load().get_models().items()
        }
        found = read_back(emitted(snapshot_of(models)))
        full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
        assert sorted(found["model_id"]) == sorted(full_ids)
        assert found["provider_id"] == list(models)
        for union, function in (("KnownModelId", "model_id"), ("ProviderId", "provider_id")):
            assert 0 < len(found[union]) <= FEW < len(found[function])
            assert set(found[union]) < set(found[function])


@pytest.mark.parametrize("count", [1, FEW, FEW + 1])
def test_a_registry_that_is_small_enough_is_in_the_unions_whole(count: int) -> None:
    found = read_back(emitted(snapshot_of({f"p-{n:02}": ["m"] for n in range(count)})))
    for union, function in (("KnownModelId", "model_id"), ("ProviderId", "provider_id")):
        assert len(found[union]) == min(count, FEW)
        assert len(found[function]) == count


def test_without_a_scope_the_unions_hold_the_newest_models_of_providers_with_their_own_sdk() -> (
    None
):
    def provider(id: str, npm: str | None, **models: dict[str, Any]) -> ProviderConfig:
        infos = {
            name: ModelInfo(id=name, provider_id=id, **about) for name, about in models.items()
        }
        return ProviderConfig(id=id, models=infos, npm=npm)

    def dated(count: int, **about: Any) -> dict[str, dict[str, Any]]:
        return {f"m{n:03}": {"release_date": f"{2000 + n}", **about} for n in range(count)}

    calls = {"tool_call": True}
    others = {
        "old": calls,
        "speech": {"release_date": "2999"},
        "new": {"release_date": "2026", **calls},
    }
    gone = {"gone": {"release_date": "3000", "status": "deprecated", **calls}}
    snapshot = Snapshot.build(
        [
            provider("big", "@sdk/big", **dated(200, **calls)),
            provider("own", "@sdk/own", **others, **gone),
            provider("reseller", "@sdk/big", **dated(100, **calls)),
            provider("plain", None, **dated(100, **calls)),
        ]
    )
    newest = [f"big/m{n:03}" for n in range(200 - (FEW - 3), 200)]
    assert featured(snapshot, FEW, FEW)[0] == ["big", "own"]
    assert featured(snapshot, FEW, FEW)[1] == [*newest, "own/new", "own/old", "own/speech"]
    assert featured(snapshot, 3, 3)[1] == ["big/m198", "big/m199", "own/new"]
    assert read_back(emitted(snapshot))["KnownModelId"] == featured(snapshot, FEW, FEW)[1]


def test_a_scope_is_in_the_unions_whole_however_large_it_is() -> None:
    models = {"a": [f"m-{n}" for n in range(10_000)], "b": ["n"]}
    found = read_back(emitted(snapshot_of(models), ("a",)))
    full_ids = sorted(f"a/m-{n}" for n in range(10_000))
    assert sorted(found["KnownModelId"]) == sorted(found["model_id"]) == full_ids
    assert found["ProviderId"] == found["provider_id"] == ["a"]
    assert len(found["Model_a"]) == 10_000


def test_roles_are_in_the_unions_first_and_in_the_functions_and_take_the_room_of_others() -> None:
    snapshot = snapshot_of({"a": [f"m-{n:03}" for n in range(100)], "b": ["n"]})
    declared = snapshot.with_roles({"fast": "a/m-000", "best": "b/n", "gone": "a/retired"})
    found = read_back(emitted(declared))
    assert found["KnownModelId"][:2] == found["model_id"][:2] == ["best", "fast"]
    assert len(found["KnownModelId"]) == FEW
    assert sorted(found["model_id"][2:]) == read_back(emitted(snapshot))["model_id"]
    scoped = read_back(emitted(declared, ("b",)))  # what a role stands for is the project's, too
    assert scoped["KnownModelId"] == scoped["model_id"] == ["best", "fast", "b/n"]
    many = snapshot.with_roles({f"r-{n:03}": "b/n" for n in range(100)})
    found = read_back(emitted(many))
    assert (len(found["KnownModelId"]), found["ProviderId"]) == (FEW, ["a", "b"])
    assert len(found["model_id"]) == 201


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
        "provider_id": ["a.b"],
        "KnownModelId": ["a.b/n"],
        "ModelId": ["a.b/n"],
        "model_id": ["a.b/n"],
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


def test_at_run_time_the_functions_give_back_what_they_are_given() -> None:
    @registry_core_types.takes_model_id
    def ask(model: registry_core_types.ModelId, question: str = "?") -> str:
        return model + question

    assert ask(model="any/thing") == "any/thing?"
    assert inspect.isfunction(ask)
    for function in (registry_core_types.model_id, registry_core_types.provider_id):
        text = "any/thing"
        assert function(text) is text


def test_at_run_time_what_python_looks_for_by_itself_is_not_there() -> None:
    assert not hasattr(registry_core_types, "__wrapped__")
    assert not hasattr(registry_core_types, "_ModelId")


def test_the_bundled_stub_is_what_the_writer_makes() -> None:
    stub = Path(registry_core_types.__file__).with_name("__init__.pyi")
    assert stub.read_text(encoding="utf-8") == emitted(Bundle.of_wheel().load())


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_checker_names_every_hostile_id_exactly(checker: str, tmp_path: Path) -> None:
    models = hostile()
    write_types(tmp_path, snapshot_of(models), tuple(models))
    full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
    names = type_names(models)
    claims = {
        "ProviderId": f"{escaped(tuple(models))} | types._CheckedProviderId",
        "KnownModelId": f"{escaped(full_ids)} | types._CheckedModelId",
        **{names[id]: escaped(ids) for id, ids in models.items()},
    }
    user = tmp_path / "user.py"
    user.write_text(
        "# pyright: reportPrivateUsage=false\n"
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
def test_formatters_and_linters_leave_the_stub_as_it_is(tmp_path: Path) -> None:
    models = {"openai": [f"gpt-{number}" for number in range(150)], "it's": ["o3"]}
    write_types(tmp_path, snapshot_of(models))
    (tmp_path / "ours.pyi").write_text("import sys;import os\n")
    for command in (
        "ruff format --check --isolated",
        "ruff check --select=ALL --isolated",
        "black --check",
        "isort --check",
    ):
        program = [sys.executable, "-m", *command.split()]
        done = [subprocess.run([*program, file], cwd=tmp_path) for file in ("typings", "ours.pyi")]
        assert [one.returncode for one in done] == [0, 1], command


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


def retiring_snapshot() -> Snapshot:
    """One model that goes on a day, with a successor; one that is deprecated; one that stays;
    and more days than there are messages."""
    many = {f"old-{n}": {"lifecycle": {"retires_on": f"2027-02-{n + 1:02}"}} for n in range(20)}
    provider = provider_from_record(
        "acme",
        {
            "models": {
                "goes": {"lifecycle": {"retires_on": "2027-01-31", "successor": "acme/stays"}},
                "too": {"lifecycle": {"retires_on": "2027-01-31"}},
                "tired": {"status": "deprecated"},
                "stays": {},
                **many,
            }
        },
    )
    assert provider is not None
    return Snapshot.build([provider])


def test_what_will_be_shut_off_is_marked_with_the_day_and_what_follows() -> None:
    text = emitted(retiring_snapshot())
    marks = re.findall(r'@_deprecated\("(.*)"\)', text)
    assert marks[0] == "shut off on 2027-01-31 (acme/goes -> acme/stays)"
    assert len(marks) == 9
    assert marks[-1].startswith("to be shut off, or deprecated")
    last = text[text.index(marks[-1]) :].partition("\n\n")[0]
    assert "_Going_8" in last
    assert '"acme/tired"' in text.partition("_Going_8")[2].partition("]")[0]
    assert emitted(retiring_snapshot(), ("other",)).count("@_deprecated") == 0


def test_without_a_model_that_goes_nothing_is_marked() -> None:
    assert "@_deprecated(" not in emitted(snapshot_of({"acme": ["a"]}))


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_checker_takes_an_id_that_will_be_shut_off_and_refuses_typos(
    checker: str, tmp_path: Path
) -> None:
    write_types(tmp_path, retiring_snapshot())
    user = tmp_path / "user.py"
    user.write_text(
        "from registry_core_types import KnownModelId, model_id\n"
        "known: KnownModelId = model_id('acme/goes')\n"
        "stays: KnownModelId = model_id('acme/stays')\n"
        "typo = model_id('acme/gone')\n"
    )
    output = check(checker, user)
    flagged = [line for line in output.splitlines() if "2027-01-31" in line]
    allowed = [[4], [2, 4]] if flagged else [[4]]  # strict ones count a deprecation as an error
    assert error_lines(output) in allowed, output


@pytest.mark.slow
def test_pyright_and_mypy_say_when_it_is_shut_off(tmp_path: Path) -> None:
    write_types(tmp_path, retiring_snapshot())
    user = tmp_path / "user.py"
    user.write_text(
        "# mypy: enable-error-code=deprecated\n"
        "# pyright: reportDeprecated=warning\n"
        "from registry_core_types import model_id\n"
        "model_id('acme/goes')\n"
        "model_id('acme/stays')\n"
    )
    for checker in ("mypy", "basedpyright"):
        told = [line for line in check(checker, user).splitlines() if "acme/goes -> acme" in line]
        assert len(told) == 1, checker
