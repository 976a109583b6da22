"""What the tests call of the public names, read from their source.

A name in a comment, or a call of another class's method of the same name, counts for nothing:
the class of the receiver must follow from an annotation, a constructor, or what the code that
made it is said to return. Code in strings, which tests run elsewhere, counts as code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent

Function = ast.FunctionDef | ast.AsyncFunctionDef
Known = dict[str, ast.expr | None]
"""Variable → its annotation, as far as it is known."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def trees(files: Iterable[Path]) -> list[ast.Module]:
    """The modules, and the code in their strings."""
    found = [ast.parse(file.read_text("utf-8")) for file in files]
    return [*found, *(code for tree in found for code in _in_strings(tree))]


def _in_strings(tree: ast.Module) -> Iterator[ast.Module]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "0" for one in node.values]
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if "\n" in text and ("registry_core" in text or "def test" in text):
            try:
                yield ast.parse(dedent(text))
            except (SyntaxError, ValueError):  # prose, or another language
                continue


def words(modules: Iterable[ast.Module]) -> set[str]:
    """Strings that are no docstrings, and names of keyword arguments."""
    nodes = [node for module in modules for node in ast.walk(module)]
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    found = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found.add(node.value)
    return found


class Types:
    """What functions return, and what classes have: name → annotation."""

    def __init__(self, modules: Iterable[ast.Module]) -> None:
        self.functions: dict[str, ast.expr] = {}
        self.members: dict[str, dict[str, ast.expr]] = {}
        self.bases: dict[str, list[str]] = {}
        for module in modules:
            for node in ast.walk(module):
                if isinstance(node, ast.ClassDef):
                    self._add(node)
            for node in module.body:
                if isinstance(node, Function) and node.returns is not None:
                    self.functions.setdefault(node.name, node.returns)

    def _add(self, node: ast.ClassDef) -> None:
        members = self.members.setdefault(node.name, {})
        self.bases[node.name] = [one.id for one in node.bases if isinstance(one, ast.Name)]
        for one in node.body:
            if isinstance(one, Function) and one.returns is not None:
                members[one.name] = one.returns
                for part in ast.walk(one) if one.name == "__init__" else ():
                    _note_attribute(part, members, one)
            elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                members[one.target.id] = one.annotation

    def lineage(self, name: str | None) -> list[str]:
        """The class, then its bases."""
        bases = self.bases.get(name or "", [])
        return [name, *(one for base in bases for one in self.lineage(base))] if name else []

    def names(self, owner: str) -> list[str]:
        return [*self.members.get(owner, {})]

    def member(self, owner: ast.expr | None, name: str) -> ast.expr | None:
        for one in self.lineage(class_of(owner)):
            if name in self.members.get(one, {}):
                found = self.members[one][name]
                return owner if class_of(found) == "Self" else found
        return None

    def made_by(self, name: str) -> ast.expr | None:
        """What a call of this class, or function, gives."""
        return ast.Name(name) if name in self.members else self.functions.get(name)

    def makes(self, owner: str, name: str) -> bool:
        """Whether it is another way to make one of that class."""
        return class_of(self.members.get(owner, {}).get(name)) == owner


def _note_attribute(part: ast.AST, members: dict[str, ast.expr], init: Function) -> None:
    """`self.server = server` has the type of that parameter."""
    if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Attribute):
        types = {one.arg: one.annotation for one in init.args.args + init.args.kwonlyargs}
        known = types.get(part.value.id) if isinstance(part.value, ast.Name) else None
        if known is not None:
            members[part.targets[0].attr] = known


def class_of(annotation: ast.expr | None) -> str | None:
    """`X` of `X`, `X | None`, `"X"` and `module.X`; None for all that is no one class."""
    match annotation:
        case ast.Name(id):
            return id
        case ast.Attribute(_, attr):
            return attr
        case ast.Constant(str(text)):
            return class_of(ast.parse(text, mode="eval").body)
        case ast.BinOp(left, ast.BitOr(), ast.Constant(None)):
            return class_of(left)
    return None


def item_of(annotation: ast.expr | None) -> ast.expr | None:
    """What iterating or indexing gives: `X` of `tuple[X, ...]` and `Mapping[str, X]`."""
    match annotation:
        case ast.Subscript(_, ast.Tuple(elts)):
            return [one for one in elts if not isinstance(one, ast.Constant)][-1]
        case ast.Subscript(_, inner):
            return inner
    return None


