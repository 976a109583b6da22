"""The servers that the options name, each checked alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from registry_core import SettingsError

from .kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

#: Default ports of these servers; asked if the option `discover` is true.
DEFAULT_PORTS: Mapping[str, int] = {
    "ollama": 11434,
    "lmstudio": 1234,
    "vllm": 8000,
    "llama.cpp": 8080,
    "sglang": 30000,
    "jan": 1337,
}

_OPTIONS = ("discover", "endpoint", "order")  # `order` is read by the host
_KEYS = ("id", "key_env", "kind", "url")

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
#: In capitals, to notice a key that was written here by mistake.
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?"
    r"(?P<path>(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:+=,-]+)*)/?",
    re.IGNORECASE,
)
_OPERATION = re.compile(r"/((?:chat/)?completions|embeddings|messages|models|responses)$")
_VERSION = re.compile(r"/v[0-9][^/]*$")
TABLES = (
    'write id = "gpu" and url = "http://…" below '
    "[[tool.registry-core.plugin.openai-compatible.endpoint]], "
    "in pyproject.toml or registry-core.toml"
)


@dataclass(frozen=True)
class Endpoint:
    """One server."""

    id: str
    url: str
    """The base URL of its OpenAI API, such as "http://127.0.0.1:11434/v1"."""
    key_env: str | None = None
    kind: str | None = None
    """One of `KINDS`; None to detect it."""
    discovered: bool = False
    """Whether it is a default port that nobody named, where any program may answer."""

    @property
    def root(self) -> str:
        """The URL of the server's own API, beside that of OpenAI."""
        return _VERSION.sub("", self.url)

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False


def endpoints_of(options: Mapping[str, Any]) -> Iterator[Endpoint | SettingsError]:
    """The endpoints in the options, in order, then with `discover` the default ports that they
    don't name. An endpoint that can't be used is replaced by an error."""
    for option in options:
        if option not in _OPTIONS:
            yield _refused(option, "unknown option", _near(option, _OPTIONS))
    tables: Any = options.get("endpoint", ())
    if not isinstance(tables, (list, tuple)):
        yield _refused("endpoint", f"expected tables, got {_type(tables)}", TABLES)
        tables = ()
    taken: dict[str, Endpoint] = {}
    for number, table in enumerate(tables, 1):
        try:
            endpoint = _endpoint(f"endpoint {number}", table, taken)
        except SettingsError as error:
            yield error
        else:
            taken[endpoint.id] = endpoint
            yield endpoint
    discover = options.get("discover", False)
    if not isinstance(discover, bool):
        yield _refused("discover", f"expected true or false, got {_type(discover)}", "")
    elif discover:
        ports = {urlsplit(other.url).port for other in taken.values() if other.loopback}
        for id, port in DEFAULT_PORTS.items():
            if id not in taken and port not in ports:
                yield Endpoint(id, f"http://127.0.0.1:{port}/v1", discovered=True)


def _endpoint(culprit: str, table: Any, taken: Collection[str]) -> Endpoint:
    if not isinstance(table, Mapping):
        raise _refused(culprit, f"expected a table, got {_type(table)}", TABLES)
    id = _text(culprit, table, "id")
    if id is not None and not _ID.fullmatch(id):
        rule = "use up to 64 of a-z 0-9 . _ -, a letter or digit first"
        raise _refused(culprit, f"its id is {id!r:.80}", rule)
    culprit = f"{culprit} ({id})" if id else culprit
    for key in table:
        if key not in _KEYS:
            raise _refused(culprit, f"unknown key {key!r:.80}", _near(key, _KEYS))
    if id is None:
        raise _refused(culprit, "has no id", 'name it, as id = "gpu": its models are gpu/…')
    if id in taken:
        raise _refused(culprit, "another endpoint before it has this id", "choose another id")
    kind = _text(culprit, table, "kind")
    if kind is not None and kind not in KINDS:
        raise _refused(culprit, f"unknown kind {kind!r:.80}", _near(kind, KINDS))
    variable = _text(culprit, table, "key_env")
    if variable is not None and not _VARIABLE.fullmatch(variable):
        message = "its key_env is not the name of a variable"  # not shown, it may be the key
        raise _refused(culprit, message, "write the name, in capitals, and put the key into it")
    return Endpoint(id, _url(culprit, _text(culprit, table, "url")), variable, kind)


def _url(culprit: str, text: str | None) -> str:
    """The base URL. A bad URL is not shown in the error, since it may contain a password."""
    if text is None:
        raise _refused(culprit, "has no url", 'write url = "http://127.0.0.1:8000"')
    match = _URL.fullmatch(text.strip())
    if match is None or not _has_place(text.strip()):
        hint = "write http://host:port or https://host/path, with no user name, query or variable"
        raise _refused(culprit, "its url can't be used", hint)
    if match["host"] == "0.0.0.0":  # noqa: S104  # nothing is bound
        hint = "write 127.0.0.1"
        raise _refused(culprit, "its url is an address to listen on, not to call", hint)
    path = match["path"]
    ending = _OPERATION.search(path)
    if ending:
        hint = "write only what stands before it"
        raise _refused(culprit, f"its url ends in {ending[0]}, which is added to it", hint)
    origin = f"{match['scheme']}://{match['host']}".lower() + (match["port"] or "")
    return origin + (path or "/v1")


def _has_place(url: str) -> bool:
    """Whether its port and its address are valid."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _text(culprit: str, table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise _refused(culprit, f"{key}: expected text, got {_type(value)}", "")
    return value


def _near(word: Any, known: Collection[str]) -> str:
    near = get_close_matches(str(word), known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def _type(value: object) -> str:
    return type(value).__name__


def _refused(culprit: str, message: str, hint: str) -> SettingsError:
    return SettingsError(message, culprit=culprit, hint=hint)
