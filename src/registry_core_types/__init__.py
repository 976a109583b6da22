"""Generated types of provider and model ids; type checkers read the `.pyi` beside this.

At run time each of the types is `str`, so that annotations can be evaluated (pydantic,
FastAPI, `typing.get_type_hints`) whatever the names of the providers; and the functions
give back what they are given.
"""

from __future__ import annotations


def model_id(id: str, /) -> str:
    """The same full id; a type checker accepts known ones only, and completes them."""
    return id


def provider_id(id: str, /) -> str:
    """The same id; a type checker accepts those of known providers only, and completes them."""
    return id


def takes_model_id(function: object, /) -> object:
    """The same function; calls of it complete all full ids as the first argument.

    A type checker accepts there what the function does: any text, or known ids only if the
    parameter is a `KnownModelId`.
    """
    return function


def __getattr__(name: str) -> type[str]:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return str
