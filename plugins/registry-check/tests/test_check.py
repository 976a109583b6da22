"""The command, its formats, and what may be wrong with files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from registry_check import (
    LEVELS,
    Findings,
    calls,
    check,
    climbing,
    contents,
    judging,
    pairs,
    places,
    spellings,
)
from registry_check.command import check as command
from registry_check.formats import as_github, as_sarif, as_text
from registry_check.names import Names, maker_of
from registry_check.place import BESIDE, Climb, first_of
from tree_sitter import Node

from registry_core import ModelRegistry, ProviderConfig, RegistryError, Settings, Snapshot
from registry_core.records import provider_from_record
from registry_core.testing import write_distribution

Run = Callable[..., Result]
SOURCE = "import openai\nopenai.chat(model='gpt-4')\nopenai.chat(model='gpt-4o-mni')\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def look(snapshot: Snapshot, today: date) -> Callable[..., Findings]:
    return lambda *paths, **rest: check(paths or ["."], registry=snapshot, today=today, **rest)


@pytest.fixture
def run(registry: ModelRegistry, project: Path) -> Run:
    return lambda *arguments: CliRunner().invoke(command, arguments)


def texts(findings: Findings) -> list[str]:
    return [f"{one.path}:{one.line} {one.level} {one.text}" for one in findings]


def test_a_finding_says_where_which_since_when_and_what_to_use(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4')\n")
    (one,) = look("a.py").to_dict()["findings"]
    assert one == {
        "path": "a.py",
        "line": 2,
        "column": 20,
        "text": "gpt-4",
        "id": "openai/gpt-4",
        "level": "retired",
        "message": "openai/gpt-4 was retired on 2026-10-23; use openai/gpt-5.6-sol",
        "retires_on": "2026-10-23",
        "successor": "openai/gpt-5.6-sol",
        "suggestions": [],
    }


def test_how_far_ahead_is_looked(project: Path, look: Callable[..., Findings]) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4o')\n")
    assert [one.level for one in look(within=50)] == ["retiring"]
    assert texts(look(within=49)) == []


def test_a_day_decides(project: Path, snapshot: Snapshot) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4')\n")
    for day, level in ((22, "retiring"), (23, "retired")):
        (one,) = check(registry=snapshot, today=date(2026, 10, day))
        assert one.level == level


def test_the_provider_that_the_context_names_decides(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "a.py").write_text(
        "from openai import AzureOpenAI\n"
        "client = AzureOpenAI(azure_endpoint='https://x.openai.azure.com')\n"
        "client.chat.completions.create(model='gpt-4', messages=[])\n"
    )
    (project / "b.yaml").write_text("provider: azure\nmodel: gpt-4\n")
    (project / "c.yaml").write_text("base_url: https://api.acme.example/v1\nmodel: acme-large-1\n")
    (project / "d.py").write_text("client.chat(provider='azure', model='gpt-4')\n")
    assert texts(look()) == ["c.yaml:2 retired acme-large-1"]


def test_unknown_is_not_said_of_what_may_be_the_users_own(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "a.py").write_text(
        "from openai import AzureOpenAI, OpenAI\n"
        "AzureOpenAI().chat(model='our-gpt-4-deployment')\n"
        "OpenAI().chat(model='test-model')\n"
        "OpenAI().chat(model='my-fake-gpt-4')\n"
        "OpenAI().chat(model='gpt-5.6-sol-2026-10-01')\n"
        "OpenAI().chat(model='whisper-1')\n"
        "OpenAI(base_url='http://localhost:8000/v1').chat(model='llama3')\n"
    )
    assert texts(look()) == []


def test_what_holds_for_a_model_holds_for_its_dated_versions(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4-0613')\n")
    (one,) = look()
    assert (one.id, one.level) == ("openai/gpt-4", "retired")


def test_a_seller_decides_on_the_ids_of_its_own(
    project: Path, look: Callable[..., Findings]
) -> None:
    text = "provider: {}\nmodel: {}\n"
    (project / "a.yaml").write_text(text.format("openrouter", "anthropic/claude-3-opus"))
    (project / "b.yaml").write_text(text.format("openrouter", "anthropic/claude-sonnet-4.5"))
    assert [one.id for one in look()] == ["openrouter/anthropic/claude-3-opus"]


def test_a_providers_id_may_hold_a_slash(project: Path) -> None:
    gone = {"lifecycle": {"retires_on": "2026-01-31"}}
    providers = (
        ("acme", {"openai/gpt-9": {}, "acme-large-1": {}}),
        ("acme/openai", {"gpt-8": gone, "gpt-9": gone}),
        ("acme/spare", {"spare-model-1": gone}),
    )
    registry = Snapshot.build(
        [provider_from_record(id, {"models": models}) for id, models in providers],
        withheld={"acme/off": "policy", "acme/spare/spare-model-2": "policy"},
    )
    ids = (
        "acme/openai/gpt-8",  # as `Snapshot.split`: the longest provider that has the model,
        "acme/openai/gpt-9",
        "acme/openai:gpt-8",
        "acme/spare/spare-model-2",
        "acme/off/anything-1",  # or else the longest
        "acme/acme-large-1",
    )
    (project / "a.py").write_text("".join(f"llm(model='{id}')\n" for id in ids))
    found = check(["a.py"], registry=registry, today=date(2026, 11, 26))
    assert [(one.level, one.id) for one in found] == [
        ("retired", "acme/openai/gpt-8"),
        ("retired", "acme/openai/gpt-9"),
        ("retired", "acme/openai/gpt-8"),
        ("withheld", "acme/spare/spare-model-2"),
        ("withheld", "acme/off/anything-1"),
    ]


def test_what_gitignore_leaves_out_is_not_looked_at(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / ".git").mkdir()
    (project / ".gitignore").write_text("out/\n*.gen.py\n!keep.gen.py\n")
    (project / "inner").mkdir()
    (project / "inner" / ".gitignore").write_text("/local.py\n")
    for name in ("a.py", "b.gen.py", "keep.gen.py", "inner/local.py", "inner/b.py", "out/c.py",
                 "node_modules/d.py", ".venv/e.py"):  # fmt: skip
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(SOURCE)
    found = {one.path for one in look()}
    assert found == {"a.py", "keep.gen.py", "inner/b.py"}
    assert {one.path for one in look("inner")} == {"inner/b.py"}
    assert {one.path for one in look("b.gen.py", "out")} == {"b.gen.py", "out/c.py"}


def test_what_can_not_be_read_costs_only_itself(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "binary.py").write_bytes(b"\0\1model='gpt-4'\n")
    (project / "broken.py").write_text(
        "def f(:\n  )))\nimport openai\nopenai.chat(model='gpt-4')\n"
    )
    (project / "broken.ipynb").write_text("{'model': 'gpt-4'")
    (project / "strange.ipynb").write_text(
        '{"cells": [1, {"source": 2, "cell_type": "code"}], "gpt-4": 1}'
    )
    (project / "broken.json").write_text('{"a": [, "model": "gpt-4"}')
    (project / "huge.py").write_text("#" * 2_100_000 + "\nmodel = 'gpt-4'\n")
    (project / "latin.py").write_bytes(
        b"# \xe9\nimport openai\nopenai.chat('\xe9', model='gpt-4')\n"
    )
    (project / "wide.json").write_bytes('{"model": "gpt-4"}'.encode("utf-16"))
    (project / "gone.py").symlink_to("nowhere")
    (project / "good.py").write_text(SOURCE)
    found = look()
    assert [one.path for one in found if one.level == "retired"] == [
        "broken.json", "broken.py", "good.py", "latin.py", "wide.json",
    ]  # fmt: skip
    assert [path for path, _ in found.skipped] == ["broken.ipynb", "huge.py"]


def test_no_shape_of_a_file_takes_time_that_grows_as_its_square(
    project: Path, look: Callable[..., Findings]
) -> None:
    # With a look at all that stands beside or above, each of these took minutes.
    wide = {f"k{at}": {"model": "gpt-4"} for at in range(1000)}
    (project / "wide.json").write_text(json.dumps(wide))
    (project / "deep.json").write_text("[" * 50_000 + '{"model": "gpt-4"}' + "]" * 50_000)
    (project / "long.env").write_text("".join(f"A_MODEL_{at}=gpt-4\n" for at in range(1000)))
    (project / "long.ts").write_text("const model = 'gpt-4';" * 4000)
    (project / "wide.swift").write_text("let models = [" + '"a": "gpt-4", ' * 1000 + "]\n")
    (project / "sum.java").write_text("class A { X x = " + '"gpt-4" + ' * 1000 + "y; }\n")
    (project / "pairs.kt").write_text('val x = "gpt-4"' + ' to "gpt-4"' * 1000 + "\n")
    (project / "or.js").write_text("x = a" + " || 'gpt-4'" * 1000 + " || model === 'gpt-4'\n")
    pair = ("gpt-3.5-turbo", "gpt-4")
    (project / "list.py").write_text(f"ladder = {[*pair] * 500}\n")
    (project / "lists.py").write_text("".join(f"a{at} = {[*pair]}\n" for at in range(500)))
    (project / "args.env").write_text("ARGS=" + "--model=gpt-4 " * 500 + "\n")
    (project / "types.ts").write_text("type T = 'gpt-4'" + " | 'gpt-4'" * 1000 + ";\n")
    (project / "many.tf").write_text('variable "a" { default = "gpt-4" }\n' * 3000)
    (project / "returned.py").write_text(f"def f():\n    return {[*pair] * 500}\n")
    branches = "".join(f"n > {at} ? '{pair[at % 2]}' : " for at in range(3000))
    (project / "branches.ts").write_text(f"const pick = (n) => {branches} 'gpt-4';\n")
    results = look()
    found = Counter(one.path for one in results)
    branched = found.pop("branches.ts")
    assert found == {"wide.json": 1000, "deep.json": 1, "long.env": 1000, "long.ts": 4000,
                     "wide.swift": 1000, "or.js": 1, "list.py": 1000, "lists.py": 1000,
                     "args.env": 500, "returned.py": 1000}  # fmt: skip
    assert branched > 1  # the outer ones
    assert not results.skipped


def test_a_byte_order_mark_is_no_part_of_the_first_line(
    project: Path, look: Callable[..., Findings]
) -> None:
    for name, text in (("a.env", "MODEL=gpt-4\n"), ("a.md", "---\nmodel: gpt-4\n---\n")):
        (project / name).write_text(text, "utf-8-sig")
    assert [(one.path, one.line, one.column) for one in look()] == [
        ("a.env", 1, 7), ("a.md", 2, 8),
    ]  # fmt: skip


def test_what_is_too_long_for_a_name_is_no_word_to_look_into(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    asked: list[int] = []
    read = Names.read
    monkeypatch.setattr(
        Names, "read", lambda self, text: asked.append(len(text)) or read(self, text)
    )
    image = "data:image/png;base64," + "gpt-4/" * 1000
    (project / "a.py").write_text(f"import openai\nopenai.chat('{image}', model='gpt-4')\n")
    assert texts(look()) == ["a.py:2 retired gpt-4"]
    assert max(asked) < 1000  # each slash could end a prefix, and is looked up with all after it


def test_of_a_call_with_thousands_of_arguments_the_first_are_looked_at(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    seen: list[int] = []

    def counted(node: Node) -> list[Node]:
        seen.append(len(found := first_of(node)))
        return found

    for module in (calls, pairs):
        monkeypatch.setattr(module, "first_of", counted)
    others = ", ".join(f"a{at}='gpt-4'" for at in range(200))
    (project / "a.py").write_text(f"f(model='gpt-4', {others})\n")
    assert texts(look()) == ["a.py:1 retired gpt-4"]
    assert max(seen) == BESIDE


def test_from_one_name_to_the_next_in_a_deep_tree_is_a_few_steps(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    steps = Counter[str]()
    holds = places._holds

    def counted(node: Node, start: int, end: int) -> bool:
        steps["taken"] += 1
        return holds(node, start, end)

    monkeypatch.setattr(places, "_holds", counted)
    (project / "a.py").write_text("x = model == 'gpt-4'" + " or model == 'gpt-4'" * 999 + "\n")
    assert len([*look()]) == 1000
    assert steps["taken"] < 20_000  # from the root on, each time, it would be a million


def test_of_thousands_of_unknown_names_the_first_get_a_suggestion(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    monkeypatch.setattr(judging, "MOST_MEANT", 2)
    names = [f"gpt-4o-mni{'x' * at}" for at in range(4)]
    (project / "a.py").write_text(f"import openai\nmodels = {names}\n")
    assert [bool(one.suggestions) for one in look()] == [True, True, False, False]


def test_columns_count_characters(project: Path, look: Callable[..., Findings]) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat('äöü€😀', model='gpt-4')\n", "utf-8")
    assert [(one.line, one.column) for one in look()] == [(2, 29)]


def test_lines_and_files_can_be_left_out(project: Path, look: Callable[..., Findings]) -> None:
    (project / "a.py").write_text(
        "import openai\n"
        "openai.chat(model='gpt-4')  # registry-core: ignore\n"
        "# registry-core: ignore\n"
        "openai.chat(model='gpt-4')\n"
        "openai.chat(model='gpt-4')\n"
    )
    (project / "b.ts").write_text('const model = "gpt-4"; // registry-core: ignore\n')
    (project / "c.yaml").write_text("# registry-core: ignore-file\nmodel: gpt-4\n")
    (project / "d.md").write_text(
        "<!-- registry-core: ignore-file -->\n```yaml\nmodel: gpt-4\n```\n"
    )
    (project / "e.css.ts").write_text("/* registry-core: ignore */\nconst model = 'gpt-4';\n")
    (project / "f.ini").write_text("[a]\nmodel = gpt-4 ; registry-core: ignore\n")
    (project / "g.sh").write_text("MODEL=gpt-4 # registry-core: ignore\n")
    assert texts(look()) == ["a.py:5 retired gpt-4"]


DATES = """
from datetime import UTC, datetime
from registry_core import FactSource, hookimpl

