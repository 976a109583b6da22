"""The page in a real Chromium, without a network: what a person does with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from registry_catalog.rendering import page as render

from registry_core import (
    Lifecycle,
    ModelInfo,
    ModelRegistry,
    ProviderConfig,
    Settings,
    Snapshot,
)

pytestmark = pytest.mark.slow
api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
TODAY = "2026-10-01"
PATIENCE = 60_000  # milliseconds, for whatever a browser has to do
HOSTILE = (
    "</script><script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "\u202eevil",
    "{{constructor.constructor('window.hit=1')()}}",
    "a&pick=b#c",
    "x" * 8000,
)
#: As `Query` in query.js says it → as `find_models` does.
QUERIES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({}, {}),
    ({"text": "Sonnet 4"}, {"text": "Sonnet 4"}),
    ({"provider": "openai, azure*"}, {"provider": ["openai", "azure*"]}),
    ({"kind": ["embedding", "image"]}, {"kind": ["embedding", "image"]}),
    ({"kind": ["rerank"], "unknown": True}, {"kind": ["rerank"], "include_unknown": True}),
    ({"supports": ["tool_call", "reasoning"]}, {"supports": ["tools", "reasoning"]}),
    ({"input": ["image", "pdf"]}, {"input": ["image", "pdf"]}),
    ({"output": ["audio"], "unknown": True}, {"output": ["audio"], "include_unknown": True}),
    ({"min_context": "200k"}, {"min_context": 200_000}),
    ({"min_context": "1M", "unknown": True}, {"min_context": 1_000_000, "include_unknown": True}),
    ({"max_input_cost": "0.5"}, {"max_input_cost": 0.5}),
    (
        {"max_output_cost": "0", "unknown": True},
        {"max_output_cost": 0, "include_unknown": True},
    ),
    ({"released_since": "2026-05-02"}, {"released_since": "2026-05-02"}),
    (
        {"released_since": "2026-05-02", "unknown": True},
        {"released_since": "2026-05-02", "include_unknown": True},
    ),
    ({"retires_before": "2027-01-01"}, {"retires_before": "2027-01-01"}),
    (
        {"retires_before": "2027-01-01", "unknown": True},
        {"retires_before": "2027-01-01", "include_unknown": True},
    ),
    ({"status": ["deprecated"]}, {"status": ["deprecated"]}),
    ({"status": ["retired", "beta"]}, {"status": ["retired", "beta"]}),
    ({"deprecated": True}, {"include_deprecated": True}),
    *(
        ({"sort": sort, "deprecated": True}, {"sort": sort, "include_deprecated": True})
        for sort in (
            *("name", "input_cost", "-input_cost", "output_cost", "-output_cost"),
            *("context", "-context", "released", "-released", "retires", "-retires"),
        )
    ),
)


def lifecycled(provider: ProviderConfig) -> ProviderConfig:
    days = (("2026-01-01", "2026-09-30"), ("2026-11-01", "2026-12-01"), (None, "2027-02-01"))
    models = dict(provider.models)
    for (deprecated, retires), id in zip(days, [*models][:3], strict=False):
        lifecycle = Lifecycle(deprecated, retires, successor=[*models][-1])
        models[id] = models[id].replace(lifecycle=lifecycle)
    return provider.replace(models=models)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("store")
    providers = ModelRegistry(Settings(store_dir=folder)).snapshot().get_providers()
    return Snapshot.build([lifecycled(one) for one in providers.values()])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    api.expect.set_options(timeout=PATIENCE)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox"] if root else [],
            timeout=PATIENCE,
        )
        yield made
        made.close()


class Catalog:
    """A tab; it fails the test if the page asks anybody for anything, or complains."""

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.context = browser.new_context(offline=True, **options)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(PATIENCE)
        self.tab.clock.set_fixed_time(
            datetime.fromisoformat(f"{TODAY}T12:00:00").replace(tzinfo=UTC)
        )
        self.faults: list[str] = []
        self.tab.on("console", lambda one: self.faults.append(one.text))
        self.tab.on("pageerror", lambda one: self.faults.append(str(one)))
        self.tab.on("request", self._asked)
        self.url = file.as_uri()
        self.open()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.faults.append(request.url)

    def open(self, hash: str = "") -> None:
        self.tab.goto("about:blank")
        self.faults.clear()
        self.tab.goto(f"{self.url}{hash}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tab, name)

    def ids(self) -> list[str]:
        found: list[str] = self.tab.locator("#window .model a").all_text_contents()
        return found

    def count(self) -> str:
        return str(self.tab.locator("#count").text_content())

    def close(self) -> None:
        self.context.close()
        assert not self.faults


@pytest.fixture(scope="module")
def file(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page") / "catalog.html"
    made.write_text(render(snapshot), "utf-8")
    return made


@pytest.fixture
def catalog(browser: Any, file: Path) -> Iterator[Catalog]:
    made = Catalog(browser, file)
    yield made
    made.close()


def small(browser: Any, folder: Path, providers: list[ProviderConfig]) -> Catalog:
    file = folder / "small.html"
    file.write_text(render(Snapshot.build(providers)), "utf-8")
    return Catalog(browser, file)


def test_filters_and_orders_give_what_find_models_gives(
    catalog: Catalog, snapshot: Snapshot
) -> None:
    for query, filters in QUERIES:
        filters = {"sort": "id", **filters}
        found = catalog.evaluate(
            "query => find(models, {...EMPTY_VIEW, ...query}, today).map(one => models.full[one])",
            {"sort": "id", **query},
        )
        wanted = [
            one.full_id
            for one in snapshot.find_models(filters.pop("text", None), **filters, today=TODAY)
        ]
        assert found == wanted, query
        assert found, query


def test_the_list_follows_each_key_and_shows_the_makers_model_first(catalog: Catalog) -> None:
    catalog.keyboard.press("/")
    before = catalog.count()
    for key in "gpt-4o":
        catalog.keyboard.type(key)
        now = catalog.count()
        assert now != before or key == "-"
        before = now
    assert catalog.ids()[0] == "openai/gpt-4o"
    assert catalog.evaluate("location.hash") == "#text=gpt-4o"
    catalog.fill("#text", "there is no such model")
    assert catalog.is_visible("#nothing")


def test_controls_narrow_and_are_kept_by_the_address(catalog: Catalog) -> None:
    catalog.fill("[name=provider]", "anthropic")
    catalog.check("[name=supports][value=tool_call]")
    catalog.fill("[name=min_context]", "many")
    assert catalog.get_attribute("[name=min_context]", "aria-invalid") == "true"
    catalog.fill("[name=min_context]", "200k")
    catalog.select_option("[name=sort]", "-output_cost")
    shown = catalog.ids()
    assert shown
    assert all(id.startswith("anthropic/") for id in shown)
    assert catalog.text_content("#active") == " (3)"
    address = catalog.evaluate("location.hash")
    catalog.open(address)
    assert catalog.ids() == shown
    assert catalog.input_value("[name=min_context]") == "200k"
    assert catalog.get_attribute("[data-sort=output_cost]", "aria-sort") == "descending"
    catalog.click("button[type=reset]")
    assert catalog.text_content("#active") == ""


def test_a_link_may_name_what_is_gone(catalog: Catalog) -> None:
    catalog.open("#model=acme/<b>gone&pick=acme/gone&pick=openai/gpt-4o&sort=odd&view=odd")
    assert catalog.count() == "acme/<b>gone is not in this catalog."
    assert catalog.evaluate("view.pick") == ["openai/gpt-4o"]
    assert catalog.ids()


def test_heads_sort_both_ways(catalog: Catalog) -> None:
    button = catalog.locator("[data-sort=input_cost] button")
    ways = []
    for _ in range(3):
        button.click()
        ways.append(catalog.get_attribute("[data-sort=input_cost]", "aria-sort"))
    assert ways == ["ascending", "descending", "none"]


def test_the_keyboard_alone_leads_through_the_list(catalog: Catalog) -> None:
    catalog.keyboard.press("/")
    catalog.keyboard.type("claude")
    first, second = catalog.ids()[:2]
    catalog.keyboard.press("ArrowDown")
    catalog.keyboard.press("ArrowDown")
    catalog.keyboard.press(" ")
    assert catalog.evaluate("view.pick") == [second]
    assert catalog.locator("[aria-selected=true]").count() == 1
    catalog.keyboard.press("End")
    last = catalog.evaluate("document.activeElement.getAttribute('aria-rowindex')")
    assert last == catalog.get_attribute("#grid", "aria-rowcount")
    catalog.keyboard.press("Home")
    catalog.keyboard.press("Enter")
    assert catalog.text_content("#details h2") == first
    catalog.keyboard.press("Escape")
    assert not catalog.is_visible("#details")
    assert catalog.evaluate("document.activeElement.role") == "row"


def test_up_to_five_are_compared_and_a_sixth_is_refused(catalog: Catalog) -> None:
    catalog.fill("#text", "claude")
    boxes = catalog.locator("#window input")
    for at in range(6):
        boxes.nth(at).click()
    assert "At most 5" in catalog.count()
    assert catalog.locator("#window input:checked").count() == 5
    picked = catalog.evaluate("view.pick")
    catalog.click("#tray a")
    assert catalog.locator("#comparison thead a").all_text_contents() == picked
    assert catalog.locator("#comparison tbody tr").count() > 20
    catalog.locator("#comparison .close").first.click()
    assert catalog.locator("#comparison thead a").count() == 4
    catalog.go_back()
    api.expect(catalog.locator("#comparison thead a")).to_have_count(5)


def test_the_plot_draws_and_leads_from_point_to_point(catalog: Catalog) -> None:
    catalog.open("#view=plot&provider=anthropic")
    assert "models" in str(catalog.text_content("#drawn"))
    blue = """() => { const c = document.querySelector('canvas');
      return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(one => one > 0) }"""
    assert catalog.evaluate(blue)
    catalog.focus("#stage")
    catalog.keyboard.press("ArrowRight")
    first = catalog.text_content("#point")
    catalog.keyboard.press("ArrowRight")
    assert catalog.text_content("#point") not in (first, "")
    id = catalog.locator("#point a").first.text_content()
    catalog.keyboard.press("Enter")
    assert catalog.text_content("#details h2") == id
    catalog.keyboard.press("Escape")
    catalog.select_option("#side", "output")
    assert "side=output" in catalog.evaluate("location.hash")


def test_what_retires_is_told_by_date_with_what_follows(catalog: Catalog) -> None:
    catalog.open("#view=retiring&provider=openai")
    coming, passed = catalog.locator("#retiring tbody").all()
    assert coming.locator("time").all_text_contents() == ["2026-12-01", "2027-02-01"]
    assert passed.locator("time").all_text_contents() == ["2026-09-30"]
    follower = coming.locator("td:last-child a").first
    id = follower.text_content()
    follower.click()
    assert catalog.text_content("#details h2") == id


def test_hostile_texts_are_shown_and_do_nothing(browser: Any, tmp_path: Path) -> None:
    models = {
        id: ModelInfo(
            id,
            "acme",
            name=id[:99],
            family=id,
            status=id[:99],
            limit={"context": 10},
            cost={"input": 1},
            lifecycle={"retires_on": "2027-01-01", "successor": HOSTILE[0]},
            modalities={"input": [id], "output": [id]},
        )
        for id in HOSTILE
    }
    providers = [ProviderConfig("acme", models, name=HOSTILE[0], doc_url="javascript:alert(1)")]
    catalog = small(browser, tmp_path, providers)
    for view in ("list", "plot", "retiring", "compare"):
        catalog.evaluate(
            "([view, pick]) => change({view, pick})", [view, [f"acme/{one}" for one in HOSTILE[:5]]]
        )
        for id in HOSTILE:
            catalog.evaluate("id => change({model: id})", f"acme/{id}")
            shown = id.replace("\u202e", "\\u{202e}")
            assert catalog.text_content("#details h2") == f"acme/{shown}"
        catalog.keyboard.press("Escape")
        address = catalog.evaluate("location.hash")
        catalog.open(address)
        assert catalog.evaluate("writeView(view)") == address
    assert catalog.evaluate("window.hit") is None
    assert catalog.locator("img, iframe, [href^='javascript' i]").count() == 0
    assert catalog.evaluate("document.scripts.length") == 2
    catalog.close()


def test_the_browser_itself_refuses_markup_and_strange_scripts(catalog: Catalog) -> None:
    refused = """() => { try { document.body.innerHTML = '<b>x</b>'; return false }
      catch (error) { return error instanceof TypeError } }"""
    assert catalog.evaluate(refused)
    assert catalog.evaluate("fetch('https://registry.invalid').then(() => false, () => true)")
    assert any("Content Security Policy" in one for one in catalog.faults)
    catalog.faults.clear()


def test_what_is_unknown_is_shown_so_and_what_is_free_is_not(browser: Any, tmp_path: Path) -> None:
    free = ModelInfo("free", "acme", cost={"input": 0, "output": 0})
    catalog = small(
        browser,
        tmp_path,
        [ProviderConfig("acme", {"free": free, "none": ModelInfo("none", "acme")})],
    )
    cells = catalog.locator("#window .input").all_text_contents()
    assert dict(zip(catalog.ids(), cells, strict=True)) == {
        "acme/free": "$0.00",
        "acme/none": "unknown",
    }
    catalog.open("#model=acme/none")
    said = dict(
        zip(
            catalog.locator("dt").all_text_contents(),
            catalog.locator("dd").all_text_contents(),
            strict=True,
        )
    )
    assert {value for name, value in said.items() if name != "Provider"} == {"unknown"}
    catalog.close()


def test_ten_times_the_models_make_no_more_rows(
    browser: Any, snapshot: Snapshot, tmp_path: Path
) -> None:
    copies = [
        one.replace(id=f"{id}-{number}")
        for id, one in snapshot.get_providers().items()
        for number in range(10)
    ]
    catalog = small(browser, tmp_path, copies)
    total = catalog.evaluate("models.size")
    assert total > 80_000
    rows = "document.querySelectorAll('#window > *').length"
    last = catalog.locator("#window > :last-child")
    for down in (0, 1e6, 1e9):
        before = last.get_attribute("data-at")
        catalog.evaluate(f"scrollTo(0, {down})")
        if down:
            api.expect(last).not_to_have_attribute("data-at", before)
        assert 0 < catalog.evaluate(rows) < 60
    end = int(catalog.get_attribute("#grid", "aria-rowcount")) - 2
    api.expect(last).to_have_attribute("data-at", str(end))
    catalog.fill("#text", "gpt-4o-")  # few, and the page was at its end
    assert 0 < catalog.evaluate(rows) < 60
    assert catalog.ids()[0].split("/")[1].startswith("gpt-4o-")
    catalog.close()


@pytest.mark.parametrize("width", [360, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_width_makes_the_page_scroll_sideways(
    browser: Any, file: Path, width: int, scheme: str
) -> None:
    catalog = Catalog(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    for view in ("list", "plot", "retiring", "compare"):
        catalog.open(
            f"#view={view}&pick=openai/gpt-4o&pick=groq/llama-3.3-70b-versatile&pick=openai/o3"
        )
        assert catalog.evaluate("document.documentElement.scrollWidth") <= width
    dark = catalog.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 23)"
    assert dark == (scheme == "dark")
    catalog.close()


def test_a_screen_reader_finds_names_roles_and_messages(catalog: Catalog) -> None:
    catalog.fill("#text", "gpt-4o")
    assert catalog.get_by_role("grid", name="Models").count() == 1
    assert catalog.get_by_role("row").count() > 5
    assert catalog.get_by_role("checkbox", name="Compare openai/gpt-4o", exact=True).count() == 1
    assert catalog.get_by_role("status").filter(has_text="models").count() == 1
    assert catalog.get_by_role("searchbox", name="Search").count() == 1
    unnamed = """() => [...document.querySelectorAll('input, select, button')]
      .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim())).length"""
    assert catalog.evaluate(unnamed) == 0


def test_print_has_more_rows_than_the_screen_and_no_controls(catalog: Catalog) -> None:
    catalog.emulate_media(media="print")
    assert not catalog.is_visible("#filters")
    catalog.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert catalog.evaluate("document.querySelectorAll('#window > *').length") == 500
    assert catalog.is_visible("#cut")
    assert catalog.locator("#window .model").first.bounding_box()["width"] > 200
    catalog.evaluate("dispatchEvent(new Event('afterprint'))")
    assert catalog.evaluate("document.querySelectorAll('#window > *').length") < 60
