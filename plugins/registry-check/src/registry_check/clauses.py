"""What calls, commands, comparisons and cases tell about a text in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from . import spellings
from .keys import key_of, last_name
from .place import SEQUENCES, STRINGS, Place, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


def subscript(node: Node, child: Node, data: bytes, place: Place) -> bool:
    """`PRICES["x"]`, but not `Literal["x"]`."""
    owner = node.child_by_field_name("value")
    name = "" if owner is None or owner == child else last_name(text_of(owner, data))
    if not name or name in ("Literal", "Optional", "Union", "list"):
        return False
    place.take(name)
    return True


def case(above: Iterable[Node], data: bytes, place: Place) -> None:
    of = (node for node in above if node.type in ("match_statement", "switch_statement"))
    if (node := next(of, None)) is not None:
        subject = field_of(node, "subject", data) or field_of(node, "value", data)
        place.take(last_name(subject.strip("() ")))


def compare(node: Node, child: Node, data: bytes, place: Place) -> bool:
    after = child.next_sibling
    if node.type == "comparison_operator" and after is not None and after.type in ("in", "not in"):
        # The text is a part of a name, unless the right side is a collection.
        name = last_name(text_of(node.named_children[-1], data))
        place.decoy = not name.endswith("s")
        if not place.decoy:
            place.take(name)
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


def command(node: Node, child: Node, data: bytes, place: Place) -> bool:
    name = field_of(node, "name", data)
    place.names.append(name)
    # A text that is not the value of an option may be a folder, or a repository.
    place.decoy = not text_of(child.prev_named_sibling, data).startswith("-")
    if not after_flag(child, data, place):
        _command_flag(child, name, data, place)
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


def after_flag(child: Node, data: bytes, place: Place) -> bool:
    """Whether the text follows an option such as `--model`."""
    flag = re.fullmatch(r"(?:- )?[\"']?--?([\w-]+)[\"']?", text_of(child.prev_named_sibling, data))
    return flag is not None and place.take(flag[1])


def call(
    node: Node,
    child: Node,
    within: tuple[Node, Node],
    data: bytes,
    place: Place,
    settled: bool,
) -> bool:
    """`within`: the text, and the node above it."""
    string, parent = within
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    if function is None:
        return settled
    if function == child:
        return settled or _looked_for(node, function, parent, data, place)
    code = re.sub(r"\s+", "", text_of(function, data))
    name = last_name(code)
    nearest, place.is_called = not place.is_called, True
    if nearest and name in spellings.PARTIAL_CALLS:
        place.decoy, place.sure = True, False
        return True
    place.names.append(name)
    if settled:
        return True
    arguments = node.child_by_field_name("arguments")
    given = first_of(arguments) if arguments is not None else []
    factory = (
        spellings.FACTORIES.fullmatch(code)
        or spellings.CREATED.fullmatch(code)
        or _created(code, data)
    )
    is_id = field_of(parent, "name", data) == "id"
    if (is_id or (given and given[0] == string)) and (factory or spellings.CALLS.fullmatch(name)):
        place.sure, place.strict = True, name not in spellings.LOOSE_CALLS
        if factory:
            place.names.append(factory[1])
        return True
    if name.lower() not in spellings.TRANSPARENT_CALLS:
        return True
    labels = (
        argument for argument in given if field_of(argument, "name", data) in ("label", "name")
    )
    texts = [
        argument
        for argument in given
        if argument.type in STRINGS and argument not in (child, string)
    ]
    texts += [value for label in labels if (value := label.child_by_field_name("value"))]
    return any(
        place.take(content_of(text, data).decode("utf-8", "replace").lstrip("-")) for text in texts
    )


def _looked_for(node: Node, function: Node, parent: Node, data: bytes, place: Place) -> bool:
    """Whether the text is in a list that a model is looked for in: `["x"].includes(model)`."""
    arguments = node.child_by_field_name("arguments")
    if parent.type not in SEQUENCES or not arguments:
        return False
    name = last_name(text_of(function, data).rpartition(".")[2])
    given = first_of(arguments)
    if name not in spellings.MEMBERSHIP or not given:
        return False
    settled = place.take(last_name(text_of(given[0], data)))
    place.strict = False
    return settled


@lru_cache(4)  # each entry keeps a file in memory
def _created(name: str, data: bytes) -> re.Match[str] | None:
    """A match if the file has `const name = createOpenAI(…)`. Its group is the provider."""
    match = re.search(rb"\b%b\s*=\s*create([A-Z]\w+)\(" % re.escape(name.encode()), data)
    return re.fullmatch(r"(\w+)", match[1].decode()) if match else None
