"""`registry-core changes` and `diff`: what they say to a person, a program and a page."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from registry_core import ModelRegistry
from registry_core.cli import main
from tests.loopback import Loopback, Reply

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks at a terminal")

Run = Callable[..., Result]


def priced(name: str, price: float, context: int = 128_000, **more: Any) -> dict[str, Any]:
    cost = {"input": price, "output": 8 * price}
    return {"name": name, "cost": cost, "limit": {"context": context}, **more}


def catalog(openai: dict[str, Any], acme: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "openai": {"name": "OpenAI", "env": ["OPENAI_API_KEY"], "models": openai},
        "acme": {"name": "Acme", "env": ["ACME_API_KEY"], "api": url, "models": acme},
    }


#: A day's news.
BEFORE = catalog(
    {
        "gpt-5": priced("GPT-5", 1.25),
        "gpt-4": priced("GPT-4", 30),
        "gpt-3": priced("GPT-3", 20),
        "o1": priced("o1", 15, tool_call=True),
    },
    {"large": priced("Large", 0.1, modalities={"input": ["text"]}), "small": priced("Small", 0.05)},
    "https://acme.example/v1",
)
AFTER = catalog(
    {
        "gpt-5": priced("GPT-5", 2, 400_000),
        "gpt-4": priced("GPT-4", 30, status="deprecated"),
        "gpt-6": priced("GPT-6", 12.5, 1_000_000),
        "o1": priced("o1", 15, tool_call=True, description="thinks"),
    },
    {
        "large": priced("Large", 1, modalities={"input": ["text", "image"]}),
        "small": priced("Small", 0.05),
    },
    "https://acme.example/v2",
)
NEWS = """\
acme
  ~ (the provider)  url https://acme.example/v1 → https://acme.example/v2
  ~ large           input $0.10 → $1 (×10), output $0.80 → $8 (×10) per 1M tokens, takes +image
openai
  - gpt-3{gone}
  ! gpt-4           deprecated
  ~ gpt-5           {prices}, context 128k → 400k
  + gpt-6           $12.50 in, $100 out per 1M tokens, context 1M
  ~ o1              description unknown → thinks
"""
PRICES = "input $1.25 → $2 (+60%), output $10 → $16 (+60%) per 1M tokens"
GONE = "           was $20 in, $160 out per 1M tokens, context 128k"
COUNTS = "1 new, 1 removed, 1 deprecated, 4 changed"


@pytest.fixture
def environ(tmp_path: Path, server: Loopback) -> dict[str, str]:
    return {
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
        "REGISTRY_CORE_FETCH_RETRIES": "0",
        "REGISTRY_CORE_PLUGINS": "registry-gateway-models-dev",
        "TZ": "UTC",
    }


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, **variables: str) -> Result:
        return CliRunner().invoke(main, arguments, env={**environ, **variables})

    yield invoke


@pytest.fixture
def news(run: Run, server: Loopback) -> Run:
    """After a day's news."""
    publish(run, server, BEFORE)
    assert run("export", "--format", "snapshot", "before.snapshot").exit_code == 0
    publish(run, server, AFTER)
    return run


def publish(run: Run, server: Loopback, payload: Any) -> Result:
    server.serve("/api.json", payload)
    done = run("sync")
    assert done.exit_code == 0, done.output
    return done


def test_a_days_news_by_provider_with_prices_and_units(news: Run) -> None:
    heading, _, rest = news("changes").stdout.partition(":\n\n")
    assert re.fullmatch(COUNTS + r" since \d{4}-\d\d-\d\d \d\d:\d\d", heading)
    assert rest == NEWS.format(prices=PRICES, gone="")


def test_sync_says_the_same_with_what_the_removed_ones_cost(run: Run, server: Loopback) -> None:
    publish(run, server, BEFORE)
    done = publish(run, server, AFTER)
    assert done.stdout.endswith(f"\n{COUNTS}:\n{NEWS.format(prices=PRICES, gone=GONE)}")


def test_the_first_sync_is_compared_with_the_bundled_data(run: Run, server: Loopback) -> None:
    done = publish(run, server, BEFORE)
    assert re.search(r"\n.* new, .* since the bundled data:\n", done.stdout)
    assert done.stdout.endswith(": registry-core diff bundled stored\n")
    assert "no change is known yet" in run("changes").stdout
    assert run("diff", "bundled", "stored").stdout.splitlines()[-1].endswith(": --all")


