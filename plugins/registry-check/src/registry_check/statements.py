"""The place of a text in a statement, for languages that are read without a grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from . import spellings
from .keys import is_decoy, key_of, last_name
from .place import BESIDE, Place
from .places import AFTER, EMBEDDED
from .tokens import Tokens

#: Brackets around a text that are looked at.
_LEVELS = 3
_NAMES = re.compile(r"[A-Za-z_]\w*")
_COMPARED = re.compile(rb"\s*(?:[!=]==?\s*|\.(?:equals|equalsIgnoreCase)\()([\w.$>()-]+)")
_QUOTED = re.compile(r"""[@$:rRb]{0,2}\#*("{3}|'{3}|["'`])(.*?)\1\#*""", re.DOTALL)
#: `@Value("${app.model:x}")`
_PROPERTY = re.compile(rb"\$\{[\w.-]*(?i:model|deployment)(?i:[-_.]?(?:name|id))?:$")
_ASSIGNS = frozenset({"=", ":", ":=", "=>", "->", "<-", "<<-", "||=", "??=", "to", "\\\\"})
_ELSE = frozenset({"??", "?:", "||", "or"})
_COMPARES = frozenset({"==", "!=", "===", "!==", "=~"})
_DOTS = {"php": ("->", "::", "?"), "c": ("->", ".", "::"), "lua": (".", ":"), "r": ("$", "::")}
_SKIPPED = frozenset(
    {"return", "await", "new", "&", "*", "const", "yield", "then", "else", "do", "in", "throw",
     "%", "@"}
)
_CONTROL = frozenset(
    {"if", "else", "match", "switch", "when", "unless", "for", "foreach", "while", "try", "catch",
     "do", "loop", "unsafe", "guard", "case", "get", "finally"}
)  # fmt: skip
_TYPES = frozenset(
    {"enum", "class", "struct", "object", "interface", "module", "trait", "record", "extension",
     "namespace", "defmodule", "impl"}
)  # fmt: skip
#: Languages in which a word before a text may be a setting: `model "x"`, `@model "x"`, `-Model x`.
#: Parts of names of functions that give what people read.
_SHOWN = re.compile(r"(?i)display|title|label|description|friendly|human|pretty|caption|icon")
_NO_CALLS = _CONTROL | _SKIPPED
_BARE = frozenset({"ruby", "elixir", "groovy", "powershell"})
_EQUALS = frozenset({"equals", "equalsignorecase", "eql", "equal", "isequaltostring"})
_FACTORIES = frozenset({"new", "of", "from", "create", "parse", "valueof", "init"})
#: Calls that give their argument, or a mapping or list of their arguments.
_SAME = re.compile(
    r"(?:string|str|ptr|f|some|newopt|opt|just|optional|c|dict|hash|tuple|pair|lazy|raw|value|vec"
    r"|ofentries|custom|\w*(?:list|set|map|array|vector|seq)(?:_?of)?)"
)
#: Calls whose last argument is a default. What they look up, or are called on, says for what.
_DEFAULTS = re.compile(
    r"\w*getenv\w*|env\w*|get_?env\w*|fetch|get\w*or\w*|get|getproperty|getvalue|config|setting"
    r"|(?:unwrap_?)?or(?:_?else(?:_?get)?|_?default)?|value_or|if_?empty|if_?blank|default_?if_?\w+"
    r"|requirenonnullelse|coalesce|firstnonnull|lookup\w*|var_or|option|cmp|setdefault|default"
)
#: Calls whose first text, which may follow a context, is a model.
_CALLS = re.compile(
    r"(?:Get|As|Use|New)?I?(?:Chat|Embedding|Image|Audio|Responses?|Assistant)s?Client"
    r"|(?:Add|With)\w*(?:ChatCompletion|ChatClient|TextGeneration|Embedding\w*|TextCompletion)\w*"
    r"|(?i:generate_?content\w*|(?:embed|batch_?embed)_?contents?|count_?tokens)"
    r"|\w*(?:Chat|Completion|Llm|LLM)\w*Request|AgentBuilder|agent|extractor|using"
)
_SAID = re.compile(
    r"\w*print\w*|puts|p|echo|log\w*|trace|debug\w*|info\w*|warn\w*|error\w*|fatal\w*|panic\w*"
    r"|write\w*|has_?(?:prefix|suffix)|\w*contains\w*|starts?_?with|ends?_?with|index_?of|str_\w+"
    r"|strpos|sub|gsub|split|replace\w*|match\w*|include|named|uiimage|image|fail|assert\w*"
    r"|expect\w*|require|displayname|tag|describe|it|test|run|named"
)


