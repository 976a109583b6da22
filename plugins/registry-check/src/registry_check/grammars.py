"""Grammars by language. A grammar is imported when the first file needs it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_MODULES = {
    "bash": ("tree_sitter_bash", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "json": ("tree_sitter_json", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "markdown": ("tree_sitter_markdown", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "python": ("tree_sitter_python", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "swift": ("tree_sitter_swift", "language"),
    "toml": ("tree_sitter_toml", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "yaml": ("tree_sitter_yaml", "language"),
}
#: Languages of which a text is a name only in quotes.
BRACES = frozenset({"csharp", "go", "java", "kotlin", "php", "ruby", "rust", "swift"})


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    module, function = _MODULES[language]
    return Parser(Language(getattr(import_module(module), function)()))


def parse(language: str, data: bytes) -> Node:
    """The syntax tree of these bytes. Only parts with broken syntax are lost."""
    return _parser(language).parse(data).root_node
