"""The adapter for Starlette, FastAPI, and other frameworks with a lifespan of one argument.

    from registry_core.devserver.asgi import dev_lifespan

    app = FastAPI(lifespan=dev_lifespan())              # or dev_lifespan(my_lifespan)

A lifespan runs in the process that serves, so a reloader's parent starts nothing. The adapter
is active under `fastapi dev`, and under any server if `REGISTRY_CORE_DEV` is true.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from . import is_dev, shutdown, startup

if TYPE_CHECKING:
    from ..registry import ModelRegistry

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def dev_lifespan(own: Lifespan | None = None, *, registry: ModelRegistry | None = None) -> Lifespan:
    """A lifespan that runs `own`, the application's lifespan, and in dev starts registry-core.

    It yields what `own` yields. `registry`: None for the registry of this process. In
    production only `own` runs.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncGenerator[Any]:
        async with AsyncExitStack() as stack:
            # fastapi-cli sets it from 0.0.32 on, unless the user did
            if is_dev(os.environ.get("FASTAPI_ENV") == "development"):
                stack.callback(shutdown)
                startup(registry)
            yield await stack.enter_async_context(own(app)) if own is not None else None

    return lifespan
