"""Which kinds of files are read, and the texts in them that may name a model."""

from __future__ import annotations

import json
import re
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from ahocorasick_rs import BytesAhoCorasick, Implementation
from attrs import frozen

from .grammars import BRACES, parse
from .keys import key_of
from .names import Name
from .pages import SUFFIXES as PAGES, Page
from .place import BESIDE, Place
from .places import AFTER, EMBEDDED, Tree, may_have_place, place_of

#: Suffix of a file → the language of its grammar.
LANGUAGES = {
    ".py": "python", ".pyi": "python", ".pyw": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
    ".json": "json", ".jsonc": "json", ".json5": "javascript",
    ".yaml": "yaml", ".yml": "yaml", ".toml": "toml",
    ".sh": "bash", ".bash": "bash", ".zsh": "bash",
    ".ini": "lines", ".cfg": "lines", ".conf": "lines", ".properties": "lines", ".env": "lines",
    ".md": "markdown", ".mdx": "markdown", ".markdown": "markdown",
    ".prompt": "markdown", ".prompty": "markdown",
    ".ipynb": "notebook",
    ".tf": "lines", ".tfvars": "lines", ".hcl": "lines",
    ".http": "commands", ".rest": "commands", ".mk": "commands",
    ".go": "go", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".cs": "csharp",
    ".rb": "ruby", ".rake": "ruby", ".php": "php", ".rs": "rust", ".swift": "swift",
    **dict.fromkeys(PAGES, "page"),
}  # fmt: skip
_NAMED = re.compile(r"(\.env(?:[.-].+)?|.+\.env)|(Dockerfile.*|Makefile|[Jj]ustfile|Procfile)")
#: The info strings of fenced code → languages.
_FENCES = {
    "python": "python", "py": "python", "python3": "python", "pycon": "python", "ipython": "python",
    "javascript": "javascript", "js": "javascript", "jsx": "javascript", "mjs": "javascript",
    "typescript": "typescript", "ts": "typescript", "tsx": "tsx",
    "json": "json", "jsonc": "json", "json5": "javascript", "yaml": "yaml", "yml": "yaml",
    "toml": "toml", "bash": "bash", "sh": "bash", "shell": "bash", "zsh": "bash",
    "console": "bash", "shell-session": "bash", "ini": "lines", "env": "lines", "dotenv": "lines",
    "properties": "lines", "dockerfile": "commands", "http": "commands",
}  # fmt: skip
_FENCES |= {
    **{suffix[1:]: LANGUAGES[suffix] for suffix in (".go", ".kt", ".cs", ".rb", ".rs")},
    **{language: language for language in BRACES},
    **dict.fromkeys((suffix[1:] for suffix in PAGES), "page"),
    "golang": "go", "c#": "csharp",
}  # fmt: skip
#: A template, or an example, is read as what it is for: `config.yaml.j2`.
_TEMPLATES = frozenset(
    {"j2", "jinja", "jinja2", "tpl", "tmpl", "gotmpl", "erb", "twig", "template", "example",
     "sample", "dist"}
)  # fmt: skip
_IN_URL = re.compile(
    rb"/(?:models|deployments|engines|model)/([\w.@-]+?)(?=[:/?\"'`\s\\]|$)"
    rb"|:(?:foundation-model|inference-profile)/([\w.:-]+)"  # in an ARN
)
_METHOD = re.compile(rb":[a-z]+[A-Z]\w+|/(?:invoke|converse)")
#: A word that may be a name. `${A_MODEL:-gpt-4}` has two.
_WORD = re.compile(rb"(?:[\w./@+-]|:(?!-))*")
_MARKS = b"./@:+-"
#: A table for `translate`: characters that can't be part of a name become spaces.
_SPACED = bytes(
    code if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "_./@:+-") else 32
    for code in range(256)
)
#: Bytes of a word that are looked at, before and after a stem. What is longer is an image, a font,
#: a certificate, and each slash in it could be the end of a prefix.
_LONGEST = 300
#: So many bytes before a name are looked at, in its line.
_NEAR = 200
_ESCAPED = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)")
_LINE = re.compile(
    rb"^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(.*?)[ \t]*\r?$", re.MULTILINE
)
#: The head of a variable of Terraform, before its default.
_VARIABLE = re.compile(rb"variable[ \t]+\"(\w+)\"[ \t]*\{[^{}]*$")
#: Files about the past, and minified scripts.
_PAST = re.compile(
    r"(?i)(?:change(?:s|log)|history|release[-_]?notes|news)[^.]*(?:\.(?:mdx?|markdown|json|ya?ml))?"
    r"|.*\.min\.js"
)
_FRONT = re.compile(rb"---\r?\n(.*?\n)---\s", re.DOTALL)
#: Parts of a template: comments and whole lines, or in a line.
_TEMPLATED = re.compile(
    rb"(?m)(?P<line>\{\{-?\s*/\*(?s:.{0,2000}?)\*/\s*-?\}\}"
    rb"|^[ \t]*\{\{[^{}\n]{0,500}\}\}[ \t]*\r?$)|\{\{[^{}\n]{0,500}\}\}"
)
_SHEBANG = re.compile(rb"#!.*\b(python|node|bash|sh|zsh)")


