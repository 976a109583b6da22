"""The comments, strings, words and brackets of languages in which these look alike."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from .idioms import ASSIGNS, DOTS, OTHER_DOTS
from .keys import last_name
from .place import BESIDE

_SLASHES, _STARS = r"//[^\n]*", r"/\*.*?(?:\*/|\Z)"
_HASH = r"\#[^\n]*"
_DOUBLE, _SINGLE = r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])*'"
_CHARACTER = r"'(?:\\[^'\n]{1,8}|[^\\'\n]{1,4})'"
_TRIPLE = r'"""(?:\\.|.)*?"""'
_HEREDOC = r"""<<[<~-][ ]?["'`]?(?P<mark>[A-Za-z_]\w*)["'`]?[^\n]*\n.*?\n[ \t]*(?P=mark)\b"""
_C = (f"{_SLASHES}|{_STARS}", f"{_TRIPLE}|{_DOUBLE}", _CHARACTER)
_SCRIPT = (_HASH, f"{_TRIPLE}|{_DOUBLE}|{_SINGLE}", r"(?!)")

#: Language → its comments, its strings, and literals that are no strings. A string ends with its
#: line, unless it is of a special form. So an odd quote costs no more than a line.
_FORMS: Mapping[str, tuple[str, str, str]] = {
    "c": (_C[0], rf'R"(?P<delimiter>[^\s(]*)\(.*?\)(?P=delimiter)"|@?{_DOUBLE}', _CHARACTER),
    "csharp": (_C[0], rf'{_TRIPLE}|\$?@\$?"(?:""|[^"])*"|\$*{_DOUBLE}', _CHARACTER),
    "dart": (_C[0], rf"'''.*?'''|{_TRIPLE}|r?{_DOUBLE}|r?{_SINGLE}", r"(?!)"),
    "elixir": _SCRIPT,
    "go": (_C[0], f"{_DOUBLE}|`[^`]*`", _CHARACTER),
    "groovy": (_C[0], f"'''.*?'''|{_TRIPLE}|{_DOUBLE}|{_SINGLE}", r"(?!)"),
    "java": _C,
    "kotlin": _C,
    "lua": (
        r"--\[(?P<long>=*)\[.*?\](?P=long)\]|--[^\n]*",
        rf"\[(?P<level>=*)\[.*?\](?P=level)\]|{_DOUBLE}|{_SINGLE}",
        r"(?!)",
    ),
    "php": (rf"{_C[0]}|\#(?!\[)[^\n]*", f"{_HEREDOC}|{_DOUBLE}|{_SINGLE}", r"(?!)"),
    "powershell": (
        rf"<\#.*?\#>|{_HASH}", rf"@\"\r?\n.*?\n\"@|@'\r?\n.*?\n'@|{_DOUBLE}|{_SINGLE}", r"(?!)",
    ),
    "r": (_HASH, rf"[rR]\"\(.*?\)\"|{_DOUBLE}|{_SINGLE}", r"(?!)"),
    "ruby": (
        rf"^=begin\b.*?^=end\b|{_HASH}",
        rf"{_HEREDOC}|%[wi](?:\[[^\]]*\]|\([^)]*\))|:?{_DOUBLE}|{_SINGLE}",
        r"(?!)",
    ),
    "rust": (_C[0], rf'b?r(?P<hashes>\#*)".*?"(?P=hashes)|{_DOUBLE}', _CHARACTER),
    "scala": _C,
    "swift": (_C[0], rf'\#".*?"\#|{_TRIPLE}|{_DOUBLE}', r"(?!)"),
}  # fmt: skip
#: Suffix of a file → its language.
SUFFIXES = {
    ".go": "go", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".scala": "scala",
    ".groovy": "groovy", ".cs": "csharp", ".rs": "rust", ".swift": "swift", ".dart": "dart",
    ".php": "php", ".rb": "ruby", ".rake": "ruby", ".ex": "elixir", ".exs": "elixir",
    ".lua": "lua", ".luau": "lua", ".r": "r", ".ps1": "powershell", ".psm1": "powershell",
    ".c": "c", ".h": "c", ".cc": "c", ".cpp": "c", ".cxx": "c", ".hpp": "c", ".m": "c", ".mm": "c",
}  # fmt: skip
#: Type arguments of a call, which say nothing here: `GetValue<string>(…)`.
_GENERIC = r"(?:::)?<(?:\w[\w\s,.?:&<>\[\]]{0,200})?>(?=[({\[])"
_REST = r"""(?P<word>[$@]{0,2}[A-Za-z_\x80-\xff][\w\x80-\xff]*(?:[?!](?![=.?:]))?|\d[\w.]*)
    |(?P<line>\n)|(?P<open>[(\[{])|(?P<shut>[)\]}])
    |(?P<sign>\?\?=?|\?:|\|\|=?|&&|===?|!==?|<=>?|>=|=>|=~|!~|->|<<?-|:=|::|\?\.|!!|\|>|[-+*/.]=
    |\.\.+|<>|\\\\|[^\s\w])"""
#: A line that ends, or begins, with one of these goes on.
_GOES_ON = re.compile(r"(?:[=:,(\[{|&+.\\]|\?[?:]|[-=]>|<-)$")
_CONTINUES = re.compile(r"[=:.?|&+)\]{]|->|<>")
#: The most tokens before a text that are looked at, in its statement.
_MOST = 60
#: The most items of a list before a text that are looked at.
_ITEMS = 3
_QUOTED = re.compile(r"""[@$:rRb]{0,2}\#*("{3}|'{3}|["'`])(.*?)\1\#*""", re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@cache
def _scanner(language: str) -> re.Pattern[bytes]:
    comment, text, literal = _FORMS[language]
    form = rf"(?P<comment>{comment}|{_GENERIC}|{literal})|(?P<text>{text})|{_REST}"
    return re.compile(form.encode(), re.DOTALL | re.MULTILINE | re.VERBOSE)


class Tokens:
    """The tokens of a file, without comments. A token is a number.

    Of the ends of lines only those that end a statement are tokens, of the kind ";".
    """

    def __init__(self, language: str, data: bytes) -> None:
        self.data = data
        self.kinds: list[str] = []
        """"text", "word", "open", "shut", ";", "," or "sign"."""
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.opener: list[int] = []
        """Token → the bracket around it, or -1."""
        self.mate: dict[int, int] = {}
        """A bracket → the one that closes or opens it."""
        self._dots = DOTS.get(language, OTHER_DOTS)
        self._pairs: dict[int, dict[str, str]] = {}
        around, last, ended = [-1], "", -1
        for match in _scanner(language).finditer(data):
            kind = str(match.lastgroup)
            if kind == "comment":
                continue
            if kind == "line":
                ended = match.start() if last and not _GOES_ON.search(last) else -1
                continue
            last = match[0].decode("utf-8", "replace") if kind != "text" else "x"
            if ended >= 0 and not _CONTINUES.match(last):
                self._add(";", ended, ended, around[-1])
            ended = -1
            if kind == "shut":
                # A bracket that closes no other one is ignored, as are those that stay open in it.
                levels = [at for at in range(len(around) - 1, max(0, len(around) - 9), -1)
                          if _PAIRS[self.text(around[at])] == last]  # fmt: skip
                if levels:
                    del around[levels[0] + 1 :]
                    self.mate[len(self.kinds)] = around[-1]
                    self.mate[around.pop()] = len(self.kinds)
            if kind == "sign" and last in (";", ","):
                kind = last
            self._add(kind, match.start(), match.end(), around[-1])
            if kind == "open":
                around.append(len(self.kinds) - 1)

    def _add(self, kind: str, start: int, end: int, opener: int) -> None:
        self.kinds.append(kind)
        self.starts.append(start)
        self.ends.append(end)
        self.opener.append(opener)

    def text(self, token: int) -> str:
        """The code of a token, of reasonable length."""
        start = self.starts[token]
        return self.data[start : min(self.ends[token], start + 300)].decode("utf-8", "replace")

    def span(self, first: int, after: int) -> str:
        """The code from one token up to another one, of reasonable length."""
        end = self.starts[after] if after < len(self.starts) else len(self.data)
        start = max(self.starts[first], end - 300)
        return self.data[start:end].decode("utf-8", "replace")

    def at(self, start: int) -> int:
        """The token that holds this byte or ends before it; -1 before the first."""
        return bisect(self.starts, start) - 1

    def before(self, token: int) -> tuple[list[int], int]:
        """What stands before a token in its statement, or item, and between the same brackets.

        The nearest comes first; a group in brackets is its opening bracket. And the token before
        these: a "," or ";", the bracket around them, or -1.
        """
        found: list[int] = []
        at, opener = token - 1, self.opener[token]
        while at > opener and self.kinds[at] not in (";", ",") and len(found) < _MOST:
            if self.kinds[at] == "shut":
                at = self.mate.get(at, at)
            found.append(at)
            at -= 1
        return found, at

    def first(self, token: int) -> int:
        """The first token of the statement, or the list, that this one ends."""
        before, stop = self.before(token)
        for _ in range(_ITEMS):
            if stop < 0 or self.kinds[stop] != ",":
                break
            before, stop = self.before(stop)
        return before[-1] if before else token

    def texts(self, tokens: Sequence[int]) -> list[str]:
        return [self.text(token) for token in tokens]

    def content(self, token: int) -> str:
        """What is in the quotes of a text; other tokens as they are."""
        if token >= len(self.kinds):
            return ""
        match = _QUOTED.fullmatch(self.text(token)) if self.kinds[token] == "text" else None
        return match[2] if match else self.text(token)

    def chain(self, head: Sequence[int]) -> Sequence[int]:
        """Those of these tokens that name what is called, or made: `OpenAI.builder().model`."""
        at = 0
        while at < len(head):
            while at < len(head) - 1 and self.kinds[head[at]] == "open":
                at += 1
            if self.kinds[head[at]] != "word":
                break
            at += 1
            if at == len(head) or self.text(head[at]) not in self._dots:
                break
            at += 1
        return head[:at]

    def words(self, head: Sequence[int], members: bool = False) -> list[str]:
        """The words among these tokens; of `a.b.c` only the last, unless `members`."""
        return [
            self.text(token)
            for at, token in enumerate(head)
            if self.kinds[token] == "word"
            and (members or not at or self.text(head[at - 1]) not in self._dots)
        ]

    def pairs(self, opener: int) -> dict[str, str]:
        """Keys and values between brackets; the first of many."""
        if opener not in self._pairs:
            self._pairs[opener] = dict(self._pairs_of(opener))
        return self._pairs[opener]

    def _pairs_of(self, opener: int) -> Iterator[tuple[str, str]]:
        at, items, last, key = opener + 1, 0, -1, ""
        while at < len(self.kinds) and self.opener[at] >= opener and items < BESIDE:
            kind, text = self.kinds[at], self.text(at)
            if kind in (",", ";"):
                key, last, items = "", -1, items + 1
            elif text in ASSIGNS and last >= 0 and (not key or text == "="):
                key = last_name(self.content(last))
                yield key, self.content(at + 1)
            elif kind in ("word", "text"):
                last = at
            at = self.mate.get(at, at) + 1 if kind == "open" else at + 1

    def calls(self, chain: Sequence[int], opener: int) -> dict[str, str]:
        """Methods that are called on the same value as this one, and their first arguments."""
        found: dict[str, str] = {}
        for bracket, name in pairwise(chain):
            if self.text(bracket) == "(":
                found[self.text(name)] = self.content(bracket + 1)
        at = self.mate.get(opener, len(self.kinds)) + 1
        while at + 2 < len(self.kinds) and self.text(at) in self._dots and len(found) < BESIDE:
            if self.text(at + 2) == "(":
                found[self.text(at + 1)] = self.content(at + 3)
                at = self.mate.get(at + 2, len(self.kinds)) + 1
            else:
                at += 2
        return {re.sub(r"^(?:with|set)_?(?=[A-Za-z])", "", name): found[name] for name in found}
