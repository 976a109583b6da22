"""What calls, commands, comparisons and cases tell about a text in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from . import nodes, spellings
from .keys import is_decoy, key_of, last_name
from .nodes import SEQUENCES, STRINGS
from .peers import branches_of, functions
from .place import Place, bare, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FLAG = re.compile(r"[\"'](?:-\w,)?--([\w-]+)")

_NEW = re.compile(r"^\s*(?:await\s+)?new\s+")
#: Type arguments of a call, which say nothing here: `GetValue<string>(…)`.
_GENERIC = re.compile(r"(?:::)?<[\w,.?:&<>\[\]]{0,200}>$")
_NAMES = re.compile(r"[A-Za-z_$]\w*[?!]?")
_CHAINED = re.compile(r"\.\s*(\w+)\(([^()]*)\)")


def subscript(node: Node, child: Node, data: bytes, place: Place) -> bool:
    """`PRICES["x"]`, but not `Literal["x"]`."""
    owner = node.child_by_field_name("value")
    name = "" if owner is None or owner == child else last_name(text_of(owner, data))
    if not name or name in ("Literal", "Optional", "Union", "list"):
        return False
    place.take(name)
    return True


def case(above: Iterable[Node], data: bytes, place: Place) -> None:
    of = (node for node in above if node.type in nodes.SWITCHES)
    if (node := next(of, None)) is not None:
        fields = map(node.child_by_field_name, ("subject", "value", "condition", "expr"))
        subject = next(filter(None, fields), None) or node.named_children[0]
        names = re.findall(r"[A-Za-z_]\w*(?!\w*\(\))", text_of(subject, data))
        place.take(names[-1] if names else "")


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
    elif text in ("--backup", "--fallback") and "--model" in text_of(child.parent, data).split():
        place.sure = True


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
    inner: str | None,
) -> bool:
    """`within`: the text, and the node above it. `inner`: the key that led to it."""
    string, parent = within
    arguments = _arguments(node)
    if arguments is not None and child.end_byte <= arguments.start_byte:
        return settled or _looked_for(child, arguments, parent, data, place)
    if arguments is None or child != arguments and child.type not in nodes.BLOCKS:
        return settled or (inner is not None and place.take(type_of(node, data), inner))
    begin = max(node.start_byte, arguments.start_byte - 600)
    code = data[begin : arguments.start_byte].decode("utf-8", "replace")
    code = _GENERIC.sub("", re.sub(r"\s+", "", _NEW.sub("", code)))
    owners = _NAMES.findall(code) or [""]
    while len(owners) > 1 and owners[-1].lower() in spellings.MAKES:
        owners.pop()
    name = owners[-1].rstrip("!?")
    nearest, place.is_called = not place.is_called, True
    vertex = spellings.VERTEX_CALLS.fullmatch(code)
    if nearest and not vertex and last_name(code) in spellings.PARTIAL_CALLS:
        place.decoy, place.sure = True, False
        return True
    place.names.append(name)
    if "(" in code:  # A.builder().provider("x").model("y")
        beside = _CHAINED.findall(code)
        place.siblings[-1:] = [{**dict(*place.siblings[-1:])} | {key: value.strip("\"'") for key, value in beside}]
        place.names += [one for one in owners[::-1] if one[:1].isupper()]
    if settled:
        return True
    given = [bare(one) for one in first_of(_list(arguments))]
    factory = (
        spellings.FACTORIES.fullmatch(code)
        or vertex
        or spellings.CREATED.fullmatch(code)
        or _created(code, data)
    )
    is_id = field_of(parent, "name", data) == "id"
    before = given[: given.index(string)] if string in given else given
    texts = [one for one in before if one.type in STRINGS]
    is_first = not before or (len(before) == 1 and not texts and given[1:2] == [string])
    if name == "using":  # Prism's: the provider, and its model
        place.names += [text_of(one, data) for one in before]
    if (
        ((is_id or not before) and (factory or spellings.CALLS.fullmatch(name)))
        or (string in given and (is_first or name == "using") and _asks(name))
    ):  # fmt: skip
        place.sure, place.strict = True, name not in spellings.LOOSE_CALLS
        if factory:
            place.names.append(factory[1])
        return True
    if inner is not None and not _is_transparent(name):
        place.take(name, inner)
        return True
    if name in spellings.LOADS:
        place.decoy = True
        return True
    if given[:1] == [string] and key_of(name).sure and place.take(name):
        return True
    if given[:1] == [string] and name.lower() in spellings.EQUALS:
        place.take(owners[-2] if len(owners) > 1 else "")
        place.strict = False
        return True
    if not _is_transparent(name):
        place.decoy = place.decoy or (is_decoy(name) and not name.lower().endswith("text"))
        beside = [content_of(one, data).decode("utf-8", "replace") for one in texts]
        return any(place.take(one) for one in beside if " " not in one) or True
    labels = (
        argument for argument in given if field_of(argument, "name", data) in ("label", "name")
    )
    texts = [
        argument
        for argument in given
        if argument.type in STRINGS and argument not in (child, string)
    ]
    texts += [value for label in labels if (value := label.child_by_field_name("value"))]
    if not texts and (flags := _FLAG.findall(code)):  # `Option("--model <x>").default("y")`
        return place.take(flags[-1])
    if any(
        place.take(content_of(text, data).decode("utf-8", "replace").lstrip("-:"))
        for text in texts
    ):
        return True
    if spellings.ELSE_CALLS.fullmatch(name.lower()):  # env::var("A_MODEL").unwrap_or("x")
        return any(place.take(one) for one in owners[::-1] if key_of(one).sure)
    return False


def _asks(name: str) -> bool:
    return spellings.ASKS.fullmatch(name) is not None


def _is_transparent(name: str) -> bool:
    name = name.lower()
    return (
        name in spellings.TRANSPARENT_CALLS
        or spellings.SAME_CALLS.fullmatch(name) is not None
        or spellings.ELSE_CALLS.fullmatch(name) is not None
    )


def _arguments(call: Node) -> Node | None:
    found = call.child_by_field_name("arguments")
    others = (child for child in call.named_children if child.type in nodes.ARGUMENTS)
    return found or next(others, None) or call.child_by_field_name("block")


def _list(arguments: Node) -> Node:
    """Of Swift's arguments, those in brackets."""
    inner = arguments.named_children[:1] if arguments.type == "call_suffix" else []
    return inner[0] if inner and inner[0].type in nodes.ARGUMENTS else arguments


