"""The texts beside a text: the other entries of its list, column or class, the other branches of
its expression, the other values that its function returns. If all of them are names of models, it
is one, too, whatever the list is called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from . import nodes, spellings
from .definitions import functions
from .keys import is_list_decoy, key_of, last_name
from .nodes import ARMS, CALLS, FUNCTIONS, PAIRS, SEQUENCES, STRINGS
from .place import BESIDE, bare, branches_of, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

#: A search for a part of a name. Its `{}` is what is looked for.
_SEARCHES = (
    r"(?i:\.(?:starts_?with|ends_?with|includes|indexof|match|search|contains|hasprefix)"
    r"|start_with\?|include\?|\b(?:hasprefix|contains|str_\w+|strpos)\(\s*\S+?,)[\s(]*[$&]?{0}\b"
    r"|(?<!for )\b{0} (?:not )?in "
)
#: What may do so for each text in a variable.
_LOOPS = re.compile(
    rb"\bfor (?:const )?&?(\w+)(?:, \w+)* (?:in|of) &?(\w+)\b"
    rb"|\b(\w+)(?:\.(?:iter|stream)\(\))?\.(?:some|every|find|filter|(?i:any(?:match)?)\??) ?[({]"
    rb"|\bfor _, (?P<go>\w+) := range (?P<range>\w+)"
    rb"|\bfor(?:each)? ?\(\w+ (?P<each>\w+) (?:in|:) (?P<list>\w+)\)"
    rb"|\bforeach ?\(\$(?:this->)?(?P<array>\w+) as \$(?P<one>\w+)"
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
        if kind in ("field_expression", "call_expression") and string in (bare(node), bare(parent)):
            child = node  # "x".to_string()
            continue
        if kind in CALLS and child.type in nodes.GIVEN and makes_list(node, data):
            child = node
            continue
        if kind in ARMS or (kind in CALLS and _is_frozen(node, child, data)):
            if kind in ARMS and child != _last(node):
                return  # what is looked for
            child = node
            continue
        if kind in nodes.VALUES and _is_pair(node):
            if child != _value(node):
                return
            key = _key(node, data)
            if kind in nodes.VARIABLES and key.encode() in _searched(data):
                yield None
            continue
        if kind == "subscript" and child.type == "list":
            yield None  # columns of a table
        if branches := branches_of(node):
            if child not in branches:
                return  # a condition
            if not branches_of(parent):  # which has all of them
                yield branches, route
        elif kind in nodes.CHOICES:
            yield [_unwrapped(arm) for arm in first_of(node) if arm.type in ARMS], route
            return
        elif (kind in nodes.LISTS and not _has_pairs(node)) or (
            kind in nodes.GIVEN and (parent.type in nodes.ENTRIES or makes_list(parent, data))
        ):
            entries = first_of(node)
            if child not in entries:
                entries.append(child)
            yield entries, route
            route = (entries.index(child), *route)
        elif kind in nodes.TABLES or kind in nodes.LISTS:
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
        elif (kind in nodes.BODIES and parent.type in nodes.CLASSES) or (
            kind == "const_declaration" and _is_group(node)
        ):
            fields = {key: value for key, value in _pairs(node, data) if _is_text(value)}
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
        elif kind == "macro_invocation" and field_of(node, "macro", data) == "write":
            return  # each text for one case
        elif kind in nodes.USES or (kind in nodes.GIVEN and not _is_list_call(parent, data)):
            yield None  # what else the texts are is not known
        elif kind not in nodes.WRAPPERS and kind not in nodes.TAILED and kind not in PAIRS:
            return
        child = node


def _value(node: Node) -> Node | None:
    field = nodes.VALUES.get(node.type)
    last = node.named_children[-1]
    if field == "":
        return last
    found = node.child_by_field_name(field) if field else None
    if found is None and node.type == "variable_declarator" and last.type != "type_annotation":
        return last  # C# names no field
    return found


def _last(node: Node) -> Node:
    """The last node in it that is no comment."""
    code = [one for one in node.named_children if "comment" not in one.type]
    return code[-1] if code else node.named_children[-1]


def _is_text(value: Node) -> bool:
    """Also the only one of several, or the first argument."""
    node = _unwrapped(value)
    if node.type in nodes.GIVEN | {"expression_list"} and node.named_children:
        node = _unwrapped(node.named_children[0])
    return node.type in STRINGS


def _is_group(declaration: Node) -> bool:
    """Whether it holds the constants of Go, not the one of PHP."""
    first = declaration.named_child(0)
    return first is not None and first.type == "const_spec"


def _is_pair(node: Node) -> bool:
    """Not one of PHP's entries without a key."""
    return node.type not in PAIRS or node.named_child_count > 1


