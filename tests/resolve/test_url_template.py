from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings, strategies as st

from registry_core._base.url_template import BadValueError, parse


@pytest.mark.parametrize(
    ("url", "text", "origin"),
    [
        ("https://a.example", "https://a.example", "https://a.example"),
        ("https://A.Example/V1/", "https://a.example/V1", "https://a.example"),
        ("https://a.example:443/v1", "https://a.example/v1", "https://a.example"),
        ("https://a.example:0443/v1", "https://a.example/v1", "https://a.example"),
        ("http://a.example:443", "http://a.example:443", "http://a.example:443"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", None),
        ("https://${HOST}/v1", "https://${HOST}/v1", "https://${HOST}"),
        ("https://${Acct}.A.example/v1", "https://${Acct}.A.example/v1", None),
        ("${BASE}/v1", "${BASE}/v1", "${BASE}"),
    ],
)
def test_a_plain_url_is_normalized(url: str, text: str, origin: str | None) -> None:
    parsed = parse(url)
    assert parsed.text == text
    assert parsed.origin == (origin or text.removesuffix("/v1"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/v1",
        "//a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///v1",
        "https:/a.example",
        "https://user@evil.example",
        "https://api.openai.com@evil.example",
        "https://api.openai.com:443@evil.example",
        "https://evil.example\\@api.openai.com",
        "https://api.openai.com\\.evil.example",
        "https://evil.example#@api.openai.com",
        "https://evil.example?@api.openai.com",
        "https://evil.example/v1?key=${K}",
        "https://evil.example/v1#frag",
        "https://evil.example/%2e%2e/",
        "https://api.openai.com%2eevil.example",
        "https://api.openai.com./v1",
        "https://.api.openai.com",
        "https://api..openai.com",
        "https://api.openai.com/../v1",
        "https://api.openai.com/./v1",
        "https://api.openai.com//evil.example",
        "https://api.openai.com:/v1",
        "https://api.openai.com:443:80",
        "https://api.openai.com:port",
        "https://api.openai.com:999999",
        "https://api.openai.com/v1\n",
        "\thttps://api.openai.com",
        "https://api.openai.com /v1",
        "https://api.openai.com/\u00a0v1",
        "https://api.openaı.com",  # dotless i
        "https://api.openai.com\u2024evil.example",
        "https://api.open\u212ay.com",  # KELVIN SIGN, which lower() makes a k
        "https://bücher.example",
        "https://api。openai。com",
        "HTTPS://api.openai.com",
        "http\ns://api.openai.com",
        "https://${A}@evil.example",
        "${A}@evil.example",
        "${A}.evil.example",
        "${A}${B}/v1",
        "${A}:80",
        "https://${A B}/",
        "https://${}/",
        "https://$A/",
        "https://${A/}/",
        "https://[::1",
        "https://[${A}]/",
        "https://[::1]evil.example/",
    ],
)
def test_what_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not a plain URL"):
        parse(url)


@settings(max_examples=50, database=None, deadline=None)
@given(st.from_regex(r"https?://[ -~]{1,30}", fullmatch=True) | st.text(max_size=30))
def test_what_is_accepted_has_the_same_host_for_the_standard_library(url: str) -> None:
    try:
        parsed = parse(url)
    except ValueError:
        return
    if parsed.fixed:
        split = urlsplit(parsed.text)
        assert (split.hostname or "") == parsed.host.strip("[]")
        assert split.username is split.password is None
        assert not split.query
        assert not split.fragment


@pytest.mark.parametrize(
    ("template", "values", "url"),
    [
        ("https://a.example/${A}/v1", {"A": "acc-1_x"}, "https://a.example/acc-1_x/v1"),
        ("https://${A}.a.example/v1", {"A": "org-acc"}, "https://org-acc.a.example/v1"),
        ("https://x.${A}.a.example", {"A": "eu-west-1"}, "https://x.eu-west-1.a.example"),
        ("https://${H}/v1", {"H": "dbc.cloud.example"}, "https://dbc.cloud.example/v1"),
        ("https://${H}/v1", {"H": "https://dbc.cloud.example/"}, "https://dbc.cloud.example/v1"),
        ("https://${H}/v1", {"H": "dbc.cloud.example:8443"}, "https://dbc.cloud.example:8443/v1"),
        ("${B}/v1", {"B": " https://x.example/base/ "}, "https://x.example/base/v1"),
        ("${B}/v1", {"B": "http://localhost:1"}, "http://localhost:1/v1"),
        ("https://${H}/${H}", {"H": "a.b"}, "https://a.b/a.b"),
    ],
)
def test_a_template_is_filled(template: str, values: Mapping[str, str], url: str) -> None:
    assert parse(template).fill(values) == url


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("https://a.example/${A}/v1", value)
        for value in (
            "",
            "a/b",
            "../..",
            "..",
            ".",
            "a b",
            "a?b",
            "a#b",
            "a@b",
            "a\\b",
            "a%2fb",
            "é",
        )
    ]
    + [
        ("https://${A}.a.example", value)
        for value in (
            "evil.example/",
            "evil.example#",
            "u@evil.example",
            "evil.example:1",
            "${B}",
            "",
        )
    ]
    + [
        ("https://${A}/v1", value)
        for value in (
            "http://h",
            "h/path",
            "u@h",
            "h:1:2",
            "h#",
            "h?q",
            "h\\@i",
            "${B}",
            "h..i",
            "",
        )
    ]
    + [("https://${A}:8443/v1", "h:1"), ("https://x.${A}", "h/")]
    + [
        ("${A}/v1", value)
        for value in ("h", "https://u@h", "https://h?q", "https://${B}", "ftp://h")
    ],
)
def test_a_value_cannot_smuggle_in_another_part_of_the_url(template: str, value: str) -> None:
    with pytest.raises(BadValueError) as caught:
        parse(template).fill({"A": value})
    assert str(caught.value) == "A"
