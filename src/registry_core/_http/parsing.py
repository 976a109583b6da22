"""Parses the JSON of servers, and says what an answer is if it is not JSON."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

from .._base.decoding import loads, outline
from ..errors import GatewayError


def parse(body: bytes, *, culprit: str, text_at: str | None = None) -> Any:
    """The JSON value in `body`, as `loads` gives it, or `outline` with `text_at`. Raises
    GatewayError, which says what the body is instead."""
    try:
        return loads(body) if text_at is None else outline(body, text_at)
    except RecursionError:
        problem = "sent JSON that is nested too deeply"
    except JSONDecodeError as error:
        start = error.doc[:200].lstrip()
        if not error.doc.strip():
            problem = "sent an empty answer"
        elif start.startswith("<"):
            problem = "sent an HTML page, not JSON"
        else:
            problem = f"sent what is not JSON, at line {error.lineno}, column {error.colno}"
    except ValueError:  # a whole number of thousands of digits
        problem = "sent JSON with a number that can't be read"
    raise GatewayError(problem, culprit=culprit, hint="check the url")
