"""Commands that plugins add: real distributions, called as a user would."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from registry_core import ProviderConfig, Snapshot
from registry_core.cli import main
from registry_core.testing import write_distribution
from tests.reliability.shell import Shell

COUNTS = """
import click
from registry_core import GatewayError, SettingsError
from registry_core.command import Invocation, registry_command

@click.command()
@click.argument("provider", required=False)
@click.option("--least", type=int, default=1)
@registry_command
def run(invocation, provider, least):
    '''Count models.'''
    print("printed")
    counts = {id: len(models) for id, models in invocation.registry.get_models().items()}
    limit = invocation.settings().options.get("limit", 9)
    found = {id: count for id, count in counts.items() if least <= count <= limit}
    if provider == "settings":
        raise SettingsError("is wrong", culprit="limit", hint="use a number")
    if provider == "gateway":
        raise GatewayError("is down", culprit="acme")
    if provider == "token":
        raise ValueError("refused " + invocation.settings().secret("ACME_TOKEN"))
    if provider == "exit":
        raise SystemExit(7)
    if provider == "nothing":
        invocation.complain("nothing \\x1b found")
        raise SystemExit(1)
    if invocation.as_json:
        invocation.say_json({"schema": 1, "counts": found})
    else:
        invocation.say(*(f"{id}: {count}" for id, count in found.items()))
"""
REFUSES = '        raise ValueError("refused " + invocation.settings().secret("ACME_TOKEN"))'
EXPLODES = "raise AssertionError('imported')"

Run = Callable[..., Result]


class Site:
    """A folder on `sys.path` with distributions that have commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self, name: str, code: str = EXPLODES, *, folder: Path | None = None, **commands: str
    ) -> None:
        module = name.replace("-", "_")
        write_distribution(
            folder or self.folder,
            name,
            commands=commands or {"counts": f"{module}:run"},
            modules={f"{module}.py": dedent(code)},
        )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Site(folder)
    for name in [name for name in sys.modules if name.startswith("acme")]:
        del sys.modules[name]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `registry-core ARGUMENTS` in an empty project, with two providers."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    frozen = tmp_path / "frozen.snapshot"
    providers = [ProviderConfig("openai", ["a", "b"]), ProviderConfig("other", ["c"])]
    frozen.write_bytes(Snapshot.build(providers).to_bytes())
    environ = {
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_SNAPSHOT": str(frozen),
    }

    def invoke(*arguments: str, **variables: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env={**environ, **variables})

    return invoke


def line_of(help: str, command: str) -> str | None:
    found = re.search(rf"^  {command}  +(.*)$", help, re.MULTILINE)
    return found[1] if found else None


def test_help_lists_commands_with_their_distribution_and_imports_none(run: Run, site: Site) -> None:
    site.install("acme-tools")
    done = run("--help")
    assert (done.exit_code, done.stderr) == (0, "")
    assert line_of(done.stdout, "counts") == "From acme-tools 1.0."
    assert line_of(done.stdout, "sync")
    assert "acme_tools" not in sys.modules


