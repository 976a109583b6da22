"""What calls tell about a string: it is a part of what is called, or an argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import frozen

from . import nodes, spellings
from .clauses import literal
from .keys import is_decoy, key_of, last_name
from .nodes import SEQUENCES, STRINGS
from .place import Climb, bare, content_of, field_of, first_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FLAG = re.compile(r"[\"'](?:-\w,)?--([\w-]+)")

_NEW = re.compile(r"^\s*(?:await\s+)?new\s+")
#: Type arguments of a call, which say nothing here: `GetValue<string>(…)`.
_GENERIC = re.compile(r"(?:::)?<[\w,.?:&<>\[\]]{0,200}>$")
_NAMES = re.compile(r"[A-Za-z_$]\w*")
#: Characters of a chain of calls that are looked at.
_CODE = 600
_CREATED = re.compile(rb"\b(\w+)\s*=\s*create([A-Z]\w+)\(", re.ASCII)
_CHAINED = re.compile(r"\.\s*(\w+)\(([^()]*)\)")


def call(way: Climb) -> bool:
    """Whether a call decides what the string is."""
    is_block = way.child.type in nodes.BLOCKS
    arguments = _arguments(way.node) or (way.child if is_block else None)
    if arguments is not None and way.child.end_byte <= arguments.start_byte:
        return way.settled or _is_looked_for(way, arguments)
    if arguments is None or not (way.child == arguments or is_block):
        return way.settled or literal(way)
    nearest, way.place.is_called = not way.place.is_called, True
    called = _Call.of(way, arguments, [] if is_block else first_of(_list(arguments)))
    if nearest and called.is_partial:
        way.place.decoy, way.place.sure = True, False
        return True
    called.note()
    if called.is_first and not spellings.SAME_CALLS.fullmatch(called.name.lower()):
        way.is_part = True  # what is looked up: `get("x")`
    return (
        way.settled
        or _asks(called)
        or _loads(called)
        or _is_named_after(called)
        or _is_tag(called)
        or _keeps(called)
        or _is_labelled(called)
    )


@frozen
class _Call:
    """A call with the string among its arguments."""

    way: Climb
    begin: int
    """Where its code begins, as far as that is looked at: an offset in bytes."""
    code: str
    """What is called, without spaces and type arguments: `openai.chat`."""
    owners: list[str]
    """The names in the code. The last one is what is called."""
    given: list[Node]
    """The arguments, without what wraps them."""

    @classmethod
    def of(cls, way: Climb, arguments: Node, given: Iterable[Node]) -> _Call:
        begin = max(way.node.start_byte, arguments.start_byte - _CODE)
        code = way.data[begin : arguments.start_byte].decode("utf-8", "replace")
        code = _GENERIC.sub("", re.sub(r"\s+", "", _NEW.sub("", code)))
        owners = _NAMES.findall(code) or [""]
        while len(owners) > 1 and owners[-1].lower() in spellings.MAKES:
            owners.pop()  # `ModelId.of`
        return cls(way, begin, code, owners, [bare(one) for one in given])

    @property
    def name(self) -> str:
        return self.owners[-1]

    @property
    def vertex(self) -> re.Match[str] | None:
        return spellings.VERTEX_CALLS.fullmatch(self.code)

    @property
    def is_partial(self) -> bool:
        """Whether it takes a part of a name: `startswith("x")`."""
        return not self.vertex and last_name(self.code) in spellings.PARTIAL_CALLS

    @property
    def is_first(self) -> bool:
        return self.given[:1] == [self.way.string]

    @property
    def before(self) -> list[Node]:
        """The arguments before the string; all, if it lies deeper."""
        string = self.way.string
        return self.given[: self.given.index(string)] if string in self.given else self.given

    def note(self) -> None:
        """Names that may tell the provider."""
        place = self.way.place
        place.names.append(self.name)
        if "(" in self.code:  # A.builder().provider("x").model("y")
            chained = {key: value.strip("\"'") for key, value in _CHAINED.findall(self.code)}
            place.siblings[-1:] = [dict(*place.siblings[-1:]) | chained]
            place.names += [owner for owner in self.owners[::-1] if owner[:1].isupper()]


def _asks(call: _Call) -> bool:
    """A client, or a question to one: `openai("x")`, `ChatOpenAI("x")`, `llm.chat(prompt, "x")`."""
    way, name, before = call.way, call.name, call.before
    made = (
        spellings.FACTORIES.fullmatch(call.code)
        or call.vertex
        or spellings.CREATED.fullmatch(call.code)
    )
    factory = made[1] if made else _created(way.data).get(call.code)
    if name == "using":  # Prism's: the provider, and its model
        way.place.names += [text_of(one, way.data) for one in before]
    is_model = (call.is_first or field_of(way.above[0], "name", way.data) == "id") and (
        factory or spellings.CALLS.fullmatch(name)
    )
    is_given = way.string in call.given and (
        name == "using" or (len(before) < 2 and not _texts(before))
    )
    if not (is_model or (is_given and spellings.ASKS.fullmatch(name))):
        return False
    way.place.sure, way.place.strict = True, name not in spellings.LOOSE_CALLS
    if factory:
        way.place.names.append(factory)
    return True


def _loads(call: _Call) -> bool:
    """`from_pretrained("x")`: a repository, or a folder."""
    if call.name not in spellings.LOADS:
        return False
    call.way.place.decoy = True
    return True


def _is_named_after(call: _Call) -> bool:
    """`set_model("x")`, `models.add("x")`, `model.equals("x")`."""
    place, name, way = call.way.place, call.name, call.way
    owner = call.owners[-2] if len(call.owners) > 1 else ""
    if name.lower() in spellings.ADDS and way.string in call.given:
        return place.take(owner)
    if key_of(name).many and way.inner is None and len(call.given) == 1:
        return place.take(name)  # set_models(["x"])
    if not call.is_first:
        return False
    if key_of(name).sure and place.take(name):
        return True
    if name.lower() not in spellings.EQUALS:
        return False
    place.take(owner)
    place.strict = False
    return True


def _is_tag(call: _Call) -> bool:
    """`Picker("Model", selection: $model) { Text("X").tag("x") }`."""
    if call.name != "tag" or not call.is_first:
        return False
    for node in call.way.around[1:]:
        head = call.way.data[node.start_byte : node.start_byte + 200].partition(b"{")[0]
        if node.type in nodes.CALLS and head.startswith(b"Picker("):
            names = _NAMES.findall(head.decode("utf-8", "replace"))
            return any(call.way.place.take(name) for name in names[::-1] if key_of(name).sure)
    return False


def _keeps(call: _Call) -> bool:
    """Whether what is called does something else with the string than give it back."""
    way, name = call.way, call.name
    if _is_transparent(name) and _keyword(way.above[0], way.data) != "key":
        return False
    way.is_part, way.place.is_value = True, False
    texts = _contents(_texts(call.before), way.data)
    if way.inner is not None:
        way.take(name)
    elif not any(way.place.take(text) for text in texts if " " not in text):
        way.place.decoy = is_decoy(name) and not name.lower().endswith("text")
    return True


def _is_labelled(call: _Call) -> bool:
    """What other arguments say about it: `getenv("A_MODEL", "x")`, `Field("x", label="Model")`."""
    way, name, data = call.way, call.name.lower(), call.way.data
    if name in ("map", "entry"):  # Map.of("model", "x", "user", "y")
        texts = _texts(call.before)[-1:]
        way.place.is_key = len(call.before) % 2 == 0
    else:
        texts = [one for one in _texts(call.given) if one not in (way.child, way.string)]
    labels = (one for one in call.given if field_of(one, "name", data) in ("label", "name"))
    texts += [value for label in labels if (value := label.child_by_field_name("value"))]
    if not texts and (flags := _FLAG.findall(call.code)):  # `Option("--model <x>").default("y")`
        return way.place.take(flags[-1])
    if any(way.place.take(text.lstrip("-:")) for text in _contents(texts, data)):
        return True
    if spellings.ELSE_CALLS.fullmatch(name):  # env::var("A_MODEL").unwrap_or("x")
        code = data[call.begin : way.string.start_byte].decode("utf-8", "replace")
        return any(way.place.take(one) for one in _NAMES.findall(code)[::-1] if key_of(one).sure)
    return False


def _texts(given: Iterable[Node]) -> list[Node]:
    return [one for one in given if one.type in STRINGS]


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


def _is_looked_for(way: Climb, arguments: Node) -> bool:
    """Whether the string is compared (`"x".equals(model)`), or in a list that a model is looked
    for in: `["x"].includes(model)`."""
    function, data = way.child, way.data
    code = data[max(way.node.start_byte, arguments.start_byte - 60) : arguments.start_byte]
    name = last_name(code.decode("utf-8", "replace").rpartition(".")[2])
    given = [bare(one) for one in first_of(arguments)]
    is_equal = function.type in STRINGS and name.lower() in spellings.EQUALS
    is_listed = way.above[0].type in SEQUENCES and name in spellings.MEMBERSHIP
    if not given or not (is_equal or is_listed):
        return False
    settled = way.place.take(last_name(text_of(given[0], data)))
    way.place.strict = False
    return settled or is_equal


@lru_cache(4)  # each entry keeps a file in memory
def _created(data: bytes) -> Mapping[str, str]:
    """The name of a client → its provider: `const name = createOpenAI(…)`."""
    return {match[1].decode(): match[2].decode() for match in _CREATED.finditer(data)}
