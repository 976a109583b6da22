"""Where a text stands in a syntax tree, and what its neighbours say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import define, field

from . import spellings
from .keys import is_decoy, key_of, last_name

if TYPE_CHECKING:
    from tree_sitter import Node

STRINGS = frozenset(
    {"string", "template_string", "plain_scalar", "double_quote_scalar", "single_quote_scalar",
     "block_scalar", "raw_string", "word", "concatenation", "concatenated_string", "string_scalar",
     "jsx_text", "regex", "heredoc_body", "ansi_c_string", "number", "command_name"}
)  # fmt: skip
#: Type of a node → the fields with its key and its values.
KEYED = {
    "keyword_argument": ("name", ("value",)),
    "pair": ("key", ("value",)),
    "assignment": ("left", ("right", "type")),
    "augmented_assignment": ("left", ("right",)),
    "named_expression": ("name", ("value",)),
    "default_parameter": ("name", ("value",)),
    "typed_default_parameter": ("name", ("value", "type")),
    "typed_parameter": ("", ("type",)),
    "type_alias_statement": ("left", ("right",)),
    "variable_declarator": ("name", ("value", "type")),
    "assignment_expression": ("left", ("right",)),
    "augmented_assignment_expression": ("left", ("right",)),
    "assignment_pattern": ("left", ("right",)),
    "object_assignment_pattern": ("left", ("right",)),
    "required_parameter": ("pattern", ("value", "type")),
    "optional_parameter": ("pattern", ("value", "type")),
    "public_field_definition": ("name", ("value", "type")),
    "field_definition": ("property", ("value",)),
    "property_signature": ("name", ("type",)),
    "type_alias_declaration": ("name", ("value",)),
    "jsx_attribute": ("", ("",)),
    "block_mapping_pair": ("key", ("value",)),
    "flow_pair": ("key", ("value",)),
    "variable_assignment": ("name", ("value",)),
    "table": ("", ("",)),
    "table_array_element": ("", ("",)),
    "enum_assignment": ("name", ("value",)),
}
COMPARED = frozenset({"comparison_operator", "binary_expression", "boolean_operator"})
CALLS = frozenset({"call", "call_expression", "new_expression"})
MAPPINGS = frozenset(
    {"dictionary", "object", "block_mapping", "flow_mapping", "argument_list", "arguments",
     "table", "table_array_element", "inline_table", "document"}
)  # fmt: skip
#: What ends the search for a key.
_ENDS = frozenset(
    {"module", "program", "function_definition", "class_definition", "function_declaration",
     "class_declaration", "method_definition", "arrow_function", "class_body", "statement_block",
     "expression_statement", "if_statement", "stream", "return_statement"}
)  # fmt: skip
_LEVELS = 3

#: What stands directly before a model's name inside a longer text.
EMBEDDED = re.compile(
    rb"""(?x)(?:
      (?:^|[\s"'\\;&|(\[,])--?[\w-]*(?:model|engine|deployment)(?:[-_](?:name|id))?(?:[ =\t]|\\?["'],[ ]?)[ ]*\\?["']?
    | (?:^|[\s"'`\\;&|({,?])-?D?(?:[\w.-]*_)?(?:MODEL|MODEL_NAME|MODEL_ID|model|engine|deployment|model_name|model_id|modelId|modelName)=\\?["']?
    | \\?["'](?:[\w-]*_)?(?:model|engine|deployment|model_name|model_id|modelId|modelName)\\?["']\s*:\s*\\?["']
    | (?:^|\n)[ \t]*(?:-[ ])?(?:[\w-]*_)?(?:MODEL|model|model_name|model_id)[ ]?[:=][ ]+["']?
    )$"""
)
AFTER = re.compile(rb"$|[\s\"'\\,;&|)}\]`<]")


@define
class Place:
    """What the code around a text says of it."""

    whole: bool = False
    """It is the whole of a string or scalar, so no prose."""
    sure: bool = False
    strict: bool = False
    decoy: bool = False
    kin: bool = False
    strange: bool = False
    siblings: list[dict[str, str]] = field(factory=list)
    """Keys and values beside it, of the nearest mapping or call first."""
    names: list[str] = field(factory=list)
    """Names of keys and functions that may name a provider."""

    def take(self, name: str, within: bool = False) -> bool:
        """Note a key; whether it settles the matter."""
        if name.lower() in spellings.TRANSPARENT_KEYS:
            return False
        key = key_of(name)
        self.names.append(name)
        if key.sure:
            self.sure, self.strict = True, self.strict or key.strict
            return True
        self.decoy = self.decoy or (not within and is_decoy(name))
        return False


def place_of(root: Node, data: bytes, start: int, end: int) -> Place | None:
    """The place of `data[start:end]`; None in comments, and in what is no text."""
    leaf = root.descendant_for_byte_range(start, end)
    string = None
    node = leaf
    while node is not None:
        if "comment" in node.type:
            return None
        if node.type in STRINGS:
            string = node
        elif string is not None:
            break
        node = node.parent
    if string is None:
        return None
    parent = string.parent
    if parent is not None and parent.type == "expression_statement":
        return None  # a docstring
    place = Place()
    content = _content(string, data)
    place.whole = content == data[start:end]
    if place.whole:
        _climb(string, data, place)
        return place
    line = max(data.rfind(b"\n", 0, start), string.start_byte - 1, start - 200) + 1
    before = data[max(string.start_byte, line - 1) : start]
    if EMBEDDED.search(before) and AFTER.match(data, end):
        place.sure = place.strict = True
        place.names.append(before.decode("utf-8", "replace"))
        return place
    return None


def _content(string: Node, data: bytes) -> bytes:
    text = data[string.start_byte : string.end_byte]
    if string.type in ("plain_scalar", "word", "string_scalar", "number", "command_name"):
        return text
    while text[:1] in b"rRbBuUfF" and text[1:2] in b"\"'rRbBfF" and len(text) > 1:
        text = text[1:]
    for quote in (b'"""', b"'''", b'"', b"'", b"`"):
        if text.startswith(quote) and text.endswith(quote) and len(text) >= 2 * len(quote):
            return text[len(quote) : -len(quote)]
    return text


def _text(node: Node | None, data: bytes) -> str:
    if node is None or node.end_byte - node.start_byte > 300:
        return ""
    return data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _key(node: Node, data: bytes) -> str:
    name = KEYED[node.type][0]
    if node.type == "table" or node.type == "table_array_element":
        parts = _text(node.named_children[0] if node.named_children else None, data).split(".")
        return next((one for one in parts if key_of(one).sure), parts[-1])
    found = node.child_by_field_name(name) if name else None
    if found is None and node.named_children:
        found = node.named_children[0]
    return last_name(_text(found, data))


def _is_value(node: Node, child: Node) -> bool:
    key, values = KEYED[node.type]
    found = [one for name in values if name and (one := node.child_by_field_name(name))]
    if found:
        return any(one == child for one in found)
    # TOML, JSX and typed parameters name no fields.
    return bool(node.named_children) and node.named_children[0] != child


def _climb(string: Node, data: bytes, place: Place) -> None:
    child, node = string, string.parent
    settled = False
    levels = mappings = 0
    while node is not None and levels < _LEVELS:
        kind = node.type
        if kind in MAPPINGS:
            levels += 1
            place.siblings.append(dict(_pairs(node, data)))
        if not settled and kind in KEYED:
            if _is_value(node, child):
                settled = place.take(_key(node, data), within=mappings > 0)
                if not settled and node.type not in ("table", "table_array_element"):
                    mappings += 1
                if mappings > 2:
                    settled = True
            elif kind in ("pair", "block_mapping_pair", "flow_pair"):
                pass  # it is a key: what counts is what the mapping is called
        elif not settled and kind in COMPARED:
            settled = _compare(node, child, data, place)
        elif not settled and kind == "command":
            settled = _command(node, child, data, place)
        elif kind in CALLS:
            settled = _call(node, child, string, data, place, settled) or settled
        elif kind == "subscript" and not settled:
            owner = node.child_by_field_name("value")
            if owner is not None and owner != child:
                name = last_name(_text(owner, data))
                settled = name not in ("Literal", "Optional", "Union", "list") and (
                    place.take(name) or True
                )
        elif kind in ("case_clause", "switch_case") and not settled:
            above: Node | None = node
            while above is not None and above.type not in ("match_statement", "switch_statement"):
                above = above.parent
            if above is not None:
                subject = above.child_by_field_name("subject") or above.child_by_field_name("value")
                place.take(last_name(_text(subject, data).strip("() ")))
            return
        elif kind in _ENDS and kind not in ("stream",):
            break
        child, node = node, node.parent
    keys = {key.lower() for one in place.siblings[:2] for key in one}
    near = {key.lower() for one in place.siblings[:1] for key in one}
    place.strange = bool(near & spellings.STRANGE_SIBLINGS)
    place.kin = bool(keys & spellings.KIN)


def _compare(node: Node, child: Node, data: bytes, place: Place) -> bool:
    for other in node.named_children:
        if other != child and other.type not in STRINGS and place.take(
            last_name(_text(other, data))
        ):
            place.strict = False
            return True
    return node.type == "comparison_operator"


def _command(node: Node, child: Node, data: bytes, place: Place) -> bool:
    before = child.prev_sibling
    flag = _text(before, data)
    if flag.startswith("-"):
        place.take(flag.lstrip("-"))
    place.names.append(_text(node.child_by_field_name("name"), data))
    return True


def _call(node: Node, child: Node, string: Node, data: bytes, place: Place, settled: bool) -> bool:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if function is None or function == child:
        return False
    code = re.sub(r"\s+", "", _text(function, data))
    name = last_name(code)
    place.names.append(name)
    if settled:
        return True
    arguments = node.child_by_field_name("arguments")
    first = next(iter(arguments.named_children), None) if arguments is not None else None
    # Past `default=`, which stands for the argument as a whole.
    direct = first is not None and (first == string or first.start_byte <= string.start_byte < first.end_byte)
    if direct and first == string and (
        spellings.CALLS.fullmatch(name) or spellings.FACTORIES.fullmatch(code)
    ):
        place.sure = True
        place.strict = True
        if name == "Agent" or name in ("resolve", "getModel", "get_model"):
            place.strict = False
        factory = spellings.FACTORIES.fullmatch(code)
        if factory:
            place.names.append(factory[1])
        return True
    if name.lower() in spellings.TRANSPARENT_CALLS and arguments is not None:
        for other in arguments.named_children:
            if other != child and other.type in STRINGS and other != string:
                if place.take(_content(other, data).decode("utf-8", "replace").lstrip("-")):
                    return True
        return False
    return True


def _pairs(mapping: Node, data: bytes) -> Iterator[tuple[str, str]]:
    """Keys and values of a mapping, or of the keywords of a call; of long ones the first."""
    for node in mapping.named_children[:60]:
        if node.type in KEYED and node.type not in ("table", "table_array_element"):
            values = [node.child_by_field_name(one) for one in KEYED[node.type][1] if one]
            value = next(filter(None, values), None) or node.named_children[-1]
            yield _key(node, data), _text(value, data).strip("\"'`")
        elif node.type in ("shorthand_property_identifier", "shorthand_property_identifier_pattern"):
            yield _text(node, data), ""
