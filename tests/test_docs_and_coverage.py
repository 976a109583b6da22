"""Whatever a user can name has an entry in the docs; a variable, a command and an option also
have a test that gives them. (That one calls each public name: `test_calls.py`.)"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import click
import pytest

import registry_core
from registry_core import command, errors, testing
from registry_core._base.defaults import PREFIX
from registry_core._plugins.hook_rules import HOOKS
from registry_core._writers import ALWAYS, BUILTINS
from registry_core.cli import main
from registry_core.cli.later import Later
from registry_core.errors import RegistryError
from registry_core.settings import SETTINGS, Setting
from tests.calls import words

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@cache
def said() -> set[str]:
    """The strings of all tests but this one; a comment or a docstring tests nothing."""
    return words(one for file, one in modules().items() if file != Path(__file__))


@cache
def modules() -> dict[Path, ast.Module]:
    folders = [ROOT / "tests", *ROOT.glob("plugins/*/tests"), *ROOT.glob("examples/*/tests")]
    return {
        file: ast.parse(file.read_text("utf-8")) for top in folders for file in top.rglob("*.py")
    }


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in `text`, without headings."""
    table = re.findall(r"^\|(.+)\|$", text, flags=re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in table]
    return [row for row in cells if not set("".join(row)) <= {"-"}]


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@cache
def entries() -> set[str]:
    """The names in headings and first cells, as `get_model` for `get_model(id)`."""
    found: set[str] = set()
    for file in DOCS.glob("*.md"):
        text = page(file.name)
        titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
        for title in [*titles, *(row[0] for row in rows(text))]:
            found.update(re.split(r"[(. ]", code)[0] for code in codes(title))
            found.update(code for code in codes(title))
    return found


def mentioned(name: str) -> bool:
    """In whole words."""
    found = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(found.search(text) for text in said())


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_an_entry_with_its_arguments(hook: str) -> None:
    assert f"### `{hook}({', '.join(HOOKS[hook])})`\n" in page("plugins.md")
    assert hook in [codes(row[0])[0] for row in rows(page("plugins.md")) if codes(row[0])]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    documented = {
        variable: (key, default)
        for row in rows(page("settings.md"))
        if (variable := row[0].strip("`")).startswith(PREFIX)
        for key, default in [(row[1].strip("`"), row[2])]
    }
    wanted = [setting.variable for setting in SETTINGS]
    assert set(documented) == set(wanted), "docs/settings.md has a row for each field of Settings"
    assert list(documented) == wanted, "in the order of the fields"
    for setting in SETTINGS:
        key, default = documented[setting.variable]
        assert key == (setting.name if setting.pyproject else "")
        assert default == shown(setting) or (setting.default in (None, ()) and default)
        assert setting.least is None or f"at least {setting.least}" in page("settings.md")


def shown(setting: Setting) -> str:
    return f"`{str(setting.default).lower()}`"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.variable)
def test_each_variable_has_a_test_and_so_has_its_fallback(setting: Setting) -> None:
    assert mentioned(setting.variable), f"no test names {setting.variable}"
    if setting.fallback:
        assert setting.fallback in codes(page("settings.md"))
        assert mentioned(setting.fallback)


@pytest.mark.parametrize("emitter", [name for name, _ in BUILTINS])
def test_each_emitter_of_the_core_has_a_row_and_a_test(emitter: str) -> None:
    told = {
        codes(row[0])[0]: row[3] for row in rows(page("outputs.md")) if codes(row[0]) and row[3:]
    }
    assert emitter in told, f"docs/outputs.md has no row `{emitter}`"
    assert told[emitter] == ("always" if emitter in ALWAYS else "if it has a folder")
    assert mentioned(emitter), f"no test names {emitter}"


def test_each_module_with_a_writer_is_listed() -> None:
    modules = {f"{module.__name__.rpartition('.')[2]}.py" for _, module in BUILTINS}  # type: ignore[attr-defined]
    folder = ROOT / "src" / "registry_core" / "_writers"
    hooks = {one.name for one in folder.glob("*.py") if "\n@hookimpl\n" in one.read_text("utf-8")}
    assert hooks == modules, "BUILTINS in _writers/__init__.py names each"


