"""What types, functions and annotations tell about a text in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from . import nodes, spellings
from .keys import is_decoy, key_of
from .place import Climb, Place, branches_of, field_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = re.compile(r"[A-Za-z_]\w*")
_ENUM = re.compile(r"Enum\b|Choices\b")


def annotation(way: Climb) -> bool:
    """The default of what it is about, or how an entry of an enumeration is written."""
    node, data, place = way.node, way.data, way.place
    before = data[node.start_byte : way.string.start_byte].decode("utf-8", "replace")
    key = re.search(r"(\w+)\s*=\s*$", before)
    name = (key[1] if key else "").lower().replace("_", "")
    if name in ("default", "defaultvalue"):
        after = data[node.end_byte : node.end_byte + 80].decode("utf-8", "replace")
        declared = re.split(r"[;={(,]|\n\s*\n", after)[0]
        any(place.take(one) for one in _NAMES.findall(before + declared)[::-1] if key_of(one).sure)
    elif name in ("", "name", "rename", "value"):
        of = next((one for one in way.around if one.type in nodes.TYPES), None)
        if of is not None and _is_enum(of, data):
            place.take(field_of(of, "name", data))
    way.ended = True
    return False


def type_around(way: Climb) -> bool:
    _take_type(way.node, way.inner, way.data, way.place)
    return False


def class_around(way: Climb) -> bool:
    """Python's: one of models, if it is an enumeration."""
    name = field_of(way.node, "name", way.data)
    if _ENUM.search(field_of(way.node, "superclasses", way.data)):
        way.place.take(name)
    else:
        way.place.names.append(name)
    return False


def _take_type(node: Node, inner: str | None, data: bytes, place: Place) -> None:
    """A type may hold models; an enumeration of models does."""
    named = (one for one in node.named_children if one.type.endswith("identifier"))
    name = node.child_by_field_name("name") or next(named, None)
    is_entry = _is_enum(node, data) and not is_decoy(inner or "")
    place.take(text_of(name, data), None if is_entry else inner or "")


def _is_enum(node: Node, data: bytes) -> bool:
    head = data[node.start_byte : node.start_byte + 200].partition(b"{")[0]
    return re.search(rb"\benum\b", head) is not None


def given(way: Climb) -> None:
    """What a function gives that is named after models, or one of several cases in a type of
    models."""
    above, data, place = way.above, way.data, way.place
    child, is_arm, is_given = way.string, False, False
    for node in above:
        is_arm = is_arm or node.type in nodes.ARMS
        is_given = is_given or node.type in nodes.RETURNS
        if not is_given and _is_spent(node, child):
            return
        if node.type in nodes.FUNCTIONS:
            break
        child = node
    place.is_value = (is_given or is_arm) and not way.is_part
    words = next(functions(above, data), ())
    name = "_".join(words)
    if "model" in words and set(words[words.index("model") :]) & spellings.FOR:
        place.sure = True
    elif not place.take(name) and is_arm and not spellings.SHOWN.search(name):
        for of in [node for node in above if node.type in nodes.TYPES][:1]:
            _take_type(of, "name", data, place)


def _is_spent(node: Node, child: Node) -> bool:
    """Whether a node does not give what its child gives."""
    if node.type in nodes.TAILS:
        return node.named_child(node.named_child_count - 1) != child
    is_sum = "binary" in node.type or node.type in nodes.COMPARED
    return (is_sum and not branches_of(node)) or node.type in nodes.SPENT


def functions(above: Sequence[Node], data: bytes) -> Iterator[tuple[str, ...]]:
    """The words in the names of the functions around."""
    for node, parent in pairwise(above):
        if node.type in nodes.FUNCTIONS:
            name = field_of(node, "name", data) or field_of(parent, "name", data)
            yield key_of(name or field_of(parent, "key", data)).words