def type_of(literal: Node, data: bytes) -> str:
    return last_name(field_of(literal, "type", data) or field_of(literal, "name", data))


def annotation(
    string: Node, above: Sequence[Node], inner: str | None, data: bytes, place: Place
) -> None:
    """The default of what an annotation is about, or how an entry of an enumeration is written."""
    node = above[0]
    before = data[node.start_byte : string.start_byte].decode("utf-8", "replace")
    key = re.search(r"(\w+)\s*=\s*$", before)
    name = (key[1] if key else "").lower().replace("_", "")
    if name in ("default", "defaultvalue"):
        after = data[node.end_byte : node.end_byte + 80].decode("utf-8", "replace")
        names = _NAMES.findall(before + re.split(r"[;={(,]|\n\s*\n", after)[0])
        any(place.take(one) for one in names[::-1] if key_of(one).sure)
    elif name in ("", "rename", "value"):
        types = (one for one in above if one.type in nodes.TYPES)
        if (of := next(types, None)) is not None and _is_enum(of, data):
            place.take(field_of(of, "name", data))


def type_around(above: Sequence[Node], inner: str | None, data: bytes, place: Place) -> None:
    """A type may hold models; an enumeration of models does."""
    node = above[1]
    if node.type in nodes.TYPES:
        name = field_of(node, "name", data) or field_of(node, "type", data)
        name = name or next((text_of(one, data) for one in node.named_children
                             if one.type.endswith("identifier")), "")  # fmt: skip
        place.take(name, None if _is_enum(node, data) else inner or "")


def _is_enum(node: Node, data: bytes) -> bool:
    head = data[node.start_byte : node.start_byte + 200].partition(b"{")[0]
    return re.search(rb"\benum\b", head) is not None


def function(string: Node, above: Sequence[Node], data: bytes, place: Place) -> None:
    """What a function gives that is named after models, or one of several cases in a type."""
    child, arm, given = string, False, False
    for at, node in enumerate(above):
        arm = arm or node.type in nodes.ARMS
        given = given or node.type in nodes.RETURNS
        if ("binary" in node.type or node.type in nodes.COMPARED) and not branches_of(node):
            return  # a part of a text
        if node.type in nodes.FUNCTIONS:
            break
        if node.type in nodes.TAILS and not given and node.named_children[-1] != child:
            return
        child = node
    else:
        return
    if not given and child.type not in nodes.TAILS:
        return
    words = next(functions(above[at:], data), ())
    name = "_".join(words)
    if key_of(name).sure:
        place.take(name)
    elif arm and not spellings.SHOWN.search(name):
        for index, node in enumerate(above[at:-1], at):
            if node.type in nodes.BODIES:
                type_around(above[index:], "name", data, place)
                return


def _looked_for(
    function: Node, arguments: Node, parent: Node, data: bytes, place: Place
) -> bool:
    """Whether the text is compared (`"x".equals(model)`), or in a list that a model is looked for
    in: `["x"].includes(model)`."""
    call = function.parent
    if call is None:
        return False
    code = data[max(call.start_byte, arguments.start_byte - 60) : arguments.start_byte]
    name = last_name(code.decode("utf-8", "replace").rpartition(".")[2])
    given = [bare(one) for one in first_of(arguments)]
    is_equal = function.type in STRINGS and name.lower() in spellings.EQUALS
    if not given or not (
        is_equal or (parent.type in SEQUENCES and name in spellings.MEMBERSHIP)
    ):
        return False
    settled = place.take(last_name(text_of(given[0], data)))
    place.strict = False
    return settled or is_equal


@lru_cache(4)  # each entry keeps a file in memory
def _created(name: str, data: bytes) -> re.Match[str] | None:
    """A match if the file has `const name = createOpenAI(…)`. Its group is the provider."""
    match = re.search(rb"\b%b\s*=\s*create([A-Z]\w+)\(" % re.escape(name.encode()), data)
    return re.fullmatch(r"(\w+)", match[1].decode()) if match else None
