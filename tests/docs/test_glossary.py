"""One glossary: in order, each word once, none that nobody uses."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "glossary.md").read_text("utf-8")
WORDS = re.findall(r"^\| ([a-z ]+) \|", PAGE, flags=re.MULTILINE)[1:]


def test_the_words_are_in_order_and_each_is_explained_once() -> None:
    assert sorted(set(WORDS)) == WORDS


def test_each_word_is_used_elsewhere_in_docs_or_code() -> None:
    pages = [file for file in ROOT.glob("docs/*.md") if file.name != "glossary.md"]
    text = "\n".join(
        file.read_text("utf-8").lower() for file in (*pages, *ROOT.glob("src/**/*.py"))
    )
    assert [
        word for word in WORDS if not re.search(rf"\b{word.replace('source', 'sources?')}\b", text)
    ] == []
