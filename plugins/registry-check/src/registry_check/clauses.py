"""What calls, commands, comparisons and cases tell about a text in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from . import nodes, spellings
from .keys import is_decoy, key_of, last_name
from .nodes import SEQUENCES, STRINGS
from .place import Place, bare, branches_of, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FLAG = re.compile(r"[\"'](?:-\w,)?--([\w-]+)")

_NEW = re.compile(r"^\s*(?:await\s+)?new\s+")
#: Type arguments of a call, which say nothing here: `GetValue<string>(…)`.
_GENERIC = re.compile(r"(?:::)?<[\w,.?:&<>\[\]]{0,200}>$")
_NAMES = re.compile(r"[A-Za-z_$]\w*")
#: Characters of a chain of calls that are looked at.
_CODE = 600
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
            place.strict = False
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
    is_block = child.type in nodes.BLOCKS
    arguments = _arguments(node) or (child if is_block else None)
    if arguments is not None and child.end_byte <= arguments.start_byte:
        return settled or _looked_for(child, arguments, parent, data, place)
    if arguments is None or not (child == arguments or is_block):
        return settled or (inner is not None and place.take(type_of(node, data), inner))
    begin = max(node.start_byte, arguments.start_byte - _CODE)
    code = data[begin : arguments.start_byte].decode("utf-8", "replace")
    code = _GENERIC.sub("", re.sub(r"\s+", "", _NEW.sub("", code)))
    owners = _NAMES.findall(code) or [""]
    while len(owners) > 1 and owners[-1].lower() in spellings.MAKES:
        owners.pop()  # `ModelId.of`
    name = owners[-1]
    nearest, place.is_called = not place.is_called, True
    vertex = spellings.VERTEX_CALLS.fullmatch(code)
    if nearest and not vertex and last_name(code) in spellings.PARTIAL_CALLS:
        place.decoy, place.sure = True, False
        return True
    place.names.append(name)
    if "(" in code:  # A.builder().provider("x").model("y")
        chained = {key: value.strip("\"'") for key, value in _CHAINED.findall(code)}
        place.siblings[-1:] = [dict(*place.siblings[-1:]) | chained]
        place.names += [owner for owner in owners[::-1] if owner[:1].isupper()]
    if settled:
        return True
    given = [] if is_block else [bare(one) for one in first_of(_list(arguments))]
    factory = (
        spellings.FACTORIES.fullmatch(code)
        or vertex
        or spellings.CREATED.fullmatch(code)
        or _created(code, data)
    )
    is_first = given[:1] == [string]
    before = given[: given.index(string)] if string in given else given
    texts = [one for one in before if one.type in STRINGS]
    if name == "using":  # Prism's: the provider, and its model
        place.names += [text_of(one, data) for one in before]
    if (
        (is_first or field_of(parent, "name", data) == "id")
        and (factory or spellings.CALLS.fullmatch(name))
    ) or (
        string in given
        and (name == "using" or (len(before) < 2 and not texts))
        and spellings.ASKS.fullmatch(name)
    ):
        place.sure, place.strict = True, name not in spellings.LOOSE_CALLS
        if factory:
            place.names.append(factory[1])
        return True
    if name in spellings.LOADS:
        place.decoy = True
        return True
    if is_first and key_of(name).sure and place.take(name):
        return True
    if is_first and name.lower() in spellings.EQUALS:
        place.take(owners[-2] if len(owners) > 1 else "")
        place.strict = False
        return True
    if not _is_transparent(name) or _keyword(parent, data) == "key":
        if inner is not None:
            place.take(name, inner)
        elif not any(place.take(text) for text in _contents(texts, data) if " " not in text):
            place.decoy = is_decoy(name) and not name.lower().endswith("text")
        return True
    labels = (
        argument for argument in given if field_of(argument, "name", data) in ("label", "name")
    )
    if name.lower() in ("map", "entry"):  # Map.of("model", "x", "user", "y")
        texts, place.is_key = texts[-1:], len(before) % 2 == 0
    else:
        texts = [one for one in given if one.type in STRINGS and one not in (child, string)]
    texts += [value for label in labels if (value := label.child_by_field_name("value"))]
    if not texts and (flags := _FLAG.findall(code)):  # `Option("--model <x>").default("y")`
        return place.take(flags[-1])
    if any(place.take(text.lstrip("-:")) for text in _contents(texts, data)):
        return True
    if spellings.ELSE_CALLS.fullmatch(name.lower()):  # env::var("A_MODEL").unwrap_or("x")
        code = data[begin : string.start_byte].decode("utf-8", "replace")
        return any(place.take(one) for one in _NAMES.findall(code)[::-1] if key_of(one).sure)
    return False


def _contents(strings: Iterable[Node], data: bytes) -> list[str]:
    return [content_of(string, data).decode("utf-8", "replace") for string in strings]


def _is_transparent(name: str) -> bool:
    name = name.lower()
    return (
        name in spellings.TRANSPARENT_CALLS
        or spellings.SAME_CALLS.fullmatch(name) is not None
        or spellings.ELSE_CALLS.fullmatch(name) is not None
    )


def _keyword(argument: Node, data: bytes) -> str:
    return field_of(argument, "name", data) if argument.type == "keyword_argument" else ""


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


def _looked_for(function: Node, arguments: Node, parent: Node, data: bytes, place: Place) -> bool:
    """Whether the text is compared (`"x".equals(model)`), or in a list that a model is looked for
    in: `["x"].includes(model)`."""
    call = function.parent
    if call is None:
        return False
    code = data[max(call.start_byte, arguments.start_byte - 60) : arguments.start_byte]
    name = last_name(code.decode("utf-8", "replace").rpartition(".")[2])
    given = [bare(one) for one in first_of(arguments)]
    is_equal = function.type in STRINGS and name.lower() in spellings.EQUALS
    if not given or not (is_equal or (parent.type in SEQUENCES and name in spellings.MEMBERSHIP)):
        return False
    settled = place.take(last_name(text_of(given[0], data)))
    place.strict = False
    return settled or is_equal


@lru_cache(4)  # each entry keeps a file in memory
def _created(name: str, data: bytes) -> re.Match[str] | None:
    """A match if the file has `const name = createOpenAI(…)`. Its group is the provider."""
    match = re.search(rb"\b%b\s*=\s*create([A-Z]\w+)\(" % re.escape(name.encode()), data)
    return re.fullmatch(r"(\w+)", match[1].decode()) if match else None