def test_json_has_a_record_for_each_sync(news: Run, server: Loopback) -> None:
    publish(news, server, BEFORE)
    done = news("changes", "--json")
    assert done.stdout == news("changes", "--format", "json").stdout
    told = json.loads(done.stdout)
    assert told["schema"] == 1
    first, second = told["changes"]
    assert (first["added"], second["removed"]) == (["openai/gpt-6"], ["openai/gpt-6"])
    assert (first["from"], first["to"]) == (second["to"], second["from"])
    assert {
        "id": "acme/large",
        "kind": "model",
        "field": "cost.input",
        "before": 0.1,
        "after": 1,
    } in first["updated"]


def test_what_came_and_went_again_is_left_out(news: Run, server: Loopback) -> None:
    publish(news, server, BEFORE)
    assert news("changes").stdout.startswith("nothing has changed since ")


def test_one_provider_or_one_field_can_be_asked_for(news: Run) -> None:
    acme = news("changes", "--provider", "acme").stdout
    assert "large" in acme
    assert "openai" not in acme
    for same in ("a*", "ACME"):
        assert news("changes", "--provider", same).stdout == acme
    prices = news("changes", "--field", "cost").stdout.partition(":\n\n")[2]
    assert prices == (
        "acme\n  ~ large  input $0.10 → $1 (×10), output $0.80 → $8 (×10) per 1M tokens\n"
        "openai\n  ~ gpt-5  input $1.25 → $2 (+60%), output $10 → $16 (+60%) per 1M tokens\n"
    )
    only = json.loads(news("changes", "--field", "cost.input", "--json").stdout)["changes"]
    assert [one["id"] for one in only[0]["updated"]] == ["acme/large", "openai/gpt-5"]
    assert only[0]["added"] == []


def test_a_provider_that_there_is_not_is_named(news: Run) -> None:
    done = news("changes", "--provider", "opnai")
    assert done.exit_code == 1
    assert "'opnai' is not a provider; did you mean 'openai'?" in done.stderr
    assert news("changes", "--since", "soon").exit_code == 2
    assert news("changes", "--json", "--provider", "opnai").stdout == ""
    assert news("diff", "bundled", "stored", "--provider", "opnai").exit_code == 1


def test_a_field_that_there_is_not_is_named(news: Run) -> None:
    for command in (("changes",), ("changes", "--json"), ("diff", "bundled", "stored")):
        done = news(*command, "--field", "cost.inpt")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--field: there is no field 'cost.inpt' (did you mean 'cost.input'?)" in done.stderr
    assert news("changes", "--field", "url").exit_code == 0  # of a provider


def test_a_provider_that_is_gone_can_be_asked_for(news: Run, server: Loopback) -> None:
    publish(news, server, {"openai": AFTER["openai"]})
    assert "- large" in news("changes", "--provider", "acme").stdout


