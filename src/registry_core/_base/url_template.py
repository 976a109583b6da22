"""Base URLs with `${VARIABLE}`: one strict parser, so that all readers agree.

Only plain URLs are accepted: `http` or `https`, a host name or address, a port, a path. User
names, queries, fragments, backslashes, percent signs, white space, dot segments, trailing
dots and non-ASCII characters are refused, since HTTP libraries read them differently. (Write an
international host name in its `xn--` form.) So every client sees the same host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from .frozen import Value

# Most lookups need few of the patterns that are texts here: `re` compiles them at their first use.
_VARIABLE = r"\$\{[A-Za-z0-9_]+\}"
_LABEL = rf"(?:[A-Za-z0-9_-]|{_VARIABLE})+"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\]"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_SEGMENT = rf"/(?!\.{{1,2}}(?:/|\Z))(?:[A-Za-z0-9._~:+=,-]|{_VARIABLE})+"
_URL = re.compile(
    rf"(?:(?P<prefix>{_VARIABLE})|(?P<scheme>https?)://(?P<host>{_HOST}){_PORT})"
    rf"(?P<path>(?:{_SEGMENT})*)/?"
)
_LOOPBACK = r"localhost|127(?:\.[0-9]{1,3}){3}|\[::1\]"
_DEFAULT_PORT = {"http": "80", "https": "443"}

#: The allowed value of a variable: one word of a path or host name…
_WORD = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
#: …or, if it is the whole host, a host with an optional port.
_HOST_PORT = rf"(?:{_HOST})(?::[0-9]{{1,5}})?"

#: The path of an operation, which clients add to a base URL.
_OPERATION = (
    r"(?<!/)(?:(?:/chat)?/completions|/embeddings|/messages|/responses"
    r"|(?:/models/[^/]+)?:(?:g|streamG)enerateContent)/?\Z"
)
_VERSION = r"/v[0-9][^/]*(?=/|\Z)"

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class BadValueError(ValueError):
    """The value of a variable does not fit its place in the template. `str()` is its name."""


@frozen(eq=False, repr=False)
class UrlTemplate(Value):
    """A parsed base URL. Keys are bound to its `origin`: `scheme://host[:port]`, normalized."""

    text: str
    origin: str
    scheme: str
    host: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the `${VARIABLES}`, in order."""
        return tuple(dict.fromkeys(_REFERENCE.findall(self.text)))

    @property
    def fixed(self) -> bool:
        """Whether the host is written out, and not taken from a variable."""
        return "$" not in self.origin

    @property
    def loopback(self) -> bool:
        """Whether its host is this machine."""
        return re.fullmatch(_LOOPBACK, self.host) is not None

    @property
    def private(self) -> bool:
        """Whether requests can't be read on the way: https, or loopback."""
        return self.scheme == "https" or self.loopback

    def fill(self, values: Mapping[str, str]) -> str:
        """The URL with each variable replaced by its value.

        A value may choose the host only if the variable is the whole host
        (`https://${HOST}/v1`, `${BASE_URL}/v1`). Raises BadValueError.
        """

        def value(match: re.Match[str]) -> str:
            name, text = match[1], values[match[1]].strip()
            if match.start() == 0:
                try:
                    template = parse(text)
                except ValueError:
                    raise BadValueError(name) from None
                if not template.variables:
                    return template.text
            elif self.host == match[0] and match.start() == len(self.scheme) + len("://"):
                # `DATABRICKS_HOST` is by custom a URL.
                text = text.removeprefix(f"{self.scheme}://").removesuffix("/")
                if re.fullmatch(_HOST_PORT, text) and "$" not in text:
                    return text
            elif re.fullmatch(_WORD, text):
                return text
            raise BadValueError(name)

        filled = _REFERENCE.sub(value, self.text)
        try:
            return parse(filled).text
        except ValueError:
            raise BadValueError(", ".join(self.variables)) from None


def operation(url: str) -> str | None:
    """The operation that `url` ends in ("/chat/completions"); None for a base URL."""
    match = re.search(_OPERATION, url)
    return match[0].rstrip("/") if match else None


def version(url: str) -> str | None:
    """The segment of its path that names a version ("/v1"); None if it has none."""
    match = re.search(_VERSION, url)
    return match[0] if match else None


def parse(text: str) -> UrlTemplate:
    """Parse a base URL. Raises ValueError if it is not plain (see the module)."""
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("not a plain URL")
    path = match["path"]
    if match["prefix"]:
        return UrlTemplate(text=match["prefix"] + path, origin=match["prefix"], scheme="", host="")
    scheme, host, port = match["scheme"].lower(), match["host"], match["port"]
    if "$" not in host:
        host = host.lower()
    if port:
        port = str(int(port))
    origin = f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORT[scheme] else "")
    return UrlTemplate(text=origin + path, origin=origin, scheme=scheme, host=host)
