from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.litellmproxy import Proxy, litellm_proxy
from tests.loopback import Loopback, Reply, Request


def completion(request: Request) -> Reply:
    """As OpenAI answers, with the model that was asked for."""
    model = json.loads(request.body)["model"]
    message = {"role": "assistant", "content": f"Hello from {model}"}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": model}
    body = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
    return Reply(200, body, {"Content-Type": "application/json"})


@pytest.fixture(scope="session")
def upstream() -> Iterator[Loopback]:
    """What the proxy calls."""
    with Loopback() as server:
        server.route("/v1/chat/completions", completion)
        yield server


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory, upstream: Loopback) -> Iterator[Proxy]:
    """LiteLLM with three deployments of two models; started once, since it takes its time."""
    params = {"api_base": upstream.url("/v1"), "api_key": "sk-upstream"}
    deployments = [
        {"model_name": "fast", "litellm_params": {"model": "openai/gpt-4o", **params}},
        {"model_name": "fast", "litellm_params": {"model": "openai/gpt-4", **params}},
        {
            "model_name": "acme/alpha",
            "litellm_params": {"model": "openai/alpha", **params},
            "model_info": {
                "mode": "chat",
                "max_input_tokens": 100_000,
                "input_cost_per_token": 1.5e-07,
                "output_cost_per_token": 6e-07,
                "supports_function_calling": True,
            },
        },
    ]
    with litellm_proxy(tmp_path_factory.mktemp("litellm"), deployments) as running:
        yield running
