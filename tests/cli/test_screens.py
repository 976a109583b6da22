"""What a person sees: tables that fit, marks that don't need colour, and no obeyed text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from registry_core import ModelInfo, ProviderConfig, Snapshot
from registry_core.cli.screen import Column, _fitting
from tests.cli.terminal import ESCAPE, on_terminal, plain

LEAVES = datetime.now(UTC).date() + timedelta(12)
SOON = "in 1[12] days"  # 11 if midnight has passed since


def model(id: str, provider: str = "acme", **fields: Any) -> ModelInfo:
    return ModelInfo(id=id, provider_id=provider, **fields)


LONG = "org/" + "very-long-name-" * 12
IDS = [
    model(
        "large",
        name="Large",
        tool_call=True,
        reasoning=True,
        structured_output=True,
        modalities={"input": ["text", "image"], "output": ["text"]},
        limit={"context": 1_048_576, "output": 8_192},
        cost={"input": 1.25, "output": 10},
        release_date="2026-01-01",
    ),
    model("small", limit={"context": 32_768}, cost={"input": 0.075, "output": 0}),
    model("old", status="deprecated", limit={"context": 4_096}),
    model("going", lifecycle={"retires_on": f"{LEAVES}", "successor": "acme/large"}),
    model("leaving", lifecycle={"retires_on": f"{LEAVES}", "successor": "new"}),
    model(LONG),
    model("\u05d2\u05d3\u05d5\u05dc"),
    model("\u6a21\u578b-\u5927"),
    model("\x1b[31mred\x1b[2J"),
    model("a\u202eb[bold]c[/bold]:smile:"),
]


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[..., str]:
    served = Snapshot.build(
        [
            ProviderConfig(
                "acme",
                {one.id: one for one in IDS},
                name="Acme",
                gateway="main",
                url="https://acme.example/v1",
                api_key_env_vars=["ACME_API_KEY"],
            ),
            *(ProviderConfig(f"other{n}", ["m"], api_key_env_vars=[f"K{n}"]) for n in range(40)),
        ]
    )
    file = tmp_path / "snapshot"
    file.write_bytes(served.to_bytes())

    def run(*arguments: str, **how: Any) -> str:
        return on_terminal(*arguments, **{"REGISTRY_CORE_SNAPSHOT": str(file), **how})

    return run


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
@pytest.mark.parametrize(
    "command",
    [
        ("list", "acme", "--all"),
        ("list",),
        ("providers", "--all"),
        ("show", "acme"),
        ("show", "acme/large"),
        ("show", "acme/going", "--sources"),
        ("plugins",),
    ],
    ids=" ".join,
)
def test_every_line_fits_the_terminal_and_nothing_is_obeyed(
    terminal: Callable[..., str], command: tuple[str, ...], columns: int
) -> None:
    lines = plain(terminal(*command, columns=columns))
    assert lines
    assert max(map(cell_len, lines)) <= columns
    assert [line for line in lines if not line.replace("\u200e", "").isprintable()] == []


def test_what_runs_from_right_to_left_keeps_to_its_cell(terminal: Callable[..., str]) -> None:
    line = next(one for one in plain(terminal("list", "acme", "--all")) if "\u05d2" in one)
    assert line.startswith("acme/\u05d2\u05d3\u05d5\u05dc\u200e ")


def test_a_table_has_units_and_numbers_below_each_other(terminal: Callable[..., str]) -> None:
    heading, *rows = plain(terminal("list", "acme", "--all", columns=120))
    assert heading.split() == [
        *("MODEL", "CONTEXT", "IN", "$/M", "OUT", "$/M", "RELEASED", "CAN", "NOTE")
    ]
    by_id = {row.split()[0]: row for row in rows if row.startswith("acme/")}
    large, small = by_id["acme/large"], by_id["acme/small"]
    assert "1.05M" in large
    assert "tools vision reason json" in large
    assert "32.8k" in small
    assert large.index("1.25") + 1 == small.index("0.075") + 1
    assert large.index("10.00") + 1 == small.rindex("0.00")
    assert "?" in by_id["acme/old"]  # no price is known, which is not 0
    assert by_id["acme/old"].rstrip().endswith("deprecated")
    assert re.search(f"retires {SOON}$", by_id["acme/going"].rstrip())
    assert rows[-1] == f"{len(IDS)} models"


def test_who_asks_what_retires_sees_when_and_what_follows(terminal: Callable[..., str]) -> None:
    heading, going, *_ = plain(terminal("list", "--retires-before", "30d", columns=60))
    assert heading.split()[:3] == ["MODEL", "RETIRES", "SUCCESSOR"]
    assert going.split()[:3] == ["acme/going", f"{LEAVES}", "acme/large"]


def test_of_the_columns_that_may_be_left_out_the_most_important_stay() -> None:
    columns = [Column("A"), Column("B", rank=1), Column("C", rank=2), Column("D", rank=1)]
    widths = [20, 8, 8, 20]
    assert [_fitting(columns, widths, room) for room in (62, 52, 30, 29)] == [
        [0, 1, 2, 3],
        [0, 1, 3],
        [0, 1],
        [0],
    ]


def test_a_long_id_is_whole_over_several_lines_and_costs_the_others_nothing(
    terminal: Callable[..., str],
) -> None:
    lines = plain(terminal("list", "acme", "--all", columns=80))
    cells = [line.split("  ")[0].strip() for line in lines]
    start = next(n for n, cell in enumerate(cells) if cell.startswith("acme/org/"))
    assert "".join(cells[start:]).startswith(f"acme/{LONG}")
    assert next(line for line in lines if line.startswith("acme/large")).split()[1] == "1.05M"


def test_one_screen_is_shown_and_how_to_see_the_rest(terminal: Callable[..., str]) -> None:
    lines = plain(terminal("list", "m", columns=100, lines=24))
    assert len(lines) < 24
    assert lines[-1].startswith("14 of 49 ")  # one of which takes five lines
    assert lines[-1].endswith("models; 1 deprecated or retired left out; all: --all")
    assert len(plain(terminal("list", "m", "--all", lines=24))) > 40
    assert plain(terminal("list", "m", "--limit", "30"))[-1].startswith("30 of ")
    assert plain(terminal("list", "--all", "--limit", "2"))[-1] == f"2 of {len(IDS) + 40} models"


def test_where_there_are_many_screens_it_is_said_how_to_have_fewer(
    terminal: Callable[..., str], tmp_path: Path
) -> None:
    environ = {"REGISTRY_CORE_SNAPSHOT": "", "REGISTRY_CORE_STORE_DIR": str(tmp_path)}
    found = plain(terminal("list", "gpt", **environ))
    assert len(found) < 24
    assert found[-1].startswith("Fewer: another word, --provider")
    assert not any(one.startswith("Fewer") for one in plain(terminal("list", "m")))


def test_with_nothing_asked_there_are_providers_those_with_a_key_first(
    terminal: Callable[..., str],
) -> None:
    lines = plain(terminal("list", columns=100, lines=24, K7="x"))
    assert lines[0].split() == ["PROVIDER", "NAME", "MODELS", "KEY", "URL"]
    assert lines[1].startswith("other7")
    assert "set: K7" in lines[1]
    assert len(lines) < 24
    assert f"of 41 providers with {len(IDS) + 40} models; all: registry-core providers --all" in (
        " ".join(lines)
    )


@pytest.mark.parametrize(
    ("environ", "options", "codes"),
    [
        ({}, (), {"1", "2", "31", "35"}),
        ({"NO_COLOR": "1"}, (), {"1", "2"}),  # not even for a mark
        ({"NO_COLOR": "1"}, ("--color", "always"), {"1", "2", "31", "35"}),
        ({}, ("--color", "never"), set()),
        ({"TERM": "dumb"}, (), set()),
    ],
)
def test_colours_are_those_of_the_theme_and_can_be_had_or_not(
    terminal: Callable[..., str], environ: dict[str, str], options: tuple[str, ...], codes: set[str]
) -> None:
    found = terminal("list", "acme", "--all", *options, **environ)
    styles = {code for one in ESCAPE.findall(found) for code in one[2:-1].split(";")}
    assert styles - {"0", ""} == codes
    assert re.search(f"retires {SOON}", found)


@pytest.mark.parametrize("columns", [60, 140])
def test_a_dumb_terminal_is_as_wide_as_it_says(terminal: Callable[..., str], columns: int) -> None:
    dumb, plainly = (
        terminal("list", "acme", "--all", columns=columns, **how)
        for how in ({"TERM": "dumb"}, {"NO_COLOR": "1"})
    )
    assert dumb.splitlines() == [line.rstrip() for line in plain(plainly)]


def test_show_says_where_a_call_goes_and_whether_the_key_is_set_never_its_value(
    terminal: Callable[..., str],
) -> None:
    text = "\n".join(plain(terminal("show", "acme/large", ACME_API_KEY="sk-secret")))
    assert "https://acme.example/v1  openai" in text
    assert "ACME_API_KEY set" in text
    assert "sk-secret" not in text
    assert "$1.25 in, $10.00 out (per million tokens)" in text
    assert "1,048,576 tokens, 8,192 of them out" in text
    assert "retires      unknown" in text
    going = "\n".join(plain(terminal("show", "acme/going")))
    assert "ACME_API_KEY not set" in going
    assert re.search(f"retires      {LEAVES}, {SOON}", going)
    assert "successor    acme/large" in going
    leaving = plain(terminal("show", "acme/leaving"))
    assert "successor    new, which no gateway lists" in leaving


def test_color_always_draws_in_a_pipe_as_wide_as_is_said(tmp_path: Path) -> None:
    command = ("list", "-p", "openai", "--limit", "2", "--color", "always")
    done = subprocess.run(
        [sys.executable, "-m", "registry_core", *command],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "50", "REGISTRY_CORE_STORE_DIR": str(tmp_path)},
    )
    lines = plain(done.stdout)
    assert lines[0].startswith("MODEL")
    assert max(map(len, lines)) <= 50
    assert "\x1b[" in done.stdout


def test_sentences_are_broken_between_words_and_their_level_is_marked(tmp_path: Path) -> None:
    environ = {"REGISTRY_CORE_STORE_DIR": str(tmp_path)}
    command = ("show", "openai/gpt-4o", "--field", "no.such.field")
    found = on_terminal(*command, columns=60, status=2, **environ)
    assert found.startswith("\x1b[1;31merror:\x1b[0m --field: there is no field 'no.such.field'")
    first, *rest = plain(found)
    assert rest
    assert max(map(len, (first, *rest))) <= 60
    assert {line[:2] for line in rest} == {"  "}
    piped = subprocess.run(
        [sys.executable, "-m", "registry_core", *command],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    assert piped.stderr == f"{' '.join([first, *(line.strip() for line in rest)])}\n"
    assert "\x1b" not in on_terminal(*command, status=2, NO_COLOR="1", **environ)


def test_numbers_of_a_sync_stand_below_each_other(tmp_path: Path) -> None:
    lines = plain(
        on_terminal("sync", "--offline", REGISTRY_CORE_STORE_DIR=str(tmp_path), columns=100)
    )
    table = lines[lines.index(next(one for one in lines if one.startswith("GATEWAY"))) :]
    heading, first, second = table[:3]
    end = heading.index("MODELS") + len("MODELS")
    assert {first[:end].split()[-1], second[:end].split()[-1]} == {"8,261", "265"}
