"""Answers of a gateway that is broken, each with what the report must say of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from threading import Event

from tests.loopback import Reply, Route, dripping

#: What the gateway sends while it is well; half of it, and less.
GOOD = {"openai": [f"gpt-{number}" for number in range(10)]}
BODY = json.dumps(GOOD).encode()
SHRUNK = json.dumps({"openai": GOOD["openai"][:4]}).encode()

#: Limits under which a fault shows at once; a deadline of its own for those that hang.
LIMITS = {"fetch_retries": 0, "fetch_deadline_ms": 20_000, "fetch_max_bytes": 200_000}
HANGING_MS = 1500

PAGE = b"<!doctype html><html><title>Sign in</title></html>"
BOMB = gzip.compress(b'"' + b" " * 50_000_000 + b'"')

Fault = tuple[Route | Reply, str]


def limits(fault: str) -> dict[str, int]:
    return {**LIMITS, "fetch_deadline_ms": HANGING_MS} if fault in HANGS else LIMITS


def faults(gate: Event) -> dict[str, Fault]:
    """Name → answer, and words of the report. Those that hang do until `gate` is set."""
    return {**_silent(gate), **_refused(), **_redirected(), **_no_json(), **_no_data()}


def _silent(gate: Event) -> dict[str, Fault]:
    def hang(request: object) -> Reply:
        gate.wait(60)
        return Reply(503)

    def stop(data: bytes) -> Iterator[bytes]:
        yield data
        gate.wait(60)

    late = "no whole answer before the deadline|no result within"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n"
    return {
        "hangs before it answers": (hang, late),
        "hangs in mid-headers": (lambda request: Reply(raw=stop(b"HTTP/1.1 200 OK\r\nX")), late),
        "hangs in mid-body": (lambda request: Reply(raw=stop(head + b"\r\n" + BODY[:9])), late),
        "one byte at a time": (lambda request: Reply(body=dripping(BODY[:9], gate)), late),
        "headers byte by byte": (lambda request: Reply(raw=dripping(head + b"X: ", gate)), late),
        "closes without a word": (Reply(raw=[]), "closed the connection"),
        "does not speak HTTP": (Reply(raw=[b"SSH-2.0-OpenSSH_9.9\r\n"]), "not speak HTTP"),
        "cuts its answer off": (Reply(raw=[head + b"\r\n" + BODY[:9]]), "cut its answer off"),
        "a chunk of a wrong size": (
            Reply(
                raw=[
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n"
                ]
            ),
            "cut its answer off",
        ),
        "a thousand headers": (
            Reply(raw=[b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, b"\r\n{}"]),
            "not speak HTTP",
        ),
    }


HANGS = frozenset(
    [
        *("hangs before it answers", "hangs in mid-headers", "hangs in mid-body"),
        *("one byte at a time", "headers byte by byte"),
    ]
)


def _refused() -> dict[str, Fault]:
    told = {status: f"answered {status}" for status in (201, 204, 206)}
    told |= {status: f"answered {status}" for status in (400, 404, 410, 418, 451)}
    told |= {status: f"answered {status}.*credentials" for status in (401, 403)}
    told |= {status: f"answered {status}.*try again later" for status in (429, 500, 502, 503, 504)}
    found: dict[str, Fault] = {
        f"status {status}": (Reply(status, b"" if status == 204 else BODY), words)
        for status, words in told.items()
    }
    for after in ("3600", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "-1", "soon"):
        reply = Reply(429, headers={"Retry-After": after})
        found[f"429, come back after {after:.9}"] = (reply, "answered 429")
    return found


def _redirected() -> dict[str, Fault]:
    def to(location: str) -> Reply:
        return Reply(302, headers={"Location": location})

    return {
        "redirects to itself": (to("/main.json"), "in a loop"),
        "redirects for ever": (
            lambda request: to(f"/main.json?n={request.query.get('n', '')}1"),
            "after 5 other redirects",
        ),
        "redirects to a file": (to("file:///etc/passwd"), "not an http"),
        "redirects to nowhere": (to("http://[/"), "not an http"),
        "redirects without a place": (Reply(302), "answered 302"),
        "redirects to a page": (to("/page"), "HTML page"),
    }


def _no_json() -> dict[str, Fault]:
    def packed(data: bytes, encoding: str = "gzip") -> Reply:
        return Reply(200, data, {"Content-Encoding": encoding})

    zipped = gzip.compress(BODY)
    return {
        "an HTML page": (Reply(200, PAGE), "HTML page"),
        "an HTML page that claims to be JSON": (
            Reply(200, PAGE, {"Content-Type": "application/json"}),
            "HTML page",
        ),
        "nothing": (Reply(200, b""), "empty answer"),
        "white space": (Reply(200, b" \r\n\t "), "empty answer"),
        "half of it": (Reply(200, BODY[: len(BODY) // 2]), "not JSON, at line 1"),
        "twice": (Reply(200, BODY + BODY), "not JSON, at line 1"),
        "a trailing comma": (Reply(200, b'{"openai": ["a",]}'), "not JSON, at line 1"),
        "single quotes": (Reply(200, b"{'openai': ['a']}"), "not JSON, at line 1"),
        "NUL bytes": (Reply(200, b"\0" * 1000), "not JSON"),
        "deep arrays": (Reply(200, b"[" * 100_000), "nested too deeply"),
        "deep objects": (Reply(200, b'{"a":' * 30_000), "nested too deeply"),
        "deep and closed": (Reply(200, b"[" * 50_000 + b"]" * 50_000), "nested too deeply"),
        "a number of 9,000 digits": (Reply(200, b'{"a":' + b"9" * 9000 + b"}"), "can't be read|."),
        "UTF-16": (Reply(200, BODY.decode().encode("utf-16")), "not JSON"),
        "gzip that is none": (packed(BODY), "can't be decompressed"),
        "half of a gzip": (packed(zipped[:-9]), "not JSON|decompressed|cut"),
        "gzip in gzip": (packed(gzip.compress(zipped), "gzip, gzip"), "was not asked for"),
        "an unknown compression": (packed(zipped, "snappy"), "was not asked for"),
        "a bomb": (packed(BOMB), "more than"),
        "more than the limit": (Reply(200, b"[" + b"0," * 200_000 + b"0]"), "more than"),
        "without an end": (lambda request: Reply(body=_endless()), "more than"),
    }


def _endless() -> Iterator[bytes]:
    yield b"["
    while True:
        yield b"0," * 5_000


def _no_data() -> dict[str, Fault]:
    bodies = {
        "null": b"null",
        "true": b"true",
        "a number": b"3",
        "NaN": b"NaN",
        "a text": b'"openai"',
        "an empty list": b"[]",
        "an empty object": b"{}",
        "a list of providers": b'[{"id": "openai"}]',
        "an error with 200": b'{"error": {"message": "internal", "code": 500}}',
        "a provider that is null": b'{"openai": null}',
        "a provider that is NaN": b'{"openai": NaN}',
        "a provider that is a text": b'{"openai": "gpt"}',
        "a provider without models": b'{"openai": []}',
        "models that are no ids": b'{"openai": [null, 3, ["a"]]}',
        "models with empty ids": b'{"openai": ["", ""]}',
        "models with NUL": b'{"openai": ["a\\u0000b"]}',
        "models with lone surrogates": b'{"openai": ["\\ud800"]}',
        "a provider without an id": b'{"": ["a"]}',
        "a later key that empties an earlier": BODY[:-1] + b', "openai": []}',
    }
    found: dict[str, Fault] = {
        name: (Reply(200, body, {"ETag": '"bad"'}), "main: |Error: |sent|expected")
        for name, body in bodies.items()
    }
    found["less than half of the models"] = (Reply(200, SHRUNK, {"ETag": '"bad"'}), "--accept main")
    return found