def test_a_command_gets_arguments_registry_and_options(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    done = run("counts")
    assert (done.exit_code, done.stdout) == (0, "openai: 2\nother: 1\n")
    assert done.stderr == "printed\n"
    assert run("counts", "--least", "2").stdout == "openai: 2\n"
    assert run("counts", REGISTRY_CORE_PLUGIN_COUNTS_LIMIT="1").stdout == "other: 1\n"
    Path("pyproject.toml").write_text("[tool.registry-core.plugin.counts]\nlimit = 1\n")
    assert run("counts").stdout == "other: 1\n"
    assert "Count models." in run("counts", "--help").stdout
    assert run("counts", "--mistyped").exit_code == 2


def test_a_command_takes_project_json_and_verbose(run: Run, site: Site, tmp_path: Path) -> None:
    site.install("acme-tools", COUNTS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "pyproject.toml").write_text("[tool.registry-core.plugin.counts]\nlimit = 1\n")
    done = run("counts", "--json", "--project", str(elsewhere), "-v")
    assert json.loads(done.stdout) == {"schema": 1, "counts": {"other": 1}}
    assert logging.getLogger("registry_core").handlers == []
    assert run("counts", "--project", str(tmp_path)).exit_code == 2


def test_options_for_a_command_are_none_in_vain(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    Path("pyproject.toml").write_text("[tool.registry-core.plugin.counts]\nlimit = 1\n")
    told = run("sync", REGISTRY_CORE_PLUGIN_COUNTS_LIMIT="1").stderr
    assert "counts" not in told
    assert "COUNTS" not in told


BOTH = """
import click
from registry_core import hookimpl
from registry_core.command import registry_command

OPTION_VARIABLES = {"url": "REGISTRY_CORE_ACME_URL"}

@hookimpl
def registry_gateways(settings):
    return []

@click.command()
@click.argument("entry")
@registry_command
def run(invocation, entry):
    invocation.say_json(dict(invocation.settings(entry).options))
"""


def test_a_command_may_ask_for_the_options_of_a_plugin(run: Run, site: Site) -> None:
    """Of the same distribution, even under the same name."""
    entries = {"acme": "acme_both"}
    write_distribution(
        site.folder,
        "acme-both",
        entry_points=entries,
        commands={"acme": "acme_both:run", "told": "acme_both:run"},
        modules={"acme_both.py": BOTH},
    )
    Path("pyproject.toml").write_text("[tool.registry-core.plugin.acme]\nmost = 3\n")
    wanted = {"most": 3, "url": "http://a", "least": 1}
    variables = {
        "REGISTRY_CORE_ACME_URL": "http://a",
        "REGISTRY_CORE_PLUGIN_ACME_LEAST": "1",
        "REGISTRY_CORE_PLUGIN_TOLD_LEAST": "2",
    }
    for command in ("acme", "told"):
        assert json.loads(run(command, "acme", **variables).stdout) == wanted
    assert json.loads(run("acme", "told", **variables).stdout) == {"least": 2}
    rows = json.loads(run("plugins", "--json").stdout)
    assert [one.get("command") for one in rows if one["plugin"] == "acme-both:acme"] == [
        None,
        "acme",
    ]


@pytest.mark.parametrize(
    ("what", "status", "told"),
    [
        ("settings", 2, "error: limit: is wrong (use a number)"),
        ("gateway", 1, "error: acme: is down"),
        ("exit", 7, ""),
        ("nothing", 1, "nothing \\x1b found"),
        (
            "token",
            1,
            "error: acme-tools 1.0 (command counts): failed: ValueError: refused ***ACME_TOKEN***,"
            f" in acme_tools.py, line {COUNTS.splitlines().index(REFUSES) + 1}",
        ),
    ],
)
def test_what_a_command_raises_is_a_line_and_a_status(
    run: Run, site: Site, what: str, status: int, told: str
) -> None:
    site.install("acme-tools", COUNTS)
    done = run("counts", what, ACME_TOKEN="token-4711")
    assert (done.exit_code, done.stdout) == (status, "")
    assert done.stderr == f"printed\n{told}\n" if told else "printed\n"


BROKEN = {
    "import acme_is_not_there": "ModuleNotFoundError: No module named 'acme_is_not_there'",
    "1 / 0": "ZeroDivisionError: division by zero, in acme_broken.py, line 1",
    "raise SystemExit(0)": "SystemExit: 0, in acme_broken.py, line 1",
    "": "AttributeError: module 'acme_broken' has no attribute 'run'",
    "def run(): ...": "'acme_broken:run' is not a click command but of type 'function'",
}


@pytest.mark.parametrize("code", BROKEN)
def test_one_that_cannot_be_imported_names_its_distribution_and_costs_no_other(
    run: Run, site: Site, code: str
) -> None:
    site.install("acme-broken", f"{code}\nprint('printed')", broken="acme_broken:run")
    site.install("acme-tools", COUNTS)
    done = run("broken", "--any", "-x", "thing", "--help")
    assert (done.exit_code, done.stdout) == (1, "")
    wanted = f"error: acme-broken 1.0 (command broken): can't be loaded: {BROKEN[code]}"
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr
    assert run("counts").exit_code == 0
    assert line_of(run("--help").stdout, "broken") == "From acme-broken 1.0."
    assert ("Traceback" in run("broken", "-vv").stderr) == (code != "def run(): ...")


def test_a_value_that_is_no_entry_point_is_told(run: Run, site: Site) -> None:
    site.install("acme-broken", "", broken="acme broken")
    assert "'acme broken' is neither a module nor module:object" in run("broken").stderr


PLAIN = """
import click

print("at import")

@click.group()
def run():
    "Tools of Acme."

@run.command()
@click.option("--fail", is_flag=True)
def inner(fail):
    if fail:
        raise KeyError("data")
    click.echo("result")
"""


def test_any_click_command_will_do_a_group_too(run: Run, site: Site) -> None:
    site.install("acme-tools", PLAIN, tools="acme_tools:run")
    done = run("tools", "inner")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "result\n", "at import\n")
    failed = run("tools", "inner", "--fail")
    told = "error: acme-tools 1.0 (command tools): failed: KeyError: 'data', in acme_tools.py, line"
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.startswith(told)
    assert "inner" in run("tools", "--help").stdout


NOISE = """
import os, subprocess, sys
def noise(where):
    print(f"print {where}")
    sys.__stdout__.write(f"held {where}\\n")
    os.write(1, f"system {where}\\n".encode())
    subprocess.run([sys.executable, "-c", f"print('child {where}')"])
noise("at import")
"""


@pytest.mark.parametrize("own", [False, True])
def test_what_a_command_prints_at_its_import_is_not_its_output(tmp_path: Path, own: bool) -> None:
    shell = Shell(tmp_path)
    code = COUNTS if own else PLAIN + '    noise("in the call")\n'
    command = "run" if own else "inner"
    modules = {"acme.py": dedent(NOISE) + dedent(code)}
    write_distribution(shell.site, "acme", commands={"tools": f"acme:{command}"}, modules=modules)
    shell.plugins.append("acme")
    done = shell.run("tools", *(["--json"] if own else []))
    kinds = [f"{how} at import" for how in ("print", "held", "system", "child")]
    assert all(line in done.err.splitlines() for line in kinds)
    if own:
        assert json.loads(done.out)["schema"] == 1
    else:
        assert {"result", "print in the call", "child in the call"} <= {*done.out.splitlines()}
        assert "at import" not in done.out


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_output_that_can_not_be_written_is_no_fault_of_the_command(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    write_distribution(
        shell.site, "acme", commands={"counts": "acme:run"}, modules={"acme.py": COUNTS}
    )
    environ = {**shell.environ, "REGISTRY_CORE_PLUGINS": "acme"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "registry_core", "counts"],
            env=environ,
            cwd=shell.project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = "printed\nerror: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_a_name_of_the_core_stays_the_cores(run: Run, site: Site) -> None:
    site.install("acme-tools", EXPLODES, doctor="acme_tools:run", counts="acme_tools:run")
    done = run("--help")
    assert done.exit_code == 0
    assert (
        line_of(done.stdout, "doctor") == "Say how old the data is, where it lies, and what failed."
    )
    refused = (
        "acme-tools 1.0 (command doctor): is not used: registry-core has a command of this name"
    )
    assert done.stderr == f"warning: {refused}\n"
    assert "serves:" in run("doctor").stdout
    listed = run("plugins")
    assert f"warning: {refused}\n" in listed.stderr
    assert "no: registry-core has a command of this name" in listed.stdout
    assert "acme_tools" not in sys.modules


def test_of_two_with_one_name_the_first_by_distribution_keeps_it(run: Run, site: Site) -> None:
    site.install("acme-zeta", EXPLODES)
    site.install("acme-alpha", COUNTS)
    done = run("--help")
    assert line_of(done.stdout, "counts") == "From acme-alpha 1.0."
    assert done.stderr == (
        "warning: acme-zeta 1.0 (command counts): is not used: acme-alpha 1.0 (command counts)"
        " comes first\n"
    )
    assert run("counts").exit_code == 0
    switched_off = run("--help", REGISTRY_CORE_DISABLE_PLUGINS="acme-alpha")
    assert line_of(switched_off.stdout, "counts") == "From acme-zeta 1.0."
    assert switched_off.stderr == ""


def test_of_two_copies_of_a_distribution_the_first_on_the_path_counts(
    run: Run, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leftover of an editable installation, another version in the user's site."""
    site.install("acme-tools", EXPLODES, counts="acme_tools:run", gone="acme_tools:run")
    site.install("acme-tools", COUNTS, folder=tmp_path / "first")
    monkeypatch.syspath_prepend(str(tmp_path / "first"))
    done = run("--help")
    assert done.stderr == ""
    assert line_of(done.stdout, "gone") is None
    assert run("counts").exit_code == 0
    assert run("gone").exit_code == 2


@pytest.mark.parametrize("term", ["Acme.Tools", "acme-tools:counts"])
def test_one_that_is_switched_off_is_not_there_and_says_why(
    run: Run, site: Site, term: str
) -> None:
    site.install("acme-tools")
    off = {"REGISTRY_CORE_DISABLE_PLUGINS": term}
    done = run("--help", **off)
    assert (line_of(done.stdout, "counts"), done.stderr) == (None, "")
    told = run("counts", **off)
    assert told.exit_code == 2
    assert "acme-tools 1.0 (command counts): it is in disable_plugins" in told.stderr
    assert "it is not in plugins" in run("counts", REGISTRY_CORE_PLUGINS="").stderr
    assert "names no installed plugin" not in run("sync", **off).stderr
    Path("pyproject.toml").write_text(f'[tool.registry-core]\ndisable_plugins = ["{term}"]\n')
    assert run("counts").exit_code == 2
    assert "acme_tools" not in sys.modules


def test_the_project_that_is_named_may_switch_it_off(run: Run, site: Site, tmp_path: Path) -> None:
    site.install("acme-tools", COUNTS)
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "pyproject.toml"
    file.write_text("[tool.registry-core]\nplugins = []\n")
    done = run("counts", "--project", str(file.parent))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "error: acme-tools 1.0 (command counts): it is not in plugins" in done.stderr


def test_an_unknown_command_names_the_nearest_of_all(run: Run, site: Site) -> None:
    site.install("acme-tools")
    assert "no command 'count'; did you mean 'counts'?" in run("count").stderr
    assert "no command 'docter'; did you mean 'doctor'?" in run("docter").stderr
    assert "known are changes, clean, counts, dev" in run("xyzzy").stderr
    assert run("count").exit_code == 2
    assert "No such option" in run("--count").stderr


@pytest.mark.parametrize("name", ["two words", "-x", "\x1b[31m", "ünsinn"])
def test_a_name_that_is_no_word_is_refused(run: Run, site: Site, name: str) -> None:
    site.install("acme-tools", EXPLODES, **{name: "acme_tools:run"})
    done = run("--help")
    assert "is not used: its name may only have letters" in done.stderr
    assert "acme-tools" not in done.stdout
    assert "\x1b" not in done.stderr


def test_what_metadata_says_can_not_command_the_terminal(run: Run, site: Site) -> None:
    site.install("acme-tools")
    metadata = site.folder / "acme_tools-1.0.dist-info" / "METADATA"
    metadata.write_text("Name: acme-tools\nVersion: 1\x1b[31m\n")
    assert line_of(run("--help").stdout, "counts") == "From acme-tools 1\\x1b[31m."


def test_help_says_nothing_of_variables_that_are_no_settings(run: Run, site: Site) -> None:
    site.install("acme-tools")
    assert run("--help", REGISTRY_CORE_OFLINE="1").stderr == ""


def test_help_is_there_whatever_the_settings_are(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    Path("pyproject.toml").write_text("[tool.registry-core\n")
    done = run("--help")
    assert done.exit_code == 0
    assert "sync" in done.stdout
    assert "warning: commands of plugins are not listed: " in done.stderr
    assert "can't be parsed" in done.stderr
    called = run("counts")
    assert called.exit_code == 2
    assert "can't be parsed" in called.stderr


def test_metadata_that_is_broken_costs_no_other_command(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    site.install("acme-broken")
    entries = site.folder / "acme_broken-1.0.dist-info" / "entry_points.txt"
    entries.write_text("[registry_core.commands]\nno equals sign\n")
    done = run("--help")
    assert "entry_points.txt" not in done.stdout
    assert "is not an entry point; reinstall it" in done.stderr
    assert run("counts").exit_code == 0
    assert run("plugins").stderr.count("reinstall it") == 1


def test_plugins_tries_commands_when_told_to(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    site.install("acme-broken", "1 / 0", broken="acme_broken:run")
    rows = {row["plugin"]: row for row in json.loads(run("plugins", "--json").stdout)}
    assert rows["acme-tools:counts"]["command"] == "counts"
    assert "load_ms" not in rows["acme-broken:broken"]
    done = run("plugins", "--load")
    assert done.exit_code == 1
    assert "command counts" in done.stdout
    assert "error: acme-broken:broken: can't be loaded: ZeroDivisionError" in done.stderr


def test_names_are_completed_in_a_shell(run: Run, site: Site) -> None:
    site.install("acme-tools", COUNTS)
    asked = {"_REGISTRY_CORE_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    done = CliRunner().invoke(
        main, env={**asked, "COMP_WORDS": "registry-core c"}, prog_name="registry-core"
    )
    assert {"plain,counts", "plain,clean"} <= {*done.stdout.splitlines()}
    done = CliRunner().invoke(
        main,
        env={**asked, "COMP_CWORD": "2", "COMP_WORDS": "registry-core counts --le"},
        prog_name="registry-core",
    )
    assert "plain,--least" in done.stdout


def test_a_group_that_is_nearly_that_of_commands_is_named(run: Run, site: Site) -> None:
    write_distribution(
        site.folder, "acme", entry_points={"counts": "acme"}, group="registry_core.command"
    )
    assert "did you mean 'registry_core.commands'?" in run("plugins").stderr


WATCH = """
import atexit, json, os, sys
def tell():
    with open({log!r}, "w") as file:
        json.dump([*sys.modules], file)
atexit.register(tell)
"""


def test_help_without_commands_of_plugins_reads_no_settings(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    log = shell.home / "modules"
    (shell.site / "sitecustomize.py").write_text(WATCH.format(log=str(log)))
    done = shell.run("--help", REGISTRY_CORE_PLUGINS="nothing")
    assert (done.status, done.err) == (0, "")
    imported = {*json.loads(log.read_text())}
    assert not imported & {"attrs", "registry_core.settings", "importlib.metadata", "tomllib"}


def test_help_with_twenty_commands_of_plugins_imports_little(tmp_path: Path) -> None:
    """Seconds are measured by `benchmarks/run.py --only commands`."""
    shell = Shell(tmp_path)
    for number in range(20):
        name = f"acme-{number}"
        write_distribution(shell.site, name, commands={name: "acme:run"})
        shell.plugins.append(name)
    (shell.site / "acme.py").write_text(EXPLODES)
    log = shell.home / "modules"
    (shell.site / "sitecustomize.py").write_text(WATCH.format(log=str(log)))
    done = shell.run("--help")
    assert (done.status, done.err) == (0, "")
    assert line_of(done.out, "acme-19") == "From acme-19 1.0."
    imported = {*json.loads(log.read_text())}
    assert "acme" not in imported
    ours = {name.partition(".")[2] for name in imported if name.startswith("registry_core.")}
    assert not ours & {"plugin", "registry", "models", "report", "_world", "_plugins.loader"}
    dear = {"importlib.metadata", "email", "pluggy", "requests", "rich"}
    assert not imported & dear
    assert "_plugins.discovery" in ours
