"""The adapter for Flask.

    from registry_core.devserver.flask import init_app

    app = Flask(__name__)
    init_app(app)

It is active under `flask run` and `app.run` with the reloader, or if the application is in
debug mode when `init_app` is called (`flask --debug`, `FLASK_DEBUG`), and under any
server if `REGISTRY_CORE_DEV` is true.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import is_dev, startup

if TYPE_CHECKING:
    from flask import Flask

    from ..registry import ModelRegistry


def init_app(app: Flask, *, registry: ModelRegistry | None = None) -> None:
    """In dev, call `startup` as soon as this process is known to serve. In production do nothing.

    The child of Werkzeug's reloader serves from the start. Any other process (a reloader's
    parent, `flask shell`, a server without reloading) is known to serve at its first request.
    `registry`: None for the registry of this process.
    """
    reloaded = os.environ.get("WERKZEUG_RUN_MAIN") == "true"
    if not is_dev(reloaded or app.debug):
        return
    if reloaded:
        startup(registry)
        return

    @app.before_request
    def begin() -> None:
        if not app.testing:
            startup(registry)
