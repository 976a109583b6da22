"""The adapter for Django. Add it to the settings:

    INSTALLED_APPS = [..., "registry_core.devserver.django.RegistryCoreConfig"]

It is active in the process of `manage.py runserver` that serves, but not in the autoreloader's
parent, nor in other commands. `REGISTRY_CORE_DEV=false` switches it off.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from django.apps import AppConfig  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from . import is_dev, startup


class RegistryCoreConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """An application without models; only its `ready` is used."""

    name = "registry_core.devserver.django"
    label = "registry_core"
    verbose_name = "registry-core"

    def ready(self) -> None:
        if _serves(sys.argv, os.environ) and is_dev(True):
            startup()


def _serves(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether this is `runserver`, and not the parent of its autoreloader. Uses the same signs as
    Django itself."""
    if argv[1:2] != ["runserver"]:
        return False
    return "--noreload" in argv or environ.get("RUN_MAIN") == "true"
