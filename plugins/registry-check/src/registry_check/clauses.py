"""What commands, comparisons and cases tell about a string in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import nodes, spellings
from .keys import key_of, last_name
from .nodes import STRINGS
from .pairs import key_in
from .place import Climb, Place, branches_of, field_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMES = re.compile(r"[A-Za-z_]\w*")


def subscript(way: Climb) -> bool:
    """`PRICES["x"]`, but not `Literal["x"]`."""
    owner = way.node.child_by_field_name("value")
    name = "" if owner is None or owner == way.child else last_name(text_of(owner, way.data))
    if not name or name in ("Literal", "Optional", "Union", "list"):
        return False
    way.place.take(name)
    return True


def case(way: Climb) -> bool:
    """`case "x":`, of a `switch (model)`."""
    looked_for = ("value", "condition")
    value = next(filter(None, map(way.node.child_by_field_name, looked_for)), way.child)
    if value != way.child:
        return False
    node = next((node for node in way.around if node.type in nodes.SWITCHES), None)
    if node is not None:
        fields = map(node.child_by_field_name, ("subject", "value", "condition", "expr"))
        subject = next(filter(None, fields), None) or node.named_children[0]
        names = re.findall(r"[A-Za-z_]\w*(?!\w*\(\))", text_of(subject, way.data))
        way.place.take(names[-1] if names else "")
        way.place.strict = False
    way.ended = True
    return False


def compare(way: Climb) -> bool:
    """`model == "x"`, `"x" in models`."""
    node, child, data, place = way.node, way.child, way.data, way.place
    after = child.next_sibling if node.type == "comparison_operator" else None
    if after is not None and after.type in ("in", "not in"):
        # The text is a part of a name, unless the right side is a collection.
        name = last_name(text_of(node.named_children[-1], data))
        place.decoy = not name.endswith("s")
        if not place.decoy:
            place.take(name)
        return True
    if branches_of(node):  # get("model") ?? "x"
        names = _NAMES.findall(text_of(node.named_children[0], data))
        if any(place.take(name) for name in names[:-4:-1] if key_of(name).sure):
            return True
    for other in node.named_children:
        if (
            other != child
            and other.type not in STRINGS
            and place.take(last_name(text_of(other, data)))
        ):
            place.strict = False
            return True
    return node.type == "comparison_operator"


def command(way: Climb) -> bool:
    """`program --model x`."""
    name = field_of(way.node, "name", way.data)
    way.place.names.append(name)
    # A text that is not the value of an option may be a folder, or a repository.
    way.place.decoy = not text_of(way.child.prev_named_sibling, way.data).startswith("-")
    if not after_flag(way):
        _command_flag(way.child, name, way.data, way.place)
    return True


def _command_flag(child: Node, name: str, data: bytes, place: Place) -> None:
    """`--models x y`, `--arg model x`, `llm -m x`: an option before the text."""
    before = child.prev_named_sibling
    text = text_of(before, data)
    if text == "-m" and name in spellings.M_PROGRAMS:
        place.sure = place.strict = True
        return
    if before is not None and text_of(before.prev_named_sibling, data) in ("--arg", "--argjson"):
        place.take(text)
        return
    while before is not None and not text.startswith("-"):
        before = before.prev_named_sibling
        text = text_of(before, data)
    if key_of(text.lstrip("-")).many:
        place.take(text.lstrip("-"))
    elif text in ("--backup", "--fallback") and "--model" in text_of(child.parent, data).split():
        place.sure = True


def after_flag(way: Climb) -> bool:
    """Whether the text follows an option such as `--model`."""
    before = text_of(way.child.prev_named_sibling, way.data)
    flag = re.fullmatch(r"(?:- )?[\"']?--?([\w-]+)[\"']?", before)
    if flag is None:
        return False
    if flag[1] == "m":  # ["llm", "-m", "x"]
        program = text_of(way.node.named_children[0], way.data).strip("\"'")
        way.place.sure = way.place.strict = program in spellings.M_PROGRAMS
        return way.place.sure
    return way.place.take(flag[1])


def default(way: Climb) -> bool:
    """Of a parameter, which stands before it: `model: String = "x"`."""
    before = way.child.prev_named_sibling
    if before is None or before.type != "parameter":
        return False
    return way.place.take(key_in(before, way.data))


def literal(way: Climb) -> bool:
    """A field of a value whose type is named: `Model{ID: "x"}`."""
    return way.inner is not None and way.take(type_of(way.node, way.data))


def type_of(literal: Node, data: bytes) -> str:
    return last_name(field_of(literal, "type", data) or field_of(literal, "name", data))


def imported(way: Climb) -> bool:
    way.place.decoy = True
    return False
