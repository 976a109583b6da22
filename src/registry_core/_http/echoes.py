"""What a server sends is data, and data is published: so it may hold no credential."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from requests import PreparedRequest

from .._base.secrets import Secrets
from ..errors import GatewayError
from .parsing import parse
from .transport import Answer

#: Headers whose values are no credentials: servers repeat them with good reason.
_HARMLESS = re.compile(r"accept.*|content-.*|user-agent|if-.*|.*-(id|version)", re.IGNORECASE)
#: Parameters that hold a credential, by their names; those of pages do not.
_SECRET = re.compile(
    r"(?!.*(page|next|cursor|continu)).*(key|token|secret|pass|sig|auth|cred)", re.I
)


def read(
    answer: Answer,
    request: PreparedRequest,
    secrets: Secrets,
    *,
    culprit: str,
    text_at: str | None = None,
) -> Any:
    """The JSON value of `answer`, as `parse` gives it.

    Raises GatewayError if it is none, or if body or headers hold a secret that was read, or
    a credential that `request` carried, of 16 characters or more, however it is written.
    """
    value = parse(answer.body, culprit=culprit, text_at=text_at)
    echoed = secrets.found_in(_told(answer), _carried(request))
    if echoed is None:
        return value
    raise GatewayError(
        f"sent {echoed} back; nothing of its answer is kept",
        culprit=culprit,
        hint="tell those who run it, and replace that secret",
    )


def carries_credential(request: PreparedRequest) -> bool:
    """Whether something in `request` may be one, by its place."""
    return any(_carried(request))


def _told(answer: Answer) -> Iterator[bytes]:
    yield "\n".join(answer.headers.values()).encode("utf-8", "replace")
    yield answer.body
    if b"\\" in answer.body:
        yield _unescaped(answer.body)


def _carried(request: PreparedRequest) -> Iterator[str]:
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if not _HARMLESS.fullmatch(name):
            yield from re.split(r"[\s;,=]+", text)  # without scheme, names, padding
        if text.startswith("Basic "):
            yield from _user_and_password(text.removeprefix("Basic "))
    parts = urlsplit(request.url or "")
    yield from (unquote(one) for one in (parts.username, parts.password) if one)
    pairs = parse_qsl(parts.query)
    if isinstance(request.body, str):  # a form
        pairs += parse_qsl(request.body)
    yield from (value for name, value in pairs if _SECRET.match(name))


def _user_and_password(credential: str) -> list[str]:
    try:
        return base64.b64decode(credential).decode("latin-1").split(":", 1)
    except ValueError:
        return []


def _unescaped(body: bytes) -> bytes:
    """JSON may write any character as `\\u002B`, and a slash as `\\/`.

    As text, not as the parsed value: of two values under one key that has the last only.
    """
    text, _ = codecs.raw_unicode_escape_decode(body, "replace")
    return text.replace("\\/", "/").encode("utf-8", "surrogatepass")
