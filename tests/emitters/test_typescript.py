"""The TypeScript file, read back by hand here and by both compilers in the slow tests."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from registry_core._catalog.snapshot import Snapshot
from registry_core._writers import typescript
from registry_core.models import ProviderConfig
from tests.emitters.samples import emit, hostile, snapshot_of
from tests.nodetools import TYPESCRIPTS, node_package, tsc

NAME = "provider-types.generated.d.ts"
SHAPES = Path(__file__).with_name("mastra-shapes.ts")

#: Two types are identical, not merely assignable.
EQUAL = """\
type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
"""


def emitted(snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> str:
    return emit(typescript, snapshot, scope)[NAME]


def read_back(text: str) -> dict[str, list[str]]:
    """Provider → ids of a file that holds no line break or quote inside a literal."""
    body = text.partition("ProviderModelsMap = {\n")[2].partition("\n};\n")[0]
    blocks = re.findall(r'  readonly (".*"): readonly \[\n((?:    ".*",\n)*)  \];', body)
    return {json.loads(key): json.loads("[" + ids.rstrip(",\n") + "]") for key, ids in blocks}


def units(text: str) -> str:
    """A string literal with every UTF-16 code unit escaped."""
    encoded = text.encode("utf-16-be").hex()
    return '"' + "".join(f"\\u{encoded[at : at + 4]}" for at in range(0, len(encoded), 4)) + '"'


def union(ids: list[str] | tuple[str, ...]) -> str:
    return " | ".join(map(units, ids)) or "never"


def test_every_id_is_read_back_as_it_was_whatever_it_holds() -> None:
    assert read_back(emitted(snapshot_of(hostile()))) == {
        id: list(ids) for id, ids in hostile().items()
    }


def test_the_file_is_ascii_so_that_no_id_can_break_or_turn_a_line() -> None:
    text = emitted(snapshot_of(hostile()))
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


def test_it_says_which_command_made_it() -> None:
    assert "registry-core sync" in emitted(snapshot_of({})).splitlines()[0]


def test_the_alias_of_mastras_router_is_there_only_with_openrouter() -> None:
    assert "mastra/" in emitted(snapshot_of({"openrouter": ["m"], "b": ["m"]}))
    assert "mastra/" not in emitted(snapshot_of({"b": ["m"]}))
    assert "mastra/" not in emitted(snapshot_of({"openrouter": ["m"], "b": ["m"]}), ("b",))


def test_the_scope_keeps_only_the_providers_that_it_names() -> None:
    text = emitted(snapshot_of({"a": ["m"], "b": ["n"], "c": ["o"]}), ("c", "a", "nowhere"))
    assert read_back(text) == {"a": ["m"], "c": ["o"]}


def test_roles_that_stand_for_a_model_are_completed_first() -> None:
    snapshot = snapshot_of({"openai": ["gpt"]})
    declared = snapshot.with_roles(
        {"fast": "openai/gpt", "gone": "openai/retired", 'a"b': "openai/gpt"}
    )
    union = emitted(declared).partition("export type ModelRouterModelId =\n")[2]
    assert union == '  | "a\\"b"\n  | "fast"\n  | "openai/gpt"\n  | (string & {});\n'


def test_an_empty_scope_names_nothing() -> None:
    assert read_back(emitted(snapshot_of({"a": ["m"]}), ())) == {}


@pytest.mark.slow
@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_the_compiler_names_every_hostile_id_exactly(version: str, tmp_path: Path) -> None:
    models = hostile()
    file = tmp_path / NAME
    file.write_text(emitted(snapshot_of(models)), encoding="utf-8")
    full_ids = [f"{provider}/{id}" for provider, ids in models.items() for id in ids]
    claims = [
        ("Provider", union(tuple(models))),
        ("Known", union(full_ids)),
        *((f"ModelForProvider<{units(id)}>", union(ids)) for id, ids in models.items()),
    ]
    user = tmp_path / "user.ts"
    user.write_text(
        "import type { ModelForProvider, ModelRouterModelId, Provider } from"
        ' "./provider-types.generated";\n'
        # All members but the one that any text is assignable to.
        "type Closed<T> = T extends string ? ((string & {}) extends T ? never : T) : never;\n"
        "type Known = Closed<ModelRouterModelId>;\n"
        + EQUAL
        + "".join(
            f"export const claim{number}: Equal<{ours}, {expected}> = true;\n"
            for number, (ours, expected) in enumerate(claims)
        )
    )
    assert tsc(version, [user, file]) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_the_five_types_are_mastras_own(version: str, tmp_path: Path) -> None:
    models = {
        "302ai": ["gpt-4o"],
        "openai": ["gpt-4o", "o3"],
        "openrouter": ["openai/gpt-4o:free", "qwen/qwen3"],
    }
    file = tmp_path / NAME
    file.write_text(emitted(snapshot_of(models)), encoding="utf-8")
    shapes = tmp_path / "mastra.ts"
    shapes.write_text(SHAPES.read_text(encoding="utf-8"), encoding="utf-8")
    names = ["ProviderModelsMap", "Provider", "ProviderModels", "ModelRouterModelId"]
    types = [*names, 'ModelForProvider<"openai">', 'ModelForProvider<"openrouter">']
    lines = [
        'import type * as ours from "./provider-types.generated";',
        'import type * as theirs from "./mastra";',
        EQUAL,
    ]
    for number, name in enumerate(types):
        lines += [
            f"export const there{number} = (value: ours.{name}): theirs.{name} => value;",
            f"export const back{number} = (value: theirs.{name}): ours.{name} => value;",
            f"export const same{number}: Equal<ours.{name}, theirs.{name}> = true;",
        ]
    user = tmp_path / "user.ts"
    user.write_text("\n".join(lines), encoding="utf-8")
    assert tsc(version, [user, file]) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_an_empty_registry_compiles(version: str, tmp_path: Path) -> None:
    empty = Snapshot.build([ProviderConfig(id="a", models=[])])
    for number, text in enumerate((emitted(empty), emitted(empty, ()))):
        (tmp_path / f"types{number}.d.ts").write_text(text, encoding="utf-8")
    user = tmp_path / "user.ts"
    user.write_text(
        'import type { ModelRouterModelId } from "./types1";\n'
        'export const any: ModelRouterModelId = "any/thing";\n'
    )
    assert tsc(version, [user, tmp_path / "types0.d.ts"]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "tool", ["prettier", "biome", "eslint recommended", "eslint strict", "eslint stylistic"]
)
def test_formatters_and_linters_leave_the_file_as_it_is(tool: str, tmp_path: Path) -> None:
    """Without its comments each of them objects; a file that is not ours shows that."""
    (tmp_path / NAME).write_text(emitted(snapshot_of(hostile())), encoding="utf-8")
    (tmp_path / "ours.ts").write_text("export interface A { [key: string]: Function   }\n")

    def status(file: str) -> int:
        command = ["node", *objecting(tool, tmp_path), file]
        return subprocess.run(command, cwd=tmp_path, capture_output=True).returncode

    assert (status(NAME), status("ours.ts")) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["prettier", "biome"])
def test_formatters_leave_json_alone_where_the_docs_tell_them(tool: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "editors.md").read_text("utf-8")
    (prettier,) = re.findall(r"^# \.prettierignore\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (biome,) = re.findall(r'^\{ "files": .*$', page, re.MULTILINE)
    web = tmp_path / "web" / "src" / "llm"
    web.mkdir(parents=True)
    (web / "capabilities").mkdir()
    for file in ("provider-registry.json", "capabilities/acme.json"):
        (web / file).write_text('{\n  "a": [\n    1\n  ]\n}\n')
    (tmp_path / "ours.ts").write_text("export   const a = 1\n")

    def complaints() -> str:
        command = ["node", *objecting(tool, tmp_path), "web", "ours.ts"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        assert "ours.ts" in done.stdout + done.stderr
        return done.stdout + done.stderr

    files = {"provider-registry.json", "acme.json"}
    assert {file for file in files if file in complaints()} == files
    (tmp_path / ".prettierignore").write_text(prettier)
    (tmp_path / "biome.json").write_text(biome)
    assert {file for file in files if file in complaints()} == set()


def objecting(tool: str, folder: Path) -> list[Path | str]:
    """The command of a tool that ends with 1 if it would change or report anything."""
    match tool.split():
        case ["prettier"]:
            return [node_package("prettier", "3.10.1") / "bin" / "prettier.cjs", "--check"]
        case ["biome"]:
            return [node_package("@biomejs/biome", "2.6.8") / "bin" / "biome", "check"]
        case [_, rules]:
            plugin = node_package("typescript-eslint", "8.73.0")
            (folder / "eslint.config.mjs").write_text(
                f'import ts from "{(plugin / "dist" / "index.js").as_uri()}";\n'
                f"export default [...[ts.configs.{rules}].flat()];\n"
            )
            eslint = plugin.parent / "eslint" / "bin" / "eslint.js"
            return [eslint, "--max-warnings", "0"]
    raise ValueError(tool)
