"""Two servers on this machine that answer as an OpenAI-style and an Anthropic-style API do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


def chat_completion(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": f"{model} says hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
    }


def response(model: str) -> dict[str, Any]:
    content = {"type": "output_text", "text": f"{model} says hello", "annotations": []}
    message = {
        "type": "message",
        "id": "m1",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }
    return {
        "id": "r1",
        "object": "response",
        "created_at": 0,
        "model": model,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def message(model: str) -> dict[str, Any]:
    return {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": f"{model} says hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 3},
    }


OPENAI_STYLE = {"/v1/chat/completions": chat_completion, "/v1/responses": response}
ANTHROPIC_STYLE = {"/v1/messages": message}


class Server(ThreadingHTTPServer):
    """Answers POSTs to `answers`' paths if one of the usual headers carries `key`."""

    daemon_threads = True

    def __init__(self, answers: dict[str, Any], key: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.key = key

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = (self.headers.get("Authorization"), self.headers.get("x-api-key"))
        if not {f"Bearer {self.server.key}", self.server.key} & {*given}:
            self._send(401, {"error": {"message": "wrong key"}})
        elif self.path not in self.server.answers:
            self._send(404, {"error": {"message": f"no {self.path} here"}})
        else:
            self._send(200, self.server.answers[self.path](body["model"]))

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def serve(answers: dict[str, Any], key: str) -> Iterator[str]:
    """The base URL of a server that runs until the block ends."""
    with Server(answers, key) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server.url
        finally:
            server.shutdown()
