"""The texts beside a text: the other entries of its list, column or class, the other branches of
its expression, the other values that its function returns. If all of them are names of models, it
is one, too, whatever the list is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from . import spellings
from .definitions import functions
from .keys import is_list_decoy, key_of, last_name
from .nodes import FUNCTIONS, SEQUENCES, STRINGS
from .place import BESIDE, branches_of, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_LISTS = SEQUENCES | {"set", "expression_list", "type_parameter", "subscript"}
_MAPPINGS = frozenset(
    {"dictionary", "object", "block_mapping", "flow_mapping", "inline_table",
     "jsx_opening_element", "jsx_self_closing_element"}
)  # fmt: skip
#: Nodes with one value, and its field.
_VALUES = {
    "pair": "value", "block_mapping_pair": "value", "flow_pair": "value", "assignment": "right",
    "variable_declarator": "value", "public_field_definition": "value",
    "field_definition": "value", "enum_assignment": "value", "jsx_attribute": "",
}  # fmt: skip
_VARIABLES = frozenset({"assignment", "variable_declarator"})
#: Nodes with one node in them that matters.
_WRAPPERS = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "literal_type", "type",
     "flow_node", "block_node", "block_sequence_item", "jsx_expression", "expression_statement"}
)  # fmt: skip
_CLASSES = frozenset({"class_definition", "class_declaration", "class", "enum_declaration"})
_BODIES = frozenset({"class_body", "enum_body", "block"})
_ARGUMENTS = frozenset({"arguments", "argument_list"})
#: Nodes that use a list at once, without a name for it.
_USES = frozenset(
    {"for_in_clause", "for_statement", "for_in_statement", "comparison_operator", "call_expression",
     "member_expression", "attribute"}
)  # fmt: skip
#: A search for a part of a name. Its `{}` is what is looked for.
_SEARCHES = (
    r"\.(?i:startswith|endswith|includes|indexof|match|search)\(\s*{0}\b"
    r"|(?<!for )\b{0} (?:not )?in "
)
#: What may do so for each text in a variable.
_LOOPS = re.compile(
    rb"\bfor (?:const )?(\w+)(?:, \w+)* (?:in|of) (\w+)\b|\b(\w+)\.(?:some|every|find|filter)\("
)
#: So many groups are made, and so many nodes of a function are searched for what it returns.
_GROUPS, _NODES = 3, 400

#: The way from an entry down to its text: positions in lists, and keys.
_Route = tuple[int | str, ...]


def peers_of(string: Node, above: Sequence[Node], data: bytes) -> list[list[str]]:
    """Groups of texts with this one, the nearest first. Empty if it is known to be something else,
    or if nothing says what the list is."""
    groups: list[list[str]] = []
    for found in _groups(string, above, data):
        if found is None:
            return []
        if len(groups) < _GROUPS:
            groups.append(_texts_of(*found, data))
    return [group for group in groups if len(group) > 1]


def _groups(
    string: Node, above: Sequence[Node], data: bytes
) -> Iterator[tuple[Iterable[Node], _Route] | None]:
    """Nodes that are alike, and the way from each to its text. None if they are no models."""
    route: _Route = ()
    child, key = string, ""
    for at, node in enumerate(above[:-1]):
        kind, parent = node.type, above[at + 1]
        if kind in _VALUES:
            if child != _value(node):
                return
            key = _key(node, data)
            if kind in _VARIABLES and key.encode() in _searched(data):
                yield None
            continue
        if kind == "subscript" and child.type == "list":
            yield None  # columns of a table
        if branches := branches_of(node):
            if child not in branches:
                return  # a condition
            if not branches_of(parent):  # which has all of them
                yield branches, route
        elif kind in _LISTS:
            entries = first_of(node)
            if child not in entries:
                entries.append(child)
            yield entries, route
            route = (entries.index(child), *route)
        elif kind in _MAPPINGS:
            pairs = {**dict(_pairs(node, data)), key: child}
            if (kind[0] == "j" and key not in spellings.JSX_VALUES) or _is_thing(pairs, data):
                return
            if not _is_record(pairs):
                yield pairs.values(), route
            route = (key, *route)
        elif kind == "jsx_element":
            if child.type != "jsx_opening_element":
                yield first_of(node), route
                return
        elif kind in _BODIES and parent.type in _CLASSES:
            fields = dict(_pairs(node, data))
            if is_list_decoy(field_of(parent, "name", data)):
                yield None
            if not _is_record(fields):
                yield fields.values(), route
            return
        elif kind == "return_statement":
            words = next(functions(above[at:], data), ())
            decoys = spellings.LIST_DECOYS | spellings.DECOY_WORDS
            yield (_returned(above[at:]), route) if decoys.isdisjoint(words) else None
            return
        elif kind in _USES or (kind in _ARGUMENTS and not _is_list_call(parent, data)):
            yield None  # what else the texts are is not known
        elif kind not in _WRAPPERS:
            return
        child = node


def _value(node: Node) -> Node | None:
    field = _VALUES.get(node.type)
    if field == "":
        return node.named_children[-1]
    return node.child_by_field_name(field) if field else None


def _unwrapped(node: Node) -> Node:
    while node.type in _WRAPPERS and node.named_children:
        node = node.named_children[0]
    return node


def _key(pair: Node, data: bytes) -> str:
    key = pair.child_by_field_name("name") or pair.named_children[0]
    return text_of(key, data).strip("\"'`")


def _pairs(node: Node, data: bytes) -> Iterator[tuple[str, Node]]:
    for pair in map(_unwrapped, first_of(node)):
        if pair.type in _VALUES and (value := _value(pair)) is not None:
            yield _key(pair, data), value


def _is_record(keys: Iterable[str]) -> bool:
    """Whether the values of a mapping have different meanings."""
    return any(
        key_of(key).sure or {*key_of(key).words} & (spellings.RECORD | spellings.LIST_DECOYS)
        for key in keys
    )


def _is_thing(pairs: Mapping[str, Node], data: bytes) -> bool:
    """Whether a mapping is about a container, a file, or a variable of Kubernetes."""
    name = next((pairs[key] for key in ("name", "key") if key in pairs), None)
    return not spellings.THING.isdisjoint(pairs) or (
        name is not None
        and re.fullmatch(r"[A-Z][A-Z0-9_]+", "".join(_texts_of([name], (), data))) is not None
    )


def _texts_of(nodes: Iterable[Node], route: _Route, data: bytes) -> list[str]:
    """The texts at the end of this way from these nodes. A branch has several. Only the first."""
    texts: list[str] = []
    left = [(node, route) for node in nodes][::-1]
    for _ in range(_NODES):
        if not left or len(texts) == BESIDE:
            break
        node, way = left.pop()
        node = _unwrapped(node)
        if branches := branches_of(node):
            left += [(branch, way) for branch in reversed(branches)]
        elif not way:
            if node.type in STRINGS and node.type != "number":
                texts.append(content_of(node, data).decode("utf-8", "replace"))
        elif node.type == "jsx_element":
            left.append((node.named_children[0], way))
        elif node.type in _LISTS and isinstance(way[0], int):
            left += [(entry, way[1:]) for entry in first_of(node)[way[0] : way[0] + 1]]
        elif node.type in _MAPPINGS:
            left += [(value, way[1:]) for key, value in _pairs(node, data) if key == way[0]]
    return texts


def _returned(above: Iterable[Node]) -> Iterator[Node]:
    """What the nearest function returns."""
    function = next((node for node in above if node.type in FUNCTIONS), None)
    for node in islice(_inside(function), _NODES) if function is not None else ():
        if node.type == "return_statement":
            yield from node.named_children


def _inside(function: Node) -> Iterator[Node]:
    """The nodes in a function, without those in functions in it."""
    nodes = [*function.named_children]
    while nodes:
        node = nodes.pop()
        yield node
        if node.type not in FUNCTIONS | SEQUENCES | STRINGS:
            nodes += reversed(node.named_children)


@lru_cache(4)
def _searched(data: bytes) -> frozenset[bytes]:
    """The names of variables whose texts are looked for as parts of names."""
    names = {use[1] for use in re.finditer(rb"(?i)(?:starts|ends)_?with\((\w+)\)", data)}
    for use in re.finditer(_LOOPS, data):
        near = data[max(0, use.start() - 100) : use.end() + 200].decode("utf-8", "replace")
        looked_for = use[1].decode() if use[1] else r"\w+"
        if re.search(_SEARCHES.format(looked_for), near):
            names.add(use[2] or use[3])
    return frozenset(names)


def _is_list_call(node: Node, data: bytes) -> bool:
    """Whether a call makes a list, chooses from it, or has a name that says models."""
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    name = last_name(text_of(function, data))
    says = not spellings.MODEL_WORDS.isdisjoint(key_of(name).words)
    return says or name.lower() in spellings.LIST_CALLS


def is_shown(above: Sequence[Node], end: int, shown: str, data: bytes) -> bool:
    """Whether a text is a choice that a component shows which is named after models. `end`: where
    the search for keys ended in `above`. `shown`: the attribute of JSX that holds the text."""
    return (
        shown in spellings.JSX_CHOSEN
        and any(node.type == "jsx_attribute" for node in above[:end])
        and any("model" in words or "models" in words for words in functions(above, data))
    )
