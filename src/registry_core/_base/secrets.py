"""Credentials that were read: known by name, so that nothing shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from threading import Lock

#: Shorter values would mask ordinary words.
_SHORTEST = 4
#: Longer values stand in no payload by chance.
_LONG = 16
#: A value may be no text: what is not UTF-8 in the environment arrives as lone surrogates.
_ANY = "surrogatepass"


class Secrets:
    """The values that one sync, or one `resolve`, read from the environment. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: dict[str, str] = {}
        self._forms: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def reveal(self, name: str, environ: Mapping[str, str]) -> str | None:
        """The variable `name`, without surrounding white space; None if unset or empty.

        From here on `mask` hides the value.
        """
        value = environ.get(name, "").strip()
        if not value:
            return None
        with self._lock:
            if value not in self._names:
                self._names[value] = name
                self._mask(value, name)
        return value

    def hide(self, value: str, name: str) -> None:
        """From here on `mask` hides `value`, which came from no variable, under this name."""
        with self._lock:
            if value not in self._forms:
                self._mask(value, name)

    def _mask(self, value: str, name: str) -> None:
        if len(value) >= _SHORTEST:
            self._forms |= dict.fromkeys(_forms(value), name)
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def name_of(self, value: str) -> str | None:
        """The variable that `value` was read from; None if it came from elsewhere."""
        with self._lock:
            return self._names.get(value)

    def names_in(self, text: str) -> set[str]:
        """The variables whose values, of four characters or more, stand in `text`."""
        with self._lock:
            forms = self._pattern.findall(text) if self._pattern else []
            return {self._forms[form] for form in forms}

    def found_in(self, texts: Iterable[bytes], others: Iterable[str] = ()) -> str | None:
        """What stands in one of `texts`, for a message: a value that was read, or one of
        `others`, of 16 characters or more, as it is or as a URL or JSON quotes it. None if
        nothing does. Without such a value nobody asks for the texts."""
        with self._lock:
            named = list(self._names.items())
        hidden = [
            pair for pair in (*named, *((other, "") for other in others)) if len(pair[0]) >= _LONG
        ]
        everything = b"\n".join(texts) if hidden else b""
        for value, name in hidden:
            if any(form.encode(errors=_ANY) in everything for form in _forms(value)):
                return f"the value of {name}" if name else "a credential of the request"
        return None

    def mask(self, text: str) -> str:
        """`text` with ***NAME*** for each value that was read, quoted for a URL or JSON too."""
        with self._lock:
            pattern, forms = self._pattern, self._forms
            if pattern is None:
                return text
            return pattern.sub(lambda match: f"***{forms[match[0]]}***", text)


def _forms(value: str) -> set[str]:
    """`value` as it may appear in a message: as it is, in a URL, in JSON or a `repr`."""
    from urllib.parse import quote, quote_plus  # lookups, too, have an object of this class

    return {
        value,
        quote(value, errors=_ANY),
        quote(value, safe="", errors=_ANY),
        quote(value, safe="!#$%&'()*+,/:;=?@[]~", errors=_ANY),  # as requests does it
        quote_plus(value, errors=_ANY),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
    }
