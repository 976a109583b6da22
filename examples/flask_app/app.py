"""`flask run --debug`: new models reach the editor and `/models/openai` by themselves."""

from __future__ import annotations

from flask import Flask

from registry_core import ModelRegistry, get_model
from registry_core.devserver.flask import init_app
from registry_core_types import ModelId

DEFAULT: ModelId = "openai/gpt-4o"  # an editor completes it

app = Flask(__name__)
init_app(app)


@app.get("/models/<provider>")
def models(provider: str) -> list[str]:
    return list(ModelRegistry.get_instance().get_models().get(provider, ()))


@app.get("/price")
def price() -> dict[str, float | None]:
    """USD per million tokens; None is "unknown", never "free"."""
    found = get_model(DEFAULT)
    return {"input": found.cost.input if found and found.cost else None}
