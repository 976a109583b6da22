"""A catalog of models on this machine, to watch a model arrive while a dev server runs.

It answers as models.dev does, with one provider and one model. Each line that is typed
publishes one model more; Ctrl-C ends it. The variables that it prints point registry-core
here, in another terminal; the store is in a temporary folder.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

models = ["gpt-4o"]


def catalog() -> dict[str, object]:
    """What models.dev's `api.json` looks like; most of it can be left out."""
    return {
        "openai": {
            "id": "openai",
            "name": "OpenAI",
            "env": ["OPENAI_API_KEY"],
            "npm": "@ai-sdk/openai",
            "models": {id: {"id": id, "name": id, "tool_call": True} for id in models},
        }
    }


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(catalog()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        print(f"# asked for {self.path}", file=sys.stderr)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="registry-core-") as store:
        print("# In another terminal:")
        print(f"export REGISTRY_CORE_MODELS_DEV_URL=http://127.0.0.1:{server.server_port}/api.json")
        print("export REGISTRY_CORE_PLUGINS=registry-gateway-models-dev")
        print("export REGISTRY_CORE_SHRINK_LIMIT=0  # one model instead of thousands is right")
        print("export REGISTRY_CORE_REFRESH_INTERVAL_MS=60000")
        print(f"export REGISTRY_CORE_STORE_DIR={store}")
        print("# Type the id of a model to publish it, like gpt-99:", flush=True)
        for line in sys.stdin:
            if line.strip():
                models.append(line.strip())
                print(f"# openai/{line.strip()} is published", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
