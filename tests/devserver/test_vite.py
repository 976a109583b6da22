"""Vite, on a project whose generated types and data lie in its sources."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from tests.devserver.servers import Project, Upstream
from tests.loopback import Loopback
from tests.nodetools import node_package

pytestmark = pytest.mark.slow

#: Evaluated at each start, and at each restart.
CONFIG = """\
import { appendFileSync } from "node:fs"

appendFileSync(process.env.LIFECYCLE, `startup ${process.pid}\\n`)
export default { clearScreen: false, server: { host: "127.0.0.1", port: 0 } }
"""
MAIN = """\
import type { ModelRouterModelId } from "./web/provider-types.generated"

export const model: ModelRouterModelId = "acme/model-0"
"""
PAGE = '<script type="module" src="/main.ts"></script>'


def test_a_refresh_that_changes_the_types_neither_restarts_vite_nor_reloads_the_page(
    tmp_path: Path, server: Loopback
) -> None:
    vite = node_package("vite", "8.3.8") / "bin" / "vite.js"
    upstream = Upstream(server)
    files = {"vite.config.mjs": CONFIG, "main.ts": MAIN, "index.html": PAGE}
    project = Project(tmp_path, upstream, files)
    project.sync()
    with project.serve(["node", vite]) as running:
        url = f"http://127.0.0.1:{running.port()}"
        for path in ("/", "/main.ts"):  # what was never asked for is not watched for changes
            with urllib.request.urlopen(url + path) as reply:
                assert reply.status == 200

        upstream.growing = True
        for wanted in ("model-1", "model-2", "model-3"):
            project.sync()
            assert project.generated(wanted)

        main, config = project.root / "main.ts", project.root / "vite.config.mjs"
        main.write_text(MAIN + "// changed\n")
        running.wait(lambda: "page reload main.ts" in running.output(), "a reload of the page")
        # One per event: a file that is emptied and written may be two.
        reloads = [line for line in running.output().splitlines() if "reload" in line]
        assert all("page reload main.ts" in line for line in reloads)
        assert project.starts() == 1
        config.write_text(CONFIG + "// changed\n")
        running.wait(lambda: project.starts() >= 2, "a restart")
