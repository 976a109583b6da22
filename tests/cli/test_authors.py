"""What the author of a plugin is told at the command line, and what he can't spoil there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_core.cli import main
from registry_core.testing import write_distribution
from tests.reliability.shell import PRELUDE, Shell

NOISY = """
import subprocess
def noise(where):
    print(f"print {where}")
    sys.__stdout__.write(f"held {where}\\n")
    sys.__stdout__.flush()
    os.write(1, f"system {where}\\n".encode())
    subprocess.run([sys.executable, "-c", "print('child')"])
    thread = threading.Thread(target=lambda: os.write(1, f"thread {where}\\n".encode()))
    thread.start()
    thread.join()

noise("at import")
import atexit
atexit.register(noise, "at the end")

class Noisy(Gateway):
    needs_network = False
    def fetch_providers(self, client):
        noise("in a fetch")
        return super().fetch_providers(client)

@hookimpl
def registry_gateways():
    noise("in a hook")
    return [Noisy("noisy", ["m"])]

@hookimpl
def registry_emit():
    noise("in a writer")
    return []
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    return Shell(tmp_path)


@pytest.mark.slow
def test_nothing_that_a_plugin_prints_reaches_the_output_of_a_command(
    shell: Shell, tmp_path: Path
) -> None:
    shell.install("noisy", NOISY)
    synced = shell.run("sync", "--json")
    assert json.loads(synced.out)["models"] == 1
    assert synced.status == 0, synced.err
    for how in ("print", "held", "system", "thread"):
        for where in ("at import", "in a hook", "in a fetch", "in a writer", "at the end"):
            assert f"{how} {where}" in synced.err
    assert "child" in synced.err
    for command in (
        ["plugins", "--load", "--json"],
        ["doctor", "--json"],
        ["list", "--json"],
        ["show", "noisy", "--json"],
        ["sync", "--check", "--output", str(shell.home), "--json"],
        ["export", "--format", "mastra", "--json", str(tmp_path / "mastra")],
    ):
        assert json.loads(shell.run(*command).out), command
    assert shell.run("list").out == "noisy/m\n"


def test_a_dev_server_has_the_output_that_plugins_have_not(shell: Shell) -> None:
    shell.install("noisy", NOISY)
    done = shell.run("dev", "--", "echo", "served")
    assert (done.status, done.out) == (0, "served\n")


GOOD = """
@hookimpl
def registry_gateways():
    return [Gateway("good", ["m"], needs_network=False)]
"""

BROKEN = """
def parsed(answer):
    return answer["data"]

class Broken(Gateway):
    needs_network = False
    def fetch_providers(self, client):
        return parsed({})

@hookimpl
def registry_gateways():
    return [Gateway("good", ["m"], needs_network=False), Broken("oops", [])]
"""


def test_v_shows_each_decision_and_vv_the_tracebacks(shell: Shell) -> None:
    shell.install("oops", BROKEN)
    quiet, decisions, traces = shell.run("sync"), shell.run("sync", "-v"), shell.run("sync", "-vv")
    assert "registry-core: " not in quiet.err
    assert "registry-core: oops: failed, no data, 0 models: KeyError" in decisions.err
    assert "Traceback" not in decisions.err
    assert 'oops.py", line ' in traces.err
    assert "registry-core: KeyError: 'data'" in traces.err
    assert shell.run("list", "--verbose").err == ""
    for name in main.commands:
        assert "-v, --verbose" in shell.run(name, "--help").out


def test_an_error_of_a_plugin_names_file_line_and_distribution(shell: Shell) -> None:
    path = shell.install("oops-gateway", BROKEN, entry="oops")
    line = path.read_text().splitlines().index('    return answer["data"]') + 1
    place = f"KeyError: 'data', in oops_gateway.py, line {line}"
    told = shell.run("sync").err
    assert f"error: oops: {place}, of oops-gateway 1.0\n" in told
    assert place in shell.run("doctor").out
    hook = BROKEN.replace("return [", "parsed({})\n    return [")
    shell.install("oops-gateway", hook, entry="oops")
    assert f"error: oops-gateway 1.0 (entry oops): registry_gateways: {place}\n" in (
        shell.run("sync").err
    )
    shell.install("oops-gateway", BROKEN + "\n1 / 0\n", entry="oops")
    end = len(path.read_text().splitlines())
    shell.run("sync")
    told = shell.run("plugins", "--load").err
    assert f"ZeroDivisionError: division by zero, in oops_gateway.py, line {end}\n" in told


def test_plugins_says_why_one_failed_at_the_last_sync(shell: Shell) -> None:
    shell.install("good", GOOD)
    shell.install("oops", "1 / 0")
    shell.run("sync")
    listed = shell.run("plugins")
    assert (listed.status, "failed" in listed.out) == (0, True)
    assert "note: at the last sync: oops:oops: can't be loaded: ZeroDivisionError" in listed.err


WRITER = """
from registry_core import Artifact, hookimpl
from edited.text import TEXT

@hookimpl
def registry_emit():
    return [Artifact("edited", "edited.txt", TEXT)]
"""


