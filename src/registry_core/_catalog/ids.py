"""Full ids: how they can be split into a provider's and a model's; and roles, which stand
for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._base.fields import asked_id, check_each, valid_id, valid_provider_id


def parse_model_string(id: str) -> tuple[str | None, str]:
    """``provider/model`` at the first slash; `(None, id)` without one, or with an empty half."""
    provider, _, model = asked_id(id).partition("/")
    return (provider, model) if provider and model else (None, id)


def lengths_of(providers: Iterable[str]) -> list[int]:
    """The lengths that ids of providers have, for `splits`."""
    return sorted({*map(len, providers)}, reverse=True)


def splits(id: str, lengths: Iterable[int]) -> Iterator[tuple[str, str]]:
    """The ways to split a full id at a slash, of those whose provider has one of these
    lengths. An id may hold thousands of slashes, and providers have a few dozen lengths."""
    for length in lengths:
        if id.startswith("/", length):
            yield id[:length], id[length + 1 :]


def checked_roles(roles: Mapping[str, str]) -> dict[str, str]:
    """`roles`, if each is an id without a slash that stands for a full id. Raises TypeError or
    ValueError, naming the role that is wrong."""
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
