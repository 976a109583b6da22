"""JSON as servers send it: what is sent in its place gets a name."""

from __future__ import annotations

import json
from typing import Any

from ..errors import GatewayError


def parse(body: bytes, *, culprit: str) -> Any:
    """The JSON value in `body`. Raises GatewayError that says what it is instead.

    What Python's parser can salvage is taken: NaN and numbers that are not finite as None
    (unknown), lone surrogates as they are, bytes that are not UTF-8 as U+FFFD.
    """
    import orjson  # here, since `resolve` does without, and subinterpreters can't have it

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    text = body.decode("utf-8-sig", "replace")
    start = text[:200].lstrip()
    if not text.strip():
        problem = "sent an empty answer"
    elif start.startswith("<"):
        problem = "sent an HTML page, not JSON"
    else:
        try:
            return json.loads(text, parse_constant=lambda _name: None, parse_float=_finite)
        except RecursionError:
            problem = "sent JSON that is nested too deeply"
        except json.JSONDecodeError as error:
            problem = f"sent what is not JSON, at line {error.lineno}, column {error.colno}"
        except ValueError:  # a whole number of thousands of digits
            problem = "sent JSON with a number that can't be read"
    raise GatewayError(problem, culprit=culprit, hint="check the url")


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) != float("inf") else None
