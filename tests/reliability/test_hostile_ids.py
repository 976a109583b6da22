"""Ids and names of every hostile kind, from the payload to the files and the terminal."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry_core.testing import write_distribution
from tests.emitters.samples import HOSTILE_MODELS, HOSTILE_PROVIDERS
from tests.loopback import Loopback
from tests.reliability.shell import Done, Shell, by_provider

MODELS = (
    *HOSTILE_MODELS,
    *("\x9b31m", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\r", "\b\b\b", "\x00"[1:] + "\x01", "\x7f"),
    *("a\u202eb", "\u2067a\u2069", "\u061c", "\u200b", "\u2028", "\xa0", "\u3000", "\U000e0041"),
    *("__proto__", "constructor", "hasOwnProperty", "..", "../../evil", "%2e%2e%2f", "C:\\evil"),
    *(
        "<script>alert(1)</script>",
        "';drop--",
        "$(touch pwned)",
        "`touch pwned`",
        "{{7*7}}",
        "%s%n",
    ),
    *("Case", "case", "CASE", "é", "e\u0301", "ﬁ", "fi", "-rf", "--help", "0", "null", "NaN"),
)
PROVIDERS = (
    *HOSTILE_PROVIDERS,
    *("con", "CON", "prn", "aux", "nul", "com1", "lpt9", "com¹", "con.txt", "nul.tar.gz"),
    *("x.", "x ", "a:b", "a*b", "a?b", "a|b", "<a>", "a\tb", "a\x1b[31mb", "a\x9bb", "a\u202eb"),
    *("...", "a/../../b", "a/./b", "C:/evil", "\\\\server\\share", "%2e%2e", "v1", "payloads"),
    *("Straße", "STRASSE", "é", "e\u0301", "provider-registry.json", "capabilities", "v1/pointer"),
)
#: What no file format or language can carry, and what can't be told from a prefix.
DROPPED = ("", "a\0b", "\ud800", "a\udfffb", "m" * 9000)
DROPPED_PROVIDERS = (*DROPPED, "/", "/etc/passwd", "a/")

NAME = "\x1b]0;pwned\x07\x9b31m\u202e*/\"'`${x}\\\n\ud800\0"


def payload() -> dict[str, Any]:
    """Every id, in records whose texts are hostile, too."""
    record = {"name": NAME, "family": NAME, "status": NAME, "attachment": True, NAME: NAME}
    about = {
        "name": NAME,
        "doc": NAME,
        "npm": NAME,
        "env": [NAME, "KEY"],
        "api": "https://a.example",
    }
    everything = dict.fromkeys((*MODELS, *DROPPED), record)
    return {
        **{id: {**about, "models": {"m": record}} for id in (*PROVIDERS, *DROPPED_PROVIDERS)},
        "hostile": {**about, "models": everything},
    }


EXPECTED = {**{id: ["m"] for id in PROVIDERS}, "hostile": sorted({*MODELS})}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Done]]:
    """A store that `registry-core sync` made of it, and what that said."""
    folder = tmp_path_factory.mktemp("hostile")
    with Loopback() as server:
        server.serve("/api.json", payload())
        shell = Shell(folder)
        shell.plugins.append("registry-gateway-models-dev")
        shell.environ["REGISTRY_CORE_MODELS_DEV_URL"] = server.url("/api.json")
        yield shell, shell.run("sync")


def test_every_id_is_published_exactly_or_dropped_with_a_report(
    synced: tuple[Shell, Done],
) -> None:
    shell, done = synced
    assert done.status == 0, done.err
    published = json.loads((shell.store / "provider-registry.json").read_text())["models"]
    assert {id: sorted(models) for id, models in published.items()} == EXPECTED
    assert by_provider(shell.run("list", "--json").out) == published
    warnings = [line for line in done.err.splitlines() if line.startswith("warning: models.dev: ")]
    dropped = [line for line in warnings if ": dropped: expected an id" in line]
    assert len(dropped) == len(DROPPED) + len(DROPPED_PROVIDERS)


def test_both_languages_read_back_the_ids_that_were_sent(synced: tuple[Shell, Done]) -> None:
    shell, _ = synced
    bare = {id for ids in EXPECTED.values() for id in ids}
    full = {f"{provider}/{id}" for provider, ids in EXPECTED.items() for id in ids}
    stub = (shell.store / "registry_core_types.pyi").read_bytes()
    assert stub.isascii()
    nodes = [*ast.walk(ast.parse(stub))]
    constants = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert {*EXPECTED} | bare | full <= constants
    types = (shell.store / "provider-types.generated.d.ts").read_text("ascii")
    literals = {json.loads(text) for text in re.findall(r'"(?:[^"\\]|\\.)*"', types)}
    assert {*EXPECTED} | bare <= literals <= {*EXPECTED} | bare | full


def test_no_path_leaves_its_folder_and_every_name_is_legal_everywhere(
    synced: tuple[Shell, Done],
) -> None:
    shell, done = synced
    made = [path for path in shell.store.parent.rglob("*") if shell.site not in path.parents]
    outside = [path for path in made if not path.is_relative_to(shell.store)]
    assert {*outside} == {shell.home, shell.project, shell.site}
    artifacts = [path.relative_to(shell.store).as_posix() for path in made if path.is_file()]
    artifacts = [path for path in artifacts if not path.startswith(("v1/", "payloads/"))]
    assert all(re.fullmatch(r"[!-)+-9;=@-Z^-{}~]+", path) for path in artifacts), artifacts
    assert all(len(path.rpartition("/")[2]) <= 255 for path in artifacts)
    folded = [path.casefold() for path in artifacts]
    assert len({*folded}) == len(folded)
    assert {path.partition("/")[0] for path in artifacts} == {
        *("capabilities", "provider-registry.json"),
        *("provider-types.generated.d.ts", "registry_core_types.pyi"),
    }
    capabilities = {path for path in artifacts if path.startswith("capabilities/")}
    left_out = [line for line in done.err.splitlines() if ": left out: " in line]
    assert len(capabilities) + len(left_out) == len(EXPECTED)
    for word in ("reserved name", "longer than 255 bytes", "only by case", "not a legal name"):
        assert any(word in line for line in left_out), word


COMMANDS = (
    ("list",),
    ("list", "--json"),
    ("show", "hostile/\x1b[2J\x1b[H"),
    ("show", "hostile/a\nb", "--json"),
    ("show", "hostile/\x1b[2J\x1b[X"),  # suggests what is near
    ("sync", "--json"),
    ("doctor",),
    ("plugins", "--load"),
)
MORE_COMMANDS = (
    ("list", "\u202e"),
    ("list", "\x1b nothing"),
    *(("show", id) for id in ("hostile/\x9b31m", "hostile/a\nb", "a\x1b[31mb", "hostile")),
    *(("show", id, "--json") for id in ("hostile/\x9b31m", "a\x1b[31mb", "hostile")),
    *(("sync",), ("sync", "--offline"), ("sync", "--force"), ("sync", "--output", "out")),
    *(("sync", "--check", "--output", "out"), ("sync", "--check", "--output", "new")),
    ("doctor", "--json"),
    *(("plugins",), ("plugins", "--json")),
    ("export", "--format", "mastra", "mastra"),
)


def obeyed(text: str) -> list[str]:
    """What a terminal would obey or reorder."""
    return [one for one in text if one != "\n" and not one.isprintable()]


HOSTILE_PLUGINS = {
    "raises-at-import": "raise RuntimeError('\x1b[31m\\x9b2J\\u202e' + chr(10) + 'error: forged')",
    "raises-in-a-hook": """
        @hookimpl
        def registry_emit(snapshot):
            raise RuntimeError("\\x1b]0;pwned\\x07" + chr(10) + "error: forged")
        """,
    "raises-in-a-fetch": """
        class Evil(Gateway):
            def fetch_providers(self, client):
                client.warn("\\x1b[2J", "\\x9b" + chr(10) + "error: forged")
                raise RuntimeError("\\x1b[2J\\u202e" + chr(10) + "error: forged" + "x" * 10**6)
        @hookimpl
        def registry_gateways():
            return [Evil("evil")]
        """,
    "returns-odd-paths": """
        @hookimpl
        def registry_emit(snapshot):
            paths = ["\\x1b[2J", "../x", "a\\ud800", "a" + chr(10) + "error: forged"]
            return [Artifact("odd", path, "") for path in paths]
        """,
}


@pytest.fixture(scope="module")
def beset(synced: tuple[Shell, Done]) -> Shell:
    """The same store, with plugins whose names and errors are hostile, too."""
    shell, _ = synced
    for name, code in HOSTILE_PLUGINS.items():
        shell.install(name, code)
    write_distribution(shell.site, "evil", "1\x1b[2J", entry_points={"e\x1b[2Jl": "nowhere\x9b"})
    shell.plugins.append("evil")
    return shell


def test_a_first_sync_shows_no_control_character(synced: tuple[Shell, Done]) -> None:
    _, done = synced
    assert obeyed(done.text) == []


def assert_fit_for_a_terminal(shell: Shell, command: tuple[str, ...]) -> None:
    done = shell.run(*command)
    assert obeyed(done.text) == []
    assert "Traceback" not in done.err
    assert not re.search(r"^error: forged", done.text, re.MULTILINE)
    assert len(done.err) < 100_000
    if "--json" in command:
        json.loads(done.out)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_shows_a_control_character(beset: Shell, command: tuple[str, ...]) -> None:
    assert_fit_for_a_terminal(beset, command)


@pytest.mark.slow
@pytest.mark.parametrize("command", MORE_COMMANDS, ids=" ".join)
def test_no_other_command_does(beset: Shell, command: tuple[str, ...]) -> None:
    assert_fit_for_a_terminal(beset, command)


@pytest.mark.parametrize("id", ["__proto__", "constructor", "302ai", "con", "../../evil", "a/b/c"])
def test_a_hostile_provider_can_be_looked_up_like_any_other(
    synced: tuple[Shell, Done], id: str
) -> None:
    from registry_core import ModelRegistry, Settings

    shell, _ = synced
    registry = ModelRegistry(Settings(store_dir=shell.store))
    provider = id if id in EXPECTED else "hostile"
    model = f"{provider}/{'m' if id in EXPECTED else id}"
    found = registry.get_model(model)
    assert found is not None
    assert found.full_id == model
    assert registry.split(model) == (provider, found.id)


def test_what_is_written_to_a_repository_stays_inside_it(tmp_path: Path) -> None:
    """A hostile id can't choose a path there either, nor can the id of an emitter."""
    from registry_core._emit.targets import split_legal
    from registry_core.plugin import Artifact

    paths = [
        f"{part}{id}{end}"
        for id in PROVIDERS
        for part in ("", "capabilities/")
        for end in ("", ".json")
    ]
    kept, refused = split_legal([Artifact("any", path, "") for path in paths])
    assert len(kept) + len(refused) == len(paths)
    for artifact in kept:
        place = (tmp_path / artifact.path).resolve()
        assert place.is_relative_to(tmp_path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(kept)
