"""The scripts in HTML, Vue, Svelte and Astro, and the attributes of their tags."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator

from .keys import key_of
from .place import Place

#: Suffixes of files that are read so.
SUFFIXES = (".html", ".htm", ".vue", ".svelte", ".astro", ".cshtml", ".razor", ".ejs", ".hbs")
#: Attributes whose value may be a model in any tag.
VALUES = frozenset({"value", "default", "fallback"})
_PARTS = re.compile(
    rb"<!--.*?-->|\{\{!--.*?--\}\}|@\*.*?\*@|<%#.*?%>|<script\b(?P<tag>[^>]*)>(?P<code>.*?)</script\s*>|<style\b.*?</style\s*>"
    rb"|\A\s*---\r?\n(?P<front>.*?)^---",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_KIND = re.compile(rb"""(?:lang|type)\s*=\s*["']?([\w/+.-]+)""")
_LANGUAGES = {
    b"ts": "typescript", b"typescript": "typescript", b"tsx": "tsx", b"js": "javascript",
    b"javascript": "javascript", b"jsx": "javascript", b"module": "javascript",
    b"text/javascript": "javascript", b"application/javascript": "javascript",
    b"text/babel": "javascript", b"text/typescript": "typescript", b"application/json": "json",
}  # fmt: skip
_ATTRIBUTE = re.compile(rb"""([\w:.@-]+)=\{?["'](?:\{?["'])?$""")
_NAMES = re.compile(rb"""(?:name|id|v-model|x-model|bind:value)=["']([\w.\[\]-]+)""")
_QUOTED = re.compile(rb"""\"[^\"]*\"|'[^']*'|\{[^{}]*\}""")
_ITEM = re.compile(rb"(?i)<[\w.-]*(?:option|item|radio)\b")
_CHOICE = re.compile(rb"(?i)<([\w.-]*(?:select|group|dropdown|combobox))\b[^>]*")
#: A tag is at most so long, and a list of options.
_TAG, _LIST = 2_000, 20_000


class Page:
    """A file with tags."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts = [*_PARTS.finditer(data)]
        self._starts = [part.start() for part in self._parts]

    def scripts(self) -> Iterator[tuple[str, int, int]]:
        """Language, start and end of each script."""
        for part in self._parts:
            if part["front"] is not None:  # of an Astro file
                yield "typescript", *part.span("front")
            elif part["code"]:
                kind = _KIND.search(part["tag"])
                language = _LANGUAGES.get(kind[1].lower()) if kind else "javascript"
                if language:
                    yield language, *part.span("code")

    def place_of(self, start: int, end: int) -> Place | None:
        """The place of a text that is the whole value of an attribute."""
        data = self._data
        tag_start = data.rfind(b"<", max(0, start - _TAG), start)
        before = data[tag_start:start] if tag_start >= 0 else b""
        attribute = _ATTRIBUTE.search(before)
        if attribute is None or data[end : end + 1] not in (b'"', b"'"):
            return None
        if b">" in _QUOTED.sub(b"", before):
            return None  # in the text after a tag
        part = bisect(self._starts, start) - 1
        if part >= 0 and start < self._parts[part].end():
            return None
        key = attribute[1].decode().rpartition(":")[2]
        place = Place(whole=True, is_value=key in VALUES)
        if key not in ("value", "checked"):
            place.take(key)
        elif _ITEM.match(before):
            listed = data[max(0, tag_start - _LIST) : tag_start]
            opened = [*_CHOICE.finditer(listed)][-1:]
            if opened and b"</" + opened[0][1] not in listed[opened[0].end() :]:
                self._named(opened[0][0], place)
        else:
            self._named(data[tag_start : data.find(b">", end)][:_TAG], place)
        return place

    @staticmethod
    def _named(tag: bytes, place: Place) -> None:
        names = [name.decode() for name in _NAMES.findall(tag)]
        name = next((name for name in names if key_of(name).sure), "")
        if name:
            place.take(name)
