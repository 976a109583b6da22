"""Generated types of provider and model ids; type checkers read the `.pyi` beside this.

At run time each of them is `str`, so that annotations can be evaluated (pydantic,
FastAPI, `typing.get_type_hints`) whatever the names of the providers.
"""

from __future__ import annotations


def __getattr__(name: str) -> type[str]:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return str
