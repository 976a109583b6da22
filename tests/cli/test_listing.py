"""`list`, `providers` and `show` in a pipe: for programs, and cheap."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core.cli import main

ROOT = Path(__file__).parents[2]
TODAY = datetime.now(UTC).date()  # when these records are made; a test may run tomorrow
LEAVES = TODAY + timedelta(20)
MODELS = [
    ModelInfo(
        id="big",
        provider_id="acme",
        name="Big One",
        tool_call=True,
        limit={"context": 400_000},
        cost={"input": 5, "output": 20, "cache_read": 0.5},
        modalities={"input": ["text", "image"], "output": ["text"]},
        release_date=f"{TODAY - timedelta(10)}",
        kind="chat",
    ),
    ModelInfo(
        id="small",
        provider_id="acme",
        tool_call=True,
        limit={"context": 8_000},
        cost={"input": 0.1, "output": 0.5},
        modalities={"input": ["text"], "output": ["text", "audio"]},
        release_date="2024-01-01",
        lifecycle={"deprecated_on": "2024-06-01", "retires_on": f"{LEAVES}"},
    ),
    ModelInfo(id="gone", provider_id="acme", lifecycle={"retires_on": "2025-01-01"}),
    ModelInfo(id="beta", provider_id="acme", status="beta", extra={"a": "b\tc"}),
    ModelInfo(id="m", provider_id="other", kind="embedding", family="big"),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def models(owner: str) -> dict[str, ModelInfo]:
        return {one.id: one for one in MODELS if one.provider_id == owner}

    acme = ProviderConfig(
        "acme",
        models("acme"),
        name="Acme",
        gateway="main",
        url="https://${ACME_REGION}.acme.example/v1",
        api_key_env_vars=["ACME_API_KEY", "ACME_TOKEN"],
    )
    served = Snapshot.build(
        [acme, ProviderConfig("other", models("other"), gateway="second")],
        gateways={"main": "", "second": ""},
        withheld={"secret/x": "policy:policy"},
    )
    file = tmp_path / "snapshot"
    file.write_bytes(served.to_bytes())
    monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", str(file))
    for name in ("ACME_API_KEY", "ACME_TOKEN", "ACME_REGION", "ACME_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments, **environ: CliRunner().invoke(main, arguments, env=environ)


SET = {"ACME_TOKEN": "t", "ACME_REGION": "eu"}


@pytest.mark.parametrize(
    ("arguments", "environ", "ids"),
    [
        ([], {}, ["acme/beta", "acme/big", "acme/gone", "acme/small", "other/m"]),
        (["--sort", "id"], {}, ["acme/beta", "acme/big", "other/m"]),
        (["--all"], {}, ["acme/beta", "acme/big", "acme/gone", "acme/small", "other/m"]),
        (["BIG"], {}, ["acme/big", "other/m"]),
        (["big", "one"], {}, ["acme/big"]),
        (["--provider", "a*"], {}, ["acme/beta", "acme/big"]),
        (["--gateway", "second"], {}, ["other/m"]),
        (["-p", "acme,other", "--gateway", "second"], {}, ["other/m"]),
        (["--kind", "embedding"], {}, ["other/m"]),
        (["--supports", "tools,vision"], {}, ["acme/big"]),
        (["--supports", "tools", "--supports", "vision"], {}, ["acme/big"]),
        (["--input", "image", "--min-context", "200k"], {}, ["acme/big"]),
        (["--min-context", "0.4M"], {}, ["acme/big"]),
        (["--output", "audio", "--all"], {}, ["acme/small"]),
        (["--max-input", "1", "--all"], {}, ["acme/small"]),
        (["--max-output", "20"], {}, ["acme/big"]),
        (["--max-input", "1", "--include-unknown"], {}, ["acme/beta", "other/m"]),
        (["--since", "30d"], {}, ["acme/big"]),
        (["--since", "2023-12-31", "--all"], {}, ["acme/big", "acme/small"]),
        (["--retires-before", "3w"], {}, ["acme/small"]),  # deprecated, and still served
        (["--retires-before", "3w", "--all"], {}, ["acme/gone", "acme/small"]),
        (["--status", "deprecated,retired"], {}, ["acme/gone", "acme/small"]),
        (["--usable"], SET, ["acme/beta", "acme/big"]),
        (["--sort", "price", "--all", "--limit", "2"], {}, ["acme/small", "acme/big"]),
    ],
)
def test_each_option_is_a_filter_of_find_models(
    run: Callable[..., Result], arguments: list[str], environ: dict[str, str], ids: list[str]
) -> None:
    done = run("list", *arguments, **environ)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == ids


def test_columns_are_between_tabs_and_unknown_is_empty(run: Callable[..., Result]) -> None:
    names = "id,context,price,cost.cache_read,can,tool_call,input,status,note,family"
    rows = [line.split("\t") for line in run("list", "--columns", names).stdout.splitlines()]
    assert rows == [
        ["acme/beta", "", "", "", "", "", "", "beta", "beta", ""],
        ["acme/big", "400000", "5", "0.5", "tools vision", "true", "text,image", "", "", ""],
        ["other/m", "", "", "", "", "", "", "", "", "big"],
    ]


def test_json_has_the_whole_records_and_how_many_there_are(run: Callable[..., Result]) -> None:
    found = json.loads(run("list", "--json", "--limit", "1").stdout)
    assert (found["schema"], found["count"], len(found["models"])) == (1, 3, 1)
    (model,) = found["models"]
    assert model == {"full_id": "acme/beta", **MODELS[3].to_dict(), "kind": MODELS[3].kind}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("list gone", "nothing current fits; acme/gone is deprecated or retired: --all"),
        ("list bgi", "no provider or model contains 'bgi'; did you mean 'acme/big'"),
        ("list big gone", "no provider or model contains all of 'big', 'gone'"),
        ("providers acme other", "no provider contains all of 'acme', 'other'"),
        ("list --min-context 1M", "of 2 it is unknown: --include-unknown"),
        ("list -p acne", "'acne' is not a provider; did you mean 'acme'?"),
        ("list big -p 'z*'", "is not a provider; known are acme, other"),
        ("list --gateway mian", "'mian' is not a gateway; did you mean 'main'?"),
        ("list --usable -p acme", "registry-core providers says which keys are set"),
        ("list --supports visoin", "did you mean 'vision'?"),
        ("list --sort prize", "did you mean 'price'?"),
        ("list --columns contxt", "there is no column 'contxt' (did you mean 'context'?)"),
        ("list --field cost", "--field goes with --disagreements"),
        ("list --min-context many", "write 200000, 200k or 1M"),
        ("list --since yesterday", "error: --since: expected a date"),
        ("list --since yesterday", "got 'yesterday' (or a time before today: 30d, 2w, 6m, 1y)"),
        ("list --since 2026-13-01", "(did you mean '2026-12-01'?)"),
        ("list --retires-before soon", "(or a time after today: 30d, 2w, 6m, 1y)"),
        ("list --max-input $3", "'$3' is not a number of US dollars: write 3 or 0.25"),
        ("list --max-output cheap", "'cheap' is not a number of US dollars"),
        ("list --kind chta", "error: --kind: can't be 'chta' (did you mean 'chat'?)"),
        ("list --retires-before never", "error: --retires-before: expected a date"),
        ("providers acne", "no provider contains 'acne'; did you mean 'acme'"),
        ("providers --usable acme", "no provider is usable"),
        ("providers --columns urll", "did you mean 'url'?"),
        ("show acme/bgi", "did you mean 'acme/big'"),
        ("show secret/x", "'secret/x' is withheld by the policy policy:policy"),
        ("show acme --sources", "registry-core list --provider acme --disagreements"),
        ("show acme/big --field limit.contxt", "did you mean 'limit.context'?"),
        ("show acme/bgi --sources", "did you mean 'acme/big'"),
    ],
)
def test_what_is_wrong_is_told_with_what_was_meant(
    run: Callable[..., Result], arguments: str, told: str
) -> None:
    done = run(*arguments.split())
    assert done.exit_code == (2 if done.stderr.startswith(("error: ", "Usage: ")) else 1)
    assert done.stdout == ""
    assert told in done.stderr


@pytest.mark.parametrize("asked", ["--retires-before 90d", "--status retired"])
def test_without_any_date_it_is_told_who_gives_them(
    run: Callable[..., Result], tmp_path: Path, asked: str
) -> None:
    assert "registry-facts-litellm" not in run("list", *asked.split(), "-p", "other").stderr
    undated = tmp_path / "undated"
    undated.write_bytes(Snapshot.build([ProviderConfig("acme", ["big"])]).to_bytes())
    done = run("list", *asked.split(), REGISTRY_CORE_SNAPSHOT=str(undated))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "pip install registry-facts-litellm, then registry-core sync" in done.stderr


def test_providers_in_a_pipe(run: Callable[..., Result]) -> None:
    assert run("providers").stdout == "acme\nother\n"
    assert run("providers", "ACM").stdout == "acme\n"
    assert run("providers", "--usable", **SET).stdout == "acme\n"
    rows = run("providers", "--columns", "id,models,key,gateway", "--all", **SET).stdout
    assert rows == "acme\t4\ttrue\tmain\nother\t1\t\tsecond\n"
    found = json.loads(run("providers", "acme", "--json").stdout)
    assert found["schema"] == 1
    assert found["providers"][0]["models"] == ["beta", "big", "gone", "small"]
    assert found["providers"][0]["key"] is False


def test_show_says_where_a_call_goes_never_a_secret(run: Callable[..., Result]) -> None:
    done = run("show", "acme/big", ACME_TOKEN="s3cret", ACME_REGION="eu")
    assert "s3cret" not in done.stdout
    call = done.stdout.partition("call:\n")[2].splitlines()
    assert call == [
        "  url: https://${ACME_REGION}.acme.example/v1",
        "  dialect: openai",
        "  ACME_API_KEY: not set",
        "  ACME_TOKEN: set",
        "  ACME_REGION: set",
    ]
    own = {"ACME_BASE_URL": "https://user:s3cret@host/v1"}
    shown = run("show", "acme/big", **own).stdout
    assert "s3cret" not in shown
    assert "url: ACME_BASE_URL is set, but not to a plain URL" in shown
    plain = run("show", "acme/big", ACME_BASE_URL="https://proxy.example/v1").stdout
    assert "url: https://proxy.example/v1 (from ACME_BASE_URL)" in plain
    as_json = json.loads(run("show", "acme/big", "--json", **SET).stdout)
    assert as_json["call"]["keys"] == {"ACME_API_KEY": False, "ACME_TOKEN": True}
    assert as_json["call"]["usable"] is True
    assert "ACME" not in run("show", "other/m").stdout
    assert "no URL is known here" in run("show", "other/m").stdout


def days_until(day: date) -> int:
    return (day - datetime.now(UTC).date()).days


def test_show_counts_the_days_that_are_left(run: Callable[..., Result]) -> None:
    before = days_until(LEAVES)
    shown = run("show", "acme/small").stdout
    told = {f"retires_on: {LEAVES} (in {days} days)" for days in (before, days_until(LEAVES))}
    assert any(one in shown for one in told)
    assert "days ago)" in run("show", "acme/gone").stdout
    assert "retires_on: unknown" in run("show", "acme/big").stdout


def test_the_cheapest_model_of_the_page_is_one_command_line(tmp_path: Path) -> None:
    page = (ROOT / "docs/choosing.md").read_text("utf-8")
    (command,) = re.findall(r"^registry-core list .*--usable.*$", page, re.MULTILINE)
    assert command in (ROOT / "README.md").read_text("utf-8")
    environ = {"REGISTRY_CORE_STORE_DIR": str(tmp_path), "OPENAI_API_KEY": "x", "GROQ_API_KEY": "x"}
    done = subprocess.run(
        [sys.executable, "-m", *command.replace("registry-core", "registry_core").split()],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    code = """
