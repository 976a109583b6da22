"""The file that is made: small, whole, and without a word of a stranger that is markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import registry_catalog
from registry_catalog.columns import CAPABILITIES, PRICES, columns
from registry_catalog.rendering import SCRIPTS, page

from registry_core import ModelInfo, ModelRegistry, ProviderConfig, Settings, Snapshot
from registry_core.testing import EmitterContract, check_plugin, plugin_settings

PAGE = Path(registry_catalog.__file__).parent / "page"
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "\u202eevil\u2066",
    "{{ 7 * 7 }}",
    "\u2028\"'`${alert(1)}",
    "]]>&lt;b&gt;",
)


class TestContract(EmitterContract):
    outputs = ("catalog",)

    @pytest.fixture
    def plugin(self) -> object:
        return registry_catalog


def models_of(owner: str, ids: tuple[str, ...]) -> dict[str, ModelInfo]:
    return {id: ModelInfo(id, owner, name=id, family=id, status=id) for id in ids}


def snapshot(texts: tuple[str, ...] = HOSTILE) -> Snapshot:
    one = ProviderConfig("acme", models_of("acme", texts), name=texts[0], doc_url=texts[3])
    return Snapshot.build([one])


def tags(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    found = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

    Parser().feed(html)
    return found


def data(html: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*)</script>', html)
    said: dict[str, Any] = json.loads(text)
    return said


def test_the_plugin_has_no_mistake_that_needs_no_browser_to_find() -> None:
    check_plugin(registry_catalog)


def test_nothing_is_made_for_a_project_that_does_not_ask() -> None:
    assert not list(registry_catalog.registry_emit(snapshot(), plugin_settings()))


def test_what_strangers_write_is_data_and_never_markup() -> None:
    plain = tuple(f"m{number}" for number in range(len(HOSTILE)))
    html = page(snapshot())
    assert tags(html) == tags(page(snapshot(plain)))
    assert set(data(html)["ids"]) == {*HOSTILE}
    assert html.isascii() or not re.search("[\u202a-\u202e\u2066-\u2069\u2028]", html)


def test_the_browser_is_told_to_ask_nobody_and_to_run_nothing_else() -> None:
    html = page(snapshot())
    ((_, attributes),) = [
        one for one in tags(html) if ("http-equiv", "Content-Security-Policy") in one[1]
    ]
    policy = dict(part.split(" ", 1) for part in (dict(attributes)["content"] or "").split("; "))
    assert policy["default-src"] == "'none'"
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    named = {name for _, attributes in tags(html) for name, _ in attributes}
    assert not named & {"src", "srcset", "style", "action", "onload", "onclick", "poster"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_make_no_markup_of_text(name: str) -> None:
    code = (PAGE / f"{name}.js").read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|</|<!--|fetch\(|"
        r"XMLHttp|import\(|srcdoc|DOMParser|createContextual",
        code,
    )


def test_every_script_is_in_the_page_once() -> None:
    assert sorted(f"{name}.js" for name in SCRIPTS) == sorted(one.name for one in PAGE.glob("*.js"))


def test_both_sides_of_the_data_know_the_same_fields() -> None:
    code = (PAGE / "models.js").read_text("utf-8")
    for name, fields in (("CAPABILITIES", CAPABILITIES), ("PRICES", PRICES)):
        (listed,) = re.findall(rf"const {name} = .*?\[(.*?)\]", code, flags=re.DOTALL)
        assert tuple(re.findall(r'"(\w+)"', listed)) == fields


def test_what_is_unknown_stays_null_and_what_is_free_stays_0() -> None:
    known = ModelInfo("known", "acme", cost={"input": 0}, tool_call=False, limit={"context": 1})
    said = columns(
        Snapshot.build([ProviderConfig("acme", {"known": known, "x": ModelInfo("x", "acme")})])
    )
    first, second = (
        {name: values[places[at]] for name, (values, places) in said["columns"].items()}
        for at in (0, 1)
    )
    assert (first["cost"][:2], first["can"][0], first["limit"]) == (
        (0, None),
        False,
        (1, None, None),
    )
    assert (second["cost"], second["can"], second["limit"]) == (None, (None,) * 6, (None,) * 3)
    assert (first["lifecycle"], first["input"], first["tiers"]) == ((None,) * 3, None, None)


def test_roles_and_prices_by_context_are_in_it() -> None:
    tiers = [{"tier": {"type": "context", "size": 200_000}, "input": 4}, {"tier": "?"}]
    model = ModelInfo("a", "acme", cost={"input": 2, "tiers": tiers})
    said = columns(
        Snapshot.build([ProviderConfig("acme", {"a": model})]).with_roles({"fast": "acme/a"})
    )
    assert said["roles"] == {"fast": "acme/a"}
    assert said["columns"]["tiers"][0] == [((200_000, 4, None),)]


def test_when_the_data_was_fetched_is_said_if_it_is_known() -> None:
    day = datetime(2026, 9, 28, 12, tzinfo=UTC)
    assert ">2026-09-28</time>" in page(snapshot(), day)
    assert "<time" not in page(snapshot()).partition("<style>")[2].partition("</header>")[0]


def test_all_models_of_the_bundle_fit_into_a_megabyte(tmp_path: Path) -> None:
    registry = ModelRegistry(Settings(store_dir=tmp_path))
    html = page(registry.snapshot())
    assert len(data(html)["ids"]) > 8000
    assert len(html.encode()) < 1_000_000
