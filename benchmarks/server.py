"""The gateways, on loopback: one payload of models.dev out of several, Netlify's, slow ones.

python server.py NETLIFY PAYLOAD…    prints its port; ends with its standard input

/models.json /netlify.json   the payloads, with an ETag; 304 to whoever has them
/use/2                       from now on, /models.json is the second payload, in which ids that end
                             in "-b" end in what they never did before
/slow/200/x.json             a few models, after 200 ms
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    served: dict[str, tuple[bytes, str]]
    payloads: list[tuple[bytes, str]]
    count = itertools.count(1)

    def do_GET(self) -> None:
        _, kind, *rest = urlsplit(self.path).path.split("/")
        if kind == "use":
            body, _ = self.payloads[int(rest[0]) - 1]
            self.served["models.json"] = tagged(body.replace(b'-b"', b'-b%d"' % next(self.count)))
            body, etag = tagged(b"{}")
        elif kind == "slow":
            time.sleep(int(rest[0]) / 1000)
            body, etag = tagged(json.dumps([f"model-{n}" for n in range(20)]).encode())
        else:
            body, etag = self.served[kind]
        unchanged = self.headers["If-None-Match"] == etag
        self.send_response(304 if unchanged else 200)
        self.send_header("ETag", etag)
        if not unchanged:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not unchanged:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def tagged(body: bytes) -> tuple[bytes, str]:
    return body, f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def main() -> None:
    netlify, *payloads = (tagged(Path(name).read_bytes()) for name in sys.argv[1:])
    Handler.payloads = payloads
    Handler.served = {"netlify.json": netlify, "models.json": payloads[0]}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