class Dates(FactSource):
    id = name = "dates"
    def fetch_facts(self, client):
        return client.get_json("http://127.0.0.1:9")
    def bundled(self):
        days = {"gpt-5.6-sol": "2026-11-01", "whisper-1": "2026-12-01", "gpt-4-32k": "2025-06-06"}
        facts = {f"openai/{id}": {"lifecycle": {"retires_on": day}} for id, day in days.items()}
        facts["openai/gpt-4.9"] = {"cost": {"input": 1}}
        facts["cohere/summarize"] = facts["openai/gpt-4-32k"]
        return facts, datetime(2026, 11, 1, tzinfo=UTC)

@hookimpl
def registry_facts():
    return [Dates()]
"""


@pytest.fixture
def dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source of facts of somebody's, installed; the name of its package."""
    site = tmp_path / "site"
    write_distribution(site, "dates", entry_points={"dates": "dates"}, modules={"dates.py": DATES})
    monkeypatch.syspath_prepend(site)
    return "dates"


def test_facts_say_of_ids_that_nobody_offers_that_they_are_retired_or_retire(
    project: Path, tmp_path: Path, today: date, dates: str
) -> None:
    (project / "a.py").write_text(
        "import openai\n"
        "openai.chat(model='whisper-1')\n"
        "openai.chat(model='gpt-5.6-sol')\n"
        "openai.chat(model='gpt-4.9')\n"
        "openai.chat(model='gpt-4-32k')\n"
    )
    (project / "b.py").write_text(
        "import cohere\ncohere.chat(model='summarize')\nuse('summarize')\n"
    )
    store = tmp_path / "store"
    others = "registry-facts-litellm"  # what it holds changes
    on = ModelRegistry(Settings(store_dir=store, disable_plugins=(others,)))
    assert texts(check(registry=on, today=today)) == [
        *("a.py:2 retiring whisper-1", "a.py:3 retired gpt-5.6-sol", "a.py:5 retired gpt-4-32k"),
        "b.py:2 retired summarize",
    ]
    off = ModelRegistry(Settings(store_dir=store, disable_plugins=(others, dates)))
    levels = [one.level for one in check(registry=off, today=today)]
    assert levels == ["unknown", "unknown"]  # gpt-4.9 and gpt-4-32k
    assert not store.exists()


