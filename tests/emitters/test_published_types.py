"""A TypeScript package that is published with the generated file: what its users get."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from registry_core._writers import typescript
from tests.emitters.samples import emit, snapshot_of
from tests.nodetools import TYPESCRIPTS, tsc

PAGE = Path(__file__).parents[2] / "docs" / "types.md"

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("version", TYPESCRIPTS)]


def build(version: str, folder: Path, types: str, imported: str) -> None:
    """`dist`, as tsc makes it of a `src` that imports the file, which lies in `types`."""
    for name, text in emit(typescript, snapshot_of({"openai": ["gpt-4o"]})).items():
        file = folder / types / name
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    (folder / "src" / "deep").mkdir(parents=True, exist_ok=True)
    source = folder / "src" / "deep" / "index.ts"
    source.write_text(
        f'import type {{ ModelForProvider }} from "../{imported}/provider-types.generated";\n'
        'export function ask(model: ModelForProvider<"openai">): void {}\n'
    )
    flags = ("--noEmit", "false", "--declaration", "--rootDir", "src", "--outDir", "dist")
    assert tsc(version, [source], *flags, cwd=folder) == []


def errors_of_a_user(version: str, folder: Path) -> list[int]:
    """The lines of a program that uses the package where tsc finds an error."""
    user = folder / "user.ts"
    user.write_text(
        'import { ask } from "./dist/deep/index.js";\nask("gpt-4o");\nask("gpt-4.o");\n'
    )
    found = tsc(version, [user], "--skipLibCheck", cwd=folder)
    return [int(line[1]) for line in map(re.compile(r"user\.ts\((\d+),").match, found) if line]


def test_beside_src_the_file_is_found_from_dist_too(version: str, tmp_path: Path) -> None:
    build(version, tmp_path, "types", "../types")
    assert errors_of_a_user(version, tmp_path) == [3]


def test_below_src_it_must_be_copied_as_the_page_says(version: str, tmp_path: Path) -> None:
    build(version, tmp_path, "src/llm", "llm")
    assert errors_of_a_user(version, tmp_path) == []  # whatever is missing there is `any`
    (command,) = re.findall(r'"build": "tsc && (.*)"', PAGE.read_text("utf-8"))
    subprocess.run(command, cwd=tmp_path, shell=True, check=True)
    assert errors_of_a_user(version, tmp_path) == [3]
