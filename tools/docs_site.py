"""What `mkdocs` needs to make a site of pages that are also read in the repository.

Links stay as the repository needs them; here they are led to the page that the site makes of the
file. Pages that lie beside `docs/` are added, and the reference of Python names, one page for each
public module. mkdocs.yml has their order; what is missing there fails `mkdocs build --strict`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import registry_core

ROOT = Path(__file__).resolve().parents[1]
#: File of the repository → page of the site, for those that lie outside of `docs/`.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "CHANGELOG.md": "changelog.md",
    **{
        f"plugins/{folder.name}/README.md": f"packages/{folder.name}.md"
        for folder in ROOT.glob("plugins/*")
    },
}
SOURCES = {page: file for file, page in PAGES.items()}
#: Folder or page → how much its words count in the search. Each has many short sections, which
#: would come before the pages that explain.
BOOSTS = {"python/": 0.1, "changelog.md": 0.2, "reliability.md": 0.5, "performance.md": 0.5}


def reference() -> dict[str, str]:
    """Page → Markdown, from which mkdocstrings makes the reference."""
    public = (ROOT / "src" / "registry_core").glob("[!_]*")
    names = {path.stem for path in public if path.suffix in ("", ".py")} - {"cli"}
    pages = {
        f"python/{name}.md": f"# `registry_core.{name}`\n\n::: registry_core.{name}\n"
        for name in sorted(names)
    }
    homes = {
        name: getattr(getattr(registry_core, name), "__module__", "")
        for name in registry_core.__all__
    }
    top = [  # those that are defined in a room, so on no page of a public module
        f"::: {home}.{name}\n    options: {{show_root_heading: true}}\n"
        for name, home in homes.items()
        if home.startswith("registry_core._")
    ]
    pages["python/registry_core.md"] = "# `registry_core`\n\n" + "\n".join(top)
    return pages


def github_slug(title: str, separator: str) -> str:
    """The anchor of a heading, as the repository's host makes it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", separator)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    config.mdx_configs["toc"]["slugify"] = github_slug
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    for file, page in PAGES.items():
        text = (ROOT / file).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    for page, text in reference().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    here = page.file.src_uri
    for place, boost in BOOSTS.items():
        if here.startswith(place):
            page.meta["search"] = {"boost": boost}
    return linked(markdown, here)


def linked(markdown: str, here: str) -> str:
    """With each link to a file of the repository led to its page, from the page `here`."""
    folder = posixpath.dirname(SOURCES.get(here, f"docs/{here}"))

    def lead(found: re.Match[str]) -> str:
        text, link, anchor = found[1], found[2], found[3] or ""
        file = posixpath.normpath(posixpath.join(folder, link))
        target = PAGES.get(file) or (file.removeprefix("docs/") if file.startswith("docs/") else "")
        if not target:
            return text  # examples, sources: the site has no page of them
        return f"[{text}]({posixpath.relpath(target, posixpath.dirname(here) or '.')}{anchor})"

    return re.sub(r"\[([^\]\n]+)\]\(([^)\s#:]+)(#[^)\s]*)?\)", lead, markdown)
