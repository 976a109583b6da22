"""The refresher in processes that end, fork and serve."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from registry_core import ModelRegistry
from registry_core.testing import write_distribution
from tests.loopback import Loopback, Reply, Request

ROOT = Path(__file__).parents[2]
PAYLOAD = {
    "openai": {
        "id": "openai",
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "npm": "@ai-sdk/openai",
        "doc": "https://platform.openai.com/docs",
        "models": {f"new-{n}": {"id": f"new-{n}", "name": "New"} for n in range(8000)},
    }
}
NETLIFY = {"providers": {"openai": {"models": [f"model-{n}" for n in range(200)]}}}
ONE_EACH = {"/api.json": 1, "/netlify.json": 1}


@pytest.fixture
def environ(tmp_path: Path, server: Loopback) -> dict[str, str]:
    """Of a process with the real plugins, whose gateways are at the loopback server."""
    server.serve("/api.json", PAYLOAD)
    server.serve("/netlify.json", NETLIFY)
    kept = {key: value for key, value in os.environ.items() if "REGISTRY_CORE" not in key}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT))),
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_MODELS_DEV_URL": server.url("/api.json"),
        "REGISTRY_CORE_NETLIFY_URL": server.url("/netlify.json"),
    }


def run(code: str, environ: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", dedent(code)],
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_never_keeps_the_interpreter_alive(
    environ: dict[str, str], server: Loopback, tmp_path: Path
) -> None:
    release = threading.Event()

    def hang(request: Request) -> Reply:
        release.wait(60)
        return Reply(500)

    server.route("/api.json", hang)
    environ["REGISTRY_CORE_DEV"] = "true"
    code = """
        import sys, threading
        import registry_core
        asked = threading.Event()
        sys.addaudithook(lambda event, _: asked.set() if event == "socket.connect" else None)
        assert registry_core.get_model("openai/gpt-4o") is not None
        assert asked.wait(60)
        print("the end")
    """
    done = run(code, environ, tmp_path)
    release.set()
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


def test_a_sync_writes_nothing_to_standard_output(
    environ: dict[str, str], server: Loopback, tmp_path: Path
) -> None:
    code = """
        import logging, registry_core
        logging.basicConfig(level="DEBUG")
        report = registry_core.ModelRegistry.get_instance().sync_gateways()
        assert report.ok, report
        registry_core.ModelRegistry.get_instance().sync_gateways(force_refresh=True)
    """
    done = run(code, environ, tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "DEBUG:registry_core:" in done.stderr


SLOW_PLUGIN = """
import __main__
__main__.importing.set()
assert __main__.forking.wait(60)
whole = True
"""

FORK_WHILE_IMPORTING = """
    import os, sys, threading
    from registry_core import ModelRegistry, Settings
    from registry_core._world import World
    importing, forking = threading.Event(), threading.Event()
    idle = threading.Event()

    def wait(stop, seconds):
        idle.set()
        stop.wait(seconds)

    settings = Settings(store_dir=sys.argv[1], plugins=("slow-plugin",), offline=True)
    registry = ModelRegistry(world=World(settings, wait=wait))
    registry.start_auto_refresh()
    assert importing.wait(60)
    os.register_at_fork(before=forking.set)  # the import goes on only when the fork has begun
    pid = os.fork()
    if pid == 0:
        import slow_plugin
        names = [one.name for one in threading.enumerate()]
        good = slow_plugin.whole and names.count("registry-core refresh") == 1 and idle.wait(60)
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert idle.wait(60)
    print("both are well")
