"""registry-gateway-openai with real servers: llama.cpp, LiteLLM's proxy, aimock, and programs
that answer as Ollama, LM Studio, vLLM and TGI do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import openai
import pytest

from registry_core import ModelRegistry, Settings
from registry_core.testing import write_distribution
from tests.nodetools import node_package
from tests.servers import (
    LITELLM,
    environment,
    free_port,
    llama_server,
    running,
    tiny_model,
    until,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "registry-gateway-openai"
PAYLOADS = PLUGIN / "tests" / "payloads"
OLLAMA = ("qwen3:8b", "hf.co/unsloth/gemma-3-4b-it-GGUF:Q4_K_M", "nomic-embed-text:latest")

NewRegistry = Callable[..., ModelRegistry]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The plugin, as installed."""
    return write_distribution(
        tmp_path / "site",
        "registry-gateway-openai",
        entry_points={"openai-compatible": "registry_gateway_openai"},
    )


@pytest.fixture
def new_registry(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewRegistry:
    monkeypatch.syspath_prepend(site)

    def registry(*endpoints: Mapping[str, str], **settings: Any) -> ModelRegistry:
        return ModelRegistry(
            Settings(
                store_dir=tmp_path / "store",
                plugins=("registry-gateway-openai",),
                plugin_options={"openai-compatible": {"endpoint": list(endpoints)}},
                cache_ttl_ms=0,
                **settings,
            )
        )

    return registry


def fake(name: str, port: int) -> AbstractContextManager[str]:
    """A program that answers as a server of this kind; it ends with the context."""
    command = [sys.executable, Path(__file__).parent / "fake.py", PAYLOADS / f"{name}.json"]
    return running([*command, str(port)], f"http://127.0.0.1:{port}", "/v1/models")


@contextmanager
def litellm(tmp_path: Path) -> Iterator[str]:
    """LiteLLM's proxy with three deployments, which answer without a network."""
    names = ("gpt-4o", "acme/alpha", "small:2b")
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": "openai/any",
                "api_key": "none",
                "mock_response": f"{name} here",
            },
        }
        for name in names
    ]
    config = tmp_path / "litellm.yaml"
    config.write_text(json.dumps({"model_list": models}))  # JSON is YAML
    program = environment("litellm", LITELLM) / "bin" / "litellm"
    port = free_port()
    environ = {"LITELLM_MASTER_KEY": "sk-4711", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [program, "--config", config, "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, url, "/health/liveliness", environ):
        yield url


def call(registry: ModelRegistry, id: str, environ: Mapping[str, str] = {}) -> str:
    """What the model says, called as an application would."""
    endpoint = registry.resolve(id, environ)
    with openai.OpenAI(**endpoint.openai_kwargs(), max_retries=0) as client:
        answer = client.chat.completions.create(
            model=endpoint.model, messages=[{"role": "user", "content": "hello"}], max_tokens=4
        )
    return answer.choices[0].message.content or ""


def test_llama_cpp_with_one_model(new_registry: NewRegistry, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    with llama_server("-m", model, "--alias", "hf.co/acme/tiny:Q4", "-c", "256") as url:
        registry = new_registry({"id": "llama", "url": url})
        assert registry.sync_gateways().ok
        found = registry.get_model("llama/hf.co/acme/tiny:Q4")
        assert found is not None
        assert (found.limit.context, found.extra["trained_context"]) == (256, 512)
        assert (found.accepts("text"), found.accepts("image")) == (True, False)
        assert found.extra["parameters"] > 0
        assert "F32" in found.extra["quantization"]
        assert call(registry, "llama/hf.co/acme/tiny:Q4")


def test_llama_cpp_with_a_key(new_registry: NewRegistry, tmp_path: Path, monkeypatch: Any) -> None:
    model, key = tiny_model(tmp_path / "tiny.gguf"), {"LLAMA_KEY": "llama-4711"}
    monkeypatch.setenv("LLAMA_KEY", key["LLAMA_KEY"])
    with llama_server("-m", model, "--alias", "tiny", "--api-key", key["LLAMA_KEY"]) as url:
        registry = new_registry({"id": "llama", "url": url, "key_env": "LLAMA_KEY"})
        assert registry.sync_gateways().ok
        found = registry.get_model("llama/tiny")
        assert found is not None
        assert found.limit.context == 512
        assert call(registry, "llama/tiny", key)
        with pytest.raises(openai.AuthenticationError):
            call(registry, "llama/tiny")


def test_llama_cpp_as_a_router_loads_a_model_when_it_is_called_and_not_before(
    new_registry: NewRegistry, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for name in ("tiny-a", "tiny-b"):
        tiny_model(models / f"{name}.gguf")
    with llama_server("--models-dir", models) as url:
        registry = new_registry({"id": "llama", "url": url})

        def contexts() -> list[int | None]:
            assert registry.sync_gateways(force_refresh=True).ok
            provider = registry.get_provider_config("llama")
            assert provider is not None
            return [one.limit.context for one in provider.models.values()]

        assert contexts() == contexts() == [None, None]
        assert call(registry, "llama/tiny-b")
        assert contexts() == [None, 512]


def test_litellms_proxy(
    new_registry: NewRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_KEY", "sk-4711")
    with litellm(tmp_path) as url:
        registry = new_registry({"id": "proxy", "url": url, "key_env": "LITELLM_KEY"})
        report = registry.sync_gateways()
        assert report.ok, report.problems
        assert registry.get_models()["proxy"] == ("acme/alpha", "gpt-4o", "small:2b")
        for id in registry.get_models()["proxy"]:
            assert call(registry, f"proxy/{id}", {"LITELLM_KEY": "sk-4711"}) == f"{id} here"


def test_aimock(new_registry: NewRegistry, tmp_path: Path) -> None:
    fixtures = tmp_path / "fixtures.json"
    match = {"userMessage": "hello", "model": "acme/mock:1"}
    answer = {"match": match, "response": {"content": "Hello from aimock"}}
    fixtures.write_text(json.dumps({"fixtures": [answer]}))
    program = node_package("@copilotkit/aimock", "1.43.0") / "dist" / "cli.js"
    port = free_port()
    command = ["node", program, "-p", str(port), "-f", fixtures]
    with running(command, f"http://127.0.0.1:{port}", "/health") as url:
        registry = new_registry({"id": "mock", "url": url})
        report = registry.sync_gateways()
        assert (report.ok, report.problems) == (True, ())
        assert registry.get_models()["mock"] == ("acme/mock:1",)
        assert call(registry, "mock/acme/mock:1") == "Hello from aimock"


@pytest.mark.parametrize("name", ["ollama", "lmstudio", "vllm", "tgi"])
def test_programs_that_answer_as_their_documentation_says(
    name: str, new_registry: NewRegistry
) -> None:
    with fake(name, free_port()) as url:
        registry = new_registry({"id": "here", "url": f"{url}/v1", "kind": name})
        report = registry.sync_gateways()
        assert (report.ok, report.problems) == (True, ())
        for id in registry.get_models()["here"]:
            found = registry.get_model(f"here/{id}")
            assert found is not None
            assert found.limit.context
            assert call(registry, f"here/{id}") == f"{id} here"


def test_the_refresher_sees_a_server_go_and_come_back(
    new_registry: NewRegistry, tmp_path: Path
) -> None:
    port = free_port()
    with llama_server("-m", tiny_model(tmp_path / "tiny.gguf"), "--alias", "tiny") as url:
        ollama = {"id": "ollama", "url": f"http://127.0.0.1:{port}"}
        registry = new_registry({"id": "llama", "url": url}, ollama, refresh_interval_ms=200)
        registry.start_auto_refresh()
        try:

            def serves(*ids: str) -> Callable[[], bool]:
                return lambda: set(registry.get_models()) == set(ids)

            until(serves("llama"))
            for _ in range(2):
                with fake("ollama", port):
                    until(serves("llama", "ollama"))
                    for id in OLLAMA:
                        assert call(registry, f"ollama/{id}") == f"{id} here"
                until(serves("llama"))
                assert call(registry, "llama/tiny")
        finally:
            registry.stop_auto_refresh()


@contextmanager
def dev(project: Path, environ: Mapping[str, str]) -> Iterator[Callable[[str], str]]:
    """`registry-core dev` in this folder; waits for the line that holds a text."""
    command = [sys.executable, "-m", "registry_core", "dev", "--", sys.executable, "-c", "input()"]
    process = subprocess.Popen(
        command,
        cwd=project,
        env=environ,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    stdin, stderr = process.stdin, process.stderr
    assert stdin
    assert stderr
    lines: Queue[str] = Queue()
    reader = Thread(target=lambda: [lines.put(line) for line in stderr])
    reader.start()

    def heard(text: str) -> str:
        line = ""
        while text not in line:
            line = lines.get(timeout=120)
        return line

    try:
        yield heard
    finally:
        stdin.close()  # the command reads to the end of its input
        reader.join()  # it alone reads and closes: a pipe with two readers fails one of them
        stderr.close()
        process.wait()


def test_registry_core_dev_shows_servers_appear_and_go(site: Path, tmp_path: Path) -> None:
    project, port = tmp_path / "project", free_port()
    project.mkdir()
    environ = {key: text for key, text in os.environ.items() if "REGISTRY_CORE" not in key} | {
        "PYTHONPATH": os.pathsep.join((str(site), str(PLUGIN / "src"))),
        "REGISTRY_CORE_STORE_DIR": str(tmp_path / "store"),
        "REGISTRY_CORE_PLUGINS": "registry-gateway-openai",
        "REGISTRY_CORE_REFRESH_INTERVAL_MS": "60000",
        "LITELLM_KEY": "sk-4711",
    }
    with ExitStack() as others, ExitStack() as ollama:
        model = tiny_model(tmp_path / "tiny.gguf")
        urls = {
            "llama": others.enter_context(llama_server("-m", model, "--alias", "tiny")),
            "ollama": ollama.enter_context(fake("ollama", port)),
            "proxy": others.enter_context(litellm(tmp_path)),
        }
        table = "[[tool.registry-core.plugin.openai-compatible.endpoint]]"
        tables = [f'{table}\nid = "{id}"\nurl = "{url}"\n' for id, url in urls.items()]
        tables.append('key_env = "LITELLM_KEY"\n')  # of the last
        (project / "registry-core.toml").write_text("".join(tables))
        heard = others.enter_context(dev(project, environ))
        assert "and 4 more" in heard(" new: ")  # of seven
        heard("leaving: ")  # what came with the wheel: no other gateway is in use
        ollama.close()
        assert "ollama/" in heard("leaving: ")
        with fake("ollama", port):
            assert "ollama/" in heard(" new: ")


def test_the_wheel_alone_does_what_its_readme_says(tmp_path: Path) -> None:
    """In a fresh environment; only the port of the README's Ollama is another here."""
    readme = (PLUGIN / "README.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^```(toml|python)\n(.*?)^```", readme, re.M | re.S))
    python = tmp_path / "venv" / "bin" / "python"
    wheels = tmp_path / "wheels"
    build = ("-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, ROOT, PLUGIN)
    run(sys.executable, *build, cwd=tmp_path)
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    run(python, "-m", "pip", "install", "-q", "openai", *wheels.iterdir(), cwd=tmp_path)

    command, port = python.parent / "registry-core", free_port()
    settings = blocks["toml"].replace("127.0.0.1:11434", f"127.0.0.1:{port}")
    (tmp_path / "registry-core.toml").write_text(settings, encoding="utf-8")
    off = run(command, "sync", cwd=tmp_path)
    assert re.search(r"^ollama +absent ", off, re.M)
    assert "gpu: set GPU_KEY" in off
    with fake("ollama", port):
        assert re.search(r"^ollama +fresh +1 +3 ", run(command, "sync", cwd=tmp_path), re.M)
        listed = run(command, "list", "ollama", cwd=tmp_path).splitlines()
        assert set(listed) >= {f"ollama/{id}" for id in OLLAMA}
        script = blocks["python"] + 'print(ask("Hello"))\n'
        assert run(python, "-c", script, cwd=tmp_path) == "qwen3:8b here\n"
    assert re.search(r"^ollama +absent ", run(command, "sync", cwd=tmp_path), re.M)


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints that succeeds, with few variables."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    pip = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    done = subprocess.run(
        command, cwd=cwd, env=environ | pip, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
