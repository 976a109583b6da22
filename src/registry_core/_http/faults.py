"""Explains failed HTTP calls. The texts of errors are not repeated, since they may hold secrets."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

import requests
import urllib3
from attrs import frozen

#: What requests, urllib3 and http.client raise. OSError is the base of requests' errors.
FAILURES = (OSError, ValueError, HTTPException, urllib3.exceptions.HTTPError)

#: No connection to the server, or through the proxy, was made.
_UNCONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)

CHECK_PROXY = "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
CHECK_CA = (
    "behind a company's CA, set REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the file of its"
    " certificates, or add it to the system's"
)


@frozen
class Fault:
    """Why an attempt failed, and whether to try again."""

    message: str
    hint: str = ""
    retry: bool = False
    after: float | None = None
    """Seconds that the server asks to wait."""
    unreachable: bool = False
    """Nobody answered."""
    status: int | None = None
    """The status of the answer, if that explains the failure."""
    undone: bool = False
    """The server did nothing, so even a POST may be tried again."""


def diagnose(error: BaseException) -> Fault:
    """Explains a failed call without its text, which may hold secrets."""
    chain = list(_chain(error))
    root = chain[-1]
    why = _why(root)
    undone = any(isinstance(cause, _UNCONNECTED) for cause in chain)
    if isinstance(error, requests.exceptions.InvalidProxyURL) or isinstance(
        root, urllib3.exceptions.ProxySchemeUnknown
    ):
        return Fault("the proxy's address can't be used", CHECK_PROXY)
    if isinstance(error, requests.exceptions.InvalidSchema):  # raised for nothing else here
        return Fault(
            "can't be asked through a SOCKS proxy without the package PySocks",
            f"pip install 'requests[socks]', or {CHECK_PROXY}",
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return Fault(f"the proxy failed: {why}", CHECK_PROXY, retry=True, undone=undone)
    if isinstance(root, ssl.SSLError):
        return Fault(
            f"TLS failed: {why}",
            CHECK_CA,
            retry=not isinstance(root, ssl.SSLCertVerificationError),
        )
    if isinstance(root, IncompleteRead):
        return Fault("cut its answer off", "try again later", retry=True, unreachable=True)
    if isinstance(error, urllib3.exceptions.DecodeError):
        return Fault("sent a body that can't be decompressed", "check the url")
    if type(error) is OSError:  # from requests or `trust`: a file of certificates is missing
        return Fault(
            "the CA bundle can't be read",
            "check REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR",
        )
    if isinstance(error, (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError)):
        return Fault("is not a URL that can be asked", "check the url")
    if isinstance(error, requests.exceptions.InvalidJSONError):
        return Fault("can't be asked: JSON has no NaN or infinity", "check the body")
    if isinstance(root, ValueError):
        return Fault(
            "can't be asked: a header holds a character that HTTP does not allow",
            "check the token for line breaks and other stray characters",
        )
    return Fault(
        f"can't be reached: {why}",
        "check the network; behind a proxy, set HTTPS_PROXY",
        retry=True,
        unreachable=True,
        undone=undone,
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and its causes: requests wraps urllib3's errors, which wrap those of the system."""
    for _ in range(10):
        if error is None:
            return
        yield error
        inner = (getattr(error, "reason", None), *error.args, error.__cause__)
        error = next((cause for cause in inner if isinstance(cause, BaseException)), None)


def _why(root: BaseException) -> str:
    if isinstance(root, socket.gaierror):
        return "its host name can't be resolved"
    if isinstance(root, ssl.SSLCertVerificationError):
        return root.verify_message
    if isinstance(root, (TimeoutError, urllib3.exceptions.TimeoutError)):
        return "no answer in time"
    if isinstance(root, RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(root, HTTPException):
        return "it does not speak HTTP"
    if tunnel := re.match(r"Tunnel connection failed: (\d{3})", str(root)):
        return f"it answered {tunnel[1]}"
    return getattr(root, "strerror", None) or type(root).__name__
