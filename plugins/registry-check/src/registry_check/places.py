"""The place of a text in a syntax tree, and what the code around it tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from . import nodes, spellings
from .climbing import climb
from .grammars import BRACES
from .nodes import STRINGS
from .pairs import key_in
from .peers import peers_of
from .place import Place, content_of

if TYPE_CHECKING:
    from tree_sitter import Node

#: The most nodes above a text that are read.
_STEPS = 64

#: The text directly before a model's name in a longer text.
EMBEDDED = re.compile(
    rb"""(?x)(?:
      # --model x, --model=x, "--model", "x"
      (?:^|[\s"'\\;&|(\[,])--?[\w-]*(?:model|engine|deployment|judge|grader|scorer|evaluator
        |provider|llm)(?:[-_](?:name|id))?(?:[ =\t]|\\?["'],[ ]?)[ ]*\\?["']?
    | --model[ =].*[ ]--(?:backup|fallback)[ =]["']?
    # A_MODEL="x", model=x
    | (?:^|[\s"'`\\;&|({,?])(?:[\w.-]*_)?(?:MODELS?|MODEL_NAME|MODEL_ID|ENGINE|DEPLOYMENT|JUDGE
        |GRADER|SCORER|EVALUATOR)=\\?["']?(?:[\w.:/@-]+,)*
    | (?:^|[\s"'`\\;&|({,?])[\w.]*(?:model|engine|deployment|model_name|model_id|modelId)=
    | (?:^|[\s"'`\\;&|({,?])(?:judge|grader|scorer|evaluator)=["']?
    # ${A_MODEL:-x}, ${a.model:x}
    | \$\{(?:[\w.-]*[_.-])?(?i:MODEL|MODEL[_-]NAME|MODEL[_-]ID)(?::?[-=]|:)
    # {{ .Values.a.model | default "x" }}, ${{ vars.A_MODEL || 'x' }}
    | \{\{[^{}"'|]*(?i:model|engine|judge|llm)(?i:[_.-]?(?:name|id))?[\s)]*
        \|\|?\s*(?:default[\s(]+)?\\?["']
    # getenv("A_MODEL", "x")
    | \w\(\\?["'](?:\w*_)?(?:MODEL|MODEL_NAME|MODEL_ID)\\?["'],[ ]*\\?["']
    | :(?:foundation-model|inference-profile)/
    # "model": "x"
    | \\?["'](?:[\w-]*_)?(?:model|engine|deployment|model_name|model_id|modelId|modelName)
        \\?["']\s*:\s*\\?["']
    # a line of YAML or INI
    | (?:^|\n)[ \t]*(?:-[ ])?(?:[\w-]*_)?(?:MODEL|model|model_name|model_id)[ ]?[:=][ ]+["']?
    )$"""
)
#: What EMBEDDED ends with.
_EMBEDDED_ROUGHLY = re.compile(
    rb"(?i)(?:model|engine|deployment|judge|grader|scorer|evaluator|backup|fallback|provider|llm)"
    rb"(?:[-_.]?(?:name|id))?[\s\"'\\:=,)|-]+(?:default[\s(]+)?[\"'\\]*$"
    rb"|(?:foundation-model|inference-profile)/$"
)
_STRICTLY = re.compile(rb"(?i)(?:model|engine|deployment)(?:[_-]?(?:name|id))?\W*$")
#: Language → what stands before, and after, a whole string (or a text of JSX).
_QUOTES = {
    **dict.fromkeys(("python", "json", "toml"), (frozenset(b"\"'"), frozenset(b"\"'"))),
    **dict.fromkeys(
        ("javascript", "typescript", "tsx"), (frozenset(b"\"'`>}"), frozenset(b"\"'`<{"))
    ),
    **dict.fromkeys(BRACES, (frozenset(b"\"'`"), frozenset(b"\"'`"))),
    "ruby": (frozenset(b"\"' [(\t\n"), frozenset(b"\"' ])\r\n")),  # also %w[x y]
}
#: A default of Jinja, for a whole value: `"{{ lookup(…) | default('x') }}"`.
_DEFAULT = re.compile(rb"\{\{[^{}]*\|\s*default\(\s*\\?[\"']$")
COMMENT = re.compile(rb"(?:^|\n)[ \t]*(?:#|//)[^\n]*$")
AFTER = re.compile(rb"$|[\s\"'\\,;&|)}\]`<]")


class Tree:
    """A syntax tree, and the nodes above the text that was looked at last.

    The parser finds a node, and the parent of a node, from the root on. For many texts in a deep
    tree (`"x" + "y" + …`) that would take minutes. From one text to the next it is mostly a step.
    """

    def __init__(self, root: Node, *, is_broken: bool = False) -> None:
        self.is_broken = is_broken or root.has_error
        self._cursor = root.walk()
        self._path = [root]

    def above(self, start: int, end: int) -> Sequence[Node]:
        """The nodes that hold these bytes, the smallest first; not all up to the root."""
        path, cursor = self._path, self._cursor
        while len(path) > 1 and not _holds(path[-1], start, end):
            path.pop()
            cursor.goto_parent()
        while cursor.goto_first_child_for_byte(start) is not None:
            node = cursor.node
            if node is None or not _holds(node, start, end):
                cursor.goto_parent()
                break
            path.append(node)
        return path[: -_STEPS - 1 : -1]


def _holds(node: Node, start: int, end: int) -> bool:
    return node.start_byte <= start and end <= node.end_byte


def may_have_place(language: str, data: bytes, start: int, end: int) -> bool:
    """Whether `place_of` may find a place. Most texts in prose need no parser."""
    if language not in _QUOTES:
        return True  # strings may stand without quotes
    before, after = _QUOTES[language]
    if start and end < len(data) and data[start - 1] in before and data[end] in after:
        return True
    return _EMBEDDED_ROUGHLY.search(data, max(0, start - 200), start) is not None


def place_of(tree: Tree, data: bytes, start: int, end: int) -> Place | None:
    """The place of `data[start:end]`; None in comments, and outside of strings."""
    above = tree.above(start, end)
    at = None
    for index, node in enumerate(above):
        if "comment" in node.type:
            return None
        if node.type in STRINGS:
            at = index
        elif at is not None:
            break
    line = max(data.rfind(b"\n", 0, start), start - 200) + 1
    if tree.is_broken and b"{{" in data[line:start]:
        return _embedded(data[line:start], data, end)  # a template, which no grammar knows
    if at is None:
        return None
    string, *above = above[at:]
    statement, around = [*(node.type for node in above[:2]), "", ""][:2]
    if statement == "expression_statement" and around not in nodes.ARMS:
        return None  # a docstring
    place = Place()
    before = data[max(string.start_byte, line - 1) : start]
    text, content = data[start:end], content_of(string, data)
    place.whole = (
        text == content
        or (b"=" not in content and text in content.split(b","))
        or _DEFAULT.search(before) is not None
    )
    if place.whole:
        climb(string, above, data, place)
        place.peers = cache(partial(peers_of, string, above, data))
        return place
    if above and above[0].type == "keyword_argument" and key_in(above[0], data) in spellings.HELP:
        return None
    return _embedded(before, data, end)


def _embedded(before: bytes, data: bytes, end: int) -> Place | None:
    """The place of a name in a longer text. `before`: the text before it, in its line."""
    if EMBEDDED.search(before) and AFTER.match(data, end) and not COMMENT.search(before):
        strict = _STRICTLY.search(before) is not None
        return Place(sure=True, strict=strict, names=[before.decode("utf-8", "replace")])
    return None