def test_without_any_date_it_is_said_that_nothing_can_be_retired(
    project: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4')\n")
    assert run().stderr == ""
    bare = tmp_path / "bare.snapshot"
    bare.write_bytes(Snapshot.build([ProviderConfig("openai", ["gpt-4"])]).to_bytes())
    monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", str(bare))
    done = run()
    assert (done.exit_code, done.stdout) == (0, "1 file: nothing found\n")
    assert "registry-facts-litellm" in done.stderr


@pytest.mark.parametrize(("namespaced", "provider"), [(False, "acme"), (True, "own/acme")])
def test_what_was_offered_before_is_said_to_be_gone_since_then(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    namespaced: bool,
    provider: str,
) -> None:
    code = f"""
import json
from pathlib import Path
from registry_core import ModelGateway, ProviderConfig, hookimpl

class Own(ModelGateway):
    id = name = "own"
    namespaced, needs_network = {namespaced}, False
    def fetch_providers(self, client):
        ids = json.loads(Path("models.json").read_text())
        return {{"acme": ProviderConfig("acme", ids)}}

@hookimpl
def registry_gateways():
    return [Own()]
"""
    site = tmp_path / "site"
    module = f"own_{namespaced}".lower()  # another one each time, since modules are kept
    write_distribution(site, "own", entry_points={"own": module}, modules={f"{module}.py": code})
    monkeypatch.syspath_prepend(site)
    registry = ModelRegistry(Settings(store_dir=tmp_path / "store", plugins=("own",)))
    (project / "a.py").write_text(f"llm(model='{provider}/acme-large-1')\n")
    for ids in (["acme-large-1", "acme-large-2"], ["acme-large-2", "acme-large-3"]):
        (project / "models.json").write_text(json.dumps(ids))
        assert registry.sync_gateways().ok
    (one,) = check(["a.py"], registry=registry)
    assert (one.level, one.id) == ("unknown", None)
    assert re.fullmatch(
        rf"{provider} has not listed acme-large-1 since 20\d\d-\d\d-\d\d; "
        rf"did you mean {provider}/.+\?",
        one.message,
    )
    (project / "models.json").write_text(json.dumps(["acme-large-1", "acme-large-2"]))
    registry.sync_gateways()
    assert texts(check(["a.py"], registry=registry)) == []


def test_the_status_says_whether_something_is_urgent_enough(project: Path, run: Run) -> None:
    (project / "a.py").write_text("import openai\nopenai.chat(model='gpt-4o-mini')\n")
    assert run().exit_code == 0
    assert [run("--fail-on", one).exit_code for one in LEVELS] == [1, 1, 0, 0, 0]
    (project / "a.py").write_text(SOURCE)
    assert run().exit_code == 1
    assert run("--fail-on", "never").exit_code == 0
    assert run("--within", "soon").exit_code == run("nowhere.py").exit_code == 2


def test_the_text_has_a_line_for_each_and_one_that_counts(project: Path, run: Run) -> None:
    (project / "a.py").write_text(SOURCE)
    first, second, last = run().stdout.splitlines()
    assert first == (
        "a.py:2:20: retired: openai/gpt-4 was retired on 2026-10-23; use openai/gpt-5.6-sol"
    )
    assert second.startswith("a.py:3:20: unknown: openai is not known to have a model gpt-4o-mni")
    assert second.endswith("; did you mean openai/gpt-4o?")
    assert last == "1 file: 1 retired, 1 unknown"


def test_json_has_its_schema_and_findings_alone(project: Path, run: Run) -> None:
    (project / "a.py").write_text(SOURCE)
    for arguments in (["--format", "json"], ["--json"]):
        said = json.loads(run(*arguments).stdout)
        assert said["schema"] == 1
        assert [one["level"] for one in said["findings"]] == ["retired", "unknown"]
        assert "openai/gpt-4o" in " ".join(said["findings"][1]["suggestions"])


def test_github_gets_annotations_that_nothing_breaks_out_of(
    project: Path, look: Callable[..., Findings]
) -> None:
    odd = "a,b:%.py"
    (project / odd).write_text(SOURCE)
    first, *_ = as_github(look())
    assert first == (
        "::error file=a%2Cb%3A%25.py,line=2,col=20,endColumn=25,title=retired%3A gpt-4::"
        "openai/gpt-4 was retired on 2026-10-23; use openai/gpt-5.6-sol"
    )


def test_a_baseline_leaves_out_what_was_there_wherever_it_moves(project: Path, run: Run) -> None:
    (project / "a.py").write_text(SOURCE)
    assert run("--write-baseline", "known.json").exit_code == 0
    (project / "a.py").write_text("\n\n" + SOURCE)
    done = run("--baseline", "known.json")
    assert (done.exit_code, done.stdout) == (0, "2 files: nothing new, 2 in the baseline\n")
    (project / "a.py").write_text(SOURCE + "openai.chat(model='gpt-4')\n")
    result = run("--baseline", "known.json", "--json")
    assert result.exit_code == 1
    assert [one["line"] for one in json.loads(result.stdout)["findings"]] == [4]


def test_what_is_no_baseline_is_refused_by_name(project: Path, run: Run) -> None:
    (project / "known.json").write_text("[]")
    result = run("--baseline", "known.json")
    assert result.exit_code == 2
    assert "known.json" in result.stderr and "--write-baseline" in result.stderr


def test_text_without_findings_says_so(project: Path, look: Callable[..., Findings]) -> None:
    (project / "a.py").write_text("x = 1\n")
    assert [*as_text(look())] == ["1 file: nothing found"]


def test_a_path_that_is_not_there_is_an_error(look: Callable[..., Findings]) -> None:
    with pytest.raises(RegistryError, match="nowhere"):
        look("nowhere")


@pytest.mark.slow
def test_sarif_is_valid_by_its_schema(
    project: Path, look: Callable[..., Findings], sarif_schema: Any
) -> None:
    from jsonschema import Draft7Validator

    (project / "a b.py").write_text(SOURCE)
    for findings in (look(), look(str(project)), Findings()):
        Draft7Validator(sarif_schema).validate(as_sarif(findings, "1.0"))


def test_sarif_names_rules_places_and_levels(project: Path, look: Callable[..., Findings]) -> None:
    (project / "a b.py").write_text(SOURCE)
    log = as_sarif(look(), "1.0")
    (run,) = log["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert rules == [f"model-{level}" for level in reversed(LEVELS)]
    first = run["results"][0]
    assert rules[first["ruleIndex"]] == first["ruleId"] == "model-retired"
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.py"},
        "region": {"startLine": 2, "startColumn": 20, "endColumn": 25},
    }


def test_a_script_in_a_page_has_its_place_in_the_page(
    project: Path, look: Callable[..., Findings]
) -> None:
    (project / "Chat.vue").write_text(
        "<template><p title='äöü😀'>gpt-4</p></template>\r\n"
        "<script setup lang='ts'>const äöü: string = ''; const model = 'gpt-4'\r\n"
        "const other: { model: string } = { model: 'gpt-4' }</script>\n",
        "utf-8",
    )
    assert [(one.line, one.column) for one in look()] == [(2, 64), (3, 44)]


def test_a_template_is_read_as_what_it_is_for(project: Path, look: Callable[..., Findings]) -> None:
    for name in ("a.yaml.j2", "b.yml.example", "c.j2", "d.txt.tmpl"):
        (project / name).write_text("provider: openai\nmodel: gpt-4\n")
    (project / "e.go.tmpl").write_text('var model = "gpt-4"\n')
    assert {one.path for one in look()} == {"a.yaml.j2", "b.yml.example", "e.go.tmpl"}


MODELS = {
    "csharp": 'class A { string model = "gpt-4"; }', "go": 'var model = "gpt-4"',
    "java": 'class A { String model = "gpt-4"; }', "kotlin": 'val model = "gpt-4"',
    "php": '<?php $model = "gpt-4"; ?>', "ruby": 'model = "gpt-4"',
    "rust": 'const MODEL: &str = "gpt-4";', "swift": 'let model = "gpt-4"',
    "page": '<script>model = "gpt-4"</script>',
}  # fmt: skip


@pytest.mark.parametrize(
    "suffix", [suffix for suffix, language in contents.LANGUAGES.items() if language in MODELS]
)
def test_every_suffix_is_read_with_any_broken_code(
    project: Path, look: Callable[..., Findings], suffix: str
) -> None:
    line = MODELS[contents.LANGUAGES[suffix]]
    (project / f"a{suffix}").write_text(f'{line}\n)]}} =\n[{{(\n"unknown\n/* "gpt-4"\n')
    found = look()
    assert not found.skipped
    assert [one.line for one in found] == [1]


def test_each_text_of_a_long_statement_takes_a_bounded_look(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    seen: list[int] = []
    call = climbing.call

    def counted(way: Climb) -> bool:
        seen.append(1)
        return call(way)

    monkeypatch.setattr(climbing, "call", counted)
    (project / "a.go").write_text('x := a.Model("gpt-4")' + '.Model("gpt-4")' * 999 + "\n")
    (project / "b.go").write_text("f(" * 999 + 'Model("gpt-4")' + ")" * 999)
    (project / "c.go").write_text("models := []string{" + '"gpt-4", ' * 1000 + "}\n")
    assert Counter(one.path for one in look()) == {"a.go": 1000, "b.go": 1, "c.go": 1000}
    assert len(seen) < 100_000  # up to the top, each time, it would be a million


def test_a_file_is_taken_apart_only_for_a_quoted_name(
    project: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[..., Findings]
) -> None:
    read: list[str] = []
    parse = contents.parse
    monkeypatch.setattr(
        contents, "parse", lambda language, data: read.append(language) or parse(language, data)
    )
    (project / "a.go").write_text("// gpt-4 is asked\nvar x = gpt-4\n")
    (project / "b.rb").write_text('model = "gpt-4"\n')
    assert [one.path for one in look()] == ["b.rb"]
    assert read == ["ruby"]


def test_an_id_that_is_a_word_is_looked_for_only_if_it_leads_to_a_finding() -> None:
    gone, later = date(2026, 1, 1), date(2027, 1, 1)
    retires = {"lifecycle": {"retires_on": "2026-06-01"}}
    provider = {"acme": {"auto": {}, "echo": retires, "x": retires}}
    registry = Snapshot.build(
        provider_from_record(id, {"models": models}) for id, models in provider.items()
    )
    names = Names(registry, {"acme/ada", "other/auto", "odd/"})
    for day, looked_for in ((gone, False), (later, True)):
        judge = judging.Judge(registry, names, day, timedelta(0), {}, {})
        stems = names.stems(judge.read)
        assert ("echo" in stems) == looked_for
        assert "auto" not in stems
        # Nobody offers these, so only after a provider.
        assert {"/ada", ":ada", "/auto", ":auto"} < {*stems}
        assert min(map(len, stems)) > 1


OF_MAKERS = """
chatgpt-9-latest gpt-9 o1 o3 o4 o3-mini-high text-davinci-003 code-cushman-001 davinci-002
text-embedding-ada-002 text-embedding-3-huge babbage-002 whisper-1 tts-1-hd dall-e-3 sora-9
omni-moderation-latest claude-9 claude-instant gemini-9 gemini-pro chat-bison-001 mistral-large-9
codestral-2501 ministral-8b magistral-medium pixtral-large devstral-small command-r-plus
command-light grok-9 grok-beta deepseek-chat sonar-pro cluade-9 gmini-9 gemmini-9 gp-4 gtp-4 gpt9
chat-gpt deepsek-chat
"""


@pytest.mark.parametrize("name", OF_MAKERS.split())
def test_a_name_of_a_known_maker_is_looked_for_whatever_the_catalog(name: str) -> None:
    assert maker_of(name) or spellings.VAGUE.search(name)
    assert any(stem in f"maker/{name}" for stem in spellings.STEMS)
