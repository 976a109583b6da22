"""Whose certificates are believed: real TLS, and a CA of the test's own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry_core.errors import GatewayError
from tests.loopback import Loopback

if TYPE_CHECKING:
    from .conftest import Make

NEW = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
SIGNS = "-addext keyUsage=critical,keyCertSign"  # Python is strict about that since 3.13


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, a stranger's other.pem, and server.pem that ca.pem has signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make certificates")
    folder = tmp_path_factory.mktemp("tls")

    def run(arguments: str) -> None:
        subprocess.run([openssl, *arguments.split()], check=True, capture_output=True, cwd=folder)

    for name in ("ca", "other"):
        run(f"{NEW} {SIGNS} -subj /CN={name} -keyout {name}.key -out {name}.pem")
    run(
        f"{NEW} -subj /CN=loopback -addext subjectAltName=IP:127.0.0.1 -CA ca.pem -CAkey ca.key"
        " -addext basicConstraints=critical,CA:FALSE -addext keyUsage=digitalSignature"
        " -keyout server.key -out server.crt"
    )
    whole = (folder / "server.key").read_text() + (folder / "server.crt").read_text()
    (folder / "server.pem").write_text(whole)
    for name in ("ca", "other"):
        (folder / name).mkdir()
        shutil.copy(folder / f"{name}.pem", folder / name)
        run(f"rehash {name}")
    return folder


@pytest.fixture
def secure(made: Path) -> Iterator[Loopback]:
    with Loopback(certificate=str(made / "server.pem")) as server:
        server.serve("/a", 1)
        yield server


def test_a_ca_that_nobody_named_is_not_believed(make: Make, secure: Loopback) -> None:
    told = r"TLS failed: .*issuer.*SSL_CERT_FILE.*or add it to the system's"
    with pytest.raises(GatewayError, match=told):
        make().get_json(secure.url("/a"))
    assert secure.requests == []


@pytest.mark.parametrize(
    "variables",
    [
        {"SSL_CERT_FILE": "ca.pem"},
        {"SSL_CERT_DIR": "ca"},
        {"SSL_CERT_DIR": "other:ca"},
        {"SSL_CERT_FILE": "other.pem", "SSL_CERT_DIR": "ca"},
        {"SSL_CERT_FILE": "ca.pem", "SSL_CERT_DIR": ""},
        {"REQUESTS_CA_BUNDLE": "ca.pem"},
        {"CURL_CA_BUNDLE": "ca.pem"},
        {"REQUESTS_CA_BUNDLE": "ca.pem", "SSL_CERT_FILE": "other.pem"},
        {"REQUESTS_CA_BUNDLE": "ca"},
    ],
    ids=str,
)
def test_a_ca_of_the_environment_is_believed(
    make: Make,
    secure: Loopback,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    monkeypatch.chdir(made)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert make().get_json(secure.url("/a")) == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"SSL_CERT_FILE": "other.pem"},
        {"SSL_CERT_DIR": "other"},
        {"REQUESTS_CA_BUNDLE": "other.pem", "SSL_CERT_FILE": "ca.pem"},
    ],
    ids=str,
)
def test_another_ca_is_not(
    make: Make,
    secure: Loopback,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
) -> None:
    monkeypatch.chdir(made)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GatewayError, match="TLS failed"):
        make().get_json(secure.url("/a"))


def test_the_name_in_the_certificate_counts(
    make: Make, secure: Loopback, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(made / "ca.pem"))
    with pytest.raises(GatewayError, match="TLS failed: Hostname mismatch"):
        make().get_json(secure.url("/a", host="localhost"))


@pytest.mark.parametrize("file", ["absent.pem", "server.key"])
def test_a_file_without_certificates_is_named_by_its_variable(
    make: Make, secure: Loopback, made: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(made / file))
    with pytest.raises(GatewayError, match=r"CA bundle can't be read.*SSL_CERT_FILE"):
        make().get_json(secure.url("/a"))


def test_one_connection_serves_the_requests_of_a_client_over_tls(
    make: Make, secure: Loopback, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(made / "ca.pem"))
    secure.serve("/b", 2)
    client = make()
    assert [client.get_json(secure.url(path)) for path in ("/a", "/b")] == [1, 2]
    assert secure.connections == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_proxy_that_speaks_tls_is_believed_as_a_server_is(
    make: Make, secure: Loopback, made: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", secure.url())
    with pytest.raises(GatewayError, match=r"issuer"):
        make(fetch_retries=0).get_json("http://models.invalid/a")
    monkeypatch.setenv(variable, str(made / "ca.pem"))
    assert make().get_json("http://models.invalid/a") == 1


CHILD = (
    "import sys; from tests.clients import http_client; print(http_client().get_json(sys.argv[1]))"
)


@pytest.mark.skipif(sys.platform != "linux", reason="puts a CA into the store of Linux")
def test_a_ca_in_the_systems_store_is_believed(secure: Loopback, made: Path) -> None:
    """In a mount namespace of its own, so that the machine's store stays as it is."""
    store = ssl.get_default_verify_paths().cafile
    if store is None:
        pytest.skip("this system has no store")
    mount = f'mount --bind "{made}/ca.pem" "{store}" && exec "$@"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount anything")
    child = subprocess.run(
        [*command, sys.executable, "-c", CHILD, secure.url("/a")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout == "1\n", child.stderr
