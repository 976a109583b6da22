"""The place of a text in a syntax tree, and what the code around it tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from . import nodes, spellings
from .clauses import after_flag, call, case, command, compare, subscript, type_of
from .definitions import annotation, given, type_around
from .grammars import BRACES
from .keys import key_of, last_name
from .nodes import FLAT, KEYED, PAIRS, SEQUENCES, SIGNS, STRINGS
from .peers import is_shown, peers_of
from .place import BESIDE, Place, bare, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_ENUM = re.compile(r"Enum\b|Choices\b")
_LEVELS = 3
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
    "ruby": (frozenset(b"\"' [("), frozenset(b"\"' ])")),  # also %w[x y]
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

    def __init__(self, root: Node) -> None:
        self.is_broken = root.has_error
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
        _climb(string, above, data, place)
        place.peers = cache(partial(peers_of, string, above, data))
        return place
    if above and above[0].type == "keyword_argument" and _key(above[0], data) in spellings.HELP:
        return None
    return _embedded(before, data, end)


def _embedded(before: bytes, data: bytes, end: int) -> Place | None:
    """The place of a name in a longer text. `before`: the text before it, in its line."""
    if EMBEDDED.search(before) and AFTER.match(data, end) and not COMMENT.search(before):
        strict = _STRICTLY.search(before) is not None
        return Place(sure=True, strict=strict, names=[before.decode("utf-8", "replace")])
    return None


def _key(node: Node, data: bytes) -> str:
    if node.type == "table" or node.type == "table_array_element":
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


def _is_value(node: Node, child: Node) -> bool:
    key = _key_node(node)
    if key is None or key == child:
        return False
    _, fields = KEYED[node.type]
    values = [value for name in fields if name and (value := node.child_by_field_name(name))]
    # TOML, JSX and typed parameters name no fields.
    return any(value == child for value in values) if values else key.start_byte < child.start_byte


def _climb(string: Node, above: Sequence[Node], data: bytes, place: Place) -> None:
    """Note what the nodes above a string tell about it, until its key is found. Also notes keys
    and values beside it."""
    child = string
    inner: str | None = None
    settled = False
    for at, node in enumerate(above):
        if len(place.siblings) == _LEVELS:
            break
        kind = node.type
        if (kind in nodes.MAPPINGS or kind in FLAT) and not _is_returned(above[at:]):
            beside = dict(_pairs(node, data))
            if beside or kind not in FLAT:
                place.siblings.append(beside)
            if inner in ("value", "default") and not settled:  # {"name": "MODEL", "value": "x"}
                settled = place.take(beside.get("name") or beside.get("key") or "")
            if inner in ("fallback", "fallbacks") and "model" in beside and not settled:
                settled = place.sure = True
        if kind in nodes.CALLS:
            settled = call(node, child, (string, above[0]), data, place, settled, inner)
        elif kind in FLAT and (key := _key_beside(node, child, data)):
            settled = settled or place.take(key, inner)
            inner = inner or key
        elif kind in FLAT and text_of(_beside(node, child)[2], data) in SIGNS:
            place.is_key = True
        elif settled:
            if kind in PAIRS and _is_value(node, child):
                place.names.append(_key(node, data))
        elif kind in KEYED and _is_value(node, child):
            key = _key(node, data)
            settled = place.take(key, None if kind == "enum_declaration" else inner)
            if not settled and inner is None and (named := field_of(node, "type", data)):
                settled = place.take(last_name(named))
            if kind != "expansion":
                inner = inner or key
        elif kind in PAIRS and node.named_child_count > 1:
            place.is_key = True  # the name of the mapping counts
        elif child.type == "element_binding_expression":
            place.is_key = True
        elif kind in nodes.COMPARED:
            settled = compare(node, child, data, place)
        elif kind == "command":
            settled = command(node, child, data, place)
        elif kind in SEQUENCES:
            settled = after_flag(child, data, place)
        elif kind == "subscript":
            settled = subscript(node, child, data, place)
        elif kind in nodes.CASES and _is_looked_for(node, child):
            case(above[at:], data, place)
            break
        elif inner is not None and kind in ("composite_literal", "struct_expression"):
            settled = place.take(type_of(node, data), inner)
        elif kind in nodes.ANNOTATIONS:
            annotation(string, above[at:], data, place)
            break
        elif kind in nodes.PARAMETERS and (before := child.prev_named_sibling) is not None:
            settled = before.type == "parameter" and place.take(_key(before, data))
        elif kind in nodes.TYPES:
            type_around(node, inner, data, place)
        elif kind == "import_spec":
            place.decoy = True
        elif kind == "class_definition" and _ENUM.search(field_of(node, "superclasses", data)):
            place.take(field_of(node, "name", data))
        if kind in nodes.ENDS:
            if not (settled or place.siblings or place.is_key):
                if inner is None:
                    given(string, above, data, place)
                else:
                    place.sure = place.sure or is_shown(above, at, inner, data)
            break
        child = node
    if place.is_spare and _is_alias(string, data):
        place.is_key = True
    else:
        place.sure = place.sure or (place.is_spare and not place.decoy)
    if place.siblings and "litellm_params" in place.siblings[0] and inner == "model_name":
        place.sure, place.is_key = False, True  # a name that the user gives to the model beside it


def _is_returned(above: Sequence[Node]) -> bool:
    """Whether these are no arguments, but what Ruby's `return` gives."""
    return len(above) > 1 and above[1].type == "return"


def _is_alias(string: Node, data: bytes) -> bool:
    """Whether a configuration of LiteLLM gives this name to one of its models."""
    name = re.escape(content_of(string, data))
    return re.search(rb"model_name[\"']?: *[\"']?%b[\"']?[ \r]*[,\n]" % name, data) is not None


def _pairs(mapping: Node, data: bytes) -> Iterator[tuple[str, str]]:
    """Keys and values of a mapping, or keywords of a call. Only the first ones of long ones."""
    if mapping.type in FLAT:
        for at in range(min(mapping.child_count, BESIDE)):
            if (child := mapping.child(at)) and (key := _key_beside(mapping, child, data)):
                yield key, text_of(child, data).strip("\"'`")
        return
    for node in map(bare, first_of(mapping)):
        if node.type in KEYED and node.type not in ("table", "table_array_element"):
            values = [node.child_by_field_name(name) for name in KEYED[node.type][1] if name]
            value = next(filter(None, values), None) or node.named_children[-1]
            yield _key(node, data), text_of(value, data).strip("\"'`")
        elif node.type in FLAT:
            yield from _pairs(node, data)
        elif node.type in (
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        ):
            yield text_of(node, data), ""


def _key_beside(node: Node, value: Node, data: bytes) -> str:
    """The key of a value in a node where keys, signs and values stand in turn."""
    key, sign, _ = _beside(node, value)
    return last_name(text_of(key, data)) if text_of(sign, data) in SIGNS else ""


def _beside(node: Node, child: Node) -> tuple[Node | None, Node | None, Node | None]:
    """The two nodes before it, and the one after it."""
    if node.type == "infix_expression":  # the parser looks for siblings from the root on
        first, sign = node.child(0), node.child(1)
        return (None, None, sign) if child == first else (first, sign, None)
    before = child.prev_sibling
    return before and before.prev_sibling, before, child.next_sibling


def _is_looked_for(case: Node, child: Node) -> bool:
    value = case.child_by_field_name("value") or case.child_by_field_name("condition")
    return value is None or value == child
