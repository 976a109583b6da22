"""What is known about a place, and the texts of nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from . import nodes, spellings
from .keys import is_decoy, key_of

if TYPE_CHECKING:
    from tree_sitter import Node

#: So many nodes beside are looked at.
BESIDE = 60


@define
class Place:
    """What the code around a text tells about it."""

    whole: bool = False
    """The text is a whole string or scalar, so it is not prose."""
    sure: bool = False
    strict: bool = False
    decoy: bool = False
    is_key: bool = False
    is_called: bool = False
    siblings: list[dict[str, str]] = field(factory=list)
    """Keys and values beside it. Those of the nearest mapping or call come first."""
    names: list[str] = field(factory=list)
    """Names of keys and functions that may name a provider."""
    is_value: bool = False
    """It is the value of a key or variable, or one that a function returns."""
    beside: str = ""
    """If it is under "name": the value of an id, or a model, beside it."""
    is_spare: bool = False
    """A key above says that it is used if something else fails."""
    peers: Callable[[], list[list[str]]] = list
    """Finds groups of texts with this one: entries of a list, branches, …"""

    @property
    def strange(self) -> bool:
        """Whether keys beside it show that this is not a language model."""
        return bool(self._beside(1) & spellings.STRANGE_SIBLINGS)

    @property
    def kin(self) -> bool:
        """Whether keys beside it show that this is a language model."""
        return bool(self._beside(2) & spellings.KIN)

    def _beside(self, levels: int) -> set[str]:
        return {key.lower() for mapping in self.siblings[:levels] for key in mapping}

    def take(self, name: str, inner: str | None = None) -> bool:
        """Note a key above the text. Returns whether it decides what the text is. `inner`: the key
        in its mapping that leads to the text."""
        key = key_of(name)
        self.is_spare = self.is_spare or key.words[-1:] == ("fallbacks",)
        if name.lower() in spellings.TRANSPARENT_KEYS:
            return False
        within = inner is not None
        self.names.append(name)
        many = key.many and inner is not None and not is_decoy(inner)
        if key.sure and (inner is None or many or inner.lower() in spellings.NAME_KEYS):
            self.sure, self.strict = True, self.strict or key.strict
            return True
        self.decoy = self.decoy or (not within and is_decoy(name))
        return False


@define
class Climb:
    """The way up from a string: where it is, and what it met."""

    string: Node
    above: Sequence[Node]
    """The nodes around the string, the smallest first."""
    data: bytes
    place: Place
    child: Node
    """The node below: it is, or holds, the string."""
    at: int = 0
    inner: str | None = None
    """The nearest key that leads to the string."""
    settled: bool = False
    """A key was met that decides what the string is."""
    is_part: bool = False
    """What was met makes something else of it: a sum, a call, an entry of a list."""
    ended: bool = False

    @property
    def node(self) -> Node:
        return self.above[self.at]

    @property
    def around(self) -> Sequence[Node]:
        """This node, and those around it."""
        return self.above[self.at :]

    def take(self, name: str) -> bool:
        """As `Place.take`, with the key that leads to the string."""
        return self.place.take(name, self.inner)


def first_of(node: Node) -> list[Node]:
    """Its children; of many the first, since all of them are looked up for each of them."""
    places = range(min(node.named_child_count, BESIDE))
    return [child for at in places if (child := node.named_child(at)) is not None]


def branches_of(node: Node) -> list[Node]:
    """The nodes one of which is the value of an expression. Empty for other expressions."""
    kind = node.type
    if kind == "conditional_expression":
        return node.named_children[::2]
    if kind == "ternary_expression":
        return node.named_children[1:]
    if kind in nodes.COMPARED:
        operator = node.child_by_field_name("operator")
        is_choice = operator is not None and operator.type in ("or", "||", "??", "?:")
        return node.named_children if is_choice else []
    return node.named_children if kind == "union_type" else []


def bare(node: Node) -> Node:
    """An argument, without what only wraps it: `"x".to_string()`."""
    while True:
        inner = None
        if node.type in ("argument", "value_argument") and node.named_child_count == 1:
            inner = node.named_child(0)
        elif node.type == "call_expression":
            function = node.child_by_field_name("function")
            if function is not None and function.type == "field_expression":
                inner = function.child_by_field_name("value")
        if inner is None or inner.type == "identifier":
            return node
        node = inner


def content_of(string: Node, data: bytes) -> bytes:
    text = data[string.start_byte : string.end_byte]
    if string.type in ("plain_scalar", "word", "string_scalar", "number", "command_name"):
        return text
    while text[:1] in b"rRbBuUfF" and text[1:2] in b"\"'rRbBfF#" and len(text) > 1:
        text = text[1:]
    text = text.lstrip(b"@$:#").rstrip(b"#") if text[:1] in b"@$:#" else text
    for quote in (b'"""', b"'''", b'"', b"'", b"`"):
        if text.startswith(quote) and text.endswith(quote) and len(text) >= 2 * len(quote):
            return text[len(quote) : -len(quote)]
    return text


def text_of(node: Node | None, data: bytes) -> str:
    if node is None or node.end_byte - node.start_byte > 300:
        return ""
    return data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def field_of(node: Node, name: str, data: bytes) -> str:
    return text_of(node.child_by_field_name(name), data)