def _has_pairs(node: Node) -> bool:
    first = node.named_child(0)
    return first is not None and first.type in nodes.PAIRED and _is_pair(first)


def _unwrapped(node: Node) -> Node:
    while node.named_children:
        if node.type in nodes.WRAPPERS or (node.type in PAIRS and not _is_pair(node)):
            node = node.named_children[0]
        elif node.type in nodes.TAILED or node.type in ARMS:
            node = _last(node)
        else:
            break
    return bare(node)


def _key(pair: Node, data: bytes) -> str:
    names = (one for one in pair.named_children if not one.type.endswith("modifiers"))
    return text_of(pair.child_by_field_name("name") or next(names, None), data).strip("\"'`$")


def _pairs(node: Node, data: bytes) -> Iterator[tuple[str, Node]]:
    for pair in map(_unwrapped, first_of(node)):
        if pair.type in nodes.VALUES and (value := _value(pair)) is not None:
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


def _texts_of(begin: Iterable[Node], route: _Route, data: bytes) -> list[str]:
    """The texts at the end of this way from these nodes. A branch has several. Only the first."""
    texts: list[str] = []
    left = [(node, route) for node in begin][::-1]
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
        elif node.type in nodes.LISTS | nodes.GIVEN and isinstance(way[0], int):
            left += [(entry, way[1:]) for entry in first_of(node)[way[0] : way[0] + 1]]
        elif node.type in nodes.TABLES | nodes.LISTS:
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
    left = [*function.named_children]
    while left:
        node = left.pop()
        yield node
        if node.type not in FUNCTIONS | SEQUENCES | STRINGS:
            left += reversed(node.named_children)


@lru_cache(4)
def _searched(data: bytes) -> frozenset[bytes]:
    """The names of variables whose texts are looked for as parts of names."""
    names = {use[1] for use in re.finditer(rb"(?i)(?:starts|ends)_?with\((\w+)\)", data)}
    for use in re.finditer(_LOOPS, data):
        near = data[max(0, use.start() - 100) : use.end() + 200].decode("utf-8", "replace")
        one = use[1] or use["go"] or use["each"] or use["one"]
        looked_for = one.decode() if one else r"\w+"
        if re.search(_SEARCHES.format(looked_for), near):
            names.add(use[2] or use[3] or use["range"] or use["list"] or use["array"])
    return frozenset(names)


def _is_list_call(node: Node, data: bytes) -> bool:
    """Whether a call makes a list, chooses from it, or has a name that says models."""
    name = _called(node, data)
    says = not spellings.MODEL_WORDS.isdisjoint(key_of(name).words)
    return says or name.lower() in spellings.LIST_CALLS or name == "Ok"


def makes_list(call: Node, data: bytes) -> bool:
    """Whether its arguments are the entries: `List.of("x", "y")`."""
    return call.type in CALLS and spellings.LISTS_OF.fullmatch(_called(call, data)) is not None


def _is_frozen(call: Node, child: Node, data: bytes) -> bool:
    """`%w[x y].freeze`, `vec!["x", "y"]`."""
    if call.type == "macro_invocation":
        return field_of(call, "macro", data) == "vec"
    return (
        call.child_by_field_name("receiver") == child and field_of(call, "method", data) == "freeze"
    )


def _called(call: Node, data: bytes) -> str:
    named = map(call.child_by_field_name, ("function", "constructor", "name", "method", "type"))
    return last_name(text_of(next(filter(None, named), call.named_child(0)), data))


def is_shown(above: Sequence[Node], end: int, shown: str, data: bytes) -> bool:
    """Whether a text is a choice that a component shows which is named after models. `end`: where
    the search for keys ended in `above`. `shown`: the attribute of JSX that holds the text."""
    return (
        shown in spellings.JSX_CHOSEN
        and any(node.type == "jsx_attribute" for node in above[:end])
        and any("model" in words or "models" in words for words in functions(above, data))
    )