"""


def test_a_fork_waits_for_an_import_that_is_under_way(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """As with `gunicorn --preload`: the child would have half a module for good."""
    write_distribution(
        tmp_path,
        "slow-plugin",
        entry_points={"slow": "slow_plugin"},
        modules={"slow_plugin.py": SLOW_PLUGIN},
    )
    code = FORK_WHILE_IMPORTING.replace("sys.argv[1]", repr(str(tmp_path / "store")))
    done = run(code, environ, tmp_path)
    assert (done.returncode, done.stdout) == (0, "both are well\n"), done.stderr
    assert "Exception ignored" not in done.stderr


def test_after_its_preparations_a_sync_imports_nothing_more(
    environ: dict[str, str], server: Loopback, tmp_path: Path
) -> None:
    """So that no fork meets an import: it waits only for those of the preparations."""
    code = """
        import sys
        from registry_core import ModelRegistry
        from registry_core._sync import refresh
        registry = ModelRegistry()
        refresher = refresh.refresher_of(registry.world, registry.sync_gateways, None)
        refresher._prepared(None)
        for news in ("openai/new-1", "netlify/openai/newer"):
            before = {*sys.modules}
            assert registry.sync_gateways(force_refresh=True).ok
            print(*{*sys.modules} - before)
            assert registry.get_model(news)
    """
    lists = iter([NETLIFY, {"providers": {"openai": {"models": ["newer"]}}}])
    server.route("/netlify.json", lambda _: Reply(body=json.dumps(next(lists)).encode()))
    environ["REGISTRY_CORE_SHRINK_LIMIT"] = "0"
    done = run(code, environ, tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_a_stopped_refresher_is_not_started_by_a_fork(
    environ: dict[str, str], tmp_path: Path
) -> None:
    code = """
        import os, threading
        from registry_core import ModelRegistry
        registry = ModelRegistry.get_instance()
        registry.start_auto_refresh()
        registry.stop_auto_refresh()
        pid = os.fork()
        if pid == 0:
            os._exit(threading.active_count() - 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    """
    done = run(code, {**environ, "REGISTRY_CORE_OFFLINE": "true"}, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def instance(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[dict[str, str]], bool]]:
    """Whether `get_instance()` refreshes in the background, in such an environment."""
    for name in list(os.environ):
        if name.startswith(("REGISTRY_CORE_", "MASTRA_")):
            monkeypatch.delenv(name)

    def refreshes(environ: dict[str, str]) -> bool:
        ModelRegistry.reset_instance()
        with monkeypatch.context() as patch:
            patch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path / "store"))
            patch.setenv("REGISTRY_CORE_PLUGINS", "")
            for name, value in environ.items():
                patch.setenv(name, value)
            ModelRegistry.get_instance()
            threads = [one for one in threading.enumerate() if one.name == "registry-core refresh"]
            ModelRegistry.reset_instance()
            for thread in threads:
                thread.join(60)
            return len(threads) == 1

    yield refreshes
    ModelRegistry.reset_instance()


@pytest.mark.parametrize(
    ("environ", "refreshes"),
    [
        ({}, False),
        ({"REGISTRY_CORE_DEV": "true"}, True),
        ({"REGISTRY_CORE_DEV": "1"}, True),
        ({"REGISTRY_CORE_DEV": "false"}, False),
        ({"REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "true"}, True),
        ({"REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "false"}, False),
        ({"REGISTRY_CORE_DEV": "true", "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "false"}, False),
        ({"REGISTRY_CORE_DEV": "false", "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "1"}, True),
        ({"MASTRA_DEV": "true"}, True),
        ({"MASTRA_DEV": "true", "REGISTRY_CORE_DEV": "false"}, False),
        ({"MASTRA_AUTO_REFRESH_PROVIDERS": "true"}, True),
        ({"MASTRA_DEV": "true", "MASTRA_AUTO_REFRESH_PROVIDERS": "false"}, False),
        (
            {
                "MASTRA_AUTO_REFRESH_PROVIDERS": "false",
                "REGISTRY_CORE_AUTO_REFRESH_PROVIDERS": "true",
            },
            True,
        ),
    ],
)
def test_the_environment_says_whether_the_singleton_refreshes(
    instance: Callable[[dict[str, str]], bool], environ: dict[str, str], refreshes: bool
) -> None:
    assert instance(environ) is refreshes


def test_a_pyproject_does_not_start_the_singletons_refresher(
    instance: Callable[[dict[str, str]], bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "[tool.registry-core]\nauto_refresh_providers = true\n"
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert instance({}) is False


APP = """
import json, logging, os, threading
import registry_core

logging.basicConfig(level="INFO", format="%(process)d %(message)s")
registry_core.ModelRegistry.get_instance()


def answer():
    return json.dumps({
        "pid": os.getpid(),
        "refreshers": [one.name for one in threading.enumerate()].count("registry-core refresh"),
        "known": registry_core.get_model("openai/new-7") is not None,
    }).encode()


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [answer()]


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer()})
"""


def answers(url: str, workers: int) -> dict[int, dict[str, Any]]:
    """What each worker says of itself, by process."""
    found: dict[int, dict[str, Any]] = {}
    for _ in range(500):
        with urllib.request.urlopen(url, timeout=60) as response:
            about = json.loads(response.read())
        found[about["pid"]] = about
        if len(found) == workers:
            break
    return found


def serve(
    command: list[str], environ: dict[str, str], cwd: Path
) -> tuple[subprocess.Popen[str], str, list[str]]:
    """Start a server; its URL, and its log until the models were refreshed."""
    environ |= {"REGISTRY_CORE_DEV": "true", "REGISTRY_CORE_CACHE_TTL_MS": "0"}
    (cwd / "served.py").write_text(APP)
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environ,
        cwd=cwd,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    lines: list[str] = []
    url = None
    while url is None or not any(" new: " in line for line in lines):
        line = process.stderr.readline()
        assert line, "".join(lines)
        lines.append(line)
        found = re.search(r"(?:Listening at|running on)\S* (http://127\.0\.0\.1:\d+)", line)
        url = found[1] if found else url
    return process, url, lines


SERVERS = {
    "gunicorn": ["gunicorn", "--preload", "-w2", "-b127.0.0.1:0", "served:app"],
    "uvicorn": ["uvicorn", "--workers=2", "--host=127.0.0.1", "--port=0", "served:asgi"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
def test_the_workers_of_a_server_fetch_once_and_each_refreshes(
    environ: dict[str, str], server: Loopback, tmp_path: Path, name: str
) -> None:
    pytest.importorskip(name)
    process, url, lines = serve(SERVERS[name], environ, tmp_path)
    try:
        found = answers(url, 2)
        assert len(found) == 2
        for about in found.values():
            assert about["refreshers"] == 1
            assert about["known"]
    finally:
        process.terminate()
        lines.append(process.communicate(timeout=60)[1])
    text = "".join(lines)
    assert process.returncode == 0, text
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    assert Counter(server.paths) == ONE_EACH


INTERRUPTED = """
    import logging, os, signal, sys, threading
    import registry_core
    from registry_core import ModelRegistry

    class Heard(logging.Handler):
        joined = threading.Event()
        def emit(self, record):
            if "joins" in record.getMessage():
                self.joined.set()

    logging.getLogger("registry_core").addHandler(Heard())
    logging.getLogger("registry_core").setLevel(logging.DEBUG)
    registry = ModelRegistry.get_instance()
    done = threading.Event()
    sync = registry._sync
    def noted(options):
        report = sync(options)
        done.set()
        return report
    registry._sync = noted

    def interrupt():
        registry.start_auto_refresh()
        assert Heard.joined.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    registry.gateways  # loads the plugins
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        registry.sync_gateways()
    except KeyboardInterrupt:
        print("interrupted")
    print(done.wait(60), registry._refresher.runs, registry.get_model("openai/new-1").id)
"""


def test_ctrl_c_in_a_sync_is_for_its_thread_alone(
    environ: dict[str, str], server: Loopback, tmp_path: Path
) -> None:
    """The refresher, which had joined that sync, runs one of its own."""
    first, release = threading.Event(), threading.Event()
    answer = json.dumps(PAYLOAD).encode()

    def hang_once(request: Request) -> Reply:
        if not first.is_set():
            first.set()
            release.wait(60)
        return Reply(200, answer)

    server.route("/api.json", hang_once)
    environ["REGISTRY_CORE_FETCH_DEADLINE_MS"] = "60000"
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(INTERRUPTED)],
        env=environ,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    release.set()
    out, err = process.communicate(timeout=120)
    assert (told, out) == ("interrupted\n", "True True new-1\n"), err
