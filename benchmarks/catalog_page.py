"""How long the page of registry-catalog takes in Chromium, with today's models and ten times as
many.

    python -m benchmarks.catalog_page [ROUNDS]

Needs Chromium, playwright and jinja2, and registry-catalog on the path. Prints for each size the
file, the time to make it, and the median, least and most of four times: first paint; until the
list is in the page; the work of one keystroke (filter, and new rows in the page); from a
keystroke until the frame after it is drawn.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from registry_catalog.rendering import page

from benchmarks.measure import Spread
from registry_core import ModelRegistry, Settings, Snapshot

TYPED = "claude sonnet 4"
#: Of each key: the work itself, and until the frame after it.
KEYS = """async text => {
  const found = [[], []];
  for (let end = 1; end <= text.length; end++) {
    const from = performance.now();
    search.value = text.slice(0, end);
    search.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.offsetHeight;
    found[0].push(performance.now() - from);
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    found[1].push(performance.now() - from);
  }
  return found;
}"""


PAINT = """new Promise(done => new PerformanceObserver(list => done(list.getEntries()[0].startTime))
  .observe({ type: "paint", buffered: true }))"""

READY = "performance.getEntriesByType('navigation')[0].domInteractive"


def times(snapshot: Snapshot, count: int) -> Snapshot:
    return Snapshot.build(
        one.replace(id=f"{id}-{number}" if number else id)
        for id, one in snapshot.get_providers().items()
        for number in range(count)
    )


def measure(browser: Browser, file: Path, rounds: int) -> None:
    paints, ready, keys, frames = [], [], [], []
    for _ in range(rounds):
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(file.as_uri())
        paints.append(tab.evaluate(PAINT))
        ready.append(tab.evaluate(READY))
        work, until = tab.evaluate(KEYS, TYPED)
        keys += work
        frames += until
        tab.close()
    said = {"first paint": paints, "list": ready, "keystroke": keys, "to its frame": frames}
    for name, found in said.items():
        print(f"  {name}: {Spread.of(found)} ms")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        bundled = ModelRegistry(Settings(store_dir=Path(folder))).snapshot()
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"] if root else []
        )
        for count in (1, 10):
            snapshot = times(bundled, count)
            start = time.perf_counter()
            html = page(snapshot)
            took = time.perf_counter() - start
            file = Path(folder) / "catalog.html"
            file.write_text(html, "utf-8")
            print(f"{snapshot.count()[1]:,} models: {len(html):,} bytes, made in {took:.1f} s")
            measure(browser, file, rounds)
        browser.close()


if __name__ == "__main__":
    main()
