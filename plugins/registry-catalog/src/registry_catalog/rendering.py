"""From a snapshot to one HTML file that makes no requests.

Ids, names and links come from outside. The page contains them only as JSON, without characters
that could end it, and the scripts turn them into text, never into markup. A policy in the page
(CSP) enforces this in the browser: only the script and the style of this package, no requests,
no HTML from text.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from importlib_resources import files
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from .columns import columns

if TYPE_CHECKING:
    from datetime import datetime

    from registry_core import Snapshot


def _file(name: str) -> str:
    """A file of this package, with the line ends that a browser hashes."""
    text: str = files(__package__).joinpath("page", name).read_text("utf-8")
    return text.replace("\r\n", "\n")


#: The scripts in the order of the page. Each uses only those before it.
SCRIPTS = (
    "models",
    "query",
    "text",
    "view",
    "list",
    "details",
    "compare",
    "plot",
    "retiring",
    "page",
)
# Read at import, since a hook must not read files.
_SCRIPT = "\n".join(_file(f"{name}.js") for name in SCRIPTS)
_STYLE = _file("page.css")
_ENVIRONMENT = Environment(
    autoescape=True, loader=FunctionLoader(_file), undefined=StrictUndefined, auto_reload=False
)
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"separators": (",", ":")}  # ASCII: no bidi in it
_TEMPLATE = _ENVIRONMENT.get_template("page.html.jinja")


def page(snapshot: Snapshot, refreshed: datetime | None = None) -> str:
    """The whole page. `refreshed`: when the data was last fetched; None if unknown."""
    models = snapshot.get_models()
    return _TEMPLATE.render(
        data=columns(snapshot),
        script=Markup(_SCRIPT),  # noqa: S704 - ours, as the style is
        style=Markup(_STYLE),  # noqa: S704
        script_hash=_hash(_SCRIPT),
        style_hash=_hash(_STYLE),
        refreshed=refreshed,
        models=sum(map(len, models.values())),
        providers=len(models),
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
