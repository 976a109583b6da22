"""The kwargs, given to the real clients, against servers on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import anthropic
import openai
import pytest

from registry_core.endpoint import Endpoint
from registry_core.known_providers import Dialect
from tests.resolve.make import endpoint, provider

EXAMPLE = Path(__file__).parents[2] / "examples" / "call_a_model"
sys.path.insert(0, str(EXAMPLE))
try:
    stub_servers = import_module("stub_servers")
finally:
    sys.path.remove(str(EXAMPLE))

#: The client library that the two others are built on, whatever its name in this version.
httpx = import_module("httpx2" if find_spec("httpx2") else "httpx")

KEY = "sk-test"
Recorded = list[tuple[str, dict[str, str]]]


@pytest.fixture(autouse=True)
def foreign_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that the clients would pick up by themselves, and no proxy."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "sk-foreign")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def recorder() -> Iterator[tuple[str, Recorded]]:
    """A server that answers as all APIs do, and what it was asked: path and headers."""
    requests: Recorded = []
    answers: dict[str, Callable[[str], dict[str, Any]]] = {
        **stub_servers.OPENAI_STYLE,
        **stub_servers.ANTHROPIC_STYLE,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append(
                (self.path, {name.lower(): text for name, text in self.headers.items()})
            )
            answer = answers.get(self.path, lambda model: {})(body.get("model", ""))
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
        server.shutdown()


def _chat(found: Endpoint) -> str | None:
    with openai.OpenAI(**found.openai_kwargs(), max_retries=0) as client:
        answer = client.chat.completions.create(
            model=found.model, messages=[{"role": "user", "content": "hello"}]
        )
    return answer.choices[0].message.content


def _message(found: Endpoint) -> str:
    with anthropic.Anthropic(**found.anthropic_kwargs(), max_retries=0) as client:
        answer = client.messages.create(
            model=found.model, max_tokens=9, messages=[{"role": "user", "content": "hello"}]
        )
    return "".join(block.text for block in answer.content if block.type == "text")


@pytest.mark.parametrize("npm", ["@ai-sdk/openai", "@ai-sdk/openai-compatible"])
def test_openais_client_calls_a_server_of_its_dialect(
    npm: str, recorder: tuple[str, Recorded]
) -> None:
    url, requests = recorder
    assert _chat(endpoint(provider(url=url, npm=npm))) == "m says hello"
    [(path, headers)] = requests
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"


def test_openais_client_calls_the_responses_api(recorder: tuple[str, Recorded]) -> None:
    url, requests = recorder
    found = endpoint(provider(url=url, npm="@ai-sdk/openai"))
    with openai.OpenAI(**found.openai_kwargs()) as client:
        answer = client.responses.create(model=found.model, input="hello")
    assert answer.output_text == "m says hello"
    assert requests[0][0] == "/v1/responses"


def test_anthropics_client_calls_a_server_of_its_dialect(recorder: tuple[str, Recorded]) -> None:
    url, requests = recorder
    assert _message(endpoint(provider(url=url, npm="@ai-sdk/anthropic"))) == "m says hello"
    [(path, headers)] = requests
    assert path == "/v1/messages"
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_client_without_a_key_takes_none_from_the_environment(
    dialect: Dialect, recorder: tuple[str, Recorded]
) -> None:
    url, requests = recorder
    found = Endpoint(url, "m", dialect)
    (_message if dialect == "anthropic" else _chat)(found)
    assert "sk-foreign" not in str(requests)
    assert KEY not in str(requests)


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_client_with_a_key_adds_none_from_the_environment(
    dialect: Dialect, recorder: tuple[str, Recorded]
) -> None:
    url, requests = recorder
    (_message if dialect == "anthropic" else _chat)(Endpoint(url, "m", dialect, KEY))
    assert "sk-foreign" not in str(requests)


@pytest.mark.parametrize("npm", ["@ai-sdk/openai", "@ai-sdk/anthropic"])
def test_the_clients_send_the_header_that_a_provider_names(
    npm: str, recorder: tuple[str, Recorded]
) -> None:
    url, requests = recorder
    found = endpoint(provider(url=url, npm=npm, api_key_header="X-Acme-Key"))
    (_message if npm == "@ai-sdk/anthropic" else _chat)(found)
    assert requests[0][1]["x-acme-key"] == KEY


@pytest.mark.parametrize(
    ("npm", "path", "header"),
    [
        ("@ai-sdk/google", "models/m:generateContent", ("x-goog-api-key", KEY)),
        ("@ai-sdk/anthropic", "messages", ("x-api-key", KEY)),
        ("@ai-sdk/openai", "responses", ("authorization", f"Bearer {KEY}")),
    ],
)
def test_an_http_client_calls_every_dialect(
    npm: str, path: str, header: tuple[str, str], recorder: tuple[str, Recorded]
) -> None:
    url, requests = recorder
    with closing(httpx.Client(**endpoint(provider(url=url, npm=npm)).httpx_kwargs())) as client:
        assert client.post(path, json={"model": "m"}).status_code == 200
    [(asked, headers)] = requests
    assert asked == f"/v1/{path}"
    assert header in headers.items()


@pytest.mark.slow
def test_the_example_calls_three_models(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, EXAMPLE / "call_a_model.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "HOME": str(tmp_path),
            "REGISTRY_CORE_STORE_DIR": str(tmp_path),
            "NO_PROXY": "127.0.0.1",
        },
    )
    assert run.returncode == 0, run.stderr
    said = [line for line in run.stdout.splitlines() if line.endswith("says hello")]
    assert said == [
        "gpt-5.6 says hello",
        "openai/gpt-oss-120b says hello",
        "claude-sonnet-5 says hello",
    ]
    assert "sk-" not in run.stdout
