"""`check_plugin` finds each kind of mistake, and all of them at once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

import registry_core
from registry_core.testing import check_plugin

GOOD = """
from registry_core import (
    Artifact, Disabled, ModelGateway, ProviderConfig, SettingsError, hookimpl
)

OPTION_VARIABLES = {"url": "REGISTRY_CORE_ACME_URL"}


class Acme(ModelGateway):
    id = name = "acme"
    namespaced = False
    names = ids = endpoints = ()  # a gateway has names of its own

    def should_enable(self, settings):
        return settings.secret("ACME_TOKEN") is not None or Disabled("set ACME_TOKEN")

    def fetch_providers(self, client):
        raise AssertionError("nobody is to be asked")


@hookimpl
def registry_gateways(settings):
    if "url" not in settings.options:
        raise SettingsError("is missing", culprit="url")
    return [Acme()]


@hookimpl
def registry_overlay(snapshot, settings):
    return snapshot.with_roles({"fast": "acme/large"})


@hookimpl
def registry_emit(snapshot):
    return [Artifact("acme", "acme.txt", "")]


def registry_url(settings):
    return settings.options["url"]
"""
PROJECT = '[project]\nname = "acme"\n[project.entry-points.registry_core]\nacme = "acme_checked"\n'

Make = Callable[..., ModuleType]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """A plugin in a source tree, with a pyproject.toml; each pair replaces a text of the former."""

    def made(*changes: tuple[str, str], project: str | None = PROJECT) -> ModuleType:
        code = GOOD
        for old, new in changes:
            assert old in code
            code = code.replace(old, new)
        package = tmp_path / "src" / "acme_checked"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(dedent(code))
        if project is not None:
            (tmp_path / "pyproject.toml").write_text(project)
        monkeypatch.syspath_prepend(package.parent)
        return importlib.import_module("acme_checked")

    yield made
    sys.modules.pop("acme_checked", None)


def check(plugin: object) -> list[str]:
    """The mistakes, a line each."""
    try:
        check_plugin(plugin, options={"url": "https://acme.example"}, secrets={"ACME_TOKEN": "t-1"})
    except AssertionError as error:
        head, *lines = str(error).splitlines()
        assert head == f"acme_checked: {len(lines)} mistakes to fix"
        return lines
    return []


@pytest.mark.parametrize("project", [PROJECT, None])
def test_a_good_plugin_has_no_mistakes(make: Make, project: str | None) -> None:
    assert check(make(project=project)) == []


MISTAKES: list[tuple[tuple[str, str], str]] = [
    (
        ("def registry_emit(snapshot)", "def registry_emits(snapshot)"),
        "registry_emits is not a hook of registry-core (did you mean 'registry_emit'?)",
    ),
    (
        ("@hookimpl\ndef registry_emit(", "def registry_emits("),
        "registry_emits is not a hook of registry-core; did you mean 'registry_emit'?",
    ),
    (
        ("@hookimpl\ndef registry_emit(", "def registry_emit("),
        "registry_emit is not marked as a hook (put @hookimpl above it)",
    ),
    (
        ("def registry_emit(snapshot)", "def registry_emit(snapshoot)"),
        "registry_emit takes 'snapshoot', which the hook does not pass"
        " (did you mean 'snapshot'?)",
    ),
    (
        ("def registry_emit(snapshot)", "def registry_emit(snapshot, setings=None)"),
        "registry_emit is never given 'setings'; did you mean 'settings'?",
    ),
    (
        ("REGISTRY_CORE_ACME_URL", "ACME_URL"),
        "OPTION_VARIABLES holds 'ACME_URL' "
        '(write {"url": "REGISTRY_CORE_…"}: option, and a variable in that namespace)',
    ),
    (("[Acme()]", "[Acme]"), "returned the class Acme instead of ModelGateway"),
    (
        ('id = name = "acme"', 'id = name = "Acme"'),
        "a gateway has the id 'Acme'; use a plain text, up to 64 of a-z 0-9 . _ -,"
        " a letter or digit first",
    ),
    (
        ("def fetch_providers(self, client)", "def fetch_providers(self)"),
        "gateway 'acme': fetch_providers takes (), and is given (client)",
    ),
    (
        ("def should_enable(", "def should_enabled("),
        "gateway 'acme': should_enabled is not an attribute of ModelGateway;"
        " did you mean 'should_enable'?",
    ),
    (
        ("namespaced = False", "namespace = False"),
        "gateway 'acme': namespace is not an attribute of ModelGateway; did you mean 'namespaced'?",
    ),
    (
        ('Disabled("set ACME_TOKEN")', '"set ACME_TOKEN"'),
        "gateway 'acme': acme: should_enable returned str"
        ' (return True, False or Disabled("set ACME_TOKEN"))',
    ),
    (
        ("    return [Acme()]", "    open(__file__).close()\n    return [Acme()]"),
        "registry_gateways must go by `settings` alone, but did: open ",
    ),
    (
        ("        return settings.secret(", "        import os; os.getcwd() and os.listdir()\n"
         "        return settings.secret("),
        "gateway 'acme': should_enable must go by `settings` alone, but did: os.listdir ",
    ),
    (
        ('{"fast": "acme/large"}', '{"fa/st": "acme/large"}'),
        "registry_overlay: ValueError: fa/st: expected a role without a slash",
    ),
    (
        ('Artifact("acme", "acme.txt", "")', "7"),
        "returned int instead of Artifact",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), MISTAKES)
def test_each_mistake_is_told(make: Make, change: tuple[str, str], told: str) -> None:
    (found,) = check(make(change))
    assert told in found


def test_all_mistakes_are_told_at_once(make: Make) -> None:
    plugin = make(
        ("def registry_emit(snapshot)", "def registry_emits(snapshot)"),
        ("def registry_overlay(snapshot, settings)", "def registry_overlay(snap, setting)"),
        ("REGISTRY_CORE_ACME_URL", "ACME_URL"),
        project=PROJECT.replace("registry_core", "registry-core"),
    )
    assert len(check(plugin)) == 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("registry_core]", "registry-core]"),
            "entry points of the group 'registry-core' are ignored; did you mean 'registry_core'?",
        ),
        (
            ('"acme_checked"', '"acme_cheked"'),
            "no entry point of the group 'registry_core' names acme_checked;"
            " did you mean 'acme_cheked'?",
        ),
        (
            ("[project.entry-points", "[project.other"),
            "no entry point of the group 'registry_core' names acme_checked",
        ),
        (('"acme_checked"', '"acme_checked:Plugin.it"'), "acme_checked has no 'Plugin.it'"),
    ],
)
def test_a_mistake_in_the_entry_points_is_told(
    make: Make, change: tuple[str, str], told: str
) -> None:
    (found,) = check(make(project=PROJECT.replace(*change)))
    assert told in found


def test_a_package_may_name_what_one_of_its_modules_defines(make: Make) -> None:
    package = make(project=PROJECT.replace('"acme_checked"', '"acme_checked:plugin"'))
    folder = Path(package.__file__ or "").parent
    (folder / "inner.py").write_text(
        "from registry_core import hookimpl\n"
        "class Plugin:\n    @hookimpl\n    def registry_emit(self): return []\n"
    )
    inner = importlib.import_module("acme_checked.inner")
    vars(package)["plugin"] = inner.Plugin()
    assert check(vars(package)["plugin"]) == []
    sys.modules.pop("acme_checked.inner")


def test_entry_points_that_a_backend_makes_are_left_to_it(make: Make) -> None:
    assert check(make(project='[project]\ndynamic = ["entry-points"]')) == []


def test_a_class_is_made_as_the_host_does() -> None:
    class Plugin:
        @registry_core.hookimpl
        def registry_emit(self, snapshot: registry_core.Snapshot) -> list[str]:
            return ["text"]

    with pytest.raises(AssertionError, match="returned str instead of Artifact"):
        check_plugin(Plugin)
    with pytest.raises(AssertionError, match="returned str instead of Artifact"):
        check_plugin(Plugin())
