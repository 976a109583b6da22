"""What TypeScript's two language servers make of the types, before and after a sync."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.ide.lsp import CHANGED, CREATED, DELETED, LanguageServer, Server, TsServer, until
from tests.ide.project import Project
from tests.ide.watcher import Watcher
from tests.nodetools import TYPESCRIPTS, node_package
from tests.world import World

pytestmark = pytest.mark.slow

OLD, NATIVE = TYPESCRIPTS
USER = """\
import type { ModelForProvider, ModelRouterModelId } from "./llm/provider-types.generated";

export function ask(model: ModelRouterModelId): void {}
export function askOpenAI(model: ModelForProvider<"openai">): void {}
export function askPlain(model: "openai/gpt-4o" | string): void {}

ask("");
askOpenAI("");
askPlain("");
"""
CONFIG = '{"compilerOptions": {"strict": true, "noEmit": true}, "include": ["src"]}\n'


def language_server(version: str, folder: Path, *flags: str) -> Server:
    """tsserver, or the native compiler's server, which has taken its place."""
    package = node_package("typescript", version)
    if version == NATIVE:
        return LanguageServer(["node", package / "bin" / "tsc", "--lsp", "--stdio"], folder)
    program = package / "lib" / "tsserver.js"
    return TsServer(["node", program, "--disableAutomaticTypingAcquisition", *flags], folder)


def opened(world: World) -> tuple[Project, Path]:
    project = Project(world, {"typescript": "web/src/llm"})
    project.sync("gpt-4", "gpt-4o")
    project.write("web/tsconfig.json", CONFIG)
    return project, project.write("web/src/ask.ts", USER)


# As VS Code and Neovim tell of a file that was exchanged, on Linux.
@pytest.mark.parametrize(
    ("version", "flags", "kinds"),
    [
        pytest.param(OLD, (), [CHANGED], id="5.9, which watches by itself"),
        pytest.param(OLD, ("--canUseWatchEvents",), [CHANGED], id="5.9, told that it changed"),
        pytest.param(OLD, ("--canUseWatchEvents",), [CREATED], id="5.9, told that it was created"),
        pytest.param(NATIVE, (), [CHANGED], id="7.0, told that it changed"),
        pytest.param(NATIVE, (), [DELETED, CREATED], id="7.0, told that it went and came"),
    ],
)
def test_a_new_model_is_completed_after_a_sync_while_the_file_stays_open(
    version: str, flags: tuple[str, ...], kinds: list[int], world: World
) -> None:
    project, user = opened(world)
    with language_server(version, project.folder, *flags) as server:
        server.open(user)
        offered = server.offered(user, 'ask("', "openai/gpt-4o")
        assert offered == ["openai/gpt-4", "openai/gpt-4o"]
        written = project.sync("gpt-4o", "gpt-5")
        for kind in kinds:
            server.changed(written, kind)
        offered = server.offered(user, 'ask("', "openai/gpt-5")
        assert offered == ["openai/gpt-4o", "openai/gpt-5"]
        assert server.offered(user, 'askOpenAI("', "gpt-5") == ["gpt-4o", "gpt-5"]


@pytest.mark.skipif(sys.platform != "linux", reason="others can't exchange files")
def test_typescript_7_reads_again_what_vs_code_hears_of_on_the_disk(world: World) -> None:
    project, user = opened(world)
    types = project.folder / "web/src/llm/provider-types.generated.d.ts"
    with language_server(NATIVE, project.folder) as server:
        assert isinstance(server, LanguageServer)
        server.open(user)
        server.offered(user, 'ask("', "openai/gpt-4o")
        until(lambda: server.watches(types), bool)
        with Watcher(project.folder, lambda file, kind: server.changed([file], kind)):
            for new in ("gpt-5", "gpt-6"):
                project.sync("gpt-4o", new)
                offered = server.offered(user, 'ask("', f"openai/{new}")
                assert offered == ["openai/gpt-4o", f"openai/{new}"]


@pytest.mark.parametrize("version", TYPESCRIPTS)
def test_a_plain_string_in_the_union_would_take_the_completions_away(
    version: str, world: World
) -> None:
    project, user = opened(world)
    with language_server(version, project.folder) as server:
        server.open(user)
        server.offered(user, 'ask("', "openai/gpt-4o")
        assert "openai/gpt-4o" not in server.complete(user, 'askPlain("')


def test_typescript_7_overlooks_a_known_file_that_the_editor_calls_created(world: World) -> None:
    # microsoft/TypeScript#64195. When this fails it is mended: drop this test, try CREATED
    # above, take the advice out of docs/editors.md, and `exchange` out of `_files.writing`.
    project, user = opened(world)
    with language_server(NATIVE, project.folder) as server:
        server.open(user)
        server.offered(user, 'ask("', "openai/gpt-4o")
        written = project.sync("gpt-4o", "gpt-5")
        server.changed(written, CREATED)
        assert "openai/gpt-5" not in server.complete(user, 'ask("')
        server.open(project.folder / "web/src/llm/provider-types.generated.d.ts")
        server.offers(user, 'ask("', ["openai/gpt-4o", "openai/gpt-5"])