class Calls:
    """What is called and read: `(owner, name)`, the owner being a class or a module."""

    def __init__(self, modules: Iterable[ast.Module], types: Types) -> None:
        self.called: set[tuple[str, str]] = set()
        self.read: set[tuple[str, str]] = set()
        self.made: set[str] = set()
        """Classes that are called, inherited from or expected to be raised."""
        self.fixtures: set[str] = set()
        """Parameters of tests."""
        self.hooks: set[str] = set()
        """Functions that a plugin of a test implements."""
        self._types = types
        for module in modules:
            self._sources = dict(_imported(module))
            self._walk(module, {})

    def _walk(self, scope: ast.AST, outer: Known) -> None:
        known = dict(outer)
        if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            arguments = scope.args
            for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                known[one.arg] = one.annotation or self._types.functions.get(one.arg)
                if getattr(scope, "name", "").startswith("test"):
                    self.fixtures.add(one.arg)
        pending = [*ast.iter_child_nodes(scope)][::-1]
        while pending:
            node = pending.pop()
            self._learn(node, known)
            self._note(node, known)
            if isinstance(node, _SCOPES):
                self._walk(node, known)
            else:
                pending += [*ast.iter_child_nodes(node)][::-1]

    def _learn(self, node: ast.AST, known: Known) -> None:
        """What a variable holds from here on."""
        match node:
            case ast.AnnAssign(ast.Name(id), annotation):
                known[id] = annotation
            case ast.Assign([ast.Name(id)], value) | ast.NamedExpr(ast.Name(id), value):
                known[id] = self._type(value, known)
            case ast.ExceptHandler(ast.Name() as kind, str(id)):
                known[id] = kind
            case ast.withitem(value, ast.Name(id)):
                known[id] = self._type(value, known)
            case (
                ast.Assign([ast.Tuple([ast.Name(id)])], source)
                | ast.For(ast.Name(id), source)
                | ast.comprehension(ast.Name(id), source)
            ):
                known[id] = self._item(source, known)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for one in node.generators:  # they stand behind what uses them
                    self._learn(one, known)
            case _:
                pass

    def _note(self, node: ast.AST, known: Known) -> None:
        match node:
            case ast.ClassDef(name, bases):
                names = {base for one in bases if (base := class_of(one))}
                self.made |= names
                if name.startswith("Test"):  # pytest calls what it inherits
                    members = [(base, one) for base in names for one in self._types.names(base)]
                    self.called.update(one for one in members if one[1].startswith("test_"))
            case ast.FunctionDef(name) if "hookimpl" in map(class_of, node.decorator_list):
                self.hooks.add(name)
            case ast.Call(func, arguments):
                called = self._owned(func, known)
                self.called |= called
                self.made |= {owner for owner, name in called if self._types.makes(owner, name)}
                self.made |= {name for name in [class_of(func)] if name}
                if class_of(func) == "raises":
                    expected = [part for one in arguments for part in ast.walk(one)]
                    self.made |= {one.id for one in expected if isinstance(one, ast.Name)}
            case ast.Attribute(ctx=ast.Load()) | ast.Name(ctx=ast.Load()):
                self.read |= self._owned(node, known)
            case _:
                pass

    def _owned(self, node: ast.expr, known: Known) -> set[tuple[str, str]]:
        """This name, under the class and its bases, or the module, that it is of."""
        match node:
            case ast.Name(id) if id in self._sources and id not in known:
                return {self._sources[id]}
            case ast.Attribute(owner, name):
                classes = self._types.lineage(class_of(self._type(owner, known)))
                module = ast.unparse(owner) if isinstance(owner, ast.Attribute) else ""
                if isinstance(owner, ast.Name) and owner.id in self._sources:
                    module = ".".join(filter(None, self._sources[owner.id]))
                return {(one, name) for one in (*classes, module) if one}
        return set()

    def _item(self, value: ast.expr, known: Known) -> ast.expr | None:
        if isinstance(value, (ast.Tuple, ast.List)) and value.elts:
            return self._type(value.elts[0], known)
        return item_of(self._type(value, known))

    def _type(self, value: ast.expr, known: Known) -> ast.expr | None:
        """Its annotation, if that follows from what is said."""
        match value:
            case ast.Name(id):
                return known.get(id) or (value if id in self._types.members else None)
            case ast.Call(ast.Name(id)):
                return self._types.made_by(id)
            case ast.Call(ast.Attribute(owner, attr)):
                found = self._types.member(self._type(owner, known), attr)
                return found or self._types.made_by(attr)
            case ast.Attribute(owner, attr):
                return self._types.member(self._type(owner, known), attr)
            case ast.Subscript(owner):
                return self._item(owner, known)
            case ast.BoolOp(_, [first, *_]) | ast.Await(first) | ast.NamedExpr(_, first):
                return self._type(first, known)
        return None


def _imported(module: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Local name → module and name; a module itself has no module before it."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield one.asname or one.name, (node.module or "", one.name)
        elif isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name, ("", one.name)
