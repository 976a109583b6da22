"""Engines that hold the objects of a fleet: real servers on the loopback interface."""

from __future__ import annotations

import base64
import hmac
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

from tests.nodetools import node_package

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "an-access-key-id",
    "AWS_SECRET_ACCESS_KEY": "a-secret-access-key-nobody-may-see",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
BUCKET = "fleet"


class Server:
    """One engine as a process; `url` is where its S3 API listens."""

    scheme = "s3"

    def __init__(
        self, command: list[str], port: int, log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, env=environ)
        ends = time.monotonic() + 120
        while not self._is_ready():
            if time.monotonic() > ends or self.process.poll() is not None:
                self.stop()
                raise AssertionError(log.read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)  # until it listens

    def _is_ready(self) -> bool:
        """Whether the bucket is there, and can be written."""
        return self._puts(f"/{BUCKET}") and self._puts(f"/{BUCKET}/ready", b"yes")

    def _puts(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bool:
        request = urllib.request.Request(self.url + path, body, {**(headers or {})}, method="PUT")
        try:
            urllib.request.urlopen(request, timeout=60).close()
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


class Azurite(Server):
    scheme = "az"
    ACCOUNT = "fleet"
    KEY = base64.b64encode(b"an-account-key-nobody-may-see").decode()

    def _is_ready(self) -> bool:
        """Unlike a bucket of S3, a container is only made by who signs."""
        about = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
        lines = [*(f"{name}:{value}" for name, value in about.items())]
        lines += [f"/{self.ACCOUNT}/{self.ACCOUNT}/{BUCKET}", "restype:container"]
        text = "PUT" + "\n" * 12 + "\n".join(lines)
        seal = hmac.digest(base64.b64decode(self.KEY), text.encode(), "sha256")
        signed = f"SharedKey {self.ACCOUNT}:{base64.b64encode(seal).decode()}"
        headers = {**about, "Authorization": signed, "Content-Length": "0"}
        return self._puts(f"/{self.ACCOUNT}/{BUCKET}?restype=container", headers=headers)

    def environ(self) -> Mapping[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": self.ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": self.KEY,
            "AZURE_ENDPOINT": f"{self.url}/{self.ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
        }


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
    every = free_ports(2 * len(names))  # in one go, or the later ones could be the first again
    ports = dict(zip(names, every[::2], strict=True))
    internal = dict(zip(names, every[1::2], strict=True))
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


def azurite(folder: Path) -> Server:
    """Azure's own emulator. Skips the test without npm."""
    main = node_package("azurite", "3.37.0") / "dist" / "src" / "blob" / "main.js"
    (port,) = free_ports(1)
    command = ["node", str(main), "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    # Its newest version of the API is older than that of clients.
    command += ["--location", str(folder), "--skipApiVersionCheck", "--disableTelemetry"]
    accounts = {"AZURITE_ACCOUNTS": f"{Azurite.ACCOUNT}:{Azurite.KEY}"}
    return Azurite(command, port, folder / "azurite.log", {**os.environ, **accounts})
