from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest

from registry_core._base.secrets import Secrets


def test_an_unset_or_empty_variable_is_none() -> None:
    assert Secrets().reveal("TOKEN", {}) is None
    assert Secrets().reveal("TOKEN", {"TOKEN": ""}) is None
    assert Secrets().reveal("TOKEN", {"TOKEN": " \n"}) is None


def test_a_line_break_after_the_value_is_no_part_of_it() -> None:
    assert Secrets().reveal("TOKEN", {"TOKEN": "s3cret\n"}) == "s3cret"


def test_a_value_that_was_read_is_known_by_its_name() -> None:
    secrets = Secrets()
    secrets.reveal("TOKEN", {"TOKEN": "s3cret"})
    assert secrets.name_of("s3cret") == "TOKEN"
    assert secrets.name_of("other") is None


def test_a_value_is_masked_in_every_form_that_a_url_or_json_gives_it() -> None:
    value = 'a+b/c d"é\\'
    secrets = Secrets()
    secrets.reveal("TOKEN", {"TOKEN": value})
    assert secrets.mask(f"<{value}>") == "<***TOKEN***>"
    assert secrets.mask(f"?key={quote_plus(value)}&x") == "?key=***TOKEN***&x"
    assert secrets.mask(repr({"key": value})) == "{'key': '***TOKEN***'}"


def test_a_secret_that_holds_another_is_masked_whole() -> None:
    secrets = Secrets()
    secrets.reveal("SHORT", {"SHORT": "abcd"})
    secrets.reveal("LONG", {"LONG": "abcd-efgh"})
    assert secrets.mask("abcd-efgh abcd") == "***LONG*** ***SHORT***"


def test_a_value_that_is_its_own_name_is_masked_once() -> None:
    secrets = Secrets()
    secrets.reveal("TOKEN", {"TOKEN": "TOKEN"})
    assert secrets.mask("TOKEN") == "***TOKEN***"


def test_short_values_are_left_alone() -> None:
    secrets = Secrets()
    secrets.reveal("FLAG", {"FLAG": "yes"})
    assert secrets.mask("yes, eyes") == "yes, eyes"


def test_threads_may_read_and_mask_at_once() -> None:
    secrets = Secrets()
    environ = {f"TOKEN_{n}": f"value-{n}-end" for n in range(40)}

    def use(name: str) -> str:
        return secrets.mask(f"<{secrets.reveal(name, environ)}>")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, environ)) == [f"<***{name}***>" for name in environ]


def test_neither_repr_nor_str_shows_a_value() -> None:
    secrets = Secrets()
    secrets.reveal("TOKEN", {"TOKEN": "s3cret-value"})
    assert "s3cret" not in f"{secrets!r}{secrets}"


@pytest.mark.parametrize("value", ["\udcff\udcfe-a-value-of-latin-1", "\ud800-half-a-character"])
def test_a_value_that_is_no_text_is_masked_and_found_as_any_other(value: str) -> None:
    secrets = Secrets()
    secrets.reveal("TOKEN", {"TOKEN": value})
    assert secrets.mask(f"<{value}> {value!r}") == "<***TOKEN***> '***TOKEN***'"
    assert secrets.found_in([value.encode("utf-8", "surrogatepass")]) == "the value of TOKEN"
    assert secrets.found_in([b"{}"]) is None
