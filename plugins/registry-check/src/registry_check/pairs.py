"""Keys and values in syntax trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .keys import key_of, last_name
from .nodes import FLAT, KEYED, SIGNS
from .place import BESIDE, bare, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_TABLES = frozenset({"table", "table_array_element"})


def pairs_of(mapping: Node, data: bytes) -> Iterator[tuple[str, str]]:
    """Keys and values of a mapping, or keywords of a call. Only the first ones of long ones."""
    if mapping.type in FLAT:
        for at in range(min(mapping.child_count, BESIDE)):
            if (child := mapping.child(at)) and (key := key_beside(mapping, child, data)):
                yield key, text_of(child, data).strip("\"'`")
        return
    for node in map(bare, first_of(mapping)):
        if node.type in KEYED and node.type not in _TABLES:
            values = [node.child_by_field_name(name) for name in KEYED[node.type][1] if name]
            value = next(filter(None, values), None) or node.named_children[-1]
            yield key_in(node, data), text_of(value, data).strip("\"'`")
        elif node.type in FLAT:
            yield from pairs_of(node, data)
        elif node.type in (
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        ):
            yield text_of(node, data), ""


def key_in(node: Node, data: bytes) -> str:
    """The key of a node that has one."""
    if node.type in _TABLES:
        parts = text_of(node.named_children[0] if node.named_children else None, data).split(".")
        return next((part for part in parts if key_of(part).sure), parts[-1])
    text = text_of(key := _key_node(node), data)
    if key is not None and key.type == "variable_declaration":  # with a type
        text = text.partition(":")[0]
    return last_name(text)


def _key_node(node: Node) -> Node | None:
    name = KEYED[node.type][0]
    key = node.child_by_field_name(name) if name else None
    others = (one for one in node.named_children if not one.type.endswith("modifiers"))
    return key or next(others, None)


def is_value(node: Node, child: Node) -> bool:
    """Whether it is the value of a node that has a key."""
    key = _key_node(node)
    if key is None or key == child:
        return False
    _, fields = KEYED[node.type]
    values = [value for name in fields if name and (value := node.child_by_field_name(name))]
    # TOML, JSX and typed parameters name no fields.
    return any(value == child for value in values) if values else key.start_byte < child.start_byte


def key_beside(node: Node, value: Node, data: bytes) -> str:
    """The key of a value in a node where keys, signs and values stand in turn."""
    key, sign, _ = _beside(node, value)
    return last_name(text_of(key, data)) if text_of(sign, data) in SIGNS else ""


def is_key_beside(node: Node, child: Node, data: bytes) -> bool:
    """Whether it is a key in such a node."""
    return text_of(_beside(node, child)[2], data) in SIGNS


def _beside(node: Node, child: Node) -> tuple[Node | None, Node | None, Node | None]:
    """The two nodes before it, and the one after it."""
    if node.type == "infix_expression":  # the parser looks for siblings from the root on
        first, sign = node.child(0), node.child(1)
        return (None, None, sign) if child == first else (first, sign, None)
    before = child.prev_sibling
    return before and before.prev_sibling, before, child.next_sibling
