"""Splitting full ids into provider and model, and checking roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._base.fields import asked_id, check_each, valid_id, valid_provider_id


def parse_model_string(id: str) -> tuple[str | None, str]:
    """Split ``provider/model`` at the first slash. Without a slash, or with an empty half, it is
    `(None, id)`."""
    provider, _, model = asked_id(id).partition("/")
    return (provider, model) if provider and model else (None, id)


def lengths_of(providers: Iterable[str]) -> list[int]:
    """The lengths of provider ids, for `splits`."""
    return sorted({*map(len, providers)}, reverse=True)


def splits(id: str, lengths: Iterable[int]) -> Iterator[tuple[str, str]]:
    """The ways to split a full id at a slash so that the provider has one of these lengths.
    An id may contain thousands of slashes, while providers have a few dozen lengths."""
    for length in lengths:
        if id.startswith("/", length):
            yield id[:length], id[length + 1 :]


def checked_roles(roles: Mapping[str, str]) -> dict[str, str]:
    """`roles`, if each is an id without a slash that stands for a full id. Raises TypeError or
    ValueError that names the wrong role."""
    return check_each(roles, _target)


def _target(role: str, target: str) -> str:
    if "/" in valid_id(role):
        raise ValueError("expected a role without a slash")
    if type(target) is not str:
        raise TypeError(f"expected a full id, got {type(target).__name__}")
    provider, model = parse_model_string(target)
    if provider is None:
        raise ValueError(f"expected a full id such as openai/gpt-5, got {target[:40]!r}")
    valid_provider_id(provider)
    valid_id(model)
    return target
