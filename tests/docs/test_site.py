"""The docs as a site: every page has its place, every link leads somewhere, nothing is fetched."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

import registry_core

ROOT = Path(__file__).parents[2]
NAV = re.findall(r"(?:: |- )([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M)


def test_each_page_of_the_docs_has_a_place_in_the_order_of_the_site() -> None:
    pages = {file.name for file in ROOT.glob("docs/*.md")}
    assert pages <= set(NAV)
    assert len(NAV) == len(set(NAV))


def test_links_lead_to_the_page_that_the_site_makes_of_a_file() -> None:
    pytest.importorskip("mkdocs")
    from tools.docs_site import github_slug, linked

    assert linked("[a](docs/cli.md#list)", "index.md") == "[a](cli.md#list)"
    assert linked("[a](cli.md), [b](#c)", "api.md") == "[a](cli.md), [b](#c)"
    policy = "../plugins/registry-policy/README.md"
    assert linked(f"[a]({policy})", "plugins.md") == "[a](packages/registry-policy.md)"
    assert linked("[a](../../docs/cli.md)", "packages/registry-policy.md") == "[a](../cli.md)"
    assert linked("[a](../examples)", "cli.md") == "a"
    assert github_slug("`registry_emit(snapshot, settings)`", "-") == (
        "registry_emitsnapshot-settings"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    assert len(pages) > len(NAV)
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?(?:https?:)?//', text), page
        assert "](" not in re.sub(r"<(code|script)\b.*?</\1>", "", text, flags=re.DOTALL), page


@pytest.mark.slow
def test_the_reference_has_each_public_name_with_its_docstring(site: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in site.glob("python/*/index.html"))
    words = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", text)))
    for name in registry_core.__all__:
        assert name == "__version__" or re.search(rf'id="registry_core\.[\w.]*{name}"', text), name
    said = (registry_core.find_models.__doc__ or "").split(".")[0].split("`")[0]
    assert re.sub(r"\s+", " ", said).strip() in words


@pytest.mark.slow
def test_a_search_finds_pages_that_explain_before_the_reference(site: Path) -> None:
    entries = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    counts = {entry["location"]: entry.get("boost", 1) for entry in entries}
    assert max(value for page, value in counts.items() if page.startswith("python/")) < 1
    assert counts["files/"] == counts["resolve/"] == 1


@pytest.mark.slow
def test_the_reference_names_no_type_variable(site: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in site.glob("python/*/index.html"))
    assert not re.findall(r'id="registry_core\.[\w.]*\.[A-Z]"', text)
