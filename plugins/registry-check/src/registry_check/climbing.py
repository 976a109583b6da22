"""The way up from a string in a syntax tree, to the key, call or type that says what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from . import clauses, definitions, nodes
from .calls import call
from .keys import last_name
from .nodes import FLAT, KEYED, PAIRS
from .pages import VALUES
from .pairs import is_key_beside, is_value, key_beside, key_in, pairs_of
from .peers import is_shown, makes_list
from .place import Climb, Place, branches_of, content_of, field_of

if TYPE_CHECKING:
    from tree_sitter import Node

#: Keys of the model in a mapping that also has a name.
_IDS = frozenset({"id", "model", "model_id", "modelid"})
#: Types of nodes that make something else of a text in them.
_PARTIAL = re.compile(
    r"binary|unary|not_|comparison|equality|additive|multiplicative|infix|subscript|index"
    r"|element_access|member|attribute$|selector|navigation|field_access|interpol|substitution"
)
#: So many mappings and calls around a string are read.
_LEVELS = 3
#: Type of a node → what it says of a string in it. Each notes that in the place, and returns
#: whether it decides.
_CLAUSES: dict[str, Callable[[Climb], bool]] = {
    **dict.fromkeys(nodes.COMPARED, clauses.compare),
    **dict.fromkeys(nodes.SEQUENCES, clauses.after_flag),
    **dict.fromkeys(nodes.CASES, clauses.case),
    **dict.fromkeys(nodes.PARAMETERS, clauses.default),
    **dict.fromkeys(nodes.LITERALS, clauses.literal),
    "command": clauses.command,
    "subscript": clauses.subscript,
    "import_spec": clauses.imported,
    **dict.fromkeys(nodes.ANNOTATIONS, definitions.annotation),
    **dict.fromkeys(nodes.TYPES, definitions.type_around),
    "class_definition": definitions.class_around,
}


def climb(string: Node, above: Sequence[Node], data: bytes, place: Place) -> None:
    """Note what the nodes above a string tell about it, until its key is found. Also notes keys
    and values beside it."""
    way = Climb(string, above, data, place, string)
    for way.at, node in enumerate(above):
        if len(place.siblings) == _LEVELS:
            break
        if (node.type in nodes.MAPPINGS or node.type in FLAT) and not _is_returned(way):
            _look_beside(way)
        way.settled = _look_at(way)
        if node.type in nodes.ENDS:
            _end(way)
        if way.ended:
            break
        way.child = node
    if place.is_spare and _is_alias(string, data):
        place.is_key = True
    else:
        place.sure = place.sure or (place.is_spare and not place.decoy)
    beside = place.siblings[0] if place.siblings else {}
    if way.inner == "model_name" and "litellm_params" in beside:
        place.sure, place.is_key = False, True  # a name that the user gives to the model beside it
    if way.inner in ("name", "Name"):
        place.beside = next((beside[key] for key in beside if key.lower() in _IDS), "")


def _look_beside(way: Climb) -> None:
    place = way.place
    beside = dict(pairs_of(way.node, way.data))
    if beside or way.node.type not in FLAT:
        place.siblings.append(beside)
    if way.settled:
        return
    if way.inner in ("value", "default"):  # {"name": "MODEL", "value": "x"}
        way.settled = place.take(beside.get("name") or beside.get("key") or "")
    elif way.inner in ("fallback", "fallbacks") and "model" in beside:
        way.settled = place.sure = True


def _look_at(way: Climb) -> bool:
    """Whether it is settled what the string is."""
    node, child, place = way.node, way.child, way.place
    kind = node.type
    if not (way.is_part or way.settled):
        way.is_part = (_makes_parts(kind) and not branches_of(node)) or _is_list(node, way.data)
    if kind in nodes.CALLS:
        return call(way)
    if kind in FLAT and (key := key_beside(node, child, way.data)):
        _note_value(way)
        settled = way.settled or way.take(key)
        way.inner = way.inner or key
        return settled
    if kind in FLAT and is_key_beside(node, child, way.data):
        place.is_key = True
        return way.settled
    if way.settled:
        if kind in PAIRS and is_value(node, child):
            place.names.append(key_in(node, way.data))
        return True
    if kind in KEYED and is_value(node, child):
        return _look_at_key(way)
    if kind in PAIRS and node.named_child_count > 1:
        place.is_key = True  # the name of the mapping counts
        return False
    if child.type == "element_binding_expression":
        place.is_key = True
        return False
    return kind in _CLAUSES and _CLAUSES[kind](way)


def _look_at_key(way: Climb) -> bool:
    kind, key = way.node.type, key_in(way.node, way.data)
    _note_value(way)
    settled = way.place.take(key, None if kind == "enum_declaration" else way.inner)
    if not settled and way.inner is None and (named := field_of(way.node, "type", way.data)):
        settled = way.place.take(last_name(named))
    if kind != "expansion":
        way.inner = way.inner or key
    return settled


def _note_value(way: Climb) -> None:
    """Note that the string is the value of this key."""
    is_shown = way.node.type == "jsx_attribute" and key_in(way.node, way.data) not in VALUES
    if way.inner is None and not way.is_part and not is_shown:
        way.place.is_value = True


@cache
def _makes_parts(kind: str) -> bool:
    return _PARTIAL.search(kind) is not None


def _is_list(node: Node, data: bytes) -> bool:
    return (
        node.type in nodes.SEQUENCES
        or (node.type in nodes.LISTS and node.named_child_count > 1)
        or makes_list(node, data)
    )


def _end(way: Climb) -> None:
    """The function or type around is the last that may tell something."""
    place, way.ended = way.place, True
    if way.settled or place.siblings or place.is_key:
        return
    if way.inner is None:
        definitions.given(way)
    else:
        place.sure = place.sure or is_shown(way.above, way.at, way.inner, way.data)


def _is_returned(way: Climb) -> bool:
    """Whether these are no arguments, but what Ruby's `return` gives."""
    return len(way.around) > 1 and way.around[1].type == "return"


def _is_alias(string: Node, data: bytes) -> bool:
    """Whether a configuration of LiteLLM gives this name to one of its models."""
    name = re.escape(content_of(string, data))
    return re.search(rb"model_name[\"']?: *[\"']?%b[\"']?[ \r]*[,\n]" % name, data) is not None
