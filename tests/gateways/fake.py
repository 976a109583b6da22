"""A server that answers as its payload says: `python fake.py PAYLOAD.json PORT`.

`/api/show` goes by the model; `/v1/chat/completions` says which model it was asked for.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

answers: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found, status = answers.get(self.path, {"error": "not found"}), 200
        if self.path not in answers:
            status = 404
        self._send(status, found)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)))
        if self.path == "/v1/chat/completions":
            message = {"role": "assistant", "content": f"{asked['model']} here"}
            self._send(200, {"choices": [{"index": 0, "message": message}]})
        elif self.path in answers:
            self._send(200, answers[self.path][asked["model"]])
        else:
            self._send(404, {"error": "not found"})

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
