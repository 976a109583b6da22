"""Which files are checked: not those that `.gitignore` excludes, and not other people's code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen
from pathspec import GitIgnoreSpec

from registry_core import RegistryError

#: Folders with other people's code, or without code.
SKIPPED = frozenset(
    {".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "site-packages",
     "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".next", "bower_components"}
)  # fmt: skip
#: Files that programs write. The project does not choose the models in them.
LOCKS = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "composer.lock",
        "yarn.lock",
        # What `registry-core sync` writes.
        "provider-registry.json",
        "provider-types.generated.d.ts",
        "registry_core_types.pyi",
        "models.schema.json",
    }
)


@frozen
class _Ignored:
    """The patterns of one `.gitignore`, and its folder."""

    folder: str
    spec: GitIgnoreSpec


def find(paths: Iterable[str | os.PathLike[str]]) -> Iterator[tuple[str, tuple[_Ignored, ...]]]:
    """Each file once, sorted within its folder, with the `.gitignore` rules that apply to it.

    A path in `paths` is never ignored. Links to folders are not followed.
    Raises RegistryError for a path that does not exist.
    """
    listed: set[str] = set()
    for given in paths:
        path = os.fspath(given)
        if os.path.isdir(path):  # noqa: PTH112
            above = _above(path)
            for inner, rules in _below(path, () if is_ignored(path, above, folder=True) else above):
                if inner not in listed:
                    listed.add(inner)
                    yield inner, rules
        elif os.path.exists(path):  # noqa: PTH110
            if path not in listed:
                listed.add(path)
                yield path, ()
        else:
            raise RegistryError("does not exist", culprit=path, hint="name a file or a folder")


def is_ignored(path: str, rules: tuple[_Ignored, ...], folder: bool = False) -> bool:
    """Whether git would ignore it. The nearest `.gitignore` with a matching pattern decides."""
    full = os.path.abspath(path)  # noqa: PTH100
    for rule in reversed(rules):
        inner = os.path.relpath(full, rule.folder).replace(os.sep, "/") + "/" * folder
        decided = rule.spec.check_file(inner).include
        if decided is not None:
            return decided
    return False


def _above(path: str) -> tuple[_Ignored, ...]:
    """The `.gitignore` rules of the folders above, up to the root of the repository."""
    start = Path(path).resolve()
    rules: list[_Ignored] = []
    if (start / ".git").exists():
        return ()
    for folder in start.parents:
        rules += _rules(str(folder))
        if (folder / ".git").exists():
            return tuple(reversed(rules))
    return ()


def _rules(folder: str) -> list[_Ignored]:
    try:
        text = Path(folder, ".gitignore").read_text("utf-8", errors="replace")
    except OSError:
        return []
    where = os.path.abspath(folder)  # noqa: PTH100
    return [_Ignored(where, GitIgnoreSpec.from_lines(text.splitlines()))]


def _below(folder: str, rules: tuple[_Ignored, ...]) -> Iterator[tuple[str, tuple[_Ignored, ...]]]:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    if any(entry.name == ".gitignore" for entry in listed):
        rules = (*rules, *_rules(folder))
    prefix = "" if folder == "." else folder.rstrip("/\\") + os.sep
    for entry in listed:
        path = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in SKIPPED and not is_ignored(path, rules, folder=True):
                yield from _below(path, rules)
        elif entry.name not in LOCKS and entry.is_file(follow_symlinks=False):
            yield path, rules
