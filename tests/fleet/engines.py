"""Engines that hold the objects of a fleet: real servers on the loopback interface."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "an-access-key-id",
    "AWS_SECRET_ACCESS_KEY": "a-secret-access-key-nobody-may-see",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
BUCKET = "fleet"


class Server:
    """One engine as a process; `url` is where its S3 API listens."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        ends = time.monotonic() + 60
        while not (self._puts(f"/{BUCKET}") and self._puts(f"/{BUCKET}/ready", b"yes")):
            if time.monotonic() > ends or self.process.poll() is not None:
                raise AssertionError(log.read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)  # until it listens

    def _puts(self, path: str, body: bytes | None = None) -> bool:
        request = urllib.request.Request(self.url + path, body, method="PUT")
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code == 409  # it is there
        except OSError:
            return False
        return True

    def environ(self) -> Mapping[str, str]:
        return {**CREDENTIALS, "AWS_ENDPOINT": self.url}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def moto(folder: Path) -> Server:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    return Server(command, port, folder / "moto.log")


def weed() -> str | None:
    """The program of SeaweedFS, if it is installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def seaweedfs(folder: Path) -> Server:
    program = weed()
    assert program is not None
    names = ("master", "volume", "filer", "s3")
    ports = dict(zip(names, free_ports(4), strict=True))
    internal = dict(zip(names, free_ports(4), strict=True))
    data = folder / "weed"
    data.mkdir(exist_ok=True)
    command = [
        *(program, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"),
        *(f"-{name}.port={port}" for name, port in ports.items()),
        *(f"-{name}.port.grpc={port}" for name, port in internal.items()),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=20"),
    ]
    return Server(command, ports["s3"], folder / "weed.log")