def test_what_did_not_fit_in_the_journal_is_counted_apart(
    news: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ModelRegistry.changes
    monkeypatch.setattr(
        ModelRegistry,
        "changes",
        lambda *args, **more: [evolve(step, left_out=3) for step in whole(*args, **more)],
    )
    heading, *rest = news("changes").stdout.splitlines()
    apart = "; 3 further changes did not fit in the journal"
    assert re.fullmatch(f"{COUNTS} since .*{apart}:", heading)
    assert rest[0] == ""
    nothing = news("changes", "--field", "cost.reasoning").stdout
    assert re.fullmatch(rf"nothing known since .*{apart}\n", nothing)


def test_only_young_news_is_told(news: Run) -> None:
    done = news("changes", "--since", "0s")
    assert re.match(r"nothing has changed since .*; the last news is of ", done.stdout)
    assert json.loads(news("changes", "--since", "0s", "--json").stdout)["changes"] == []


def test_two_snapshots_are_compared(news: Run) -> None:
    done = news("diff", "before.snapshot", "stored")
    assert done.stdout == (
        f"{COUNTS} from before.snapshot to stored:\n\n{NEWS.format(prices=PRICES, gone=GONE)}"
    )
    back = json.loads(news("diff", "stored", "before.snapshot", "--json").stdout)
    assert (back["schema"], back["added"], back["removed"]) == (
        1,
        ["openai/gpt-3"],
        ["openai/gpt-6"],
    )
    assert news("diff", "stored", "stored").stdout == "nothing differs\n"


def test_a_snapshot_that_is_none_is_named_with_what_would_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no snapshot")
    for arguments, said in [
        (("diff", "gone", "bundled"), "gone: is not there"),
        (("diff", "text", "bundled"), "text: is too short to be a snapshot"),
        (("diff", "stored", "bundled"), "stored: there is none yet (run registry-core sync)"),
    ]:
        done = run(*arguments)
        assert done.exit_code == 1
        assert said in done.stderr
    assert '"bundled" or "stored"' in run("diff", "gone", "bundled").stderr


def test_many_changes_are_folded_with_some_of_everything_that_matters(
    run: Run, server: Loopback
) -> None:
    many = {f"m{n:03}": priced(f"M{n}", 1) for n in range(200)}
    publish(run, server, catalog(many, {"gone": priced("G", 1)}, "https://acme.example"))
    later = {id: {**one, "description": "new"} for id, one in many.items()}
    for n in range(100):
        later[f"m{n:03}"] = priced("M", 2)
    later |= {f"x{n}": priced("X", 3) for n in range(50)}
    publish(run, server, catalog(later, {}, "https://acme.example"))
    folded = run("changes").stdout
    rows = [line for line in folded.splitlines() if line.startswith("  ")]
    assert len(rows) == 30
    assert {row[2] for row in rows} == {"+", "-", "~"}
    assert not any("description" in row for row in rows)
    assert folded.splitlines()[-1] == "… and 221 more (36 new, 185 changed): --all"
    whole = run("changes", "--all").stdout
    assert sum(line.startswith("  ") for line in whole.splitlines()) == 251
    assert "…" not in whole


def test_markdown_is_a_list_for_each_provider(news: Run) -> None:
    heading, *lines = news("changes", "--format", "markdown").stdout.splitlines()
    assert heading.startswith(f"## {COUNTS} since ")
    assert lines[1] == "### acme"
    assert (
        "- **changed** `large`: input $0.10 → $1 (×10), output $0.80 → $8 (×10) per 1M tokens,"
        " takes +image"
    ) in lines
    assert "- **new** `gpt-6`: $12.50 in, $100 out per 1M tokens, context 1M" in lines


def test_markdown_and_a_terminal_obey_no_strangers_text(run: Run, server: Loopback) -> None:
    hostile = "a`b|<i>\x1b[31m\n# x"
    for models in ({"ok": priced("O", 1)}, {"ok": priced("O", 1), hostile: priced("H", 1)}):
        publish(run, server, catalog(models, {"m": priced("M", 1)}, "https://acme.example"))
    page = run("changes", "--format", "markdown").stdout
    assert "- **new** `` a`b|<i>\\x1b[31m\\n# x ``: " in page
    assert "\x1b" not in page + run("changes").stdout


def in_terminal(environ: dict[str, str], columns: int, *arguments: str) -> str:
    """What `registry-core` writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    known = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "registry_core", *arguments],
        env={**known, "TERM": "xterm", **environ},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_in_a_terminal_it_fits_and_shows_colours_unless_told_not_to(
    news: Run, environ: dict[str, str], columns: int
) -> None:
    coloured = in_terminal(environ, columns, "changes")
    assert "  \x1b[32m\x1b[1m+\x1b[0m gpt-6" in coloured
    assert "\x1b[31m(×10)\x1b[0m" in coloured
    plain = in_terminal({**environ, "NO_COLOR": "1"}, columns, "changes")
    assert plain == re.sub(r"\x1b\[\d+m", "", coloured)
    assert max(map(len, plain.splitlines())) <= columns
    assert in_terminal({**environ, "TERM": "dumb"}, columns, "changes") == plain


def test_while_a_snapshot_is_pinned_nothing_changes(news: Run) -> None:
    pinned = news("changes", REGISTRY_CORE_SNAPSHOT="before.snapshot")
    assert pinned.exit_code == 0
    assert re.match(r"pinned to .*before\.snapshot ", pinned.stdout)


def test_a_sync_that_fails_changes_nothing(news: Run, server: Loopback) -> None:
    before = news("changes", "--json").stdout
    server.route("/api.json", Reply(500))
    assert news("sync").exit_code == 1
    assert json.loads(news("changes", "--json").stdout)["changes"] == json.loads(before)["changes"]
