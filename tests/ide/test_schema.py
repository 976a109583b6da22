"""Editors complete ids in settings files of any application, by `models.schema.json`: VS Code's
language servers for JSON and YAML, and Tombi for TOML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry_core import Snapshot
from registry_core._catalog.bundle import Bundle
from registry_core._files.writing import write_atomically
from registry_core._writers import schema
from tests.emitters.samples import emit, snapshot_of
from tests.ide.lsp import CHANGED, LanguageServer
from tests.nodetools import node_package
from tests.venvs import environment

pytestmark = pytest.mark.slow

#: Ending of a file → its text, and what comes before a value there.
FILES = {
    "json": ('{\n  "$schema": "./app.schema.json",\n  "%s": ""\n}\n', '%s": "'),
    "yaml": ("# yaml-language-server: $schema=app.schema.json\n%s: \n", "\n%s: "),
    "toml": ('#:schema ./app.schema.json\n%s = ""\n', '\n%s = "'),
}
LONGEST = 50
DEFINITIONS = ("KnownModelId", "ModelId", "KnownProviderId", "ProviderId", "Model_openai")


def server(language: str, folder: Path) -> LanguageServer:
    if language == "toml":
        return LanguageServer([environment("tombi", "1.9.6") / "tombi", "lsp", "--offline"], folder)
    name, version = {
        "json": ("vscode-langservers-extracted", "4.10.0"),
        "yaml": ("yaml-language-server", "1.25.0"),
    }[language]
    program = {"json": "vscode-json-language-server"}.get(language, name)
    settings = {"yaml": {"completion": True, "schemaStore": {"enable": False}}}
    script = node_package(name, version) / "bin" / program
    return LanguageServer(["node", script, "--stdio"], folder, settings)


def project(folder: Path, snapshot: Snapshot, scope: tuple[str, ...] | None = None) -> Path:
    """A schema of an application's settings that refers to ours, which is returned."""
    ours = folder / "models.schema.json"
    write_atomically(ours, emit(schema, snapshot, scope)[ours.name].encode(), durable=False)
    refs = {name: {"$ref": f"models.schema.json#/$defs/{name}"} for name in DEFINITIONS}
    draft = "http://json-schema.org/draft-07/schema#"
    (folder / "app.schema.json").write_text(json.dumps({"$schema": draft, "properties": refs}))
    return ours


@pytest.mark.parametrize("scope", [None, ("openai", "anthropic")])
@pytest.mark.parametrize("language", FILES)
def test_ids_and_roles_are_completed(
    language: str, scope: tuple[str, ...] | None, tmp_path: Path
) -> None:
    snapshot = Bundle.of_wheel().load().with_roles({"fast": "openai/gpt-4o"})
    project(tmp_path, snapshot, scope)
    providers = [id for id in snapshot.get_models() if scope is None or id in scope]
    full = ["fast", *(f"{id}/{one}" for id in providers for one in snapshot.get_models()[id])]
    wanted = {
        "KnownModelId": full,
        "ModelId": full,
        "KnownProviderId": providers,
        "ProviderId": providers,
        "Model_openai": [*snapshot.get_models()["openai"]],
    }
    text, before = FILES[language]
    with server(language, tmp_path) as editor:
        for name, ids in wanted.items():
            file = tmp_path / f"{name}.{language}"
            file.write_text(text % name)
            editor.open(file)
            # VS Code's servers cut what they show of an id, not what they insert.
            shown = {id for id in ids if len(id) <= LONGEST}
            assert shown <= {*editor.offered(file, before % name, ids[-1])}


@pytest.mark.parametrize("language", ["json", "yaml"])
def test_a_sync_is_seen_in_the_open_file(language: str, tmp_path: Path) -> None:
    """VS Code tells these servers of each JSON and YAML file that changes, asked or not."""
    schema_file = project(tmp_path, snapshot_of({"openai": ["old"]}))
    text, before = FILES[language]
    file = tmp_path / f"app.{language}"
    file.write_text(text % "ModelId")
    with server(language, tmp_path) as editor:
        editor.open(file)
        editor.offered(file, before % "ModelId", "openai/old")
        project(tmp_path, snapshot_of({"openai": ["new"]}))
        change = {"uri": schema_file.as_uri(), "type": CHANGED}
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
        assert "openai/old" not in editor.offered(file, before % "ModelId", "openai/new")
