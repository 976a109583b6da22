"""Full ids: how they can be split into a provider's and a model's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def parse_model_string(id: str) -> tuple[str | None, str]:
    """``provider/model`` at the first slash; `(None, id)` without one, or with an empty half."""
    provider, _, model = id.partition("/")
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