#: The text of a name, and its offsets in bytes.
Candidate = tuple[Name, int, int]


@frozen
class Sighting:
    """A text that may name a model, and its place. Offsets are in bytes."""

    name: Name
    place: Place
    start: int
    end: int


def language_of(name: str, data: bytes = b"") -> str | None:
    """The language of a file, by its name and first bytes. None if such files are not read."""
    if _PAST.fullmatch(name):
        return None
    if name.startswith("OAI_CONFIG_LIST"):  # AutoGen's
        return "json"
    if named := _NAMED.fullmatch(name):
        return "lines" if named[1] else "commands"
    stem, dot, end = name.rpartition(".")
    if end.lower() in _TEMPLATES and "." in stem:
        return language_of(stem)
    if (stem and dot) or not data.startswith(b"#!"):
        return LANGUAGES.get(f".{end}".lower()) if dot else None
    match = _SHEBANG.match(data)
    program = match[1].decode() if match else ""
    return {"python": "python", "node": "javascript"}.get(program, "bash" if program else None)


def sightings(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Those of the candidates in these bytes at places that may name a model."""
    return _READERS.get(language, _code)(language, data, found, reader) if found else iter(())


def _within(language: str, part: bytes, reader: Reader) -> Iterator[Sighting]:
    """Sightings in a part of a file. Offsets count from its start."""
    return sightings(language, part, reader.candidates(language, part), reader)


def _inside(language: str, data: bytes, start: int, end: int, reader: Reader) -> Iterator[Sighting]:
    """Sightings in a part of a file. Offsets count from the start of the file."""
    for one in _within(language, data[start:end], reader):
        yield Sighting(one.name, one.place, one.start + start, one.end + start)


class Reader:
    """Finds texts that `read` takes for the name of a model. Each text is read once."""

    def __init__(self, read: Callable[[str], Name | None], stems: Iterable[str]) -> None:
        """`stems`: every name holds one of them."""
        patterns = [stem.encode() for stem in stems]
        automaton = BytesAhoCorasick(patterns, implementation=Implementation.DFA)
        self._stems: Callable[[bytes], list[tuple[int, int, int]]]
        self._stems = automaton.find_matches_as_indexes
        self._read = read
        self._names: dict[bytes, Name | None] = {}

    def candidates(self, language: str, data: bytes) -> list[Candidate]:
        """Texts that read like the name of a model, with their offsets, at any place. In a
        notebook the offsets mean nothing, as its code is escaped."""
        return [*self._candidates(_ESCAPED.sub(b" ", data) if language == "notebook" else data)]

    def _candidates(self, data: bytes) -> Iterator[Candidate]:
        end = 0
        for _, start, _ in self._stems(data):
            if start < end:
                continue
            head = data[max(0, start - _LONGEST) : start].translate(_SPACED)
            begin = start - len(head) + head.replace(b":-", b"  ").rfind(b" ") + 1
            if data[begin - 2 : begin] == b"${":  # ${A_MODEL:x}
                begin = data.find(b":", begin, start) + 1 or begin
            match = _WORD.match(data, begin, start + _LONGEST)
            assert match is not None
            end = max(match.end(), start + 1)
            word = match[0].rstrip(_MARKS)
            if b":" in word and data[begin - 2 : begin] == b"${":  # ${app.model:gpt-4}
                begin += word.index(b":") + 1
                word = word.partition(b":")[2]
            starts = begin > start - _LONGEST and data[begin - 1 : begin] not in (b"$", b"~")
            if starts and word[:1].isalnum() and (name := self._name(word)):
                yield name, begin, begin + len(word)
            if b"/" in word:
                for named in _IN_URL.finditer(data, begin, end + 1):
                    at = named.lastindex or 1
                    if name := self._name(named[at]):
                        yield name, *named.span(at)

    def _name(self, word: bytes) -> Name | None:
        try:
            return self._names[word]
        except KeyError:
            return self._names.setdefault(word, self._read(word.decode()))


def _code(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    tree: Tree | None = None
    for name, start, end in found:
        place = _in_url(data, start, end)
        if place is None and may_have_place(language, data, start, end):
            tree = tree or _tree(language, data)
            place = place_of(tree, data, start, end)
        if place is not None:
            yield Sighting(name, place, start, end)


def _tree(language: str, data: bytes) -> Tree:
    tree = Tree(parse(language, data))
    if tree.is_broken and language == "yaml" and b"{{" in data:  # Helm's
        return Tree(parse(language, _TEMPLATED.sub(_masked, data)), is_broken=True)
    return tree


def _masked(match: re.Match[bytes]) -> bytes:
    return (b" " if match["line"] else b"x") * len(match[0])


def _page(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Scripts, and attributes of tags."""
    page = Page(data)
    for inner, start, end in page.scripts():
        yield from _inside(inner, data, start, end, reader)
    for name, start, end in found:
        if place := page.place_of(start, end):
            yield Sighting(name, place, start, end)


def _in_url(data: bytes, start: int, end: int) -> Place | None:
    """The place of a name in the path of a request's URL. None if it is not in one."""
    line = data[max(data.rfind(b"\n", 0, start), start - 300) + 1 : start]
    url = re.search(rb"(?:https?:/)?/[^\s\"'`]*/(?:models|deployments|engines|model)/$", line)
    if url is None or re.match(rb"\s*(?:#|//|\*|<!--)", line):
        return None
    if not re.search(rb"/v\d|/openai/|bedrock", url[0]) and not _METHOD.match(data, end):
        return None  # a page about the model
    text = url[0].decode("utf-8", "replace")
    return Place(whole=True, sure=True, siblings=[{"url": text}])


def _markdown(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Front matter, and code in fences. The rest of Markdown is prose."""
    for inner, start, end in _parts(data):
        yield from _inside(inner, data, start, end, reader)


def _parts(data: bytes) -> Iterator[tuple[str, int, int]]:
    """The languages of the parts of Markdown with code, and where they start and end."""
    if front := _FRONT.match(data):
        yield "yaml", *front.span(1)
    stack = [parse("markdown", data)] if b"```" in data or b"~~~" in data else []
    while stack:
        node = stack.pop()
        if node.type == "fenced_code_block":
            info = next((child for child in node.children if child.type == "info_string"), None)
            body = next(
                (child for child in node.children if child.type == "code_fence_content"), None
            )
            if info is not None and body is not None:
                word = re.match(rb"[\s{.]*([\w+-]*)", data[info.start_byte : info.end_byte])
                if inner := _FENCES.get(word[1].decode().lower() if word else ""):
                    yield inner, body.start_byte, body.end_byte
        elif node.type in ("document", "section", "list", "list_item", "block_quote"):
            stack += reversed(node.children)


def _notebook(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Cells with code, with offsets in the file."""
    book = json.loads(data)
    cells = book.get("cells") if isinstance(book, dict) else None
    kernel = (book.get("metadata") or {}).get("kernelspec") or {} if cells else {}
    main = _FENCES.get(str(kernel.get("language", "python")).lower(), "python")
    position = 0
    for cell in cells if isinstance(cells, list) else ():
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        lines = source.splitlines(True) if isinstance(source, str) else source
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            continue
        ends = [position]
        for inner, text in _codes(lines, main):
            code, at, begin, after = text.encode(), position, -1, position
            for sighting in _within(inner, code, reader):
                # Its offset in the file: in a line of JSON, after the previous one.
                first = code.rfind(b"\n", 0, sighting.start) + 1
                line = code[first:].split(b"\n", 1)[0].decode()
                for ascii_only in (False, True):
                    text_of_line = _in_json(line, ascii_only)
                    found_at = data.find(text_of_line, at if first == begin else after)
                    if found_at >= 0:
                        at, begin, after = found_at, first, found_at + len(text_of_line)
                        before = code[first : sighting.start].decode()
                        start = at + len(_in_json(before, ascii_only))
                        end = start + sighting.end - sighting.start
                        yield Sighting(sighting.name, sighting.place, start, end)
                        break
            ends.append(after)
        position = max(ends)


def _codes(lines: list[str], main: str) -> Iterator[tuple[str, str]]:
    """The languages of a cell, and its code in each of them."""
    text, inner = "".join(lines), main
    if magic := re.match(r"%%(bash|sh|script|javascript|js|writefile)\b", text):
        inner = _FENCES.get(magic[1], "bash")
    if inner == "python":
        text = re.sub(r"(?m)^(\s*)[%!]", r"\1#", text)
        commands = [line.lstrip()[1:] for line in lines if line.lstrip()[:1] == "!"]
        yield "bash", "".join(commands)
    yield inner, text


def _in_json(text: str, ascii_only: bool) -> bytes:
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()


def _lines(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Lines with a key and a value: `.env`, INI and similar files."""
    pairs = [*_LINE.finditer(data)]
    heads = [head.start() for head in re.finditer(rb"(?m)^\s*\[", data)]
    starts = [pair.start(2) for pair in pairs]
    sections = [bisect(heads, at) for at in starts]
    read, key, content, items = -1, "", b"", frozenset[bytes]()
    for name, start, end in found:
        at = bisect(starts, start) - 1
        if at < 0 or start >= pairs[at].end(2):
            continue
        if at != read:
            read, key, text = at, pairs[at][1].decode(), pairs[at][2]
            content = re.split(rb"[ \t]+[#;]", text)[0]
            items = _items(content)
        if start >= starts[at] + len(content):
            continue  # in a comment
        whole = data[start:end] in items
        place = Place(whole=whole, is_value=whole)
        if not place.whole:
            before = data[max(starts[at], start - _NEAR) : start]
            if not (EMBEDDED.search(before) and AFTER.match(data, end)):
                continue
            place.sure = True
        place.take(key.replace(".", "_"))
        head = data[max(0, starts[at] - 10 * _NEAR) : starts[at]]
        if key == "default" and (variable := _VARIABLE.search(head)):
            place.take(variable[1].decode())
        section = range(
            max(bisect_left(sections, sections[at]), at - BESIDE),
            min(bisect(sections, sections[at]), at + BESIDE),
        )
        beside = {
            pairs[index][1].decode(): pairs[index][2].decode("utf-8", "replace")
            for index in section
        }
        place.siblings.append(beside)
        yield Sighting(name, place, start, end)


def _items(value: bytes) -> frozenset[bytes]:
    """The items of a list, or the only value."""
    inner = re.sub(rb"^to(?:set|list)\(|\)$", b"", value).strip(b"\"'[]")
    return frozenset(item.strip(b" \"'") for item in inner.split(b","))


def _commands(
    language: str, data: bytes, found: Sequence[Candidate], reader: Reader
) -> Iterator[Sighting]:
    """Lines with commands and assignments, as in a Dockerfile."""
    for name, start, end in found:
        line = data[data.rfind(b"\n", 0, start) + 1 : start]
        place = _in_url(data, start, end)
        if place is None and not line.lstrip().startswith((b"#", b"//", b"LABEL")):
            before = re.sub(rb"(?i)^\s*(?:env|arg)\s+(\w+)\s+$", rb"\1=", line[-_NEAR:])
            before = re.sub(rb"^(\w+)\s*[:?+]?=\s*$", rb"\1=", before)  # a Makefile's
            if EMBEDDED.search(before) and AFTER.match(data, end):
                place = Place(sure=True, strict=True, names=[before.decode("utf-8", "replace")])
                if key_of(line[:_NEAR].decode("utf-8", "replace")).words[:1] == ("image",):
                    place = None
        if place is not None:
            yield Sighting(name, place, start, end)


_READERS: dict[str, Callable[[str, bytes, Sequence[Candidate], Reader], Iterator[Sighting]]] = {
    "markdown": _markdown,
    "notebook": _notebook,
    "lines": _lines,
    "commands": _commands,
    "page": _page,
}
