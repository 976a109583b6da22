"""The place of a text in a statement, for languages that are read without a grammar."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import idioms, spellings
from .keys import is_decoy, key_of, last_name
from .place import Place
from .places import AFTER, EMBEDDED
from .tokens import Tokens

#: The most brackets around a text that are looked at, beside those of blocks.
_LEVELS = 3
_NAMES = re.compile(r"[A-Za-z_]\w*")
_COMPARED = re.compile(rb"\s*(?:[!=]==?\s*|\.(?:equals|equalsIgnoreCase)\()([\w.$>()-]+)")
#: `@Value("${app.model:x}")`
_PROPERTY = re.compile(rb"\$\{[\w.-]*(?i:model|deployment)(?i:[-_.]?(?:name|id))?:$")


class Statements:
    """Finds places in the code of a file."""

    def __init__(self, language: str, data: bytes) -> None:
        self._language = language
        self._tokens = Tokens(language, data)

    def place_of(self, start: int, end: int) -> Place | None:
        """The place of a text; None in comments, and outside of strings."""
        tokens = self._tokens
        at = tokens.at(start)
        if at < 0 or tokens.kinds[at] != "text" or end > tokens.ends[at]:
            return None
        is_item = tokens.data.startswith((b"%w", b"%i"), tokens.starts[at])
        if is_item or tokens.data[start:end].decode() == tokens.content(at):
            return _Climb(self._language, tokens, at).place
        before = tokens.data[max(tokens.starts[at], start - 200) : start]
        before = before[before.rfind(b"\n") + 1 :]
        if (EMBEDDED.search(before) or _PROPERTY.search(before)) and AFTER.match(tokens.data, end):
            return Place(sure=True, strict=True, names=[before.decode("utf-8", "replace")])
        return None


class _Climb:
    """Notes in `place` what the code around a text tells about it, from the inside out."""

    def __init__(self, language: str, tokens: Tokens, text: int) -> None:
        self.place = Place(whole=True)
        self._language, self._tokens, self._text = language, tokens, text
        self._settled = False
        self._inner: str | None = None
        """The key that leads to the text, and did not settle what it is."""
        self._given = False
        """The text is what a block or function gives."""
        self._arm = False
        """It is what one of several cases gives."""
        self._start()

    def _start(self) -> None:
        tokens = self._tokens
        head, stop = tokens.before(self._text)
        words = tokens.texts(head)
        if self._is_part(words) or self._is_compared(head, words):
            return
        self._given = not words or words[0] == "return"
        self._arm = words[:1] in (["=>"], ["->"]) or words[-1:] == ["case"]
        self._key(head, stop)
        ends_item = stop >= 0 and tokens.kinds[stop] == ","
        if ends_item and self._inner in idioms.DEFAULT_KEYS:  # field :model, default: "x"
            self._take_named(tokens.span(tokens.first(self._text), self._text))
        if self._given and stop >= 0 and tokens.kinds[stop] == ";":
            before = tokens.before(stop)[0]
            if idioms.FUNCTIONS & {*tokens.texts(before)[-2:]}:
                self._take(tokens.words(before))
        child = self._text
        while (opener := tokens.opener[child]) >= 0 and len(self.place.siblings) < _LEVELS:
            head, stop = tokens.before(opener)
            rest = self._bracket(opener, head, child)
            if rest is None:
                return
            if self._settled:
                self.place.names += tokens.words(rest[:3])
            self._key(rest, stop)
            child = opener

    def _bracket(self, opener: int, head: Sequence[int], child: int) -> Sequence[int] | None:
        """What a bracket around the text tells. Returns the tokens before it in which a key may
        be; None at the end of the way."""
        tokens, place = self._tokens, self.place
        bracket, words, chain = tokens.text(opener), tokens.texts(head), tokens.chain(head)
        if bracket == "{":
            return self._block(opener, head, words, chain)
        if bracket == "(" and chain:
            if len(chain) > 1 or words[0] not in idioms.CONTROL | idioms.SKIPPED:
                place.siblings.append(tokens.pairs(opener) | tokens.calls(chain, opener))
                place.names += tokens.words(chain, members=True)
                if not self._settled and not self._call(opener, chain, child):
                    return None
                return self._give(head[len(chain) :])
        elif bracket == "[" and chain and tokens.ends[head[0]] == tokens.starts[opener]:
            if not self._settled and words[0] != "vec!":
                self._take(tokens.words(chain)[:1])  # an index
                return None
            head = head[len(chain) :]
        place.siblings.append(tokens.pairs(opener))
        return head

    def _block(
        self, opener: int, head: Sequence[int], words: list[str], chain: Sequence[int]
    ) -> Sequence[int] | None:
        tokens, place = self._tokens, self.place
        if names := self._type_at(opener):
            self._take_type(names, self._inner)
            place.siblings.append(tokens.pairs(opener))
            return None
        if idioms.CONTROL & {*words}:
            at = max(at for at, word in enumerate(words) if word in idioms.CONTROL)
            if words[at] in idioms.CHOICES and (place.is_key or self._arm):
                subject = tokens.span(head[at] if at else head[-1], opener)
                if place.is_key and self._take([last_name(subject.removesuffix(words[at] + " "))]):
                    place.is_key = False
                    return None
                if self._arm:
                    self._given, self._inner = True, None
            return head[at + 1 :]
        if self._given and self._inner is None and not self._settled:
            self._take(tokens.words(head))
            if self._language == "ruby":  # let(:model) { "x" }
                self._take_named(tokens.span(tokens.first(opener), opener))
            place.decoy = place.decoy and not self._settled
        if self._is_function(words):
            if self._arm and self._given and not idioms.SHOWN.search(" ".join(words)):
                self._take_type(self._type_at(tokens.opener[opener]), "name")
            return None
        item, first = tokens.before(tokens.before(self._text)[1])
        if self._language == "c" and first == opener == tokens.opener[self._text]:
            self._take([last_name(tokens.content(token)) for token in item])  # {"model", "x"}
        place.siblings.append(tokens.pairs(opener))
        place.names += tokens.words(chain)
        if self._inner is not None:
            self._take(tokens.words(chain)[:1])
        rest = head[len(chain) :]
        if idioms.ASSIGNS & {*words[len(chain) :]}:
            rest = head[_assign(words, len(chain)) :]  # x = map[string]string{
        return self._give(rest)

    def _give(self, rest: Sequence[int]) -> Sequence[int]:
        self._given = self._tokens.texts(rest) in ([], ["return"])
        return rest

    def _take(self, names: Sequence[str]) -> bool:
        """Note names, the nearest first, until one settles what the text is."""
        take, inner = self.place.take, self._inner
        self._settled = self._settled or any(take(name, inner) for name in names)
        return self._settled

    def _take_named(self, code: str) -> bool:
        """Note the name in this code that says that it is a model, if there is one."""
        names = [name for name in _NAMES.findall(code)[::-1] if key_of(name).sure]
        self._settled = self._settled or any(map(self.place.take, names))
        return self._settled

    def _is_part(self, words: list[str]) -> bool:
        """Whether the text is a part of a longer one, or is only said."""
        tokens, place = self._tokens, self.place
        after = tokens.texts(range(self._text + 1, len(tokens.kinds))[:1])
        place.is_key = after in ([":"], ["=>"], ["->"], ["to"]) and words[:1] != ["?"]
        is_said = bool(words) and idioms.SAID.fullmatch(words[0].lower()) is not None
        is_joined = bool(idioms.JOINS & {*after, *words[:1]})
        place.decoy = is_joined or is_said or bool(idioms.IMPORTS & {*words[:1]})
        return place.decoy

    def _is_compared(self, head: Sequence[int], words: list[str]) -> bool:
        tokens, other = self._tokens, ""
        first, opener = tokens.first(self._text), tokens.opener[self._text]
        if words and words[0] in idioms.COMPARES:
            chain = tokens.chain(head[1:])
            other = tokens.span(chain[-1], head[0]) if chain else ""
        elif after := _COMPARED.match(tokens.data, tokens.ends[self._text]):
            other = after[1].decode("utf-8", "replace")
        elif words in ([], ["case"]) and tokens.text(first) == "case" and opener >= 0:
            other = tokens.span(tokens.before(opener)[0][-1], opener)
        else:
            return False
        self.place.take(last_name(other))
        self.place.strict = self.place.is_key = False
        return True

    def _key(self, head: Sequence[int], stop: int) -> None:
        """Note what stands before a value: its key, or what it is a default for."""
        tokens, words, at = self._tokens, self._tokens.texts(head), 0
        while at < len(head) and not self._settled:
            word, kind = words[at], tokens.kinds[head[at]]
            if word in idioms.SKIPPED or kind == "open" or (kind == "text" and at):
                at += 1  # of `if (fast) "x"`, also the word before the brackets
                at += word == "(" and bool(idioms.CONTROL & {*words[at : at + 1]})
            elif word in ("?", ":") and "?" in words[at:]:
                at = _assign(words, words.index("?", at) + 1)
            elif word in idioms.ELSE:
                after = _assign(words, at + 1)
                if after > at + 1:
                    names = _NAMES.findall(tokens.span(head[after - 1], head[at]))[::-1]
                    if not is_decoy(names[0] if names else ""):
                        self._take([name for name in names[:3] if key_of(name).sure])
                at = after
            elif word in idioms.ASSIGNS:
                self._assigned(word, head[at + 1 :], stop)
                return
            elif kind == "word" and {*words[:at]} <= {"%", "@"} and self._is_setting(words):
                if not self._take([word]):
                    self.place.decoy = words[1:2] != ["-"]
                return
            else:
                return

    def _is_setting(self, words: Sequence[str]) -> bool:
        """`model "x"`, `@model "x"`, `-Model "x"`, `#define MODEL "x"`."""
        return self._language in idioms.BARE or words[1:2] == ["define"]

    def _assigned(self, sign: str, rest: Sequence[int], stop: int) -> None:
        tokens = self._tokens
        if rest and tokens.text(rest[0]) == "do" and stop >= 0:  # def model, do: "x"
            rest = tokens.before(stop)[0]
        if not rest:
            return
        names = tokens.words(rest)
        if tokens.kinds[rest[0]] == "text":
            names = [last_name(tokens.content(rest[0]))]
        elif tokens.text(rest[0]) == "[":  # body["model"] = "x"
            key = last_name(tokens.span(rest[0], tokens.mate.get(rest[0], rest[0])))
            names = [key, *names] if key else names
        typed = [at for at, token in enumerate(rest[:8]) if tokens.text(token) == ":"]
        declared = tokens.words(rest[typed[-1] :]) if typed else names
        if not self._take(names if sign in idioms.TYPED else names[:1]):
            self._inner = self._inner or next(iter(declared), None)

    def _type_at(self, opener: int) -> list[str]:
        """What stands before the bracket of a type; nothing before other brackets."""
        tokens, words = self._tokens, list[str]()
        head, stop = tokens.before(opener) if opener >= 0 else ([], -1)
        for _ in range(_LEVELS):  # class A(B), C {
            words += tokens.texts(head)
            if idioms.TYPES & {*words} or stop < 0 or tokens.kinds[stop] != ",":
                break
            head, stop = tokens.before(stop)
        return words if idioms.TYPES & {*words} else []

    def _take_type(self, words: Sequence[str], inner: str | None) -> None:
        """Note the name of a type. It may hold models; an enumeration of models does."""
        at = next((at for at, word in enumerate(words) if word in {*idioms.TYPES, "for"}), 0)
        if at and not self._settled:
            self.place.take(words[at - 1], None if "enum" in words else inner or "")

    @staticmethod
    def _is_function(words: Sequence[str]) -> bool:
        is_property = "var" in words and not {"=", ":="} & {*words}  # of Swift
        ends = words[:1] in (["("], ["async"], ["const"], ["override"]) and "new" not in words
        return bool(idioms.FUNCTIONS & {*words}) or is_property or ends

    def _call(self, opener: int, chain: Sequence[int], child: int) -> bool:
        """What a call tells about its argument. Returns whether to go on outside of it."""
        tokens, place, inner = self._tokens, self.place, self._inner
        names = [name.lstrip("@$").rstrip("!?") for name in tokens.words(chain, members=True)]
        lower = names[0].lower()
        name = next((name for name in names if name.lower() not in idioms.FACTORIES), names[0])
        code = tokens.span(chain[-1], self._text)
        if inner is not None:
            if inner.lower() in idioms.DEFAULT_KEYS:
                after = tokens.ends[tokens.mate.get(opener, opener)]
                declared = tokens.data[after : after + 60].decode("utf-8", "replace")
                self._take_named(code + " " + re.split(r"[;={(,]|\n\s*\n", declared)[0])
            elif not self._take([name]) and inner.lower() in ("rename", "value"):
                self._take_enum(opener)
            return False
        if child == self._text and idioms.SAID.fullmatch(lower):
            place.decoy = True
            return False
        earlier: list[list[int]] = []
        _, stop = tokens.before(child)
        while stop > opener and tokens.kinds[stop] == "," and len(earlier) < _LEVELS:
            before, stop = tokens.before(stop)
            earlier.append(before)
        single = [head[0] for head in earlier if len(head) == 1]
        texts = [tokens.content(one) for one in single if tokens.kinds[one] == "text"]
        if name == "using":  # Prism's: the provider, and its model
            place.names += texts
        is_first = name == "using" or (len(earlier) < 2 and not texts)
        if is_first and (idioms.CALLS.fullmatch(name) or spellings.CALLS.fullmatch(name)):
            self._settled = place.sure = True
            place.strict = name not in spellings.LOOSE_CALLS
        elif lower in idioms.EQUALS:
            place.take(names[1] if len(names) > 1 else "")
            place.strict = False
            return False
        elif not earlier and key_of(name).sure:
            self._take([name])
        elif idioms.DEFAULTS.fullmatch(lower):
            self._take_named(code)
            return True
        elif not self._take([last_name(text) for text in texts if text and " " not in text]):
            place.decoy = is_decoy(name) and not lower.endswith("text")
            if idioms.SAME.fullmatch(lower) or idioms.SAME.fullmatch(name.lower()):
                return True
            self._take_enum(opener)
            return False
        return True

    def _take_enum(self, opener: int) -> None:
        """`enum Model { A("x") }`, `@SerialName("x") A`, `#[serde(rename = "x")]`."""
        outer = self._tokens.opener[opener]
        if outer >= 0 and self._tokens.text(outer) == "[":
            outer = self._tokens.opener[outer]
        words = self._type_at(outer)
        if "enum" in words:
            self._take_type(words, None)


def _assign(words: Sequence[str], at: int) -> int:
    """The next sign between a key and a value."""
    ends = idioms.ASSIGNS | idioms.ELSE
    return next((n for n in range(at, len(words)) if words[n] in ends), len(words))
