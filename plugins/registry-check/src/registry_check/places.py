"""Where a text stands in a syntax tree, and what its neighbours say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
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
    "for_statement": ("left", ("right",)),
    "for_in_clause": ("left", ("right",)),
    "for_in_statement": ("left", ("right",)),
    "expansion": ("", ("",)),
    "enum_assignment": ("name", ("value",)),
    "enum_declaration": ("name", ("body",)),
}
PAIRS = frozenset({"pair", "block_mapping_pair", "flow_pair"})
SEQUENCES = frozenset({"list", "array", "flow_sequence", "block_sequence", "tuple"})
CASES = frozenset({"case_clause", "switch_case"})
COMPARED = frozenset({"comparison_operator", "binary_expression", "boolean_operator"})
CALLS = frozenset({"call", "call_expression", "new_expression"})
MAPPINGS = frozenset(
    {"dictionary", "object", "block_mapping", "flow_mapping", "argument_list", "arguments",
     "table", "table_array_element", "inline_table", "document"}
)  # fmt: skip
#: What ends the search for a key.
_ENDS = frozenset(
    {"module", "program", "function_definition", "class_definition", "function_declaration",
     "case_clause", "switch_case", "class_declaration", "method_definition", "arrow_function",
     "class_body", "statement_block", "if_statement", "stream", "return_statement"}
)  # fmt: skip
_LEVELS = 3
#: So many nodes above, and so many beside, are looked at.
_STEPS, BESIDE = 64, 60

#: What stands directly before a model's name inside a longer text.
EMBEDDED = re.compile(
    rb"""(?x)(?:
      # --model x, --model=x, "--model", "x"
      (?:^|[\s"'\\;&|(\[,])--?[\w-]*(?:model|engine|deployment)(?:[-_](?:name|id))?
        (?:[ =\t]|\\?["'],[ ]?)[ ]*\\?["']?
    # A_MODEL="x", model=x
    | (?:^|[\s"'`\\;&|({,?])(?:[\w.-]*_)?(?:MODEL|MODEL_NAME|MODEL_ID|ENGINE|DEPLOYMENT)
        =\\?["']?
    | (?:^|[\s"'`\\;&|({,?])[\w.]*(?:model|engine|deployment|model_name|model_id|modelId)=
    # ${A_MODEL:-x}
    | \$\{(?:\w*_)?(?:MODEL|MODEL_NAME|MODEL_ID):?[-=]
    # "model": "x"
    | \\?["'](?:[\w-]*_)?(?:model|engine|deployment|model_name|model_id|modelId|modelName)
        \\?["']\s*:\s*\\?["']
    # a line of YAML or INI
    | (?:^|\n)[ \t]*(?:-[ ])?(?:[\w-]*_)?(?:MODEL|model|model_name|model_id)[ ]?[:=][ ]+["']?
    )$"""
)
COMMENT = re.compile(rb"(?:^|\n)[ \t]*(?:#|//)[^\n]*$")
AFTER = re.compile(rb"$|[\s\"'\\,;&|)}\]`<]")


@define
class Place:
    """What the code around a text says of it."""

    whole: bool = False
    """It is the whole of a string or scalar, so no prose."""
    sure: bool = False
    strict: bool = False
    decoy: bool = False
    is_key: bool = False
    is_called: bool = False
    siblings: list[dict[str, str]] = field(factory=list)
    """Keys and values beside it, of the nearest mapping or call first."""
    names: list[str] = field(factory=list)
    """Names of keys and functions that may name a provider."""

    @property
    def strange(self) -> bool:
        """What stands beside it says that this is no language model."""
        return bool(self._beside(1) & spellings.STRANGE_SIBLINGS)

    @property
    def kin(self) -> bool:
        """What stands beside it says that this is one."""
        return bool(self._beside(2) & spellings.KIN)

    def _beside(self, levels: int) -> set[str]:
        return {key.lower() for one in self.siblings[:levels] for key in one}

    def take(self, name: str, inner: str | None = None) -> bool:
        """Note a key; whether it settles the matter. `inner`: the key of its mapping that leads
        to the text."""
        if name.lower() in spellings.TRANSPARENT_KEYS:
            return False
        key = key_of(name)
        within = inner is not None
        self.names.append(name)
        many = key.many and inner is not None and not is_decoy(inner)
        if key.sure and (inner is None or many or inner.lower() in spellings.NAME_KEYS):
            self.sure, self.strict = True, self.strict or key.strict
            return True
        self.decoy = self.decoy or (not within and is_decoy(name))
        return False


def place_of(root: Node, data: bytes, start: int, end: int) -> Place | None:
    """The place of `data[start:end]`; None in comments, and in what is no text."""
    leaf = root.descendant_for_byte_range(start, end)
    string = None
    node = leaf
    for _ in range(_STEPS):
        if node is None or "comment" in node.type:
            break
        if node.type in STRINGS:
            string = node
        elif string is not None:
            break
        node = node.parent
    if node is not None and "comment" in node.type:
        return None
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
    if EMBEDDED.search(before) and AFTER.match(data, end) and not COMMENT.search(before):
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
    _, values = KEYED[node.type]
    found = [one for name in values if name and (one := node.child_by_field_name(name))]
    if found:
        return any(one == child for one in found)
    # TOML, JSX and typed parameters name no fields.
    return bool(node.named_children) and node.named_children[0] != child


def _climb(string: Node, data: bytes, place: Place) -> None:
    """Note what the nodes above a string say of it, until its key is found, and what stands
    beside it on the way."""
    child, node = string, string.parent
    inner: str | None = None
    settled = False
    for _ in range(_STEPS):
        if node is None or len(place.siblings) == _LEVELS:
            break
        kind = node.type
        if kind in MAPPINGS:
            beside = dict(_pairs(node, data))
            place.siblings.append(beside)
            if inner == "value" and not settled:  # as Kubernetes writes variables
                settled = place.take(beside.get("name") or beside.get("key") or "")
            if inner in ("fallback", "fallbacks") and "model" in beside and not settled:
                settled = place.sure = True
        if kind in CALLS:
            settled = _call(node, child, string, data, place, settled)
        elif settled:
            if kind in PAIRS and _is_value(node, child):
                place.names.append(_key(node, data))
        elif kind in KEYED and _is_value(node, child):
            key = _key(node, data)
            settled = place.take(key, None if kind == "enum_declaration" else inner)
            if not settled and inner is None and (said := _field(node, "type", data)):
                settled = place.take(last_name(said))
            inner = inner or key
        elif kind in PAIRS:
            place.is_key = True  # what counts is what the mapping is called
        elif kind in COMPARED:
            settled = _compare(node, child, data, place)
        elif kind == "command":
            settled = _command(node, child, data, place)
        elif kind in SEQUENCES:
            settled = _after_flag(child, data, place)
        elif kind == "subscript":
            settled = _subscript(node, child, data, place)
        elif kind in CASES:
            _case(node, data, place)
        elif kind == "class_definition" and "Enum" in _field(node, "superclasses", data):
            place.take(_field(node, "name", data))
        if kind in _ENDS:
            break
        child, node = node, node.parent
    if place.siblings and "litellm_params" in place.siblings[0] and inner == "model_name":
        place.sure = False  # a name of the user's own, for what stands beside it


def _subscript(node: Node, child: Node, data: bytes, place: Place) -> bool:
    """`PRICES["x"]`, but not `Literal["x"]`."""
    owner = node.child_by_field_name("value")
    name = "" if owner is None or owner == child else last_name(_text(owner, data))
    if not name or name in ("Literal", "Optional", "Union", "list"):
        return False
    place.take(name)
    return True


def _case(node: Node, data: bytes, place: Place) -> None:
    above: Node | None = node
    while above is not None and above.type not in ("match_statement", "switch_statement"):
        above = above.parent
    if above is not None:
        subject = _field(above, "subject", data) or _field(above, "value", data)
        place.take(last_name(subject.strip("() ")))


def _field(node: Node, name: str, data: bytes) -> str:
    return _text(node.child_by_field_name(name), data)


def _compare(node: Node, child: Node, data: bytes, place: Place) -> bool:
    after = child.next_sibling
    if node.type == "comparison_operator" and after is not None and after.type in ("in", "not in"):
        # A part of a name, unless it is looked for in many.
        name = last_name(_text(node.named_children[-1], data))
        place.decoy = not name.endswith("s")
        if not place.decoy:
            place.take(name)
        return True
    for other in node.named_children:
        if (
            other != child
            and other.type not in STRINGS
            and place.take(last_name(_text(other, data)))
        ):
            place.strict = False
            return True
    return node.type == "comparison_operator"


def _command(node: Node, child: Node, data: bytes, place: Place) -> bool:
    name = _field(node, "name", data)
    place.names.append(name)
    # What is no option's value may be a folder, or a repository.
    place.decoy = not _text(child.prev_named_sibling, data).startswith("-")
    if not _after_flag(child, data, place):
        _command_flag(child, name, data, place)
    return True


def _command_flag(child: Node, name: str, data: bytes, place: Place) -> None:
    """`--models x y`, `--arg model x`, `llm -m x`: an option further before."""
    before = child.prev_named_sibling
    text = _text(before, data)
    if text == "-m" and name in spellings.M_PROGRAMS:
        place.sure = place.strict = True
        return
    if before is not None and _text(before.prev_named_sibling, data) in ("--arg", "--argjson"):
        place.take(text)
        return
    while before is not None and not text.startswith("-"):
        before = before.prev_named_sibling
        text = _text(before, data)
    if key_of(text.lstrip("-")).many:
        place.take(text.lstrip("-"))


def _after_flag(child: Node, data: bytes, place: Place) -> bool:
    """`--model`, then the text."""
    flag = re.fullmatch(r"(?:- )?[\"']?--?([\w-]+)[\"']?", _text(child.prev_named_sibling, data))
    return flag is not None and place.take(flag[1])


def _call(node: Node, child: Node, string: Node, data: bytes, place: Place, settled: bool) -> bool:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if function is None:
        return settled
    if function == child:
        return settled or _looked_for(node, function, string, data, place)
    code = re.sub(r"\s+", "", _text(function, data))
    name = last_name(code)
    nearest, place.is_called = not place.is_called, True
    if nearest and name in spellings.PARTIAL_CALLS:
        place.decoy, place.sure = True, False
        return True
    place.names.append(name)
    if settled:
        return True
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    factory = (
        spellings.FACTORIES.fullmatch(code)
        or spellings.CREATED.fullmatch(code)
        or _created(code, data)
    )
    if given and given[0] == string and (factory or spellings.CALLS.fullmatch(name)):
        place.sure, place.strict = True, name not in spellings.LOOSE_CALLS
        if factory:
            place.names.append(factory[1])
        return True
    if name.lower() not in spellings.TRANSPARENT_CALLS:
        return True
    labels = (one for one in given if _field(one, "name", data) in ("label", "name"))
    said = [one for one in given if one.type in STRINGS and one not in (child, string)]
    said += [one for label in labels if (one := label.child_by_field_name("value"))]
    return any(
        place.take(_content(one, data).decode("utf-8", "replace").lstrip("-")) for one in said
    )


def _looked_for(node: Node, function: Node, string: Node, data: bytes, place: Place) -> bool:
    """`["x", "y"].includes(model)`."""
    arguments = node.child_by_field_name("arguments")
    if string.parent is None or string.parent.type not in SEQUENCES or not arguments:
        return False
    name = last_name(_text(function, data).rpartition(".")[2])
    given = arguments.named_children
    if name not in spellings.MEMBERSHIP or not given:
        return False
    settled = place.take(last_name(_text(given[0], data)))
    place.strict = False
    return settled


@lru_cache(64)
def _created(name: str, data: bytes) -> re.Match[str] | None:
    """`const name = createOpenAI(…)`, earlier in the file."""
    made = re.search(rb"\b%b\s*=\s*create([A-Z]\w+)\(" % re.escape(name.encode()), data)
    return re.fullmatch(r"(\w+)", made[1].decode()) if made else None


def _pairs(mapping: Node, data: bytes) -> Iterator[tuple[str, str]]:
    """Keys and values of a mapping, or of the keywords of a call; of long ones the first."""
    for at in range(min(mapping.named_child_count, BESIDE)):
        node = mapping.named_child(at)
        if node is None:
            return
        if node.type in KEYED and node.type not in ("table", "table_array_element"):
            values = [node.child_by_field_name(one) for one in KEYED[node.type][1] if one]
            value = next(filter(None, values), None) or node.named_children[-1]
            yield _key(node, data), _text(value, data).strip("\"'`")
        elif node.type in (
            "shorthand_property_identifier",
            "shorthand_property_identifier_pattern",
        ):
            yield _text(node, data), ""
