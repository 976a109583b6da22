"""Credentials that were read, with their names, so that messages can mask them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from threading import Lock

#: Shorter values would mask ordinary words.
_SHORTEST = 4
#: Values of this length don't occur in a payload by chance.
_LONG = 16
#: Bytes in the environment that are not UTF-8 arrive as lone surrogates.
_ANY = "surrogatepass"


class Secrets:
    """The values that one sync, or one `resolve`, read from the environment. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: dict[str, str] = {}
        self._forms: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def reveal(self, name: str, environ: Mapping[str, str]) -> str | None:
        """The value of the variable `name`, stripped; None if unset or empty.

        From now on `mask` hides the value.
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
        """From now on `mask` hides `value`, which is not from a variable, under this name."""
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
        """The variables whose values, of four characters or more, occur in `text`."""
        with self._lock:
            forms = self._pattern.findall(text) if self._pattern else []
            return {self._forms[form] for form in forms}

    def found_in(self, texts: Iterable[bytes], others: Iterable[str] = ()) -> str | None:
        """A name for the credential that occurs in one of `texts`, for a message; else None.

        Looks for values that were read, and for `others`, of 16 characters or more, also as
        quoted in a URL or in JSON. Without such values `texts` is not read.
        """
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
        """`text` with ***NAME*** for each known value, also if quoted for a URL or JSON."""
        with self._lock:
            pattern, forms = self._pattern, self._forms
            if pattern is None:
                return text
            return pattern.sub(lambda match: f"***{forms[match[0]]}***", text)


def _forms(value: str) -> set[str]:
    """The forms of `value` in a message: plain, in a URL, in JSON or in a `repr`."""
    from urllib.parse import quote, quote_plus  # not needed by lookups

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
