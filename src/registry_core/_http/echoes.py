"""Refuses answers that hold a credential: they are data, and data is published."""

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

#: Headers that hold no credential. Servers have good reasons to repeat their values.
_HARMLESS = re.compile(r"accept.*|content-.*|user-agent|if-.*|.*-(id|version)", re.IGNORECASE)
#: Names of parameters that hold a credential. Those for paging do not.
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

    Raises GatewayError if it is not JSON. Also raises it if body or headers repeat a secret that
    was read, or a credential of 16 or more characters that `request` carried, in any spelling.
    """
    value = parse(answer.body, culprit=culprit, text_at=text_at)
    echoed = secrets.found_in(_searched(answer), _carried(request))
    if echoed is None:
        return value
    raise GatewayError(
        f"sent {echoed} back, so its answer is not used",
        culprit=culprit,
        hint="tell its operator, and replace that secret",
    )


def carries_credential(request: PreparedRequest) -> bool:
    """Whether `request` has a value where credentials usually are."""
    return any(_carried(request))


def _searched(answer: Answer) -> Iterator[bytes]:
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
    yield from (unquote(text) for text in (parts.username, parts.password) if text)
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
    """`body` without JSON's escapes, such as `\\u002B` or `\\/`.

    It works on the text, since the parsed value has only the last of two values under one key.
    """
    text, _ = codecs.raw_unicode_escape_decode(body, "replace")
    return text.replace("\\/", "/").encode("utf-8", "surrogatepass")
