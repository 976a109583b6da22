"""Each public name is called by a test, or read where it is a value."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import registry_core
from registry_core import testing
from registry_core._plugins.hook_rules import HOOKS
from tests.calls import Calls, Function, Types, trees

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "registry_core"


@cache
def calls() -> Calls:
    folders = [ROOT / "tests", *ROOT.glob("plugins/*/tests"), *ROOT.glob("examples/*/tests")]
    files = (file for folder in folders for file in sorted(folder.rglob("*.py")))
    tests = trees(file for file in files if file != Path(__file__))
    source = [ast.parse(file.read_text("utf-8")) for file in SOURCE.rglob("*.py")]
    return Calls(tests, Types([*tests, *source]))


def members(kind: type[Any]) -> Iterator[tuple[str, bool]]:
    """The public methods and properties that a class defines, and whether each is a method."""
    for name, member in vars(kind).items():
        if not name.startswith("_"):
            if isinstance(member, (classmethod, staticmethod)) or inspect.isfunction(member):
                yield name, True
            elif isinstance(member, property):
                yield name, False


def untested(module: Any, name: str) -> Iterator[str]:
    """What no test does with this public name."""
    value = getattr(module, name)
    homes = {(module.__name__, name), (getattr(value, "__module__", ""), name)}
    if isinstance(value, type):
        # What a protocol says is made under other names.
        if name not in calls().made and not getattr(value, "_is_protocol", False):
            yield f"{name}()"
        for member, method in members(value):
            if (name, member) not in (calls().called if method else calls().read):
                yield f"{name}.{member}{'()' if method else ''}"
    elif inspect.isfunction(value):
        if not homes & calls().called:
            yield f"{name}()"
    elif not homes & calls().read:
        yield name


@pytest.mark.parametrize("name", registry_core.__all__)
def test_a_test_calls_each_public_name(name: str) -> None:
    assert [*untested(registry_core, name)] == []


@pytest.mark.parametrize("name", testing.__all__)
def test_a_test_calls_each_helper_for_tests(name: str) -> None:
    assert [*untested(testing, name)] == []


def test_a_test_takes_the_fixture_that_comes_with_the_distribution() -> None:
    assert "frozen_registry" in calls().fixtures


@pytest.mark.parametrize("file", sorted((SOURCE / "devserver").glob("*.py")), ids=lambda f: f.stem)
def test_a_test_calls_each_adapter(file: Path) -> None:
    """Read from the source: a framework need not be installed."""
    parts = file.relative_to(ROOT / "src").with_suffix("").parts
    module = ".".join(part for part in parts if part != "__init__")
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            assert (module, node.name) in calls().called
        elif isinstance(node, ast.ClassDef):
            assert node.name in calls().made
            methods = [one.name for one in node.body if isinstance(one, Function)]
            assert {(node.name, one) for one in methods} <= calls().called


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_of_a_test_implements_each_hook(hook: str) -> None:
    assert hook in calls().hooks


CLASSES = """
class Shelf:
    @classmethod
    def of(cls) -> Shelf: ...
    def book(self) -> Book | None: ...
    def books(self) -> Mapping[str, Book]: ...
class Book:
    def read(self) -> str: ...
class Other:
    def read(self) -> str: ...
"""


def reading(code: str) -> Calls:
    modules = [ast.parse(code)]
    return Calls(modules, Types([*modules, ast.parse(CLASSES)]))


@pytest.mark.parametrize(
    "code",
    [
        "Book().read()",
        "def test(book: Book): book.read()",
        "def test(book: Book | None):\n    def inner():\n        book.read()",
        "book = Book()\nbook.read()",
        "shelf = Shelf.of()\nshelf.book().read()",
        "for book in Shelf().books(): book.read()",
        "[book.read() for book in Shelf().books()]",
        "Shelf().books()['one'].read()",
        "def book() -> Book: ...\ndef test(book): book.read()",
        "class Novel(Book): ...\nNovel().read()",
        "with Book() as book: book.read()",
        "class Hand:\n    def __init__(self, book: Book) -> None:\n        self.book = book\n"
        "def test(hand: Hand): hand.book.read()",
    ],
)
def test_a_call_counts_for_the_class_of_its_receiver(code: str) -> None:
    assert ("Book", "read") in reading(code).called


@pytest.mark.parametrize(
    "code",
    [
        "# Book().read()",
        "'Book().read()'",
        "def Book_read(): ...",
        "Book().read",
        "Other().read()",
        "book = Book()\ndef test(book: Other): book.read()",
        "book = Book()\nbook = Other()\nbook.read()",
        "def test(book): book.read()",
        "read()",
    ],
)
def test_what_is_no_call_of_it_does_not_count(code: str) -> None:
    assert ("Book", "read") not in reading(code).called


def test_a_class_is_made_by_a_call_a_subclass_or_what_another_way_to_make_it_returns() -> None:
    for code in ("Shelf()", "class Mine(Shelf): ...", "Shelf.of()", "raise Shelf('x')"):
        assert "Shelf" in reading(code).made
    assert "Shelf" in reading("with pytest.raises((Other, Shelf), match='x'): ...").made
    for code in ("Shelf", "import Shelf", "isinstance(x, Shelf)", "x: Shelf"):
        assert "Shelf" not in reading(code).made


def test_a_function_counts_for_the_module_that_it_was_imported_from() -> None:
    assert ("a.b", "go") in reading("from a.b import go as start\nstart()").called
    assert ("a.b", "go") in reading("from a import b\nb.go()").called
    assert ("a.b", "go") in reading("import a\na.b.go()").called
    assert ("a.b", "go") not in reading("from a.c import go\ngo()").called
    assert ("a.b", "go") not in reading("from a.b import go\nstart(go)").called


def test_what_pytest_calls_of_a_contract_counts_once_a_test_class_inherits_it() -> None:
    contract = "class Contract:\n    def test_it(self) -> None: ...\n"
    assert ("Contract", "test_it") in reading(f"{contract}class TestMine(Contract): ...").called
    assert ("Contract", "test_it") not in reading(f"{contract}class Mine(Contract): ...").called


def test_code_in_a_string_counts_and_prose_in_one_does_not(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        'CODE = """\n    from registry_core import resolve\n    resolve("a/b")\n"""\n'
        'PROSE = "registry_core: call resolve(x)"\n'
    )
    assert len(trees([file])) == 2
    assert ("registry_core", "resolve") in Calls(trees([file]), Types([])).called
