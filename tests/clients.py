"""The host's own client, as a sync makes it."""

from __future__ import annotations

from typing import Any

from attrs import fields_dict

from registry_core._base.secrets import Secrets
from registry_core._http.client import HttpClient
from registry_core._http.config import HttpConfig
from registry_core.settings import Settings


def http_client(**given: Any) -> HttpClient:
    """Each keyword is a setting, or goes to HttpConfig or HttpClient."""

    def of(kind: Any, **defaults: Any) -> Any:
        own = {name: given.pop(name) for name in fields_dict(kind) if name in given}
        return kind(**defaults | own)

    config = of(HttpConfig, settings=of(Settings), secrets=Secrets(), environ={})
    return HttpClient(config, **{"options": {}} | given)