class Statements:
    """Finds places in the tokens of a file."""

    def __init__(self, language: str, data: bytes) -> None:
        self._language = language
        self._tokens = Tokens(language, data)
        self._dots = _DOTS.get(language, (".", "?.", "::", "!!"))
        self._items: dict[int, dict[str, str]] = {}

    def place_of(self, start: int, end: int) -> Place | None:
        """The place of a text; None in comments, and outside of strings."""
        tokens = self._tokens
        at = tokens.at(start)
        if at < 0 or tokens.kinds[at] != "text" or end > tokens.ends[at]:
            return None
        is_item = tokens.data.startswith((b"%w", b"%i"), tokens.starts[at])
        if is_item or tokens.data[start:end].decode() == self._content(at):
            place = Place(whole=True)
            self._climb(at, place)
            return place
        before = tokens.data[max(tokens.starts[at], start - 200) : start]
        before = before[before.rfind(b"\n") + 1 :]
        if (EMBEDDED.search(before) or _PROPERTY.search(before)) and AFTER.match(tokens.data, end):
            return Place(sure=True, strict=True, names=[before.decode("utf-8", "replace")])
        return None

    def _content(self, token: int) -> str:
        match = _QUOTED.fullmatch(self._tokens.text(token))
        return match[2] if match else ""

    def _climb(self, text: int, place: Place) -> None:
        """Note what the code around a text tells about it, from the inside to the outside."""
        tokens, arm = self._tokens, False
        head, stop = tokens.before(text)
        words = self._texts(head)
        if self._is_part(text, words, place) or self._is_compared(text, head, place):
            return
        given = not words or words[0] == "return"
        arm = words[:1] == ["=>"] or words[:1] == ["->"] or words[-1:] == ["case"]
        settled, inner = self._key(head, stop, place, None)
        if not settled and inner == "default" and stop >= 0 and tokens.opener[text] != stop:
            settled = self._named(self._statement(text), place)  # field :model, default: "x"
        if given and not settled and stop >= 0 and tokens.kinds[stop] == ";":
            before = tokens.before(stop)[0]
            if {"def", "defp", "function"} & {*self._texts(before)[-2:]}:
                settled = any(place.take(word) for word in self._names(before))
        child, stop_of_text = text, stop
        while (opener := tokens.opener[child]) >= 0 and len(place.siblings) < _LEVELS:
            head, stop = tokens.before(opener)
            words, bracket = self._texts(head), tokens.text(opener)
            chain = self._chain(head)
            rest = head[len(chain) :]
            if bracket == "{" and (type_words := self._type_words(opener)):
                if not settled:
                    self._type(type_words, place, inner)
                place.siblings.append(self._items_of(opener))
                return
            if bracket == "{" and {*words} & _CONTROL:
                at = max(at for at, word in enumerate(words) if word in _CONTROL)
                if (place.is_key or arm) and words[at] in ("match", "switch", "when"):
                    subject = tokens.span(head[-1] if at == 0 else head[at], opener)
                    subject = subject.removesuffix("switch ").strip("() ")
                    if place.is_key and place.take(last_name(subject)):
                        place.is_key = False
                        return
                    given, inner = given or arm, None if arm else inner
                rest = head[at + 1 :]
            elif bracket == "(" and chain and not (len(chain) == 1 and words[0] in _NO_CALLS):
                place.siblings.append({**self._items_of(opener), **self._called(chain, opener)})
                place.names += self._names(chain, True)
                if not settled:
                    settled, goes_on = self._call(opener, chain, child, text, inner, place)
                    if not goes_on:
                        if inner is None or inner.lower() in ("rename", "value"):
                            self._enum(opener, place)
                        return
                given = self._texts(rest) in ([], ["return"])
            elif bracket == "[" and chain and tokens.ends[head[0]] == tokens.starts[opener]:
                if not settled and words[0] != "vec!":
                    place.take(self._names(chain)[0])  # an index
                    return
            elif bracket == "{":
                is_function = self._is_function(words)
                if not settled and given and inner is None:
                    settled = any(place.take(word) for word in self._names(head))
                    if not settled and self._language == "ruby":
                        settled = self._named(self._statement(opener), place)  # let(:model) { "x" }
                    place.decoy = False if settled else place.decoy
                if is_function:
                    if arm and given and not settled and not _SHOWN.search(" ".join(words)):
                        self._type(self._type_words(tokens.opener[opener]), place, "name")
                    return
                if child == text and self._language == "c" and stop_of_text >= 0:
                    pair, first = tokens.before(stop_of_text)  # {"model", "x"}
                    if first == opener and len(pair) == 1 and tokens.kinds[pair[0]] == "text":
                        settled = place.take(last_name(self._content(pair[0])))
                place.siblings.append(self._items_of(opener))
                place.names += self._names(chain)
                if not settled and inner is not None and chain:
                    settled = place.take(self._names(chain)[0], inner)
                if {*words[len(chain) :]} & _ASSIGNS:
                    rest = head[self._assign(words, len(chain)) :]  # x = map[string]string{
                given = self._texts(rest) in ([], ["return"])
            else:
                place.siblings.append(self._items_of(opener))
                rest = head
            if settled:
                place.names += self._names(rest[:3])
            else:
                settled, key = self._key(rest, stop, place, inner)
                inner = inner or key
            child = opener

    def _statement(self, token: int) -> str:
        """The code before a token in its statement, commas included."""
        before, stop = self._tokens.before(token)
        for _ in range(_LEVELS):
            if stop < 0 or self._tokens.kinds[stop] != ",":
                break
            before, stop = self._tokens.before(stop)
        return self._tokens.span(before[-1] if before else token, token)

    def _texts(self, tokens: Sequence[int]) -> list[str]:
        return [self._tokens.text(token) for token in tokens]

    def _names(self, head: Sequence[int], all_of_chains: bool = False) -> list[str]:
        """The words among these, the nearest first; of `a.b.c` only the last."""
        kinds = self._tokens.kinds
        return [
            self._tokens.text(token)
            for at, token in enumerate(head)
            if kinds[token] == "word"
            and (all_of_chains or not at or self._tokens.text(head[at - 1]) not in self._dots)
        ]

    def _chain(self, head: Sequence[int]) -> Sequence[int]:
        """What is called, or made: `OpenAI.builder().model`."""
        at, kinds = 0, self._tokens.kinds
        while at < len(head):
            while at < len(head) - 1 and kinds[head[at]] == "open":
                at += 1
            if kinds[head[at]] != "word":
                break
            at += 1
            if at == len(head) or self._tokens.text(head[at]) not in self._dots:
                break
            at += 1
        return head[:at]

    def _is_part(self, text: int, words: list[str], place: Place) -> bool:
        """Whether the text is a part of a longer one, or is only said."""
        tokens = self._tokens
        after = tokens.text(text + 1) if text + 1 < len(tokens.kinds) else ""
        joined = {after, *words[:1]} & {"+", "..", "<>", "+="}
        is_said = bool(words) and _SAID.fullmatch(words[0].lower()) is not None
        place.is_key = after in (":", "=>", "->", "to") and words[:1] != ["?"]
        place.decoy = bool(joined) or is_said or words[:1] in (["import"], ["use"], ["package"])
        return place.decoy

    def _is_compared(self, text: int, head: Sequence[int], place: Place) -> bool:
        tokens = self._tokens
        other = ""
        if head and tokens.text(head[0]) in _COMPARES:
            other = tokens.span(self._chain(head[1:])[-1], head[0]) if self._chain(head[1:]) else ""
        elif after := _COMPARED.match(tokens.data, tokens.ends[text]):
            other = after[1].decode("utf-8", "replace")
        else:
            words, stop = self._texts(head), tokens.before(text)[1]
            for _ in range(_LEVELS):  # case "a", "b":
                if words or stop < 0 or tokens.kinds[stop] != ",":
                    break
                before, stop = tokens.before(stop)
                words = self._texts(before)[1:]
            opener = tokens.opener[text]
            if words != ["case"] or opener < 0:
                return False
            other = tokens.span(tokens.before(opener)[0][-1], opener)
        place.take(last_name(other))
        place.strict = place.is_key = False
        return True

    def _key(
        self, head: Sequence[int], stop: int, place: Place, inner: str | None
    ) -> tuple[bool, str | None]:
        """Whether what stands before settles it, and the key that was found."""
        words, at = self._texts(head), 0
        while at < len(head):
            word, kind = words[at], self._tokens.kinds[head[at]]
            if word in _SKIPPED or kind == "open" or (kind == "text" and at):
                at += 1 + (word == "(" and words[at + 1 : at + 2] != [] and words[at + 1] in _CONTROL)
            elif word in ("?", ":") and "?" in words[at:]:
                at = self._assign(words, words.index("?", at) + 1)
            elif word in _ELSE:
                after = self._assign(words, at + 1)
                if after > at + 1:
                    names = _NAMES.findall(self._tokens.span(head[after - 1], head[at]))[::-1]
                    if not is_decoy(names[0] if names else ""):
                        sure = [name for name in names[:3] if key_of(name).sure]
                        if sure and place.take(sure[0], inner):
                            return True, None
                at = after
            elif word in _ASSIGNS:
                return self._assigned(word, head[at + 1 :], stop, place, inner)
            elif kind == "word" and {*words[:at]} <= {"%", "@"} and self._is_setting(words):
                settled = place.take(word, inner)
                place.decoy = not settled and words[1:2] != ["-"]
                return settled, None
            else:
                break
        return False, None

    def _is_setting(self, words: Sequence[str]) -> bool:
        """`model "x"`, `@model "x"`, `-Model "x"`, `#define MODEL "x"`."""
        return self._language in _BARE or words[1:2] == ["define"]

    @staticmethod
    def _assign(words: Sequence[str], at: int) -> int:
        ends = _ASSIGNS | _ELSE
        return next((n for n in range(at, len(words)) if words[n] in ends), len(words))

    def _assigned(
        self, sign: str, rest: Sequence[int], stop: int, place: Place, inner: str | None
    ) -> tuple[bool, str | None]:
        tokens = self._tokens
        if rest and tokens.text(rest[0]) == "do" and stop >= 0:  # def model, do: "x"
            rest = tokens.before(stop)[0]
        if not rest:
            return False, None
        if tokens.kinds[rest[0]] == "text":
            key = last_name(self._content(rest[0]))
            return place.take(key, inner), key
        if tokens.text(rest[0]) == "[":
            key = last_name(tokens.span(rest[0], tokens.mate.get(rest[0], rest[0])))
            if key and place.take(key, inner):
                return True, key
        names = self._names(rest)
        typed = [at for at, token in enumerate(rest[:8]) if tokens.text(token) == ":"]
        key = next(iter(self._names(rest[typed[-1] :] if typed else rest)), None)
        names = names if sign in ("=", ":=", "||=", "??=", "<-") else names[:1]
        return any(place.take(name, inner) for name in names), key

    def _type_words(self, opener: int) -> list[str]:
        """What stands before the bracket of a type; nothing before other brackets."""
        words: list[str] = []
        head, stop = self._tokens.before(opener) if opener >= 0 else ([], -1)
        for _ in range(_LEVELS):  # class A(B), C {
            words += self._texts(head)
            if {*words} & _TYPES or stop < 0 or self._tokens.kinds[stop] != ",":
                break
            head, stop = self._tokens.before(stop)
        return words if {*words} & _TYPES else []

    def _type(self, words: Sequence[str], place: Place, inner: str | None) -> None:
        """Note the name of a type around the text. A type may hold models, an enumeration does."""
        at = next((at for at, word in enumerate(words) if word in {*_TYPES, "for"}), 0)
        if at:
            place.take(words[at - 1], None if "enum" in words else inner or "")

    def _enum(self, opener: int, place: Place) -> None:
        """`enum Model { A("x") }`, `@SerialName("x") A`, `#[serde(rename = "x")]`."""
        outer = self._tokens.opener[opener]
        if outer >= 0 and self._tokens.text(outer) == "[":
            outer = self._tokens.opener[outer]
        words = self._type_words(outer)
        if "enum" in words:
            self._type(words, place, None)

    @staticmethod
    def _is_function(words: Sequence[str]) -> bool:
        if {*words} & {"func", "fn", "fun", "def", "function", "sub", "throws"}:
            return True
        if "var" in words and not {*words} & {"=", ":="}:
            return True  # a property of Swift
        return words[:1] in (["("], ["async"], ["const"], ["override"]) and "new" not in words

    def _call(
        self,
        opener: int,
        chain: Sequence[int],
        child: int,
        text: int,
        inner: str | None,
        place: Place,
    ) -> tuple[bool, bool]:
        """Whether a call settles what its argument is, and whether to go on outside of it."""
        tokens, names = self._tokens, self._names(chain, True)
        name = next((name for name in names if name.lower() not in _FACTORIES), names[0])
        name = name.lstrip("@$").rstrip("!?")
        lower = names[0].lower().lstrip("@$").rstrip("!?")
        code = tokens.span(chain[-1], text)
        earlier: list[list[int]] = []
        before, stop = tokens.before(child)
        while stop > opener and tokens.kinds[stop] == "," and len(earlier) < 4:
            before, stop = tokens.before(stop)
            earlier.append(before)
        if inner is not None:
            if inner.lower().replace("_", "") in ("default", "defaultvalue", "unset"):
                after = tokens.mate.get(opener, opener)
                declared = tokens.data[tokens.ends[after] :][:60].decode("utf-8", "replace")
                code += " " + re.split(r"[;={(,]|\n\s*\n", declared)[0]
                return self._named(code, place), False
            return place.take(name, inner), False
        if child == text and (_SAID.fullmatch(lower) or lower in ("import", "include")):
            place.decoy = True
            return False, False
        if name == "using":
            place.names += [self._content(head[0]) for head in earlier]
        elif any(len(head) == 1 and tokens.kinds[head[0]] == "text" for head in earlier):
            earlier += [[]] * 2
        if len(earlier) < 2 and (_CALLS.fullmatch(name) or spellings.CALLS.fullmatch(name)):
            place.sure, place.strict = True, name not in spellings.LOOSE_CALLS
            return True, True
        if lower in _EQUALS and len(names) > 1:
            place.strict = False if place.take(names[1]) else place.strict
            return place.sure, False
        if not earlier and key_of(name).sure:
            return place.take(name), True
        place.decoy = place.decoy or (is_decoy(name) and not lower.endswith("text"))
        if _DEFAULTS.fullmatch(lower):
            return self._named(code, place), True
        texts = [self._content(head[0]) for head in earlier if len(head) == 1]
        for key in texts[:2]:
            if key and " " not in key and place.take(last_name(key)):
                return True, True
        return False, bool(_SAME.fullmatch(lower) or _SAME.fullmatch(name.lower()))

    def _named(self, code: str, place: Place) -> bool:
        """Whether a name in this code says that it is a model."""
        return any(key_of(name).sure and place.take(name) for name in _NAMES.findall(code)[::-1])

    def _called(self, chain: Sequence[int], opener: int) -> dict[str, str]:
        """Methods that are called on the same value, and their first arguments."""
        tokens, found = self._tokens, {}
        for bracket, name in zip(chain, chain[1:], strict=False):
            if tokens.text(bracket) == "(":
                found[tokens.text(name)] = self._value(bracket + 1)
        at = tokens.mate.get(opener, len(tokens.kinds)) + 1
        while at + 2 < len(tokens.kinds) and tokens.text(at) in self._dots and len(found) < BESIDE:
            if tokens.text(at + 2) != "(":
                at += 2
                continue
            found[tokens.text(at + 1)] = self._value(at + 3)
            at = tokens.mate.get(at + 2, len(tokens.kinds)) + 1
        return {re.sub(r"^(?:with|set)_?(?=[A-Za-z])", "", name): found[name] for name in found}

    def _value(self, token: int) -> str:
        tokens = self._tokens
        if token >= len(tokens.kinds):
            return ""
        return self._content(token) if tokens.kinds[token] == "text" else tokens.text(token)

    def _items_of(self, opener: int) -> dict[str, str]:
        """Keys and values between brackets."""
        if opener not in self._items:
            self._items[opener] = dict(self._pairs(opener))
        return self._items[opener]

    def _pairs(self, opener: int) -> Iterator[tuple[str, str]]:
        tokens, at, items = self._tokens, opener + 1, 0
        key: str | None = None
        last = -1
        while at < len(tokens.kinds) and tokens.opener[at] >= opener and items < BESIDE:
            kind, is_key = tokens.kinds[at], key is None
            if kind in (",", ";"):
                key, last, items = None, -1, items + 1
            elif tokens.text(at) in _ASSIGNS and last >= 0 and (is_key or tokens.text(at) == "="):
                key = last_name(self._value(last))
                if at + 1 < len(tokens.kinds):
                    yield key, self._value(at + 1)
            elif kind in ("word", "text"):
                last = at
            at = tokens.mate.get(at, at) + 1 if kind == "open" else at + 1
