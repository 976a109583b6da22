"""The host's own client, for comparison."""

from __future__ import annotations

import time

from registry_core.http.client import HttpClient
from registry_core.secrets import Secrets


def http_client() -> HttpClient:
    return HttpClient(
        options={},
        environ={},
        secrets=Secrets(),
        payloads=None,
        offline=False,
        retries=0,
        deadline=time.monotonic() + 30,
    )