@pytest.mark.slow
@pytest.mark.parametrize("editable", [True, False])
def test_code_that_is_edited_without_a_new_version_counts(
    shell: Shell, tmp_path: Path, editable: bool
) -> None:
    source = tmp_path / "source" if editable else shell.site

    def install(text: str) -> None:
        if not editable:  # installed anew
            modules = {"edited/__init__.py": WRITER, "edited/text.py": f"TEXT = {text!r}"}
            write_distribution(
                shell.site, "edited", entry_points={"edited": "edited"}, modules=modules
            )
            return
        (source / "edited").mkdir(parents=True, exist_ok=True)
        (source / "edited" / "__init__.py").write_text(WRITER)
        (source / "edited" / "text.py").write_text(f"TEXT = {text!r}")

    shell.install("good", GOOD)
    if editable:
        write_distribution(shell.site, "edited", entry_points={"edited": "edited"})
        (info,) = shell.site.glob("edited-*.dist-info")
        (info / "direct_url.json").write_text('{"url": "x", "dir_info": {"editable": true}}')
        shell.environ["PYTHONPATH"] += f"{os.pathsep}{source}"
    shell.plugins.append("edited")
    output = ("--output", str(tmp_path / "out"))
    install("one")
    assert shell.run("sync", *output).status == 0
    again = json.loads(shell.run("sync", "--json", *output).out)
    assert again["written"] == []
    install("other")
    assert shell.run("sync", "--check", *output).status == 1
    assert shell.run("sync", *output).status == 0
    assert (tmp_path / "out" / "edited.txt").read_text() == "other"


def test_doctor_repeats_the_warnings_of_the_last_sync(shell: Shell) -> None:
    shell.install(
        "odd",
        """
        class Odd(Gateway):
            needs_network = False
            def fetch_providers(self, client):
                return {"odd": ProviderConfig("odd", ["m"]), "other": 5}

        @hookimpl
        def registry_gateways():
            return [Odd("odd")]
        """,
    )
    (shell.project / "pyproject.toml").write_text(
        '[tool.registry-core.output]\npython = "typings"\n'
        '[tool.registry-core.types]\nproviders = ["odd", "xaii"]\n'
    )
    warnings = [line for line in shell.run("sync").err.splitlines() if "warning: " in line]
    assert len(warnings) == 2
    doctor = shell.run("doctor")
    assert (doctor.status, [one for one in warnings if one not in doctor.out]) == (0, [])
    assert [f"warning: {one}" for one in json.loads(shell.run("doctor", "--json").out)["warnings"]]


TRIED = """
@hookimpl
def registry_gateways(settings):
    return [Gateway(settings.options.get("id", "tried"), ["m"], needs_network=False)]

@hookimpl
def registry_emit(snapshot):
    return [Artifact("ids", "ids.txt", " ".join(snapshot.get_models()))]
"""


@pytest.fixture
def tried(shell: Shell) -> Path:
    """A file with a gateway and a writer, where another gateway is installed."""
    shell.install("good", GOOD)
    file = shell.project / "acme_gateway.py"
    file.write_text(PRELUDE + TRIED)
    return file


def test_a_single_file_is_tried_beside_the_installed_plugins_and_leaves_nothing_else(
    shell: Shell, tried: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    shell.environ["TMPDIR"] = str(temporary)
    out = shell.project / "out"
    done = shell.run("sync", "--plugin", tried.name, "--output", "out", "--json")
    report = json.loads(done.out)
    assert (done.status, done.err) == (0, "")
    assert [one["id"] for one in report["gateways"]] == ["good", "tried"]
    assert (out / "ids.txt").read_text() == "good tried"
    assert list(report["targets"]) == [str(out)]
    assert {Path(path).is_relative_to(out) for path in report["written"]} == {True}
    assert not shell.store.exists()
    assert not [*temporary.iterdir()]
    check = shell.run("sync", "--plugin", tried.name, "--output", "out", "--check")
    assert (check.status, check.out) == (0, "nothing would change\n")


def test_a_single_file_can_be_tried_alone_and_has_the_options_of_its_name(
    shell: Shell, tried: Path
) -> None:
    shell.options({"acme_gateway": 'id = "mine"'})
    alone = {"REGISTRY_CORE_PLUGINS": ""}
    done = shell.run("sync", "--plugin", str(tried), "--output", "out", **alone)
    assert done.status == 0, done.err
    assert (shell.project / "out" / "ids.txt").read_text() == "mine"


def test_a_policy_that_is_installed_passes_what_is_tried(shell: Shell, tried: Path) -> None:
    shell.install("policy", "@hookimpl\ndef registry_overlay(snapshot): 1 / 0")
    done = shell.run("sync", "--plugin", str(tried), "--output", "out")
    assert done.status == 1
    assert "error: policy 1.0 (entry policy): registry_overlay: ZeroDivisionError" in done.err
    assert not (shell.project / "out" / "ids.txt").exists()


def test_what_fails_in_a_single_file_is_told_with_its_line(shell: Shell, tried: Path) -> None:
    arguments = ("sync", "--plugin", str(tried), "--output", "out")
    tried.write_text(f"{PRELUDE}{TRIED}1 / 0\n")
    end = len(tried.read_text().splitlines())
    place = f"ZeroDivisionError: division by zero, in acme_gateway.py, line {end}\n"
    assert place in shell.run(*arguments).err
    tried.write_text("def broken(:\n")
    assert "SyntaxError: invalid syntax (acme_gateway.py, line 1)" in shell.run(*arguments).err


@pytest.mark.parametrize(
    ("file", "arguments", "said"),
    [
        ("acme_gateway.py", (), "give --output DIR"),
        ("acme-gateway.py", ("--output", "out"), "is not a Python module"),
        ("acme_gateway.txt", ("--output", "out"), "is not a Python module"),
        ("json.py", ("--output", "out"), "another module is called json: "),
        ("sys.py", ("--output", "out"), "another module is called sys"),
    ],
)
def test_a_file_that_can_not_be_tried_is_wrong_usage(
    shell: Shell, file: str, arguments: tuple[str, ...], said: str
) -> None:
    folder = shell.home  # not the one that `python -m` puts first
    (folder / file).write_text("")
    done = shell.run("sync", "--plugin", str(folder / file), *arguments)
    assert (done.status, said in done.err) == (2, True), done.err
