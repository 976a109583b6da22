"""What is taken for JSON, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from registry_core._http.parsing import parse
from registry_core.errors import GatewayError
from tests.loopback import Loopback, Reply

if TYPE_CHECKING:
    from .conftest import Make


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b"\xef\xbb\xbf{}", {}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[NaN, Infinity, -Infinity, 1e999, 1.5]", [None, None, None, None, 1.5]),
        (b'["\\ud800"]', ["\ud800"]),
        (b'["caf\xe9"]', ["caf\ufffd"]),
        (b'["\\u0000"]', ["\0"]),
    ],
    ids=["null", "BOM", "twice", "not finite", "surrogate", "latin-1", "NUL"],
)
def test_what_can_be_salvaged_is_taken(body: bytes, value: Any) -> None:
    assert parse(body, culprit="x") == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "sent an empty answer"),
        (b" \r\n", "sent an empty answer"),
        (b"\n<!DOCTYPE html><html>", "sent an HTML page, not JSON"),
        (b"\xef\xbb\xbf<?xml?>", "sent an HTML page, not JSON"),
        (b'{"a": ', "sent what is not JSON, at line 1, column 7"),
        (b"{}{}", "sent what is not JSON, at line 1, column 3"),
        (b"\x00\x01\xff", "sent what is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[NaN, " + b"9" * 5000 + b"]", "a number that can't be read"),
    ],
    ids=["empty", "blank", "html", "xml", "cut", "two", "binary", "deep", "deep objects", "digits"],
)
def test_what_is_no_json_is_named(body: bytes, message: str) -> None:
    with pytest.raises(GatewayError, match=message) as caught:
        parse(body, culprit="https://models.test/api.json")
    assert caught.value.culprit == "https://models.test/api.json"
    assert caught.value.hint == "check the url"


@pytest.mark.parametrize(
    ("body", "path", "value"),
    [
        (b'{"a": {"b": 1}, "c": 2}', "*", {"a": b'{"b": 1}', "c": 2}),
        (b'{"a": {"b": {}, "c": {}}}', "*/b", {"a": {"b": b"{}", "c": {}}}),
        (b'{"a": [{}], "b": {"c": [{}]}}', "*/c", {"a": [{}], "b": {"c": [{}]}}),
        (b'{"a": {"b": {"c": {}}}}', "a/*", {"a": {"b": b'{"c": {}}'}}),
        (b'[{"a": {}}]', "*", [{"a": {}}]),
        (b'{"a": {"b": "\xff"}}', "*", {"a": b'{"b": "\xff"}'}),
        (b'{"a": {"b": 1e999}, "c": NaN}', "*", {"a": {"b": None}, "c": None}),
    ],
    ids=["top", "name", "no object", "below", "list", "kept as it is", "salvaged"],
)
def test_objects_at_a_path_stay_text(body: bytes, path: str, value: Any) -> None:
    assert parse(body, culprit="x", text_at=path) == value


@settings(max_examples=60, database=None, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_whatever_arrives_is_a_value_or_a_gateway_error(body: bytes) -> None:
    with suppress(GatewayError):
        parse(body, culprit="x")


def test_the_content_type_is_not_what_counts(server: Loopback, make: Make) -> None:
    server.route("/a", Reply(200, b"[1]", {"Content-Type": "text/html"}))
    assert make().get_json(server.url("/a")) == [1]
    server.route("/b", Reply(200, b"<html>", {"Content-Type": "application/json"}))
    with pytest.raises(GatewayError, match="HTML page"):
        make().get_json(server.url("/b"))
