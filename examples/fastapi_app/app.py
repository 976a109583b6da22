"""`fastapi dev app.py`: new models reach the editor and `/models/openai` by themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from registry_core import ModelRegistry, get_model
from registry_core.devserver.asgi import dev_lifespan
from registry_core_types import ModelId

DEFAULT: ModelId = "openai/gpt-4o"  # an editor completes it


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, ModelId]]:
    """The application's own: dev_lifespan runs around it, or nothing does in production."""
    yield {"model": DEFAULT}


app = FastAPI(lifespan=dev_lifespan(lifespan))


@app.get("/models/{provider}")
def models(provider: str) -> list[str]:
    return list(ModelRegistry.get_instance().get_models().get(provider, ()))


@app.get("/price")
def price(model: ModelId = DEFAULT) -> dict[str, float | None]:
    """USD per million tokens; None is "unknown", never "free"."""
    found = get_model(model)
    return {"input": found.cost.input if found and found.cost else None}