from registry_core import find_models
asked = {"supports": ["tools", "vision"], "min_context": 200_000, "sort": "price"}
(one,) = find_models(**asked, usable=True, limit=1)
print(one.full_id)
"""
    same = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == same.stdout != ""


IMPORTS = """
import sys
from registry_core.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""
PIPED = [
    "list --provider openai",
    "list sonnet --supports tools",
    "show openai/gpt-4o",
    "providers",
]


@pytest.mark.parametrize("command", PIPED)
def test_in_a_pipe_a_lookup_imports_no_table_no_plugin_and_no_network(
    command: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *command.split()],
        env={"REGISTRY_CORE_STORE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    imported = {one.split(".")[0] for one in done.stderr.split()}
    assert not imported & {"rich", "pluggy", "requests", "msgspec", "asyncio", "difflib"}
    modules = {*done.stderr.split()}
    assert not modules & {"importlib.metadata", "registry_core._plugins.host"}
    own = {"listing"} if command.startswith(("list", "providers")) else {"showing"}
    every = {"changes", "clean", "dev", "doctor", "export", "init", "new", "plugins", "screen"}
    every |= {"listing", "showing", "sync"}
    assert {one for one in every if f"registry_core.cli.{one}" in modules} == own


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("valgrind"), reason="needs valgrind")
def test_a_piped_list_of_a_provider_takes_few_instructions(tmp_path: Path) -> None:
    def instructions(*program: str) -> float:
        environ = {"REGISTRY_CORE_STORE_DIR": str(tmp_path), "PYTHONHASHSEED": "0"}
        subprocess.run([*program], env=environ, check=True, capture_output=True)  # compiles
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={tmp_path / 'out'}"]
        done = subprocess.run(
            [*valgrind, *program], env=environ, check=True, capture_output=True, text=True
        )
        return int(re.findall(r"Collected : (\d+)", done.stderr)[0]) / 1e6

    bare = instructions(sys.executable, "-s", "-c", "pass")
    listed = instructions(
        sys.executable, "-s", "-m", "registry_core", "list", "--provider", "openai"
    )
    assert listed < 11 * bare  # about 8 times its time, of which click's import takes 3.5