@pytest.mark.parametrize("folder", sorted(ROOT.glob("plugins/*")), ids=lambda one: one.name)
def test_each_variable_that_a_plugin_of_ours_declares_has_entries_and_a_test(folder: Path) -> None:
    module = import_module(folder.name.replace("-", "_"))
    for option, variable in getattr(module, "OPTION_VARIABLES", {}).items():
        (row,) = [
            row for row in rows((folder / "README.md").read_text("utf-8")) if variable in row[0]
        ]
        assert codes(row[1]) == [option]
        assert f"`{variable}`" in page("settings.md")
        assert mentioned(variable)


PROMISED = {"", ".command", ".testing", ".records", ".known_providers"}


@pytest.mark.parametrize("folder", ["plugins", "examples"])
def test_what_stands_for_a_stranger_imports_only_what_is_promised_to_strangers(folder: str) -> None:
    assert all(
        f"`registry_core{name}`" in page("plugins.md").split("## What we")[1] for name in PROMISED
    )
    files = [*(ROOT / folder).glob("*/src/**/*.py")]
    assert files
    for file in files:
        imported = re.findall(
            r"^\s*(?:from|import) registry_core([\w.]*)", file.read_text("utf-8"), re.M
        )
        assert {*imported} <= PROMISED, file


OWN = {name: one.load() for name, one in main.commands.items() if isinstance(one, Later)}


def test_the_help_of_all_commands_begins_the_help_of_each() -> None:
    assert {name: one.short_help for name, one in main.commands.items()} == {
        name: str(one.help).partition("\n")[0] for name, one in OWN.items()
    }


@pytest.mark.parametrize(("name", "own"), sorted(OWN.items()))
def test_each_command_and_option_has_an_entry_and_a_test(name: str, own: click.Command) -> None:
    found = re.search(rf"^## `{name}\b.*?(?=^## |\Z)", page("cli.md"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section `{name}`"
    section = " ".join(codes(found[0]))
    assert name in said()
    for parameter in own.params:
        if isinstance(parameter, click.Option):
            option = max(parameter.opts, key=len)
            common = option in ("--json", "--project", "--verbose")
            assert option in (page("cli.md") if common else section), option
            assert option in said(), f"no test gives {option}"
        else:
            assert parameter.human_readable_name.upper() in found[0].splitlines()[0]


@pytest.mark.parametrize("name", registry_core.__all__)
def test_each_public_name_has_an_entry(name: str) -> None:
    assert name in entries()


@pytest.mark.parametrize("name", [*testing.__all__, "frozen_registry"])
def test_each_helper_for_tests_has_an_entry(name: str) -> None:
    assert name in entries()


@pytest.mark.parametrize("name", command.__all__)
def test_what_a_command_of_a_plugin_is_made_of_has_an_entry(name: str) -> None:
    assert name in entries()
    members = {one for one in vars(command.Invocation) if not one.startswith("_")}
    first = " ".join(row[0] for row in rows(page("plugins.md").split("\n## Commands\n")[1]))
    assert all(f".{one}" in first or f"`{one}(" in first for one in members)


def test_every_public_method_of_the_registry_has_an_entry() -> None:
    section = page("api.md").split("## `ModelRegistry`")[1].split("\n## ")[0]
    documented = {re.split(r"\(", code)[0].split(".")[-1] for code in codes(section)}
    # For the package itself.
    internal = {"bundle", "adopt", "context", "loaded", "state", "store", "in_dev"}
    public = {name for name in vars(registry_core.ModelRegistry) if not name.startswith("_")}
    assert public - internal <= documented


def tree(error: type[RegistryError], indent: str = "") -> Iterator[str]:
    children = error.__subclasses__()
    children = [one for one in children if one.__module__ == errors.__name__]
    for child in children:
        last = child is children[-1]
        yield f"{indent}{'└' if last else '├'}── {child.__name__}"
        yield from tree(child, indent + ("    " if last else "│   "))


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    assert "\n".join(["```", "RegistryError", *tree(RegistryError), "```"]) in page("errors.md")


def names_of_errors() -> list[str]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [value.__name__ for value in found if issubclass(value, RegistryError)]


@pytest.mark.parametrize("name", names_of_errors())
def test_each_error_is_public_and_has_an_entry(name: str) -> None:
    assert [row for row in rows(page("errors.md")) if row[0] == f"`{name}`" and all(row)]
    assert name in registry_core.__all__


def test_the_search_for_mentions_takes_whole_words(monkeypatch: pytest.MonkeyPatch) -> None:
    text: Callable[[], set[str]] = lambda: {"get_models --max-age"}  # noqa: E731
    monkeypatch.setitem(globals(), "said", text)
    assert mentioned("get_models")
    assert not mentioned("get_model")
    assert not mentioned("--max")
