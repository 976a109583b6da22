"""A server that sends a credential back: its answer is neither used nor passed on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from registry_core.errors import GatewayError
from tests.loopback import Loopback, Reply, Request

if TYPE_CHECKING:
    from .conftest import Make

TOKEN = "tok/en+0123456789=="
PASSWORD = "pass-word-0123456789"


def written(text: str) -> list[str]:
    """JSON strings that all say `text`."""
    return [
        json.dumps(text),
        json.dumps(text).replace("/", "\\/"),
        json.dumps(text).replace("+", "\\u002B"),
        '"' + "".join(f"\\u{ord(one):04x}" for one in text) + '"',
    ]


def refuses(make: Make, url: str, folder: Path, match: str = "", **arguments: Any) -> None:
    """With payloads, which are kept, and without."""
    for changes in ({}, {"payloads": None}):
        client = make(environ={"TOKEN": TOKEN}, **changes)
        assert client.secret("TOKEN") == TOKEN
        with pytest.raises(GatewayError, match=match or "back, so its answer") as caught:
            client.get_json(url, **arguments)
        assert TOKEN not in str(caught.value)
        assert not list(folder.glob("*.payload"))


@pytest.mark.parametrize("literal", written(f"Bearer {TOKEN}"))
@pytest.mark.parametrize("body", ['{"you": [%s]}', "{%s: 1}", '{"a": %s, "a": 1}', "[%s, 1e999]"])
def test_a_token_is_found_however_the_json_is_written(
    server: Loopback, make: Make, folder: Path, literal: str, body: str
) -> None:
    server.route("/a", Reply(200, (body % literal).encode()))
    refuses(make, server.url("/a"), folder, "sent the value of TOKEN back", bearer=TOKEN)


@pytest.mark.parametrize("name", ["ETag", "Last-Modified", "X-Echo"])
def test_a_token_in_a_header_is_found(
    server: Loopback, make: Make, folder: Path, name: str
) -> None:
    server.route("/a", Reply(200, b"1", {name: f'"{TOKEN}"'}))
    refuses(make, server.url("/a"), folder, bearer=TOKEN)


def echo(part: Callable[[Request], str]) -> Callable[[Request], Reply]:
    return lambda request: Reply(200, json.dumps({"you": part(request)}).encode())


def basic(request: Request) -> str:
    return base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


def test_what_no_variable_holds_is_found_too(
    server: Loopback, make: Make, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine localhost login x password {PASSWORD}\n")
    server.route("/header", echo(lambda request: request.headers["X-Key"]))
    server.route("/bearer", echo(lambda request: request.headers["Authorization"]))
    server.route("/cookie", echo(lambda request: request.headers["Cookie"].split("=")[2]))
    server.route("/basic", echo(basic))
    server.route("/encoded", echo(lambda request: request.headers["Authorization"]))
    server.route("/query", echo(lambda request: request.query["api_key"]))
    match = "sent a credential of the request back"
    for path, arguments in (
        ("/header", {"headers": {"X-Key": PASSWORD}}),
        ("/bearer", {"bearer": PASSWORD}),
        ("/cookie", {"headers": {"Cookie": f"a=1; session={PASSWORD}=="}}),
        ("/query", {"params": {"api_key": PASSWORD}}),
        (f"/query?api_key={PASSWORD}", {}),
    ):
        refuses(make, server.url(path), folder, match, **arguments)
    for path in ("/basic", "/encoded"):
        named = server.url(path).replace("//", f"//user:{PASSWORD}@")
        for url in (named, server.url(path, host="localhost")):
            refuses(make, url, folder, match)


def test_an_escaped_url_with_a_secret_in_its_query_is_found(
    server: Loopback, make: Make, folder: Path
) -> None:
    server.route(
        "/a", Reply(200, json.dumps({"next": "/a?key=tok%2Fen%2B0123456789%3D%3D"}).encode())
    )
    refuses(make, server.url("/a"), folder, params={"key": TOKEN})


def test_what_is_no_credential_may_come_back(server: Loopback, make: Make) -> None:
    answer = [
        "application/vnd.acme.models+json",
        "a-page-that-has-a-long-name",
        "2026-01-01-preview",
    ]
    server.serve("/a", answer, etag='"application/vnd.acme.models+json"')
    got = make().get_json(
        server.url("/a"),
        headers={"Accept": answer[0], "X-Acme-Version": answer[2]},
        params={"page": answer[1], "page_token": answer[1]},
    )
    assert got == answer


@pytest.mark.parametrize(
    "body", ["[" * 600 + "%s" + "]" * 600, '["\\ud800", %s]', "[99999999999999999999999, %s]"]
)
def test_odd_json_is_searched_and_read_all_the_same(
    server: Loopback, make: Make, folder: Path, body: str
) -> None:
    server.route("/a", Reply(200, (body % "0").encode()))
    client = make(environ={"TOKEN": TOKEN})
    assert client.get_json(server.url("/a"), bearer=client.secret("TOKEN"))
    for path in folder.glob("*.payload"):
        path.unlink()
    server.route("/a", Reply(200, (body % written(TOKEN)[2]).encode()))
    refuses(make, server.url("/a"), folder, bearer=TOKEN)
